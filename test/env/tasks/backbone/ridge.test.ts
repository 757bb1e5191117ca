import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { Ridge } from '../../../../env/tasks/backbone/ridge.ts';
import { loadBackend } from '../../../../env/tasks/tensorflow/backend.ts';
import type { Shape } from '../../../../env/tasks/training/differentiable.ts';
import { Random } from '../../../../protocol/random.ts';

describe('ridge regression', () => {
  before(() => loadBackend('wasm'));

  const random = new Random(5);
  const [OUTPUTS, CHANNELS] = [2, 3];
  const shape: Shape = [4, 30, 40, CHANNELS];
  const CELLS = 4 * 30 * 40;
  const slopes = [
    [2, -1],
    [0, 3],
    [1, 0.5],
  ] as const;
  const constants = [0.7, -4];

  function drawn(noise: number) {
    const features = Float32Array.from({ length: CELLS * CHANNELS }, () => random.normal());
    const targets = Float32Array.from({ length: CELLS * OUTPUTS }, (_, i) => {
      const [cell, o] = [Math.floor(i / OUTPUTS), i % OUTPUTS];
      const sum = slopes.reduce((total, slope, c) => total + slope[o]! * features[cell * CHANNELS + c]!, constants[o]!);
      return sum + random.normal(0, noise);
    });
    return { features, targets };
  }

  it('finds the map behind noisy answers, shrunk by its penalty', () => {
    const ridge = new Ridge(CHANNELS + 1, OUTPUTS);
    const before = tf.memory().numTensors;
    for (let i = 0; i < 3; i++) {
      const { features, targets } = drawn(0.3);
      ridge.add({ features: [features], shapes: [shape], targets, weights: new Float32Array(CELLS).fill(1) }, 0);
    }
    assert.equal(tf.memory().numTensors, before);
    const map = ridge.solve();
    for (const [c, slope] of [...slopes, constants].entries()) {
      for (let o = 0; o < OUTPUTS; o++) {
        const expected = c < CHANNELS ? slope[o]! / 1.01 : slope[o]!; // features of variance 1, a penalty of .01
        assert.ok(Math.abs(map[c * OUTPUTS + o]! - expected) < 0.02, `${c}, ${o}: ${map[c * OUTPUTS + o]}`);
      }
    }
  });

  it('leaves out cells of weight 0, and counts others by their weight', () => {
    const { features, targets } = drawn(0);
    const weights = Float32Array.from({ length: CELLS }, (_, i) => (i % 3 === 0 ? 0 : 2));
    const spoiled = targets.map((value, i) => (Math.floor(i / OUTPUTS) % 3 === 0 ? 1e3 : value));
    const ridge = new Ridge(CHANNELS + 1, OUTPUTS);
    ridge.add({ features: [features], shapes: [shape], targets: spoiled, weights }, 0);
    const map = ridge.solve();
    assert.ok(Math.abs(map[CHANNELS * OUTPUTS]! - constants[0]!) < 0.02, `${map[CHANNELS * OUTPUTS]}`);
  });

  it('gives finite numbers where nothing is known', () => {
    const { features, targets } = drawn(0);
    const ridge = new Ridge(CHANNELS + 1, OUTPUTS);
    ridge.add({ features: [features], shapes: [shape], targets, weights: new Float32Array(CELLS) }, 0);
    assert.ok(ridge.solve().every(Number.isFinite), 'all finite');
  });

  it('resamples features to the grid of one of them', () => {
    const coarse = Float32Array.from({ length: 4 }, (_, i) => i); // [1, 2, 2, 1]
    const fine = new Float32Array(16).fill(1); // [1, 4, 4, 1]
    const ridge = new Ridge(3, 1);
    const shapes: Shape[] = [
      [1, 2, 2, 1],
      [1, 4, 4, 1],
    ];
    // Bilinear, pixels are areas: the rows and columns are 0, .25, .75, 1 of the way; the target is that value itself.
    const share = [0, 0.25, 0.75, 1];
    const targets = Float32Array.from({ length: 16 }, (_, i) => share[i % 4]! + 2 * share[i >> 2]!);
    ridge.add({ features: [coarse, fine], shapes, targets, weights: new Float32Array(16).fill(1) }, 1);
    const [slope] = ridge.solve();
    assert.ok(slope! > 0.97 && slope! <= 1, `${slope}`);
  });
});
