/** How well a surrogate agrees with real evaluations. */
import { mean, rankCorrelation, variance } from '../noise/analysis.ts';

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
  /** About what a perfect surrogate would have: the correlation of a mean of so few evaluations with the true one. Single evaluations do not tell. */
  readonly rankAtBest?: number;
  /** The root of the mean squared difference from these means, … */
  readonly error: number;
  /** … of which this comes from the noise of the means, where there are several evaluations of each θ. */
  readonly errorOfNoise?: number;
}

/** @param compared at least 3 θ, each with the same number of rewards */
export function agreementOf(compared: readonly Compared[]): Agreement {
  const rewards = compared.map((one) => one.rewards);
  const means = rewards.map(mean);
  const expected = compared.map((one) => one.expected);
  const count = rewards[0]!.length;
  const squares = means.map((one, i) => (one - expected[i]!) ** 2);
  const agreement = {
    thetas: compared.length,
    rank: rankCorrelation(expected, means),
    error: Math.sqrt(mean(squares)),
  };
  if (count === 1) return agreement;
  const noise = mean(rewards.map(variance)) / count; // each θ had seeds of its own
  const signal = Math.max(0, variance(means) - noise);
  return { ...agreement, rankAtBest: Math.sqrt(signal / (signal + noise)), errorOfNoise: Math.sqrt(noise) };
}
