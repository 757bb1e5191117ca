/** The scores of predicted counts. */
import type { Predicted } from '../image-task.ts';
import type { Metric, Scores } from '../task.ts';
import { carCounts, type CountableImage } from './counts.ts';
import { devianceExplained, LEAST_EXPLAINED, meanL1 } from './deviance.ts';

export const COUNTING_METRICS: readonly Metric[] = [
  {
    name: 'devianceExplained',
    meaning: 'Share of the Poisson deviance that the prediction explains: 1 is exact, 0 as good as the constant mean',
    low: LEAST_EXPLAINED,
    high: 1,
  },
  {
    name: 'negativeL1',
    meaning: 'Minus the mean L1 distance of predicted and true counts; it rewards the median, so mind the collapse',
    low: -100,
    high: 0,
  },
  {
    name: 'negativeL1Rounded',
    meaning: 'The same of rounded predictions, as the paper reports it',
    low: -100,
    high: 0,
  },
];

/**
 * The metrics over all images and types of a set.
 *
 * @param predicted each image with the expected number of cars of each type, 0 or more, [types]
 * @throws {RangeError} when all images of the set show the same number of cars of each type
 */
export async function countingScores(
  predicted: AsyncIterable<Predicted<CountableImage, Float32Array>>,
  types: readonly string[],
): Promise<Scores> {
  const trueCounts: number[] = [];
  const means: number[] = [];
  for await (const { image, prediction } of predicted) {
    trueCounts.push(...carCounts(image, types));
    means.push(...prediction);
  }
  const [counts, expected] = [Float32Array.from(trueCounts), Float32Array.from(means)];
  return {
    devianceExplained: devianceExplained(expected, counts, types.length),
    negativeL1: -meanL1(expected, counts, types.length),
    negativeL1Rounded: -meanL1(expected.map(Math.round), counts, types.length),
  };
}
