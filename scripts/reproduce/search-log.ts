/** Reads the logs of searches. */
import { isDeepStrictEqual } from 'node:util';
import type { Reported } from '../../agents/run/report.ts';
import type { EvaluationRecord, LogRecord } from '../../agents/run/trial-log.ts';
import { armsOf, searchOptionsOf } from './arms.ts';
import type { EnvOptions, Preset, Study } from './study.ts';

export type AgentOptions = Readonly<Record<string, string | number | boolean>>;

export interface Search {
  /** The arm that it belongs to, such as `randomSearch`. */
  readonly arm: string;
  /** The agent's file in agents/, such as `random-search`. */
  readonly agent: string;
  readonly seed: number;
  /** The id of its environment. */
  readonly environment: string;
  readonly evaluations: number;
  /** The arm from whose trials it starts. */
  readonly startsFrom?: string;
  /** The agent's options as its log names them, such as `{ learningRate: 0.03 }`. */
  readonly options: AgentOptions;
  readonly envOptions: EnvOptions;
  /** The options with which its recommendations are compared with those of other searches. */
  readonly comparedWith: EnvOptions;
}

type Comparable = Pick<Search, 'environment' | 'comparedWith'>;

/** An evaluation of a search; the action is empty if a lean log leaves it out. */
export type SearchTrial = Pick<EvaluationRecord, 'action' | 'outcome' | 'reward' | 'scores' | 'work'>;

export interface FinishedSearch extends Search {
  /** In the order in which the agent asked for them. */
  readonly trials: readonly SearchTrial[];
  /** The agent's state after each iteration. */
  readonly states: readonly Readonly<Record<string, unknown>>[];
  /** For each state, the number of trials that the agent had been told before. */
  readonly told: readonly number[];
  readonly start: Reported;
  readonly learned: Reported;
  /** Its trials and finalists, and how long they took one after the other; 0 s if a lean log leaves that out. */
  readonly worked: { readonly evaluations: number; readonly seconds: number };
}

/** The name of a search and of its log. */
export const nameOf = ({ arm, seed }: Pick<Search, 'arm' | 'seed'>) => `${arm}-${seed}`;

/** Whether searches can be compared: in the same environment they search the same parameters, for the same reward. */
export function areAlike(a: Comparable, b: Comparable): boolean {
  return a.environment === b.environment && isDeepStrictEqual(a.comparedWith, b.comparedWith);
}

/** Every search of every search arm, each arm with the same seeds. */
export function searchesOf(study: Study, preset: Preset): Search[] {
  const arms = armsOf(study, preset);
  return Array.from({ length: preset.searchSeeds }, (_, i) => i + 1).flatMap((seed) =>
    Object.entries(arms).flatMap(([arm, of]) => {
      if (of.kind !== 'search' || seed > (of.mostSeeds ?? Infinity)) return [];
      const { agent, options, environment, searchOptions, start, startsFrom } = of;
      const comparedWith = { ...(environment === undefined && searchOptionsOf(preset)), ...of.envOptions };
      return {
        arm,
        agent,
        seed,
        environment: environment ?? study.environment,
        evaluations: preset.evaluations[arm]!,
        ...(startsFrom !== undefined && { startsFrom }),
        options: { ...options, ...(start && { start: JSON.stringify(start(seed)) }) },
        envOptions: { ...comparedWith, ...searchOptions },
        comparedWith,
      };
    }),
  );
}

/** The search with the content of its log; undefined if it has not ended, or has gone on to more evaluations. */
export function finishedSearch(search: Search, records: readonly LogRecord[]): FinishedSearch | undefined {
  const budgets = records.flatMap((record) =>
    record.type === 'evaluation' ? (/^after-(\d+)\/learned\/0$/.exec(record.key)?.slice(1).map(Number) ?? []) : [],
  );
  const isReported = budgets.at(-1) === search.evaluations;
  const summary = records.at(-1);
  if (!isReported || summary?.type !== 'summary') return undefined;
  const reported = summary['reported'] as readonly Reported[];
  const named = (name: string) => reported.find((r) => r.name === name)!;
  const trials = searchTrials(records).map(({ action, outcome, reward, scores, work }): SearchTrial => ({
    ...{ action, outcome, reward, scores },
    ...(work !== undefined && { work }),
  }));
  const chosenFrom = records.filter(isOfChoice);
  const seconds = chosenFrom.reduce((sum, { timing }) => sum + workedSeconds(timing), 0);
  const worked = { evaluations: chosenFrom.length, seconds };
  return { ...search, trials, ...iterations(records), start: named('start'), learned: named('learned'), worked };
}

/** Without the time in the queue. */
function workedSeconds(timing: EvaluationRecord['timing']): number {
  const phases = Object.entries(timing).filter(([phase]) => phase !== 'queue_ms');
  return phases.reduce((sum, [, milliseconds]) => sum + milliseconds, 0) / 1000;
}

/** The agent's states, and the number of trials that it had been told before each of them. */
export function iterations(records: readonly LogRecord[]): Pick<FinishedSearch, 'states' | 'told'> {
  const states: FinishedSearch['states'][number][] = [];
  const told: number[] = [];
  let trials = 0;
  for (const record of records) {
    if (isOfSearch(record)) trials++;
    if (record.type !== 'iteration') continue;
    states.push(record.state);
    told.push(trials);
  }
  return { states, told };
}

/** The evaluations of a log's search, without those of finalists and reports. */
export function searchTrials(records: readonly LogRecord[]): EvaluationRecord[] {
  const position = ({ key }: EvaluationRecord) => Number(key.slice('search/'.length));
  return records.filter(isOfSearch).sort((a, b) => position(a) - position(b));
}

/** Of the search, or of a finalist. */
function isOfChoice(record: LogRecord): record is EvaluationRecord {
  return record.type === 'evaluation' && /^search\/|\/finalist\//.test(record.key);
}

export function isOfSearch(record: LogRecord): record is EvaluationRecord {
  return record.type === 'evaluation' && record.key.startsWith('search/');
}
