import assert from 'node:assert/strict';
import { VOID } from '../../../../env/streets/classes.ts';
import { ConfusionMatrix, SoftIou } from '../../../../env/tasks/segmentation/iou.ts';

describe('ConfusionMatrix', () => {
  // truth      0 0 1 1 1 2
  // predicted  0 1 1 1 0 2     → class 0: 1 / (2 + 2 − 1) = 1/3, class 1: 2 / (3 + 3 − 2) = 1/2, class 2: 1
  const truth = Uint8Array.of(0, 0, 1, 1, 1, 2);
  const predicted = Uint8Array.of(0, 1, 1, 1, 0, 2);

  it('gives TP / (TP + FP + FN) of each class', () => {
    const matrix = new ConfusionMatrix(4);
    matrix.add(predicted, truth);
    assert.deepEqual(
      [0, 1, 2].map((id) => matrix.iou(id)),
      [1 / 3, 1 / 2, 1],
    );
    assert.ok(Number.isNaN(matrix.iou(3)));
  });

  it('averages over the classes that occur in the truth', () => {
    const matrix = new ConfusionMatrix(4);
    matrix.add(predicted, truth);
    assert.ok(Math.abs(matrix.meanIou() - (1 / 3 + 1 / 2 + 1) / 3) < 1e-12);
  });

  it('sums over images before it divides', () => {
    const matrix = new ConfusionMatrix(2);
    matrix.add(Uint8Array.of(1, 1, 1, 1), Uint8Array.of(1, 1, 1, 1)); // IoU 1 alone
    matrix.add(Uint8Array.of(0), Uint8Array.of(1)); // IoU 0 alone
    assert.equal(matrix.iou(1), 4 / 5);
  });

  it('does not count VOID pixels, whatever was predicted there', () => {
    const matrix = new ConfusionMatrix(2);
    matrix.add(Uint8Array.of(1, 0, 1), Uint8Array.of(1, VOID, VOID));
    assert.equal(matrix.iou(1), 1);
    assert.ok(Number.isNaN(matrix.iou(0)));
  });

  it('refuses two images of different size', () => {
    assert.throws(() => new ConfusionMatrix(2).add(new Uint8Array(3), new Uint8Array(4)), /expected 4 .* got 3/);
  });
});

describe('SoftIou', () => {
  it('is Σ p·y / Σ (p + y − p·y)', () => {
    const soft = new SoftIou(1);
    soft.add(Float32Array.of(0.75, 0.5, 0.25), Uint8Array.of(1, 0, 1));
    // Σ p·y = .75 + .25 = 1; Σ (p + y − p·y) = 1 + .5 + 1
    assert.equal(soft.value(), 1 / 2.5);
  });

  it('equals the IoU of decisions when every probability is 0 or 1', () => {
    const truth = Uint8Array.of(1, 1, 0, 0, 1);
    const decided = Uint8Array.of(1, 0, 1, 0, 1);
    const soft = new SoftIou(1);
    soft.add(Float32Array.from(decided), truth);
    const matrix = new ConfusionMatrix(2);
    matrix.add(decided, truth);
    assert.equal(soft.value(), matrix.iou(1));
  });

  it('counts the false alarms of an image without the class, and no VOID', () => {
    const soft = new SoftIou(1);
    soft.add(Float32Array.of(1), Uint8Array.of(1));
    soft.add(Float32Array.of(0.5, 1), Uint8Array.of(0, VOID));
    assert.equal(soft.value(), 1 / 1.5);
  });

  it('knows whether the class occurred at all', () => {
    const soft = new SoftIou(1);
    soft.add(Float32Array.of(0.5), Uint8Array.of(0));
    assert.equal(soft.present, false);
  });
});
