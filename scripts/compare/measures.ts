/** What is compared: the rewards of a search on its way, at its end, and what was learned. */
import { median } from 'mathjs';
import { summarise, type Summary } from '../../agents/run/statistics.ts';
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
 * where none did. A discarded evaluation costs less than one, so several may share an element.
 */
export function rewardsBySpending({ trials }: Pick<Run, 'trials'>): (number | null)[] {
  const rewards: number[][] = [];
  let spent = 0;
  for (const { reward, work = 1 } of trials) {
    spent += work;
    const at = Math.max(0, Math.ceil(spent - 1e-9) - 1); // sums of shares are rounded
    while (rewards.length <= at) rewards.push([]);
    if (reward !== null) rewards[at]!.push(reward);
  }
  return rewards.map((all) => (all.length > 0 ? meanOf(all) : null));
}

const tenth = (rewards: readonly unknown[]) => Math.max(1, Math.round(rewards.length / 10));

/** null where there is none to average */
function meanOfKnown(rewards: readonly (number | null)[]): number | null {
  const known = rewards.filter((reward) => reward !== null);
  return known.length > 0 ? meanOf(known) : null;
}

/** The evaluations after which the mean reward of the latest tenth of the search is first at least the level. */
function evaluationsToReach(rewards: readonly (number | null)[], level: number): number | null {
  const window = tenth(rewards);
  for (let end = window; end <= rewards.length; end++) {
    if ((meanOfKnown(rewards.slice(end - window, end)) ?? -Infinity) >= level) return end;
  }
  return null;
}

/** Nine tenths of the way from how the searches begin to how the best group ends. */
function defaultLevel(
  groups: readonly { readonly name: string; readonly all: readonly (number | null)[][] }[],
): number {
  const means = (all: readonly (readonly (number | null)[])[]) => all.map(meanOfKnown).filter((mean) => mean !== null);
  const firsts = groups.flatMap(({ all }) => means(all.map((rewards) => rewards.slice(0, tenth(rewards)))));
  const ends = groups.map(({ all }) => {
    const lasts = means(all.map((rewards) => rewards.slice(-tenth(rewards))));
    return lasts.length > 0 ? meanOf(lasts) : -Infinity;
  });
  const end = Math.max(...ends);
  return firsts.length > 0 ? end - 0.1 * Math.max(0, end - meanOf(firsts)) : end;
}

/**
 * @param level to be reached; when left out, nine tenths of the way from the mean of the searches' first tenths to the
 *   highest mean of a group's last tenths
 * @throws {Error} naming the log without any reward
 */
export function compare(groups: readonly Group[], level?: number): GroupComparison {
  const measured = groups.map(({ name, runs }) => ({ name, runs, all: runs.map(rewardsBySpending) }));
  const reached = level ?? defaultLevel(measured);
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
  const lastTenth = meanOfKnown(rewards.slice(-tenth(rewards))) ?? known.at(-1)!;
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
