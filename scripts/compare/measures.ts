/** What is compared: the rewards of a search on its way, at its end, and what was learned. */
import { median } from 'mathjs';
import { defaultLevel, evaluationsToReach, meanOfLastTenth } from '../../protocol/reward-curve.ts';
import { summarise, type Summary } from '../../protocol/statistics.ts';
import { meanOf, meanScores } from '../reproduce/arms.ts';
import type { Scores } from '../../env/tasks/task.ts';
import type { Group, Run } from './runs.ts';

/** The measures of one run. */
interface RunMeasures {
  readonly run: Run;
  /** The best reward of the search. It is also the luckiest. */
  readonly best: number;
  /** The mean reward of the last tenth of the search. */
  readonly lastTenth: number;
  /** The evaluations until the mean reward of a tenth of the search was at the level; null where it never was. */
  readonly toReach: number | null;
  /** Test scores of the θ, means over the seeds of the report; undefined if the run has not ended, or they failed. */
  readonly test: { readonly start: Scores | undefined; readonly learned: Scores | undefined };
}

/** The measures of a group: over its runs. */
export interface GroupMeasures {
  readonly name: string;
  readonly runs: readonly RunMeasures[];
  /** What the runs have cost; of a run that has not ended, what it has cost so far. */
  readonly evaluations: number;
  readonly best: Summary;
  readonly lastTenth: Summary;
  /** Over the runs, where one that never was at the level counts as longer than all others; null where it is such a one. */
  readonly toReach: number | null;
  /** Of the start and of the learned θ, by metric; over the runs that have them. */
  readonly test: { readonly start: Summaries; readonly learned: Summaries };
}

type Summaries = Readonly<Record<string, Summary>>;

export interface GroupComparison {
  /** The reward of `toReach`. */
  readonly level: number;
  readonly groups: readonly GroupMeasures[];
}

/**
 * The rewards of a search by what was spent: element i has the mean of those that ended within evaluation i + 1, null
 * where none did. A discarded evaluation costs less than one, so several may share an element; it counts with its
 * estimated reward, since the others alone would be a choice of the good ones.
 */
export function rewardsBySpending({ trials }: Pick<Run, 'trials'>): (number | null)[] {
  const rewards: number[][] = [];
  let spent = 0;
  for (const { reward, estimate = null, work = 1 } of trials) {
    spent += work;
    const at = Math.max(0, Math.ceil(spent - 1e-9) - 1); // sums of shares are rounded
    while (rewards.length <= at) rewards.push([]);
    const value = reward ?? estimate;
    if (value !== null) rewards[at]!.push(value);
  }
  return rewards.map((all) => (all.length > 0 ? meanOf(all) : null));
}

/**
 * @param level to be reached; when left out, nine tenths of the way from the mean of the searches' first tenths to the
 *   highest mean of a group's last tenths
 * @throws {Error} naming the log without any reward
 */
export function compare(groups: readonly Group[], level?: number): GroupComparison {
  const measured = groups.map(({ name, runs }) => ({ name, runs, all: runs.map(rewardsBySpending) }));
  const reached = level ?? defaultLevel(measured.map(({ all }) => all));
  return {
    level: reached,
    groups: measured.map(({ name, runs, all }): GroupMeasures => {
      const each = runs.map((run, i) => measure(run, all[i]!, reached));
      const toReach = median(each.map(({ toReach }) => toReach ?? Infinity));
      return {
        name,
        runs: each,
        evaluations: Math.max(...all.map(({ length }) => length)),
        best: summarise(each.map(({ best }) => best)),
        lastTenth: summarise(each.map(({ lastTenth }) => lastTenth)),
        toReach: Number.isFinite(toReach) ? toReach : null,
        test: { start: summaries(each, 'start'), learned: summaries(each, 'learned') },
      };
    }),
  };
}

function measure(run: Run, rewards: readonly (number | null)[], level: number): RunMeasures {
  const known = rewards.filter((reward) => reward !== null);
  if (known.length === 0)
    throw new Error(`${run.path}: expected a reward, got none in ${run.trials.length} evaluations`);
  const best = Math.max(...run.trials.map(({ reward }) => reward ?? -Infinity));
  const lastTenth = meanOfLastTenth(rewards) ?? known.at(-1)!;
  return {
    ...{ run, best, lastTenth, toReach: evaluationsToReach(rewards, level) },
    test: { start: testScores(run, 'start'), learned: testScores(run, 'learned') },
  };
}

/** The mean of each test score over the seeds of the report; undefined if the run has none. */
function testScores({ reported = [] }: Run, name: 'start' | 'learned'): Scores | undefined {
  const scores = reported.find((each) => each.name === name)?.test ?? [];
  return scores.length > 0 ? meanScores(scores) : undefined;
}

function summaries(runs: readonly RunMeasures[], of: 'start' | 'learned'): Summaries {
  const all = runs.map(({ test }) => test[of]).filter((scores) => scores !== undefined);
  const names = [...new Set(all.flatMap((scores) => Object.keys(scores)))];
  return Object.fromEntries(
    names.map((name) => {
      const values = all.map((scores) => scores[name]).filter((score) => score !== undefined);
      return [name, summarise(values)] as const;
    }),
  );
}
