import assert from 'node:assert/strict';
import { VOID } from '../../../../env/streets/classes.ts';
import { crossEntropy, softmax } from '../../../../env/tasks/segmentation/cross-entropy.ts';

describe('crossEntropy', () => {
  it('is ln 2 with gradient ∓½ for two equal logits', () => {
    const gradient = new Float32Array(2);
    const loss = crossEntropy(Float32Array.of(3, 3), [0], [1, 1], gradient);
    assert.ok(Math.abs(loss - Math.LN2) < 1e-7);
    assert.deepEqual([...gradient], [-0.5, 0.5]);
  });

  it('averages with the weights of the classes', () => {
    // Costs ln 2 and, where the true logit is ln 3 above the other, ln (4/3); the second counts three times.
    const logits = Float32Array.of(0, 0, 0, Math.log(3));
    const loss = crossEntropy(logits, [0, 1], [1, 3], new Float32Array(4));
    assert.ok(Math.abs(loss - (Math.LN2 + 3 * Math.log(4 / 3)) / 4) < 1e-6);
  });

  it('has neither loss nor gradient where no label is known', () => {
    const gradient = new Float32Array(4).fill(9);
    const loss = crossEntropy(Float32Array.of(5, 0, 0, 0), [VOID, 1], [1, 1], gradient);
    assert.ok(Math.abs(loss - Math.LN2) < 1e-7);
    assert.deepEqual([...gradient].map(Math.abs), [0, 0, 0.5, 0.5]);
    assert.equal(crossEntropy(Float32Array.of(5, 0), [VOID], [1, 1], gradient.subarray(2)), 0);
    assert.deepEqual([...gradient.subarray(2)], [0, 0]);
  });

  it('stays finite where the true class has almost no probability, and is NaN where a logit is', () => {
    const gradient = new Float32Array(2);
    assert.ok(Number.isFinite(crossEntropy(Float32Array.of(1000, -1000), [1], [1, 1], gradient)));
    assert.deepEqual([...gradient], [1, -1]);
    assert.ok(Number.isNaN(crossEntropy(Float32Array.of(NaN, 0), [1], [1, 1], gradient)));
  });

  it('has the gradient that finite differences give', () => {
    const logits = Float32Array.of(0.3, -1, 2, 1, 0, -0.5);
    const labels = [2, 0];
    const gradient = new Float32Array(6);
    crossEntropy(logits, labels, [1, 1, 2], gradient);
    for (let i = 0; i < logits.length; i++) {
      const moved = (by: number) =>
        crossEntropy(logits.with(i, logits[i]! + by), labels, [1, 1, 2], new Float32Array(6));
      assert.ok(Math.abs((moved(1e-2) - moved(-1e-2)) / 2e-2 - gradient[i]!) < 1e-4);
    }
  });
});

describe('softmax', () => {
  it('makes each cell sum to 1, in the proportion of exp', () => {
    const p = Float32Array.of(0, Math.log(3), 1000, 1000);
    softmax(p, 2);
    [0.25, 0.75, 0.5, 0.5].forEach((expected, i) => assert.ok(Math.abs(p[i]! - expected) < 1e-6));
  });
});
