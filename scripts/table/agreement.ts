/** How well a surrogate agrees with real evaluations. */
import { mean, rankCorrelation, variances } from '../noise/analysis.ts';

/** A θ that the surrogate has not seen. */
export interface Compared {
  /** The mean reward that the surrogate expects. */
  readonly expected: number;
  /** Of real evaluations. */
  readonly rewards: readonly number[];
}

export interface Agreement {
  readonly thetas: number;
  /** Spearman's correlation of what is expected with the means of real evaluations. */
  readonly rank: number;
  /** About what a perfect surrogate would have: the correlation of a mean of so few evaluations with the true one. */
  readonly rankAtBest: number;
  /** The root of the mean squared difference from these means, … */
  readonly error: number;
  /** … of which this comes from the noise of the means. */
  readonly errorOfNoise: number;
}

/** @param compared at least 3 θ, each with the same number of rewards */
export function agreementOf(compared: readonly Compared[]): Agreement {
  const rewards = compared.map((one) => one.rewards);
  const means = rewards.map(mean);
  const expected = compared.map((one) => one.expected);
  const count = rewards[0]!.length;
  const squares = means.map((one, i) => (one - expected[i]!) ** 2);
  // A single evaluation of each θ does not tell noise from differences.
  const { between, within } = count > 1 ? variances(rewards) : { between: NaN, within: NaN };
  return {
    thetas: compared.length,
    rank: rankCorrelation(expected, means),
    rankAtBest: Math.sqrt(Math.max(0, between) / (Math.max(0, between) + within / count)),
    error: Math.sqrt(mean(squares)),
    errorOfNoise: Math.sqrt(within / count),
  };
}
