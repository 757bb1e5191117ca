/** Scores of a model that is still in training: early evidence, so that an agent can give up a weak θ. */
import type { Scores, TrainedModel } from './tasks/task.ts';
import type { Target } from './targets/target.ts';
import { spread } from './targets/spread.ts';

/** Shares of the training after which the model is scored. */
const CHECKPOINTS = [1 / 4, 1 / 2, 3 / 4] as const;

/** Number of validation samples for an early score, evenly spread and always the same: a hint is enough, and cheap. */
const SAMPLES = 40;

/**
 * Makes a function that scores the model of one training, at its first call after each checkpoint.
 *
 * @param signal aborts the drawing of the validation set
 * @returns a function of the share of the training that is done, 0 to 1, and of the model; its promise gives undefined
 *   when there is no new score
 */
export function earlyScorer<Sample>(
  target: Target<Sample>,
  signal?: AbortSignal,
): (fraction: number, model?: () => TrainedModel<Sample>) => Promise<Scores | undefined> {
  let passed = 0;
  return async (fraction, model) => {
    const before = passed;
    passed = CHECKPOINTS.filter((checkpoint) => checkpoint <= fraction).length;
    if (passed === before || fraction >= 1 || !model) return undefined;
    const unfinished = model();
    try {
      return await unfinished.score(spread(await target.validation(signal), SAMPLES));
    } catch (error) {
      // A part of the set may have nothing to score, such as no car at all, where the whole set has.
      if (error instanceof RangeError) return undefined;
      throw error;
    } finally {
      unfinished.dispose();
    }
  };
}
