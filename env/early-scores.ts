/** Scores of a model that is still in training: early evidence, by which an agent may give up a weak θ. */
import type { Scores, TrainedModel } from './tasks/task.ts';
import type { Target } from './targets/target.ts';
import { spread } from './targets/spread.ts';

/** Shares of the training after which the model is scored. */
const CHECKPOINTS = [1 / 4, 1 / 2, 3 / 4] as const;

/** How many validation samples it is scored on, evenly spread and always the same: a hint is enough, and cheap. */
const SAMPLES = 40;

/**
 * What scores the models of one training, at the first chance after each checkpoint.
 *
 * @param signal breaks off the drawing of the validation set
 * @returns a function of the share of the training that is done; it gives undefined where there is nothing to tell
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
