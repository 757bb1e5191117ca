/** Annotations in the format of COCO: https://cocodataset.org/#format-data */
import { type Annotation, type PixelBox, CATEGORIES } from '../simulators/traffic/annotations.ts';
import { CAR_TYPES } from '../simulators/traffic/parameters.ts';

/** A mask, column by column, as the lengths of runs of 0 and 1 in turn; the first run is of 0 and may be empty. */
export interface RunLengths {
  readonly size: readonly [height: number, width: number];
  readonly counts: number[];
}

/** An object in one picture; `image_id` is the number of the picture. */
export interface CocoObject {
  readonly image_id: number;
  readonly category_id: number;
  readonly bbox: PixelBox;
  readonly area: number;
  readonly segmentation: RunLengths;
  readonly iscrowd: 0;
  /** Our additions to COCO: the id in the instance picture, and the measurements of annotations.ts. */
  readonly instance: number;
  readonly visibility: number;
  readonly truncation: number;
  readonly distance: number;
}

/** The categories, the same for every data set. Ids begin at 1. */
export const COCO_CATEGORIES = CATEGORIES.map((name, i) => ({
  id: i + 1,
  name,
  supercategory: (CAR_TYPES as readonly string[]).includes(name) ? 'vehicle' : 'person',
}));

/** The mask of one instance. @param instances uint16 [height, width] */
export function runLengths(instances: Uint16Array, width: number, id: number): RunLengths {
  const height = instances.length / width;
  const counts: number[] = [];
  let inside = false;
  let run = 0;
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      if ((instances[y * width + x] === id) !== inside) {
        counts.push(run);
        run = 0;
        inside = !inside;
      }
      run++;
    }
  }
  counts.push(run);
  return { size: [height, width], counts };
}

export function cocoObjects(
  imageId: number,
  instances: Uint16Array,
  width: number,
  annotations: readonly Annotation[],
): CocoObject[] {
  return annotations.map(({ instance, category, box, area, visibility, truncation, distance }) => ({
    image_id: imageId,
    category_id: CATEGORIES.indexOf(category) + 1,
    bbox: box,
    area,
    segmentation: runLengths(instances, width, instance),
    iscrowd: 0,
    instance,
    visibility: rounded(visibility),
    truncation: rounded(truncation),
    distance: rounded(distance),
  }));
}

/** Rounds to four decimals: more would be noise. */
export function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
