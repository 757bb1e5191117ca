import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { Random } from '../../../../protocol/random.ts';
import { loadBackend } from '../../../../env/tasks/tensorflow/backend.ts';
import { BATCH_NORM_EPSILON } from '../../../../env/tasks/tensorflow/operations.ts';
import { batchNormRelu, batchNormReluGradient } from '../../../../env/tasks/tensorflow/wasm-batch-norm.ts';

const SHAPE: [number, number, number, number] = [3, 4, 5, 8];
const CHANNELS = 8;

function drawn(length: number, random: Random, mean = 0): Float32Array {
  return Float32Array.from({ length }, () => random.normal(mean));
}

/** y of the definition, in double precision. */
function byDefinition(z: ArrayLike<number>, gamma: ArrayLike<number>, beta: ArrayLike<number>): number[] {
  const rows = z.length / CHANNELS;
  const values = Array.from(z);
  const y = new Array<number>(z.length);
  for (let c = 0; c < CHANNELS; c++) {
    const channel = values.filter((_, i) => i % CHANNELS === c);
    const mean = channel.reduce((sum, value) => sum + value, 0) / rows;
    const variance = channel.reduce((sum, value) => sum + (value - mean) ** 2, 0) / rows;
    channel.forEach((value, row) => {
      const normal = (value - mean) / Math.sqrt(variance + BATCH_NORM_EPSILON);
      y[row * CHANNELS + c] = Math.max(0, gamma[c]! * normal + beta[c]!);
    });
  }
  return y;
}

describe('batchNormRelu on wasm', () => {
  const random = new Random(3);
  const z = drawn(tf.util.sizeFromShape(SHAPE), random, 0.5);
  const gamma = drawn(CHANNELS, random, 1);
  const beta = drawn(CHANNELS, random);
  const slope = drawn(z.length, random); // ∂loss/∂y of the loss Σ slope · y

  before(() => loadBackend('wasm'));

  it('normalises each channel by the batch, then cuts below 0', () => {
    const result = tf.tidy(() => {
      const { y } = batchNormRelu(tf.tensor4d(z, SHAPE), tf.tensor1d(gamma), tf.tensor1d(beta));
      return Array.from(y.dataSync());
    });
    byDefinition(z, gamma, beta).forEach((expected, i) => assert.ok(Math.abs(result[i]! - expected) < 1e-5));
  });

  it('has the gradients that finite differences of the definition give', () => {
    const loss = (...args: [ArrayLike<number>, ArrayLike<number>, ArrayLike<number>]) =>
      byDefinition(...args).reduce((sum, y, i) => sum + y * slope[i]!, 0);
    const before = tf.memory().numTensors;
    const found = tf.tidy(() => {
      const [x, scale] = [tf.tensor4d(z, SHAPE), tf.tensor1d(gamma)];
      const forward = batchNormRelu(x, scale, tf.tensor1d(beta));
      const gradients = batchNormReluGradient(tf.tensor4d(slope, SHAPE), x, scale, forward);
      return gradients.map((tensor) => Array.from(tensor.dataSync()));
    });
    assert.equal(tf.memory().numTensors, before);
    const inputs = [z, gamma, beta].map((values) => Array.from(values)) as [number[], number[], number[]];
    const step = 1e-5;
    inputs.forEach((values, which) => {
      for (let i = 0; i < values.length; i += which === 0 ? 17 : 1) {
        const value = values[i]!;
        values[i] = value + step;
        const above = loss(...inputs);
        values[i] = value - step;
        const below = loss(...inputs);
        values[i] = value;
        const expected = (above - below) / (2 * step);
        const actual = found[which]![i]!;
        assert.ok(Math.abs(actual - expected) < 2e-3, `input ${which}[${i}]: ${actual}, not ${expected}`);
      }
    });
  });

  it('requires a multiple of 4 channels', () => {
    const run = () => batchNormRelu(tf.zeros([1, 1, 1, 3]), tf.ones([3]), tf.zeros([3]));
    assert.throws(() => tf.tidy(() => run().y), /expected a multiple of 4 channels, got 3/);
  });
});
