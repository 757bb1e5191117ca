/** The prediction of a segmentation network for an image. */
import type { Grid } from '../training/architecture.ts';
import type { Size } from '../training/augmentation.ts';
import { softmax } from './cross-entropy.ts';
import type { ClassSet } from './merged-classes.ts';

/** The prediction for each pixel of an image, at the image's own resolution. */
export interface PixelPrediction {
  /** The most probable class, as the id that stands for it, uint8 [height, width]. */
  readonly classes: Uint8Array;
  /** The probability of the class that is scored, 0 to 1, float32 [height, width]. */
  readonly probability: Float32Array;
}

/**
 * Interpolates the cells' probabilities bilinearly at the centres of the image's pixels.
 *
 * @param logits of the network, [rows, columns, classes], flat; turned into probabilities in place
 * @param image  the size of the image whose pixels are predicted
 */
export function predictPixels(
  logits: Float32Array,
  { width, height }: Size,
  { size, cell }: Grid,
  { names, classOf, scored }: ClassSet,
): PixelPrediction {
  const classCount = names.length;
  const [rows, columns] = [size.height / cell, size.width / cell];
  softmax(logits, classCount);
  const classes = new Uint8Array(width * height);
  const probability = new Float32Array(width * height);
  const line = new Float32Array(columns * classCount); // the row of cells at the height of a row of pixels
  for (let y = 0; y < height; y++) {
    const v = Math.min(rows - 1, Math.max(0, ((y + 0.5) * rows) / height - 0.5));
    const upper = Math.floor(v) * line.length;
    const lower = Math.min(rows - 1, Math.floor(v) + 1) * line.length;
    const down = v - Math.floor(v);
    for (let i = 0; i < line.length; i++) line[i] = logits[upper + i]! * (1 - down) + logits[lower + i]! * down;
    for (let x = 0; x < width; x++) {
      const u = Math.min(columns - 1, Math.max(0, ((x + 0.5) * columns) / width - 0.5));
      const left = Math.floor(u) * classCount;
      const right = Math.min(columns - 1, Math.floor(u) + 1) * classCount;
      const across = u - Math.floor(u);
      let winner = 0;
      let most = -1;
      for (let c = 0; c < classCount; c++) {
        const p = line[left + c]! * (1 - across) + line[right + c]! * across;
        if (p > most) {
          most = p;
          winner = c;
        }
        if (c === scored) probability[y * width + x] = p;
      }
      classes[y * width + x] = classOf[winner]!;
    }
  }
  return { classes, probability };
}
