/** How much rewards vary where θ does not, and which of the best cannot be told apart for that. */
import { quantile } from '../../../../protocol/student.ts';
import type { RunData } from './run-data.ts';

/** The evaluations of one θ. */
export interface ThetaGroup {
  /** Positions of the rows, in their order. */
  readonly rows: readonly number[];
  readonly mean: number;
  /** Half of the 95 % interval of the mean; NaN without an estimate of the noise. */
  half: number;
}

export interface RewardNoise {
  /** Standard deviation of a reward about the mean of its θ. */
  readonly sd: number;
  /** Degrees of freedom of the estimate. */
  readonly df: number;
  /** `repeats`: from θ that were evaluated with several seeds; `neighbours`: from similar θ, at most this much. */
  readonly from: 'repeats' | 'neighbours';
}

/** The evaluations with a reward by their θ, in the order of their first. */
export function thetaGroups({ keys, rewards }: Pick<RunData, 'keys' | 'rewards'>): ThetaGroup[] {
  const groups = new Map<string, number[]>();
  keys.forEach((key, i) => {
    if (Number.isNaN(rewards[i]!)) return;
    const known = groups.get(key);
    if (known) known.push(i);
    else groups.set(key, [i]);
  });
  return [...groups.values()].map((all) => ({
    rows: all,
    mean: all.reduce((sum, i) => sum + rewards[i]!, 0) / all.length,
    half: NaN,
  }));
}

/** Repeats say less than this many degrees of freedom: then similar θ are asked. */
const FEWEST_DF = 3;
/** The latest evaluations, whose neighbours are looked for: a search is densest at its end. */
const LATEST = 300;

/**
 * The noise of the reward.
 *
 * From repeats, it is the pooled standard deviation within θ. Without them, from nearest neighbours in θ: half the mean
 * squared difference of the rewards of neighbours is the variance of the noise, and of what θ changes between them; so
 * it is an upper limit.
 *
 * @returns undefined where there is too little to say
 */
export function noiseOf(data: RunData, groups: readonly ThetaGroup[] = thetaGroups(data)): RewardNoise | undefined {
  const { rewards } = data;
  let [squares, df] = [0, 0];
  for (const { rows, mean } of groups) {
    for (const i of rows) squares += (rewards[i]! - mean) ** 2;
    df += rows.length - 1;
  }
  if (df >= FEWEST_DF) return { sd: Math.sqrt(squares / df), df, from: 'repeats' };
  const latest = groups.map(({ rows }) => rows[0]!).slice(-LATEST);
  if (latest.length < 8) return undefined;
  const places = data.columns.map((_, c) => data.shares(c, latest));
  const differences = latest.map((row, i) => {
    let [nearest, distance] = [-1, Infinity];
    for (let j = 0; j < latest.length; j++) {
      if (j === i) continue;
      let sum = 0;
      for (const place of places) {
        const difference = place[i]! - place[j]!;
        if (!Number.isNaN(difference)) sum += difference * difference;
        if (sum >= distance) break;
      }
      if (sum < distance) [nearest, distance] = [j, sum];
    }
    return nearest < 0 ? 0 : (rewards[row]! - rewards[latest[nearest]!]!) ** 2 / 2;
  });
  const variance = differences.reduce((sum, each) => sum + each, 0) / differences.length;
  return { sd: Math.sqrt(variance), df: Math.max(1, Math.floor(latest.length / 2)), from: 'neighbours' };
}

/** A 95 % interval of each mean; where a θ was evaluated once, of that reward. */
export function withIntervals(groups: readonly ThetaGroup[], noise: RewardNoise | undefined): ThetaGroup[] {
  const t = noise && quantile(0.025, noise.df);
  return groups.map((group) => ({
    ...group,
    half: noise && t !== undefined ? (t * noise.sd) / Math.sqrt(group.rows.length) : NaN,
  }));
}

/** What can be said about which θ is best. */
export interface Contest {
  /** The θ with the highest mean first; then those that cannot be told from it; then the others. */
  readonly ranking: readonly ThetaGroup[];
  /** How many of the first ones cannot be told apart. */
  readonly tied: number;
}

/**
 * Which θ cannot be told from the best: a comparison of all with the best, one-sided, at 95 % together (Bonferroni; Hsu
 * 1984, "Constrained simultaneous confidence intervals for multiple comparisons with the best").
 *
 * The best of many is also the luckiest; the number of candidates in the level allows for that.
 */
export function contest(groups: readonly ThetaGroup[], noise: RewardNoise | undefined): Contest {
  const ranking = withIntervals(
    [...groups].sort((a, b) => b.mean - a.mean),
    noise,
  );
  const [best] = ranking;
  if (!best || !noise || ranking.length < 2) return { ranking, tied: best ? 1 : 0 };
  const t = quantile(0.05 / (ranking.length - 1), noise.df);
  const isTied = ({ mean, rows }: ThetaGroup) =>
    best.mean - mean <= t * noise.sd * Math.sqrt(1 / best.rows.length + 1 / rows.length);
  const tied = ranking.filter(isTied);
  return { ranking: [...tied, ...ranking.filter((group) => !isTied(group))], tied: tied.length };
}
