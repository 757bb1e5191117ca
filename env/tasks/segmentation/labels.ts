import { VOID } from '../../streets/classes.ts';
import type { LabelledImage } from '../../streets/labelled-image.ts';
import { axes, type Size, type ImageView } from '../training/augmentation.ts';
import { streetClasses, type ClassSet } from './merged-classes.ts';

const STREETS = streetClasses();

/**
 * Writes the most frequent class of each cell, as seen through the view; VOID where no pixel is labelled.
 *
 * Of two equally frequent classes, the first one is taken. A network that learns the shares of the classes instead
 * finds fewer cars.
 *
 * @param cell   side of a cell, in pixels of `size`
 * @param labels is overwritten, [height / cell, width / cell]
 */
export function writeLabels(
  image: LabelledImage,
  view: ImageView,
  size: Size,
  cell: number,
  labels: Float32Array,
  { names, outputOf }: ClassSet = STREETS,
): void {
  const { columns, rows } = axes(image, view, size);
  const across = columns.nearest;
  const classCount = names.length;
  const counts = new Uint16Array(256); // of VOID too, so that the loop over pixels decides nothing
  let place = 0;
  for (let top = 0; top < size.height; top += cell) {
    for (let left = 0; left < size.width; left += cell) {
      for (let id = 0; id < classCount; id++) counts[id] = 0;
      for (let y = top; y < top + cell; y++) {
        const row = rows.nearest[y]! * image.width;
        for (let x = left; x < left + cell; x++) {
          counts[outputOf[image.classes[row + across[x]!]!]!]!++;
        }
      }
      let winner = VOID;
      let most = 0;
      for (let id = 0; id < classCount; id++) {
        if (counts[id]! > most) {
          most = counts[id]!;
          winner = id;
        }
      }
      labels[place++] = winner;
    }
  }
}
