/** How much of what rewards differ by is θ, and how much is noise. */

/** Rewards of the same seeds for every θ, [thetas][seeds]. */
export type Rewards = readonly (readonly number[])[];

export interface Variances {
  /** Variance over the seeds of one θ, averaged over θ. */
  readonly within: number;
  /** The same with what a seed does to every θ alike taken out: what remains when θ are compared on common seeds. */
  readonly withinCommon: number;
  /** Variance over θ of the reward that averaging over all seeds would give; an estimate, and so it may be below 0. */
  readonly between: number;
  /** Share of an evaluation's variance that is θ, 0 to 1: how far one evaluation can be trusted. */
  readonly reliability: number;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]) => sum(values) / values.length;

/** The unbiased variance of at least two values. */
function variance(values: readonly number[]): number {
  const centre = mean(values);
  return sum(values.map((value) => (value - centre) ** 2)) / (values.length - 1);
}

/**
 * Splits the variance of rewards (analysis of variance with random effects; Searle et al. 1992, chapter 3).
 *
 * @throws {RangeError} when there are not at least two θ with the same number of seeds, two or more
 */
export function variances(rewards: Rewards): Variances {
  const seeds = rewards[0]?.length ?? 0;
  if (rewards.length < 2 || seeds < 2 || rewards.some((row) => row.length !== seeds)) {
    throw new RangeError('variances: expected at least 2 θ with the same 2 or more seeds each');
  }
  const thetaMeans = rewards.map(mean);
  const within = mean(rewards.map(variance));
  const between = variance(thetaMeans) - within / seeds;
  const seedMeans = Array.from({ length: seeds }, (_, seed) => mean(rewards.map((row) => row[seed]!)));
  const centre = mean(thetaMeans);
  const residuals = rewards.flatMap((row, i) =>
    row.map((reward, j) => reward - thetaMeans[i]! - seedMeans[j]! + centre),
  );
  const withinCommon = sum(residuals.map((value) => value ** 2)) / ((rewards.length - 1) * (seeds - 1));
  const total = Math.max(0, between) + within;
  return { within, withinCommon, between, reliability: total > 0 ? Math.max(0, between) / total : 0 };
}

/** Positions in ascending order, from 1; equal values share the mean of theirs. */
function ranks(values: readonly number[]): number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return below + (equal + 1) / 2;
  });
}

/** Spearman's rank correlation, −1 to 1; NaN where one of the two does not vary. */
export function rankCorrelation(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [ranks(a), ranks(b)];
  const [centreX, centreY] = [mean(x), mean(y)];
  const product = sum(x.map((value, i) => (value - centreX) * (y[i]! - centreY)));
  return product / Math.sqrt(sum(x.map((v) => (v - centreX) ** 2)) * sum(y.map((v) => (v - centreY) ** 2)));
}

/**
 * How well evaluations with one seed rank θ as `judges` with the other seeds do, averaged over the seeds.
 *
 * Of `single` and `judges` the same: how well one full evaluation ranks. Of a short one and the full: what it loses.
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

/** How many evaluations of a θ to average so that nine tenths of the variance of their mean is θ; at most 99. */
export function replicatesFor({ within, between }: Pick<Variances, 'within' | 'between'>): number {
  if (!(between > 0)) return 99;
  return Math.min(99, Math.max(1, Math.ceil((9 * within) / between)));
}
