/**
 * Counting the cars of each type in a picture: the main task of the paper's first experiment with images (Ruiz et al.
 * 2019, sec. 4.2), at a size that trains in seconds on one core.
 *
 * In so short a training, counts alone teach a small network too little. So it learns where each car is: a density over
 * cells, whose sum is the count.
 */
import type { Runtime } from '../runtime.ts';
import type { Strip } from '../pictures.ts';
import { carCounts, writeDensity, type CountableImage } from './counting/counts.ts';
import { smallCounting } from './counting/network.ts';
import { poissonLoss } from './counting/poisson-loss.ts';
import { COUNTING_METRICS, countingScores } from './counting/scores.ts';
import { IMAGE_TASK_DEFAULTS, imageTask, type ImageTask, type ImageTaskOptions, type Predicted } from './image-task.ts';
import type { Levels } from './training/augmentation.ts';
import { inverseSoftplus, softplus } from './training/softplus.ts';
import type { Grid } from './training/architecture.ts';
import type { Answer } from './training/image-batches.ts';

/** A `width` of 1 is about 54 thousand weights. */
export interface CountingOptions extends ImageTaskOptions {
  /** What is counted, in the order of the network's outputs. */
  readonly types: readonly string[];
  readonly levels: Levels;
  readonly reward: 'devianceExplained' | 'negativeL1' | 'negativeL1Rounded';
}

/** It predicts the expected number of cars of each type, float32 [types]. */
export type CountingTask = ImageTask<CountableImage, Float32Array>;

/** The task with these options; those that are left out are {@link IMAGE_TASK_DEFAULTS}. */
export function countingTask(
  options: Partial<CountingOptions> & Pick<CountingOptions, 'types'>,
  runtime: Runtime,
): CountingTask {
  const { types, levels = 'fixed', reward = 'devianceExplained', ...given } = options;
  const training = { ...IMAGE_TASK_DEFAULTS, ...given };
  if (training.network !== 'small' && levels !== 'fixed') {
    throw new RangeError(`levels: expected fixed with network ${training.network}, got ${levels}`);
  }
  return imageTask<CountableImage, Float32Array>(
    {
      name: 'counting',
      metrics: COUNTING_METRICS,
      reward,
      small: smallCounting(types.length, training.width, levels),
      outputs: types.length,
      answer: (grid) => density(types, grid),
      // Most cells are empty: a network that began with ln 2 cars in each would spend its first steps on unlearning
      // that.
      firstBias: (grid) => types.map(() => inverseSoftplus(firstMean(grid))),
      predict: (cells) => expectedCounts(cells, types.length),
      score: (predicted) => countingScores(predicted, types),
      pictures: (all) => countingPictures(all, types),
    },
    training,
    runtime,
  );
}

/** Validation images, each with the cars of each type that are there and that are predicted. */
function countingPictures(
  all: readonly Predicted<CountableImage, Float32Array>[],
  types: readonly string[],
): readonly Strip[] {
  const pictures = all.map(({ image, prediction }) => {
    const truth = carCounts(image, types);
    const counts = types.map((type, i) => `${type} ${prediction[i]!.toFixed(1)} (${truth[i]!})`);
    return { width: image.width, height: image.height, rgb: image.rgb, caption: counts.join(', ') };
  });
  return [{ name: 'validation image', meaning: 'cars of each type: predicted (there)', pictures }];
}

/** The mean of a cell before training: half a car of each type in the whole picture. */
function firstMean({ size, cell }: Grid): number {
  return (0.5 * cell * cell) / (size.width * size.height);
}

/** The answer that the network learns (where each image's cars are) and its loss. */
function density(types: readonly string[], { size, cell }: Grid): Answer<CountableImage> {
  const length = (size.width / cell) * (size.height / cell) * types.length;
  return {
    length,
    write: (image, view, answer) => writeDensity(image, types, view, size, cell, answer),
    loss: (output, answers, gradient) => poissonLoss(output, answers, answers.length / length, gradient),
  };
}

/** The sums of the cells' means. @param cells softplus⁻¹ of the means, [height / 8, width / 8, types] */
function expectedCounts(cells: Float32Array, typeCount: number): Float32Array {
  const counts = new Float32Array(typeCount);
  cells.forEach((z, i) => (counts[i % typeCount]! += softplus(z)));
  return counts;
}
