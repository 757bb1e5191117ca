/** Intersection over union (IoU) of decisions and of probabilities. */
import { VOID } from '../../streets/classes.ts';

/**
 * Counts the pixels of each true class that were predicted as each class, over any number of images.
 *
 * Pixels whose truth is VOID are not counted.
 */
export class ConfusionMatrix {
  /** [truth, predicted] */
  private readonly counts: Float64Array;

  constructor(private readonly classCount: number) {
    this.counts = new Float64Array(classCount * classCount);
  }

  /**
   * @param predicted class ids below classCount, uint8, [pixels]
   * @param truth     the same, or VOID, [pixels]
   * @throws {RangeError} when the lengths differ
   */
  add(predicted: Uint8Array, truth: Uint8Array): void {
    if (predicted.length !== truth.length) {
      throw new RangeError(`confusion matrix: expected ${truth.length} predicted pixels, got ${predicted.length}`);
    }
    for (let i = 0; i < truth.length; i++) {
      if (truth[i] !== VOID) this.counts[truth[i]! * this.classCount + predicted[i]!]!++;
    }
  }

  /** TP / (TP + FP + FN) of one class; NaN when the class is neither true nor predicted anywhere. */
  iou(id: number): number {
    let truth = 0;
    let predicted = 0;
    for (let other = 0; other < this.classCount; other++) {
      truth += this.counts[id * this.classCount + other]!;
      predicted += this.counts[other * this.classCount + id]!;
    }
    const hits = this.counts[id * this.classCount + id]!;
    return hits / (truth + predicted - hits);
  }

  /** The mean of {@link iou} over the classes that occur in the truth; an absent class is left out, not counted. */
  meanIou(): number {
    let sum = 0;
    let present = 0;
    for (let id = 0; id < this.classCount; id++) {
      const row = this.counts.subarray(id * this.classCount, (id + 1) * this.classCount);
      if (row.every((count) => count === 0)) continue;
      sum += this.iou(id);
      present++;
    }
    return sum / present;
  }
}

/**
 * IoU of probabilities: Σ p·y / Σ (p + y − p·y), with y = 1 where the class is and 0 elsewhere (Rahman and Wang 2016).
 *
 * It equals the ordinary IoU when every p is 0 or 1. Where the ordinary IoU jumps, it changes smoothly, so it is a less
 * noisy reward. The sums run over all pixels of a set, so false alarms in images without the class count too.
 */
export class SoftIou {
  private intersection = 0;
  private union = 0;

  /** Whether the class is true at any pixel. */
  present = false;

  constructor(private readonly id: number) {}

  /**
   * @param probability of the class, 0 to 1, [pixels]
   * @param truth       class ids, or VOID, which is not counted, [pixels]
   */
  add(probability: Float32Array, truth: Uint8Array): void {
    for (let i = 0; i < truth.length; i++) {
      if (truth[i] === VOID) continue;
      const p = probability[i]!;
      if (truth[i] === this.id) {
        this.intersection += p;
        this.union += 1;
        this.present = true;
      } else {
        this.union += p;
      }
    }
  }

  /** 0 to 1; NaN when nothing was added. */
  value(): number {
    return this.intersection / this.union;
  }
}
