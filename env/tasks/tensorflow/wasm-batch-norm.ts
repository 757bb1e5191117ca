/**
 * Batch normalisation and ReLU as one kernel of the wasm backend, and their gradient as another: loops over the heap.
 *
 * tfjs would compose each from a dozen small operations.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { BATCH_NORM_EPSILON, type Normalised } from './operations.ts';
import { callKernel, disposeAll, fromNumbers, numbers, registerWasmKernel } from './wasm-kernels.ts';

const FORWARD = 'BatchNormRelu';
const BACKWARD = 'BatchNormReluGradient';

/** @see Operations.batchNormRelu */
export function batchNormRelu(z: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor): Normalised<tf.Tensor> {
  if (gamma.size % 4 !== 0) {
    throw new RangeError(`batchNormRelu: expected a multiple of 4 channels, got ${gamma.size}`);
  }
  const [y, mean, variance]: tf.Tensor[] = tf.engine().runKernel(FORWARD, { z, gamma, beta });
  return { y: y!, mean: mean!, variance: variance!, saved: [] };
}

/** @see Operations.batchNormReluGradient */
export function batchNormReluGradient(
  dy: tf.Tensor,
  z: tf.Tensor,
  gamma: tf.Tensor,
  { y, mean, variance }: Normalised<tf.Tensor>,
): [dz: tf.Tensor, dGamma: tf.Tensor, dBeta: tf.Tensor] {
  return tf.engine().runKernel(BACKWARD, { dy, z, gamma, y, mean, variance });
}

const forward: tf.KernelFunc = (args) => {
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

const backward: tf.KernelFunc = (args) => {
  const backend = args.backend as BackendWasm;
  const { dy, y, z, gamma, mean: means, variance } = args.inputs as Record<string, tf.TensorInfo>;
  const channels = z!.shape.at(-1)!;
  const rows = tf.util.sizeFromShape(z!.shape) / channels;
  const positive = callKernel('Step', backend, { x: y! }, { alpha: 0 });
  const g = callKernel('Multiply', backend, { a: dy!, b: positive }); // the gradient at the input of the ReLU
  const { sum: dBeta, product } = channelSums(numbers(backend, g), numbers(backend, z!), channels);
  const mean = numbers(backend, means!);
  const inverse = numbers(backend, variance!).map((value) => 1 / Math.sqrt(value + BATCH_NORM_EPSILON));
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

/** Registers both kernels. */
export function registerWasmBatchNorm(): void {
  registerWasmKernel(FORWARD, forward);
  registerWasmKernel(BACKWARD, backward);
}
