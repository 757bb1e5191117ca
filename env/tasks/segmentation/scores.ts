/** The scores of predicted classes. */
import type { LabelledImage } from '../../streets/labelled-image.ts';
import type { Predicted } from '../image-task.ts';
import type { Metric, Scores } from '../task.ts';
import { ConfusionMatrix, SoftIou } from './iou.ts';
import { MERGED_CAR, MERGED_CLASSES, MERGED_ID } from './merged-classes.ts';
import type { PixelPrediction } from './prediction.ts';

export const SEGMENTATION_METRICS: readonly Metric[] = [
  {
    name: 'softCarIou',
    meaning: 'IoU of the probability of car, over all pixels of the set: less noisy than carIou',
    low: 0,
    high: 1,
  },
  { name: 'carIou', meaning: 'IoU of car where it is the most probable class', low: 0, high: 1 },
  { name: 'meanIou', meaning: 'mean IoU over the merged classes that occur', low: 0, high: 1 },
];

const merged = (classes: Uint8Array): Uint8Array => classes.map((id) => MERGED_ID[id]!);

/**
 * The metrics over all pixels of a set together.
 *
 * @throws {RangeError} when no pixel of the set is a car: there is no car IoU then
 */
export async function segmentationScores(
  predicted: AsyncIterable<Predicted<LabelledImage, PixelPrediction>>,
): Promise<Scores> {
  const matrix = new ConfusionMatrix(MERGED_CLASSES.length);
  const soft = new SoftIou(MERGED_CAR);
  let images = 0;
  for await (const { image, prediction } of predicted) {
    const truth = merged(image.classes);
    matrix.add(merged(prediction.classes), truth);
    soft.add(prediction.carProbability, truth);
    images++;
  }
  if (!soft.present) {
    throw new RangeError(`segmentation: expected a car in the scored images, got none in ${images}`);
  }
  return { softCarIou: soft.value(), carIou: matrix.iou(MERGED_CAR), meanIou: matrix.meanIou() };
}
