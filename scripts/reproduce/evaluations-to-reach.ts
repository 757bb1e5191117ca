/**
 * How many evaluations a search needs until it is as good as REINFORCE, or another agent, is at its end.
 *
 * A search is judged by the θ that it would recommend if it stopped: a policy's mean, or the mean of its latest ones. The
 * rewards of its draws pay for exploring (on the mixture REINFORCE's draws score .04 below its mean), and the best reward
 * so far is the luckiest. That θ is evaluated again on seeds that no search has seen, the same for all arms of a search
 * seed.
 */
import { join } from 'node:path';
import { markdownTable } from '../markdown.ts';
import { median } from 'mathjs';
import { summarise } from '../../protocol/statistics.ts';
import { deriveSeed } from '../../protocol/random.ts';
import { meanOf, seedsOf } from './arms.ts';
import type { CurvePoint } from '../../protocol/reward-curve.ts';
import { drawRewardCurves } from './reward-curves.ts';
import { areAlike, nameOf, type FinishedSearch, type SearchTrial } from './search-log.ts';
import type { EnvOptions, Evidence, Figure, FixedThetas } from './study.ts';
import { writeWhole } from '../../protocol/whole-file.ts';

/** Between one look at a search and the next its spending grows by this factor: the resolution of the result. */
const GROWTH = Math.SQRT2;
const FIRST_LOOK = 16;

/** What a search would recommend. */
export interface Recommendation {
  /** Evaluations of its own that it has cost; one that was discarded counts by the share of its training that was done. */
  readonly spent: number;
  readonly action: readonly number[];
}

/** A point on the way of a search: what its recommendation scores; −∞ where an evaluation of it failed. */
export interface Milestone {
  readonly spent: number;
  readonly score: number;
}

/** When a search is looked at: after 16 evaluations, √2 times as many, and so on to its end. */
export function looks(evaluations: number): number[] {
  const marks: number[] = [];
  for (let mark = FIRST_LOOK; mark < evaluations; mark *= GROWTH) marks.push(Math.round(mark));
  return [...marks, evaluations];
}

/** What a search recommends at each look: after the last iteration that had ended by then. */
export function recommendations(
  search: Pick<FinishedSearch, 'trials' | 'states' | 'told' | 'evaluations'>,
): Recommendation[] {
  const { trials, states, told, evaluations } = search;
  let sum = 0;
  const spent = [0, ...trials.map(({ work = 1 }) => (sum += work))];
  const ends = told.map((count) => spent[count]!);
  const seen = new Set<number>();
  for (const mark of looks(evaluations)) {
    const iteration = ends.findLastIndex((end) => end <= mark);
    if (iteration >= 0) seen.add(iteration);
  }
  return [...seen].map((i) => ({ spent: ends[i]!, action: recommended(states[i]!, trials.slice(0, told[i])) }));
}

/** What the agent recommended then; its policy's mean; or of an agent that has neither, the action with the best reward. */
function recommended(state: Readonly<Record<string, unknown>>, trials: readonly SearchTrial[]): readonly number[] {
  const own = state['recommended'] ?? state['mu'] ?? state['best'];
  if (own !== undefined) return own as number[];
  return trials.reduce((a, b) => ((b.reward ?? -Infinity) > (a.reward ?? -Infinity) ? b : a)).action;
}

/**
 * What was spent when the level was reached: at the first milestone from which on two in a row are not below it, since
 * one alone may be luck; the last one counts alone.
 *
 * @returns null where it was not
 */
export function evaluationsToReach(path: readonly Milestone[], level: number): number | null {
  const reached = path.findIndex(({ score }, i) => score >= level && (path[i + 1]?.score ?? score) >= level);
  return path[reached]?.spent ?? null;
}

/** How the searches of an arm went, a path a search seed. */
export interface ArmPaths {
  readonly arm: string;
  readonly title: string;
  /** What each of its searches might spend. */
  readonly budget: number;
  readonly paths: readonly (readonly Milestone[])[];
}

interface Reached {
  readonly arm: string;
  readonly title: string;
  readonly budget: number;
  /** By search seed; null where the level was not reached. */
  readonly evaluations: readonly (number | null)[];
  /** Over the seeds, where one that did not get there counts as longer than all others; null where it is such a one. */
  readonly median: number | null;
  /** The median over the reference's budget. */
  readonly shareOfBudget: number | null;
  /** The median over the reference's own, in which one of its searches that did not get there counts as its budget. */
  readonly ratio: number | null;
}

export interface Comparison {
  readonly reference: ArmPaths;
  /** The mean of what the reference's searches recommend at their end, without those that failed; NaN where all did. */
  readonly level: number;
  readonly reached: readonly Reached[];
}

const finite = (values: readonly number[]) => values.filter(Number.isFinite);

/** Compares every arm with the one that is named. */
export function compareWith(name: string, arms: readonly ArmPaths[]): Comparison {
  const reference = arms.find(({ arm }) => arm === name)!;
  const level = meanOf(finite(reference.paths.map((path) => path.at(-1)!.score)));
  const of = ({ paths }: ArmPaths) => {
    const evaluations = paths.map((path) => evaluationsToReach(path, level));
    const middle = median(evaluations.map((n) => n ?? Infinity));
    return { evaluations, median: Number.isFinite(middle) ? middle : null };
  };
  const own = median(of(reference).evaluations.map((n) => n ?? reference.budget));
  const reached = arms.map((paths): Reached => {
    const { arm, title, budget } = paths;
    const found = of(paths);
    return {
      ...{ arm, title, budget, ...found },
      shareOfBudget: found.median === null ? null : found.median / reference.budget,
      ratio: found.median === null || own === 0 ? null : found.median / own,
    };
  });
  return { reference, level, reached };
}

interface Question {
  /** The metric that is the reward. */
  readonly metric: string;
  /** On how many fresh seeds each recommendation is evaluated. */
  readonly seeds: number;
  /** The arms whose ends are the levels to be reached: `reinforce` where none is given. Those not measured have none. */
  readonly references?: readonly string[];
}

/** The recommendations of a search, with the start before them. */
interface Recommended {
  readonly search: FinishedSearch;
  /** Evaluations for which the time would do that the search before it took, from which it starts. */
  readonly price: number;
  readonly recommended: readonly Recommendation[];
}

/** Searches that can be compared: they search the same parameters, for the same reward. */
interface Contest {
  /** The arms whose ends are its levels, the first one as the question has it. */
  readonly references: readonly string[];
  /** What the names of its files end in; nothing of the first contest's. */
  readonly suffix: string;
  readonly envOptions: EnvOptions;
  readonly recommended: readonly Recommended[];
}

/** A contest for each set of parameters that a reference has searched. */
function contestsOf(evidence: Evidence, { references = ['reinforce'] }: Question): Contest[] {
  const byArm = evidence.searches();
  const left = new Set(references.filter((name) => byArm[name] !== undefined));
  const contests: Contest[] = [];
  for (const name of left) {
    const reference = byArm[name]![0]!;
    const searches = Object.values(byArm)
      .flat()
      .filter((search) => areAlike(search, reference));
    const own = [...left].filter((other) => searches.some(({ arm }) => arm === other));
    for (const other of own) left.delete(other);
    const recommended = searches.map((search) => recommendedBy(byArm, search));
    const suffix = contests.length === 0 ? '' : `-${name}`;
    contests.push({ references: own, suffix, envOptions: reference.comparedWith, recommended });
  }
  return contests;
}

/** Of a search that starts from another one, the start is what that one found, and its price is counted. */
function recommendedBy(byArm: ReturnType<Evidence['searches']>, search: FinishedSearch): Recommended {
  const { startsFrom, seed } = search;
  const before = startsFrom === undefined ? undefined : byArm[startsFrom]!.find((other) => other.seed === seed)!;
  const price = before ? priceOf(before, search) : 0;
  const start: Recommendation = { spent: 0, action: (before?.learned ?? search.start).action };
  return { search, price, recommended: [start, ...recommendations(search)] };
}

/** The evaluations of a search for which the time would do that the one before it took, its finalists' too. */
function priceOf({ worked: before }: FinishedSearch, { worked: own }: FinishedSearch): number {
  return (before.seconds / own.seconds) * own.evaluations;
}

/** The evaluations of all these θ. */
function milestones({ recommended, suffix, envOptions }: Contest, seeds: number): FixedThetas {
  const requests = recommended.flatMap(({ search, recommended }) =>
    recommended.flatMap(({ spent, action }) =>
      seedsOf(seeds).map((j) => {
        return { key: `${nameOf(search)}/${spent}/${j}`, action, seed: deriveSeed(search.seed, 'milestone', j) };
      }),
    ),
  );
  return { log: `milestones${suffix}`, envOptions, test: false, mayFail: true, requests };
}

/** How the searches of each arm of a contest went. */
function pathsOf(evidence: Evidence, contest: Contest, { metric, seeds }: Question): ArmPaths[] {
  const scored = evidence.scored(milestones(contest, seeds));
  const scores = scored.map(({ validation }) => validation[metric] ?? -Infinity);
  let next = 0;
  const paths = contest.recommended.map(({ search, price, recommended }) => {
    const path = recommended.map(({ spent }) => ({
      spent: price + spent,
      score: meanOf(scores.slice(next, (next += seeds))),
    }));
    return { search, budget: Math.ceil(price) + search.evaluations, path };
  });
  return [...new Set(paths.map(({ search }) => search.arm))].map((arm): ArmPaths => {
    const own = paths.filter(({ search }) => search.arm === arm);
    const { title } = evidence.arms()[arm]!;
    const budget = Math.max(...own.map((path) => path.budget));
    return { arm, title, budget, paths: own.map(({ path }) => path) };
  });
}

/**
 * What the searches recommended on their way, as `evaluations-to-reach.md` and `.csv`, and as `.svg` and `.png`: a chart
 * for each set of parameters that a reference has searched.
 */
export function evaluationsToReachFigure(question: Question): Figure {
  const { metric, seeds } = question;
  return {
    needs: [(evidence) => contestsOf(evidence, question).map((contest) => milestones(contest, seeds))],
    async draw(evidence, folder) {
      const path = join(folder, 'evaluations-to-reach');
      const comparisons: Comparison[] = [];
      for (const contest of contestsOf(evidence, question)) {
        const arms = pathsOf(evidence, contest, question);
        const own = contest.references.map((name) => compareWith(name, arms));
        comparisons.push(...own);
        const short = evidence.preset.searchOptions ? ', short evaluations' : '';
        const labels = {
          title: 'What a search would recommend',
          metric: `${metric} of the recommended θ, validation${short}`,
        };
        const levels = own.filter(({ level }) => Number.isFinite(level));
        const lines = levels.map(({ reference, level }) => [`${reference.title}: its end`, level] as const);
        await drawRewardCurves(labels, arms.flatMap(curve), Object.fromEntries(lines), `${path}${contest.suffix}`);
      }
      writeWhole(`${path}.md`, markdown(comparisons, metric, seeds, evidence));
      writeWhole(`${path}.csv`, csv(comparisons));
    },
  };
}

/** The mean over the searches of an arm at each look, in its 95 % interval; without recommendations that failed. */
function curve({ title, budget, paths }: ArmPaths): CurvePoint[] {
  return looks(budget).flatMap((evaluations) => {
    const scores = paths.flatMap((path) => path.findLast(({ spent }) => spent <= evaluations)?.score ?? []);
    if (scores.length < paths.length) return []; // one has not begun: the search that it starts from took longer
    const known = finite(scores);
    if (known.length === 0) return [];
    const { mean, ci95 } = summarise(known);
    return [{ arm: title, evaluations, mean, low: ci95?.[0] ?? mean, high: ci95?.[1] ?? mean }];
  });
}

function csv(comparisons: readonly Comparison[]): string {
  const rows = comparisons.flatMap(({ reference, reached }) =>
    reached.flatMap(({ arm, budget, evaluations, shareOfBudget, ratio }) =>
      evaluations.map((n, i) =>
        [reference.arm, arm, i + 1, budget, n ?? 'not reached', shareOfBudget ?? '', ratio ?? ''].join(),
      ),
    ),
  );
  const head = 'level_of,arm,seed,budget,evaluations_to_reach,median_over_its_budget,median_over_its_median';
  return `${[head, ...rows].join('\n')}\n`;
}

/** Whether a search starts from another one. */
const startFromOthers = (evidence: Evidence) =>
  Object.values(evidence.searches())
    .flat()
    .some(({ startsFrom }) => startsFrom !== undefined);

function markdown(comparisons: readonly Comparison[], metric: string, seeds: number, evidence: Evidence): string {
  const { searchOptions } = evidence.preset;
  const price = startFromOthers(evidence)
    ? '; a search that starts from another one has its price, in the evaluations for which its time would do, and begins there. '
    : '. ';
  return [
    '# Evaluations to reach a final reward',
    '',
    `A level is the mean over an agent’s searches of the ${metric} on validation of the θ that each recommends at its end. ` +
      `A search is judged by the θ that it would recommend if it stopped, evaluated on ${seeds} seeds that no search has seen. ` +
      `It is looked at after ${FIRST_LOOK} evaluations, √2 times as many, and so on; it has reached the level where two looks in a row are not below it (the last look counts alone), and 0 means that its start had. ` +
      `Evaluations are counted in trained images${price}` +
      'Arms are compared with those that search the same parameters. ' +
      (searchOptions ? 'The evaluations are short ones, as in the searches, also those of this page. ' : '') +
      'The last columns: the median over the budget of the agent whose level it is, and over the median that this agent itself needed, its budget where one of its searches did not get there.',
    '',
    ...comparisons.flatMap(section),
  ].join('\n');
}

function section({ reference, level, reached }: Comparison): string[] {
  const bySeed = reached[0]!.evaluations.map((_, i) => `seed ${i + 1}`);
  const share = (value: number | null) => (value === null ? '–' : value.toPrecision(2));
  const rows = reached.map(({ title, budget, evaluations, median, shareOfBudget, ratio }) => {
    const shown = (n: number | null) => (n === null ? 'not reached' : String(Math.round(n)));
    // An arm that had fewer runs has no cell for the others.
    const cells = [...bySeed.map((_, i) => (i < evaluations.length ? shown(evaluations[i]!) : '')), shown(median)];
    return [title, budget, ...cells, share(shareOfBudget), share(ratio)];
  });
  return [
    `## ${reference.title}: ${Number.isFinite(level) ? level.toFixed(4) : 'no level, since all of its ends failed'}`,
    '',
    ...markdownTable(['', 'budget', ...bySeed, 'median', 'of its budget', 'of its median'], rows),
    '',
  ];
}
