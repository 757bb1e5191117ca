/** The prediction of a segmentation network for an image. */
import type { Grid } from '../training/architecture.ts';
import type { Size } from '../training/augmentation.ts';
import { softmax } from './cross-entropy.ts';
import { CLASS_OF_MERGED, MERGED_CAR, MERGED_CLASSES } from './merged-classes.ts';

const CLASS_COUNT = MERGED_CLASSES.length;

/** The prediction for each pixel of an image, at the image's own resolution. */
export interface PixelPrediction {
  /** The most probable merged class, as the id of the first of its classes, uint8 [height, width]. */
  readonly classes: Uint8Array;
  /** The probability of the merged class car, 0 to 1, float32 [height, width]. */
  readonly carProbability: Float32Array;
}

/**
 * Interpolates the cells' probabilities bilinearly at the centres of the image's pixels.
 *
 * @param logits of the network, [rows, columns, classes], flat; turned into probabilities in place
 * @param image  the size of the image whose pixels are predicted
 */
export function predictPixels(logits: Float32Array, { width, height }: Size, { size, cell }: Grid): PixelPrediction {
  const [rows, columns] = [size.height / cell, size.width / cell];
  softmax(logits, CLASS_COUNT);
  const classes = new Uint8Array(width * height);
  const carProbability = new Float32Array(width * height);
  const line = new Float32Array(columns * CLASS_COUNT); // the row of cells at the height of a row of pixels
  for (let y = 0; y < height; y++) {
    const v = Math.min(rows - 1, Math.max(0, ((y + 0.5) * rows) / height - 0.5));
    const upper = Math.floor(v) * line.length;
    const lower = Math.min(rows - 1, Math.floor(v) + 1) * line.length;
    const down = v - Math.floor(v);
    for (let i = 0; i < line.length; i++) line[i] = logits[upper + i]! * (1 - down) + logits[lower + i]! * down;
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
      classes[y * width + x] = CLASS_OF_MERGED[winner]!;
    }
  }
  return { classes, carProbability };
}
