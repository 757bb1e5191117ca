/**
 * A Gaussian process of the mean score over θ, with a length scale for each component of an action.
 *
 * A surrogate answers for θ that nobody has evaluated, as those of Eggensperger et al. 2015 do for hyperparameters.
 */
import { factorOf, fitHyperparameters, fittedWeights, matern52, type Prior } from '../../protocol/gaussian-process.ts';
import type { SurrogateFit } from './description.ts';

/** Broad: a table has hundreds of points. */
const PRIOR: Prior = { length: 1, lengthWidth: 1.5, noise: 0.3, noiseWidth: 2 };
const STEPS = 60;

/** Scores of several kinds at some points, as one Gaussian process for each kind, all with the same length scales. */
export class Surrogate {
  private readonly alphas: readonly { readonly mean: number; readonly alpha: Float64Array }[];

  /**
   * @param points [n, D] actions
   * @param scores [kinds, n] the mean over the evaluations of a point
   * @param counts [n] the number of these evaluations
   */
  constructor(
    private readonly points: readonly (readonly number[])[],
    scores: readonly (readonly number[])[],
    counts: readonly number[],
    private readonly fit: SurrogateFit,
  ) {
    const L = factorOf({ points, counts }, { ...fit, trust: 0 });
    this.alphas = scores.map((values) => fittedWeights(L, values));
  }

  /** The mean of each kind of score at an action, [kinds]. */
  at(action: readonly number[]): number[] {
    const { lengths } = this.fit;
    const k = this.points.map((point) => matern52(point, action, lengths));
    return this.alphas.map(({ mean, alpha }) => k.reduce((sum, value, i) => sum + value * alpha[i]!, mean));
  }
}

/**
 * Chooses length scales and noise for some scores.
 *
 * @param points [n, D] actions; a few hundred are enough, and n³ operations are needed at each step
 * @param scores [n] the mean over the evaluations of a point
 * @param counts [n] the number of these evaluations
 * @param report called with the share that is done
 */
export function fitSurrogate(
  points: readonly (readonly number[])[],
  scores: readonly number[],
  counts: readonly number[],
  report: (fraction: number) => void = () => {},
): SurrogateFit {
  const { lengths, noise } = fitHyperparameters({ points, values: scores, counts }, PRIOR, STEPS, report);
  return { lengths: [...lengths], noise };
}
