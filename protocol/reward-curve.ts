/** The rewards of a search over its evaluations: what curves and tables say of them. */
import { summarise } from './statistics.ts';

/** Points on a line; the rewards between two of them are averaged. */
const POINTS = 25;
/** The first window ends at this evaluation, or at the end of the first quarter of a shorter search. */
const FIRST_WINDOW = 16;
export interface CurvePoint {
  readonly arm: string;
  /** Evaluations at the end of the window. */
  readonly evaluations: number;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The mean reward of successive windows of a search, over its seeds.
 *
 * Windows grow with the evaluations, as the axis of the figure is logarithmic; the first ends at 16, so that each
 * holds enough to average, and earlier in a search of less than 64.
 *
 * @param rewards of each seed's search, in its order; null where an evaluation failed
 */
export function rewardCurve(arm: string, rewards: readonly (readonly (number | null)[])[]): CurvePoint[] {
  const total = Math.min(...rewards.map(({ length }) => length));
  const first = Math.min(FIRST_WINDOW, Math.ceil(total / 4));
  const ends = Array.from({ length: POINTS }, (_, i) => Math.round(first * (total / first) ** (i / (POINTS - 1))));
  const points: CurvePoint[] = [];
  let begin = 0;
  for (const end of new Set(ends)) {
    if (end - begin < first / 2 && end < total) continue; // too few to average: part of the next window
    const means = rewards.flatMap((row) => {
      const known = row.slice(begin, end).filter((reward) => reward !== null);
      return known.length > 0 ? [known.reduce((sum, reward) => sum + reward, 0) / known.length] : [];
    });
    begin = end;
    if (means.length === 0) continue;
    const { mean, ci95 } = summarise(means);
    points.push({ arm, evaluations: end, mean, low: ci95?.[0] ?? mean, high: ci95?.[1] ?? mean });
  }
  return points;
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

const tenth = (rewards: readonly unknown[]) => Math.max(1, Math.round(rewards.length / 10));

/** null where there is none to average */
function meanOfKnown(rewards: readonly (number | null)[]): number | null {
  const known = rewards.filter((reward) => reward !== null);
  return known.length > 0 ? meanOf(known) : null;
}

/** The mean reward of the last tenth of a search; null where all of it failed. */
export function meanOfLastTenth(rewards: readonly (number | null)[]): number | null {
  return meanOfKnown(rewards.slice(-tenth(rewards)));
}

/** The evaluations after which the mean reward of the latest tenth of the search is first at least the level. */
export function evaluationsToReach(rewards: readonly (number | null)[], level: number): number | null {
  const window = tenth(rewards);
  for (let end = window; end <= rewards.length; end++) {
    if ((meanOfKnown(rewards.slice(end - window, end)) ?? -Infinity) >= level) return end;
  }
  return null;
}

/**
 * Nine tenths of the way from how the searches begin to how the best group ends.
 *
 * @param groups of searches, each with its rewards
 */
export function defaultLevel(groups: readonly (readonly (readonly (number | null)[])[])[]): number {
  const means = (all: readonly (readonly (number | null)[])[]) => all.map(meanOfKnown).filter((mean) => mean !== null);
  const firsts = groups.flatMap((all) => means(all.map((rewards) => rewards.slice(0, tenth(rewards)))));
  const ends = groups.map((all) => {
    const lasts = means(all.map((rewards) => rewards.slice(-tenth(rewards))));
    return lasts.length > 0 ? meanOf(lasts) : -Infinity;
  });
  const end = Math.max(...ends);
  return firsts.length > 0 ? end - 0.1 * Math.max(0, end - meanOf(firsts)) : end;
}
