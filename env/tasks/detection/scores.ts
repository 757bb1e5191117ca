/** The scores of detections. */
import type { BoxedImage } from '../../streets/boxed-image.ts';
import type { Predicted } from '../image-task.ts';
import type { Metric, Scores } from '../task.ts';
import {
  ALL_OVERLAPS,
  averagePrecision,
  COCO_OVERLAPS,
  meanAveragePrecision,
  type Detection,
  type DetectionsIn,
} from './average-precision.ts';
import { truthOf } from './centres.ts';

export const DETECTION_METRICS: readonly Metric[] = [
  {
    name: 'smoothAp',
    meaning: 'average precision, averaged over the overlaps .1, .15 … .95: less noisy than ap50',
    low: 0,
    high: 1,
  },
  {
    name: 'ap50',
    meaning: 'average precision at an overlap (IoU) of .5, as COCO and PASCAL VOC ask for',
    low: 0,
    high: 1,
  },
  { name: 'ap', meaning: 'COCO’s average precision, averaged over the overlaps .5, .55 … .95', low: 0, high: 1 },
];

/**
 * The metrics over all images of a set, averaged over the classes that it has.
 *
 * @param predicted each image with the detections of each class
 * @throws {RangeError} when no image of the set has an object to be found
 */
export async function detectionScores(
  predicted: AsyncIterable<Predicted<BoxedImage, Detection[][]>>,
  classes: readonly string[],
): Promise<Scores> {
  const byClass = classes.map((): DetectionsIn[] => []);
  for await (const { image, prediction } of predicted) {
    classes.forEach((category, c) => {
      byClass[c]!.push({ truth: truthOf(image, category), detections: prediction[c]! });
    });
  }
  const mean = (score: (images: readonly DetectionsIn[]) => number | undefined): number => {
    const known = byClass.map(score).filter((value) => value !== undefined);
    if (known.length > 0) return known.reduce((a, b) => a + b) / known.length;
    const got = `none in ${byClass[0]!.length} images`;
    throw new RangeError(`detection: expected a ${classes.join(' or a ')} to find in the scored images, got ${got}`);
  };
  return {
    smoothAp: mean((images) => meanAveragePrecision(images, ALL_OVERLAPS)),
    ap50: mean((images) => averagePrecision(images, COCO_OVERLAPS[0]!)),
    ap: mean((images) => meanAveragePrecision(images, COCO_OVERLAPS)),
  };
}
