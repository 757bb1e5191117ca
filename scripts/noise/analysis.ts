/** Splits the differences between rewards into the effect of θ and noise. */

/** Rewards of every θ with the same seeds, [thetas][seeds]. */
export type Rewards = readonly (readonly number[])[];

export interface Variances {
  /** Variance over the seeds of one θ, averaged over θ. */
  readonly within: number;
  /** The same without the effects that a seed has on every θ: the noise when θ are compared on common seeds. */
  readonly withinCommon: number;
  /** Variance over θ of the expected reward. It is an estimate, so it may be below 0. */
  readonly between: number;
  /** The share of an evaluation's variance that comes from θ, 0 to 1. */
  readonly reliability: number;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
export const mean = (values: readonly number[]) => sum(values) / values.length;

/** The unbiased variance of at least two values. */
export function variance(values: readonly number[]): number {
  const centre = mean(values);
  return sum(values.map((value) => (value - centre) ** 2)) / (values.length - 1);
}

/**
 * Splits the variance of rewards (analysis of variance with random effects; Searle et al. 1992, chapter 3).
 *
 * @throws {RangeError} when there are fewer than two θ or two seeds, or the numbers of seeds differ
 */
export function variances(rewards: Rewards): Variances {
  const seeds = rewards[0]?.length ?? 0;
  if (rewards.length < 2 || seeds < 2 || rewards.some((row) => row.length !== seeds)) {
    throw new RangeError('variances: expected at least 2 θ with the same 2 or more seeds each');
  }
  const thetaMeans = rewards.map(mean);
  const within = mean(rewards.map(variance));
  const seedMeans = Array.from({ length: seeds }, (_, seed) => mean(rewards.map((row) => row[seed]!)));
  const centre = mean(thetaMeans);
  const residuals = rewards.flatMap((row, i) =>
    row.map((reward, j) => reward - thetaMeans[i]! - seedMeans[j]! + centre),
  );
  const withinCommon = sum(residuals.map((value) => value ** 2)) / ((rewards.length - 1) * (seeds - 1));
  // A seed's own effect is in all of these means alike.
  const between = variance(thetaMeans) - withinCommon / seeds;
  const total = Math.max(0, between) + within;
  return { within, withinCommon, between, reliability: total > 0 ? Math.max(0, between) / total : 0 };
}

/** Ranks in ascending order, from 1; equal values share their mean rank. */
function ranks(values: readonly number[]): number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return below + (equal + 1) / 2;
  });
}

/** Spearman's rank correlation, −1 to 1; NaN when one of the two does not vary. */
export function rankCorrelation(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [ranks(a), ranks(b)];
  const [centreX, centreY] = [mean(x), mean(y)];
  const product = sum(x.map((value, i) => (value - centreX) * (y[i]! - centreY)));
  return product / Math.sqrt(sum(x.map((v) => (v - centreX) ** 2)) * sum(y.map((v) => (v - centreY) ** 2)));
}

/**
 * Spearman's rank correlation between the θ evaluated with one seed (`single`) and their means over the other seeds
 * (`judges`), averaged over the seeds.
 *
 * With the same rewards for both, it tells how well one evaluation ranks θ. With rewards of short evaluations as
 * `single` and of full ones as `judges`, it tells what a short evaluation loses.
 */
export function singleSeedAgreement(single: Rewards, judges: Rewards): number {
  const seeds = judges[0]!.length;
  return mean(
    Array.from({ length: seeds }, (_, seed) => {
      const others = judges.map((row) => mean(row.filter((_, j) => j !== seed)));
      return rankCorrelation(
        single.map((row) => row[seed]!),
        others,
      );
    }),
  );
}

/** The number of evaluations of each θ for which 90 % of the variance of their mean comes from θ; at most 99. */
export function replicatesFor({ within, between }: Pick<Variances, 'within' | 'between'>): number {
  if (!(between > 0)) return 99;
  return Math.min(99, Math.max(1, Math.ceil((9 * within) / between)));
}
