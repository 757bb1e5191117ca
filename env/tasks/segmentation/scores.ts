/** The scores of predicted classes. */
import type { LabelledImage } from '../../streets/labelled-image.ts';
import type { Predicted } from '../image-task.ts';
import type { Metric, Scores } from '../task.ts';
import { ConfusionMatrix, SoftIou } from './iou.ts';
import type { ClassSet } from './merged-classes.ts';
import type { PixelPrediction } from './prediction.ts';

/** The names of the metrics: those of cars have their own. */
function namesOf({ names, scored }: ClassSet) {
  return names[scored] === 'car' ? { soft: 'softCarIou', hard: 'carIou' } : { soft: 'softIou', hard: 'iou' };
}

/** The first one is the reward where nobody asks for another. */
export function segmentationMetrics(classes: ClassSet): readonly Metric[] {
  const { soft, hard } = namesOf(classes);
  const scored = classes.names[classes.scored]!;
  return [
    {
      name: soft,
      meaning: `IoU of the probability of ${scored}, over all pixels of the set: less noisy than ${hard}`,
      low: 0,
      high: 1,
    },
    { name: hard, meaning: `IoU of ${scored} where it is the most probable class`, low: 0, high: 1 },
    { name: 'meanIou', meaning: 'mean IoU over the merged classes that occur', low: 0, high: 1 },
  ];
}

/**
 * The metrics over all pixels of a set together.
 *
 * @throws {RangeError} when no pixel of the set is of the class that is scored: it has no IoU then
 */
export async function segmentationScores(
  predicted: AsyncIterable<Predicted<LabelledImage, PixelPrediction>>,
  classes: ClassSet,
): Promise<Scores> {
  const { names, outputOf, scored } = classes;
  const outputs = (ids: Uint8Array): Uint8Array => ids.map((id) => outputOf[id]!);
  const matrix = new ConfusionMatrix(names.length);
  const iou = new SoftIou(scored);
  let images = 0;
  for await (const { image, prediction } of predicted) {
    const truth = outputs(image.classes);
    matrix.add(outputs(prediction.classes), truth);
    iou.add(prediction.probability, truth);
    images++;
  }
  if (!iou.present) {
    throw new RangeError(`segmentation: expected a ${names[scored]} in the scored images, got none in ${images}`);
  }
  const { soft, hard } = namesOf(classes);
  return { [soft]: iou.value(), [hard]: matrix.iou(scored), meanIou: matrix.meanIou() };
}
