/**
 * Batch normalisation and ReLU as one operation, with its gradient (Ioffe and Szegedy 2015, arXiv 1502.03167).
 *
 * tfjs would compose each from a dozen small operations. Here it is one kernel a direction: TensorFlow's own fused one
 * on the native backend, loops over the heap on wasm.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { callKernel, disposeAll, fromNumbers, numbers } from './wasm-kernels.ts';

const FORWARD = 'BatchNormRelu';
const BACKWARD = 'BatchNormReluGrad';

/** Added to the variance. */
export const BATCH_NORM_EPSILON = 1e-3;

/**
 * y = max(0, gamma · (z − mean) / sqrt(variance + ε) + beta), with the mean and variance of this batch.
 *
 * Differentiable in z, gamma and beta through `y`; the statistics are constants to autodiff.
 *
 * @param z     [n, height, width, channels]
 * @param gamma [channels], a multiple of 4
 * @param beta  [channels]
 * @returns y, like z, with the mean and the variance, each [channels]; the variance may be the biased one or not
 * @throws {RangeError} when the number of channels is no multiple of 4
 */
export function batchNormRelu(
  z: tf.Tensor4D,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
): { y: tf.Tensor4D; mean: tf.Tensor1D; variance: tf.Tensor1D } {
  if (gamma.size % 4 !== 0) {
    throw new RangeError(`batchNormRelu: expected a multiple of 4 channels, got ${gamma.size}`);
  }
  // The native kernel has further outputs, which only its gradient reads.
  const [y, mean, variance]: tf.Tensor[] = tf.engine().runKernel(FORWARD, { z, gamma, beta });
  return { y: y as tf.Tensor4D, mean: mean as tf.Tensor1D, variance: variance as tf.Tensor1D };
}

const gradient: tf.GradConfig = {
  kernelName: FORWARD,
  inputsToSave: ['z', 'gamma'],
  outputsToSave: [true, true, true, true, true, true],
  gradFunc: (dys, [z, gamma, y, ...rest]) => {
    const inputs = { dy: (dys as tf.Tensor[])[0]!, z: z!, gamma: gamma!, y: y! };
    const saved = Object.fromEntries(rest.map((tensor, i) => [`saved${i}`, tensor]));
    const [dz, dGamma, dBeta]: tf.Tensor[] = tf.engine().runKernel(BACKWARD, { ...inputs, ...saved });
    return { z: () => dz!, gamma: () => dGamma!, beta: () => dBeta! };
  },
};

const wasmForward: tf.KernelFunc = (args) => {
  const backend = args.backend as BackendWasm;
  const { z, gamma, beta } = args.inputs as Record<'z' | 'gamma' | 'beta', tf.TensorInfo>;
  const channels = z.shape.at(-1)!;
  const rows = tf.util.sizeFromShape(z.shape) / channels;
  const { sum, product } = channelSums(numbers(backend, z), numbers(backend, z), channels);
  const mean = sum.map((total) => total / rows);
  const variance = product.map((total, c) => Math.max(0, total / rows - mean[c]! ** 2));
  const scale = numbers(backend, gamma).map((value, c) => value / Math.sqrt(variance[c]! + BATCH_NORM_EPSILON));
  const shift = numbers(backend, beta).map((value, c) => value - mean[c]! * scale[c]!);
  const y = backend.makeOutput(z.shape, 'float32');
  scaleShiftRelu(numbers(backend, z), scale, shift, numbers(backend, y));
  return [y, fromNumbers(backend, [channels], mean), fromNumbers(backend, [channels], variance)];
};

const wasmBackward: tf.KernelFunc = (args) => {
  const backend = args.backend as BackendWasm;
  const { dy, y, z, gamma, saved0, saved1 } = args.inputs as Record<string, tf.TensorInfo>;
  const channels = z!.shape.at(-1)!;
  const rows = tf.util.sizeFromShape(z!.shape) / channels;
  const positive = callKernel('Step', backend, { x: y! }, { alpha: 0 });
  const g = callKernel('Multiply', backend, { a: dy!, b: positive }); // dy behind the ReLU
  const { sum: dBeta, product } = channelSums(numbers(backend, g), numbers(backend, z!), channels);
  const mean = numbers(backend, saved0!);
  const inverse = numbers(backend, saved1!).map((variance) => 1 / Math.sqrt(variance + BATCH_NORM_EPSILON));
  const dGamma = product.map((total, c) => (total - mean[c]! * dBeta[c]!) * inverse[c]!);
  // dz = gamma/σ · (g − mean(g) − (z − mean)/σ² · mean(g (z − mean))) = scale · g + offset + slope · z
  const scale = numbers(backend, gamma!).map((value, c) => value * inverse[c]!);
  const slope = scale.map((value, c) => (-value * inverse[c]! * dGamma[c]!) / rows);
  const offset = scale.map((value, c) => (-value * dBeta[c]!) / rows - slope[c]! * mean[c]!);
  const dz = backend.makeOutput(z!.shape, 'float32');
  combine(numbers(backend, g), numbers(backend, z!), scale, slope, offset, numbers(backend, dz));
  disposeAll(backend, [positive, g]);
  return [dz, fromNumbers(backend, [channels], dGamma), fromNumbers(backend, [channels], dBeta)];
};

/**
 * Σ a and Σ a·b of each channel, added up in double precision.
 *
 * Like the two loops below it takes four channels at a time, whose sums and factors stay in registers: several times
 * as fast as the plain loop over the numbers in their order.
 */
function channelSums(a: Float32Array, b: Float32Array, channels: number): { sum: Float32Array; product: Float32Array } {
  const sum = new Float32Array(channels);
  const product = new Float32Array(channels);
  for (let c = 0; c < channels; c += 4) {
    let [s0, s1, s2, s3, p0, p1, p2, p3] = [0, 0, 0, 0, 0, 0, 0, 0];
    for (let i = c; i < a.length; i += channels) {
      const a0 = a[i]!;
      const a1 = a[i + 1]!;
      const a2 = a[i + 2]!;
      const a3 = a[i + 3]!;
      s0 += a0;
      s1 += a1;
      s2 += a2;
      s3 += a3;
      p0 += a0 * b[i]!;
      p1 += a1 * b[i + 1]!;
      p2 += a2 * b[i + 2]!;
      p3 += a3 * b[i + 3]!;
    }
    sum.set([s0, s1, s2, s3], c);
    product.set([p0, p1, p2, p3], c);
  }
  return { sum, product };
}

/**
 * Writes max(0, scale · x + shift) of each channel, the maximum without a branch.
 */
function scaleShiftRelu(x: Float32Array, scale: Float32Array, shift: Float32Array, out: Float32Array): void {
  const channels = scale.length;
  for (let c = 0; c < channels; c += 4) {
    const [a0, a1, a2, a3] = scale.subarray(c, c + 4) as unknown as Four;
    const [b0, b1, b2, b3] = shift.subarray(c, c + 4) as unknown as Four;
    for (let i = c; i < x.length; i += channels) {
      const y0 = a0 * x[i]! + b0;
      const y1 = a1 * x[i + 1]! + b1;
      const y2 = a2 * x[i + 2]! + b2;
      const y3 = a3 * x[i + 3]! + b3;
      out[i] = 0.5 * (y0 + Math.abs(y0));
      out[i + 1] = 0.5 * (y1 + Math.abs(y1));
      out[i + 2] = 0.5 * (y2 + Math.abs(y2));
      out[i + 3] = 0.5 * (y3 + Math.abs(y3));
    }
  }
}

/** Writes scale · g + slope · z + offset of each channel. */
function combine(
  g: Float32Array,
  z: Float32Array,
  scale: Float32Array,
  slope: Float32Array,
  offset: Float32Array,
  out: Float32Array,
): void {
  const channels = scale.length;
  for (let c = 0; c < channels; c += 4) {
    const [a0, a1, a2, a3] = scale.subarray(c, c + 4) as unknown as Four;
    const [b0, b1, b2, b3] = slope.subarray(c, c + 4) as unknown as Four;
    const [d0, d1, d2, d3] = offset.subarray(c, c + 4) as unknown as Four;
    for (let i = c; i < g.length; i += channels) {
      out[i] = a0 * g[i]! + b0 * z[i]! + d0;
      out[i + 1] = a1 * g[i + 1]! + b1 * z[i + 1]! + d1;
      out[i + 2] = a2 * g[i + 2]! + b2 * z[i + 2]! + d2;
      out[i + 3] = a3 * g[i + 3]! + b3 * z[i + 3]! + d3;
    }
  }
}

type Four = [number, number, number, number];

/** The native backend's door for operations that tfjs does not name. */
export interface NodeBackend {
  readonly binding: Record<
    'TF_ATTR_TYPE' | 'TF_ATTR_FLOAT' | 'TF_ATTR_STRING' | 'TF_ATTR_BOOL' | 'TF_ATTR_INT' | 'TF_FLOAT',
    number
  >;
  executeSingleOutput(name: string, attributes: object[], inputs: tf.TensorInfo[]): tf.Tensor;
  executeMultipleOutputs(name: string, attributes: object[], inputs: tf.TensorInfo[], outputs: number): tf.Tensor[];
}

function fusedAttributes({ binding }: NodeBackend): object[] {
  return [
    { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
    { name: 'U', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
    { name: 'epsilon', type: binding.TF_ATTR_FLOAT, value: BATCH_NORM_EPSILON },
    { name: 'data_format', type: binding.TF_ATTR_STRING, value: 'NHWC' },
    { name: 'is_training', type: binding.TF_ATTR_BOOL, value: true },
  ];
}

const nativeForward: tf.KernelFunc = (args) => {
  const backend = args.backend as NodeBackend;
  const { z, gamma, beta } = args.inputs as Record<string, tf.TensorInfo>;
  const none = tf.tensor1d([]);
  const attributes = fusedAttributes(backend);
  const inputs = [z!, gamma!, beta!, none, none];
  const [normalised, ...rest] = backend.executeMultipleOutputs('FusedBatchNormV3', attributes, inputs, 6);
  const y = tf.relu(normalised!);
  tf.dispose([none, normalised!]);
  return [y, ...rest];
};

const nativeBackward: tf.KernelFunc = (args) => {
  const backend = args.backend as NodeBackend;
  // saved: mean, variance, and the three reserves that FusedBatchNormGradV3 asks for
  const { dy, y, z, gamma, saved2, saved3, saved4 } = args.inputs as Record<string, tf.TensorInfo>;
  const type = { name: 'T', type: backend.binding.TF_ATTR_TYPE, value: backend.binding.TF_FLOAT };
  const behindRelu = backend.executeSingleOutput('ReluGrad', [type], [dy!, y!]);
  const inputs = [behindRelu, z!, gamma!, saved2!, saved3!, saved4!];
  const outputs = backend.executeMultipleOutputs('FusedBatchNormGradV3', fusedAttributes(backend), inputs, 5);
  const [dz, dGamma, dBeta, ...unused] = outputs;
  tf.dispose([behindRelu, ...unused]);
  return [dz!, dGamma!, dBeta!];
};

/** Registers the operation's kernels and its gradient (a kernel costs nothing where its backend is never loaded). */
export function registerBatchNorm(): void {
  if (tf.getGradient(FORWARD)) return;
  tf.registerKernel({ kernelName: FORWARD, backendName: 'wasm', kernelFunc: wasmForward });
  tf.registerKernel({ kernelName: BACKWARD, backendName: 'wasm', kernelFunc: wasmBackward });
  tf.registerKernel({ kernelName: FORWARD, backendName: 'tensorflow', kernelFunc: nativeForward });
  tf.registerKernel({ kernelName: BACKWARD, backendName: 'tensorflow', kernelFunc: nativeBackward });
  tf.registerGradient(gradient);
}
