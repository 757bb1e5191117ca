import type { Normalised, Operations } from '../tensorflow/operations.ts';
import type { Canvas, Layer, Shaped } from './network.ts';
import { resampling, transposed } from './resampling.ts';

interface Convolved<T> {
  readonly z: T;
  readonly filterGradient: (dz: T) => T;
  readonly inputGradient: (dz: T) => T;
}

/**
 * Runs a network as in training, normalised by the batch's own statistics, and records the backward pass: reverse-mode
 * differentiation over the operations of {@link Operations}.
 */
export class Tape<T extends Shaped> implements Canvas<T> {
  private readonly back: (() => void)[] = [];
  /** ∂loss/∂value of each value, as far as it is known. */
  private readonly slopes = new Map<T, T>();
  /** Mean and variance of each channel before normalisation, by layer. */
  readonly statistics = new Map<Layer, Pick<Normalised<T>, 'mean' | 'variance'>>();

  /**
   * @param inputs     of the network: values whose gradients are not needed
   * @param parameters of each layer, in the order of `parameterShapes`
   */
  constructor(
    private readonly run: Operations<T>,
    private readonly inputs: readonly T[],
    private readonly parameters: ReadonlyMap<Layer, readonly T[]>,
  ) {}

  layer(layer: Layer, x: T): T {
    const { run } = this;
    const { normalised, activated } = layer;
    const [filter, second, beta] = this.parameters.get(layer) as [T, T, T];
    const { z, filterGradient, inputGradient } = this.convolution(layer, x, filter);
    const behindConvolution = (dz: T) => {
      this.send(filter, filterGradient(dz));
      if (!this.inputs.includes(x)) this.send(x, inputGradient(dz));
    };
    if (!normalised) {
      const sum = run.addBias(z, second);
      const y = activated ? run.relu6(sum) : sum;
      return this.record(y, (dy) => {
        const dz = activated ? run.relu6Gradient(dy, y) : dy;
        this.send(second, run.biasGradient(dz));
        behindConvolution(dz);
      });
    }
    const forward = run.batchNormRelu(z, second, beta);
    this.statistics.set(layer, forward);
    return this.record(forward.y, (dy) => {
      const [dz, dGamma, dBeta] = run.batchNormReluGradient(dy, z, second, forward);
      this.send(second, dGamma);
      this.send(beta, dBeta);
      behindConvolution(dz);
    });
  }

  /** The convolution of a layer, and its gradients. */
  private convolution({ kind, size, stride = 1, dilation = 1 }: Layer, x: T, filter: T): Convolved<T> {
    const { run } = this;
    if (kind === 'depthwise') {
      return {
        z: run.depthwiseConvolution(x, filter, stride),
        filterGradient: (dz) => run.depthwiseFilterGradient(x, dz, size, stride),
        inputGradient: (dz) => run.depthwiseInputGradient(dz, filter, x.shape, stride),
      };
    }
    if (stride > 1) throw new RangeError(`a full layer in training: expected a stride of 1, got ${stride}`);
    return {
      z: run.convolution(x, filter, dilation),
      filterGradient: (dz) => run.convolutionFilterGradient(x, dz, size, dilation),
      inputGradient: (dz) => run.convolutionInputGradient(dz, filter, dilation),
    };
  }

  add(a: T, b: T): T {
    return this.record(this.run.add(a, b), (dy) => {
      this.send(a, dy);
      this.send(b, dy);
    });
  }

  spaceToDepth(x: T): T {
    return this.record(this.run.spaceToDepth(x), (dy) => this.send(x, this.run.depthToSpace(dy)));
  }

  depthToSpace(x: T): T {
    return this.record(this.run.depthToSpace(x), (dy) => this.send(x, this.run.spaceToDepth(dy)));
  }

  resize(x: T, like: T): T {
    const map = resampling(x.shape, like.shape);
    if (!map) return x;
    const back = transposed(map);
    return this.record(this.run.resample(x, map), (dy) => this.send(x, this.run.resample(dy, back)));
  }

  /**
   * Runs the backward pass, which is possible once.
   *
   * @param slope ∂loss/∂output
   * @returns ∂loss/∂parameter of all parameters, in their order
   */
  gradients(output: T, slope: T): T[] {
    this.send(output, slope);
    for (let step = this.back.pop(); step; step = this.back.pop()) step();
    return [...this.parameters.values()].flat().map((parameter) => this.slopes.get(parameter)!);
  }

  private record(y: T, back: (dy: T) => void): T {
    this.back.push(() => back(this.slopes.get(y)!));
    return y;
  }

  /** Adds to the gradient of a value: gradients that reach it by several paths add up. */
  private send(value: T, slope: T): void {
    const known = this.slopes.get(value);
    this.slopes.set(value, known === undefined ? slope : this.run.add(known, slope));
  }
}
