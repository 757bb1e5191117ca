import assert from 'node:assert/strict';
import { AdamW, oneCycle } from '../../../../env/tasks/training/adamw.ts';

const ones = (size: number) => new Float32Array(size).fill(1);

describe('AdamW', () => {
  it('moves each weight by the learning rate against its gradient in the first step', () => {
    // m / (1 − β1) = g and v / (1 − β2) = g², so the step is lr · sign(g), plus decay lr · wd · w.
    const weights = Float32Array.of(1, -2, 3);
    new AdamW(ones(3), 0).update(weights, Float32Array.of(0.5, -0.01, 0), 0.1);
    [0.9, -1.9, 3].forEach((expected, i) => assert.ok(Math.abs(weights[i]! - expected) < 1e-5));
  });

  it('decays the weights independently of the gradient', () => {
    const weights = Float32Array.of(2);
    new AdamW(ones(1), 0.5).update(weights, Float32Array.of(0), 0.1);
    assert.ok(Math.abs(weights[0]! - 2 * (1 - 0.1 * 0.5)) < 1e-6);
  });

  it('learns each weight at its own share of the rate, and one with none not at all', () => {
    const [some, all] = [Float32Array.of(1, 2, 3), Float32Array.of(1, 2, 3)];
    const [slow, fast] = [new AdamW(Float32Array.of(0.25, 1, 0), 0.5), new AdamW(ones(3), 0.5)];
    for (let step = 0; step < 3; step++) {
      slow.update(some, Float32Array.of(0.5, -1, 2), 0.1);
      fast.update(all, Float32Array.of(0.5, -1, 2), 0.1);
    }
    assert.equal(some[1], all[1]);
    assert.equal(some[2], 3);
    const quarter = Float32Array.of(1);
    const alone = new AdamW(ones(1), 0.5);
    for (let step = 0; step < 3; step++) alone.update(quarter, Float32Array.of(0.5), 0.025);
    assert.ok(Math.abs(some[0]! - quarter[0]!) < 1e-6, `${some[0]}, at a quarter of the rate ${quarter[0]}`);
  });

  it('averages gradients over steps: opposite ones nearly cancel in the second', () => {
    const weights = Float32Array.of(0);
    const optimiser = new AdamW(ones(1), 0);
    optimiser.update(weights, Float32Array.of(1), 0.1);
    optimiser.update(weights, Float32Array.of(-1), 0.1);
    // m = .9·.1 − .1 = −.01, over 1 − .81 = .19; v̂ = 1
    assert.ok(Math.abs(weights[0]! - (-0.1 + (0.1 * 0.01) / 0.19)) < 1e-5);
  });
});

describe('oneCycle', () => {
  it('starts at a 25th, peaks after a quarter, and ends at nearly 0', () => {
    assert.ok(Math.abs(oneCycle(1, 0) - 1 / 25) < 1e-12);
    assert.equal(oneCycle(1, 0.25), 1);
    assert.ok(oneCycle(1, 1) < 1e-3);
    assert.ok(oneCycle(1, 0.1) < oneCycle(1, 0.2) && oneCycle(1, 0.5) > oneCycle(1, 0.8));
  });
});
