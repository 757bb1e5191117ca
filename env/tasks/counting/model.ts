/** A trained counting network: what it predicts, and what that scores. */
import { setImmediate } from 'node:timers/promises';
import type { Scores, TrainedModel } from '../task.ts';
import type { Levels, Picture, Size } from '../training/augmentation.ts';
import { inputShape, plainInput } from '../training/image-batches.ts';
import type { FrozenNetwork } from '../training/layers.ts';
import { carCounts, type CountableImage } from './counts.ts';
import { devianceExplained, meanL1 } from './deviance.ts';
import { softplus } from './poisson-loss.ts';

const IMAGES_AT_ONCE = 16;

/** The model behind the task `counting`. Images of any size are resampled to the network's. */
export class CountingModel implements TrainedModel<CountableImage> {
  constructor(
    private readonly frozen: FrozenNetwork,
    private readonly input: { readonly types: readonly string[]; readonly size: Size; readonly levels: Levels },
    /** What the training ended with, flat; NaN when it diverged, and the scores are NaN then. */
    readonly weights: Float32Array,
  ) {}

  /**
   * @returns the metrics of the task, over all images and types of the set
   * @throws {RangeError} when all images of the set show the same number of cars of each type
   */
  async score(images: readonly CountableImage[]): Promise<Scores> {
    const typeCount = this.input.types.length;
    const counts = new Float32Array(images.length * typeCount);
    images.forEach((image, i) => counts.set(carCounts(image, this.input.types), i * typeCount));
    const predicted = await this.predict(images);
    const explained = devianceExplained(predicted, counts, typeCount);
    if (!Number.isFinite(this.weights[0])) return { devianceExplained: NaN, negativeL1: NaN, negativeL1Rounded: NaN };
    return {
      devianceExplained: explained,
      negativeL1: -meanL1(predicted, counts, typeCount),
      negativeL1Rounded: -meanL1(predicted.map(Math.round), counts, typeCount),
    };
  }

  /**
   * The mean number of cars of each type that the network expects in each image.
   *
   * @returns 0 or more, [n, types]
   */
  async predict(images: readonly Picture[]): Promise<Float32Array> {
    const typeCount = this.input.types.length;
    const counts = new Float32Array(images.length * typeCount);
    for (let start = 0; start < images.length; start += IMAGES_AT_ONCE) {
      const part = images.slice(start, start + IMAGES_AT_ONCE);
      const cells = this.cells(part);
      const length = cells.length / part.length;
      cells.forEach((z, i) => (counts[(start + Math.floor(i / length)) * typeCount + (i % typeCount)]! += softplus(z)));
      await setImmediate();
    }
    return counts;
  }

  dispose(): void {
    this.frozen.dispose();
  }

  /** [n, height / 8, width / 8, types] */
  private cells(images: readonly Picture[]): Float32Array {
    const { size, levels } = this.input;
    return this.frozen.run(plainInput(images, size, levels), inputShape(images.length, size));
  }
}
