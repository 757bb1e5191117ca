/** A trained segmentation network: what it predicts, and what that scores. */
import { setImmediate } from 'node:timers/promises';
import type { LabelledImage } from '../../streets/labelled-image.ts';
import type { Scores, TrainedModel } from '../task.ts';
import type { FrozenNetwork } from '../training/layers.ts';
import type { Size } from '../training/augmentation.ts';
import { inputShape, plainInput } from '../training/image-batches.ts';
import { softmax } from './cross-entropy.ts';
import { ConfusionMatrix, SoftIou } from './iou.ts';
import { CLASS_OF_MERGED, MERGED_CAR, MERGED_CLASSES, MERGED_ID } from './merged-classes.ts';
import { CELL } from './network.ts';

const CLASS_COUNT = MERGED_CLASSES.length;
const IMAGES_AT_ONCE = 16;

/** What the model thinks of each pixel of an image, at the image's own resolution. */
interface Prediction {
  /** Merged class ids, [height, width]. */
  readonly classes: Uint8Array;
  /** Of the merged class car, [height, width]. */
  readonly carProbability: Float32Array;
}

/**
 * The model behind the task `segmentation`.
 *
 * The network answers for cells of 4×4 pixels; its probabilities are interpolated bilinearly to the resolution of the
 * image, and everything is scored there, on every labelled pixel. Images of any size are resampled to the network's.
 */
export class SegmentationModel implements TrainedModel<LabelledImage> {
  constructor(
    private readonly frozen: FrozenNetwork,
    private readonly size: Size,
    /** What the training ended with, flat; NaN when it diverged, and the scores are NaN then. */
    readonly weights: Float32Array,
  ) {}

  /**
   * @returns softCarIou, carIou and meanIou, over all pixels of the set together
   * @throws {RangeError} when no pixel of the set is a car: there is no car IoU then
   */
  async score(samples: readonly LabelledImage[]): Promise<Scores> {
    const matrix = new ConfusionMatrix(CLASS_COUNT);
    const soft = new SoftIou(MERGED_CAR);
    for await (const { image, prediction } of this.predictions(samples)) {
      const truth = image.classes.map((id) => MERGED_ID[id]!);
      matrix.add(prediction.classes, truth);
      soft.add(prediction.carProbability, truth);
    }
    if (!soft.present) {
      throw new RangeError(`segmentation: expected a car in the scored images, got none in ${samples.length}`);
    }
    if (!Number.isFinite(this.weights[0])) return { softCarIou: NaN, carIou: NaN, meanIou: NaN };
    return { softCarIou: soft.value(), carIou: matrix.iou(MERGED_CAR), meanIou: matrix.meanIou() };
  }

  /**
   * The most probable class of every pixel, for pictures.
   *
   * @returns class ids of classes.ts (the first of each merged class), uint8 [height, width], one array an image
   */
  async predict(images: readonly LabelledImage[]): Promise<Uint8Array[]> {
    const result: Uint8Array[] = [];
    for await (const { prediction } of this.predictions(images)) {
      result.push(prediction.classes.map((id) => CLASS_OF_MERGED[id]!));
    }
    return result;
  }

  dispose(): void {
    this.frozen.dispose();
  }

  private async *predictions(
    images: readonly LabelledImage[],
  ): AsyncGenerator<{ image: LabelledImage; prediction: Prediction }> {
    const rows = this.size.height / CELL;
    const columns = this.size.width / CELL;
    for (let start = 0; start < images.length; start += IMAGES_AT_ONCE) {
      const part = images.slice(start, start + IMAGES_AT_ONCE);
      const probabilities = this.probabilities(part);
      const length = rows * columns * CLASS_COUNT;
      for (const [i, image] of part.entries()) {
        const cells = probabilities.subarray(i * length, (i + 1) * length);
        yield { image, prediction: enlarge(cells, rows, columns, image) };
      }
      await setImmediate();
    }
  }

  /** [n, height / 4, width / 4, classes] */
  private probabilities(images: readonly LabelledImage[]): Float32Array {
    const numbers = this.frozen.run(plainInput(images, this.size), inputShape(images.length, this.size));
    softmax(numbers, CLASS_COUNT);
    return numbers;
  }
}

/**
 * Interpolates the cells' probabilities bilinearly at the pixels' centres.
 *
 * @param cells [rows, columns, classes]
 */
function enlarge(cells: Float32Array, rows: number, columns: number, { width, height }: Size): Prediction {
  const classes = new Uint8Array(width * height);
  const carProbability = new Float32Array(width * height);
  const line = new Float32Array(columns * CLASS_COUNT); // the row of cells at the height of a row of pixels
  for (let y = 0; y < height; y++) {
    const v = Math.min(rows - 1, Math.max(0, ((y + 0.5) * rows) / height - 0.5));
    const upper = Math.floor(v) * line.length;
    const lower = Math.min(rows - 1, Math.floor(v) + 1) * line.length;
    const down = v - Math.floor(v);
    for (let i = 0; i < line.length; i++) line[i] = cells[upper + i]! * (1 - down) + cells[lower + i]! * down;
    for (let x = 0; x < width; x++) {
      const u = Math.min(columns - 1, Math.max(0, ((x + 0.5) * columns) / width - 0.5));
      const left = Math.floor(u) * CLASS_COUNT;
      const right = Math.min(columns - 1, Math.floor(u) + 1) * CLASS_COUNT;
      const across = u - Math.floor(u);
      let winner = 0;
      let most = -1;
      for (let c = 0; c < CLASS_COUNT; c++) {
        const p = line[left + c]! * (1 - across) + line[right + c]! * across;
        if (p > most) {
          most = p;
          winner = c;
        }
        if (c === MERGED_CAR) carProbability[y * width + x] = p;
      }
      classes[y * width + x] = winner;
    }
  }
  return { classes, carProbability };
}
