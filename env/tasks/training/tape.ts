import type { Normalised, Operations } from '../tensorflow/operations.ts';
import type { Canvas, Layer, Shaped } from './network.ts';
import { resampling, transposed } from './resampling.ts';

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
    const { size, dilation = 1, normalised } = layer;
    const [filter, second, beta] = this.parameters.get(layer) as [T, T, T];
    const z = run.convolution(x, filter, dilation);
    const behindConvolution = (dz: T) => {
      this.send(filter, run.convolutionFilterGradient(x, dz, size, dilation));
      if (!this.inputs.includes(x)) this.send(x, run.convolutionInputGradient(dz, filter, dilation));
    };
    if (!normalised) {
      return this.record(run.addBias(z, second), (dy) => {
        this.send(second, run.biasGradient(dy));
        behindConvolution(dy);
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
