import assert from 'node:assert/strict';
import { AdamW, oneCycle } from '../../../../env/tasks/training/adamw.ts';

describe('AdamW', () => {
  it('moves each weight by the learning rate against its gradient in the first step', () => {
    // m / (1 − β1) = g and v / (1 − β2) = g², so the step is lr · sign(g), plus decay lr · wd · w.
    const weights = Float32Array.of(1, -2, 3);
    new AdamW(3, 0).update(weights, Float32Array.of(0.5, -0.01, 0), 0.1);
    [0.9, -1.9, 3].forEach((expected, i) => assert.ok(Math.abs(weights[i]! - expected) < 1e-5));
  });

  it('decays the weights independently of the gradient', () => {
    const weights = Float32Array.of(2);
    new AdamW(1, 0.5).update(weights, Float32Array.of(0), 0.1);
    assert.ok(Math.abs(weights[0]! - 2 * (1 - 0.1 * 0.5)) < 1e-6);
  });

  it('averages gradients over steps: opposite ones nearly cancel in the second', () => {
    const weights = Float32Array.of(0);
    const optimiser = new AdamW(1, 0);
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
