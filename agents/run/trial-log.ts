/**
 * The log of a run, one JSON object per line (line-log.ts).
 *
 * The first line describes the run (`run`), the second the trials that it starts from (`warm-start`), if it has some.
 * Then come evaluations (`evaluation`) in the order in which they finished, the agent's state after each iteration
 * (`iteration`), and the final scores (`summary`). A stopped or killed run continues from its log, and no evaluation in
 * it is made again, but those whose failure has ended it.
 */
import { existsSync } from 'node:fs';
import type { HistoryEntry } from '../../protocol/history.ts';
import type { Specification } from '../../protocol/messages.ts';
import type { Parameter, Theta } from '../../protocol/parameters.ts';
import { linesSoFar, readLines } from './line-log.ts';

/** The first line. */
export interface RunHeader {
  readonly type: 'run';
  readonly runId: string;
  readonly agent: string;
  /** Every option that decides a result. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly environment: {
    readonly id: string;
    readonly specHash: string;
    readonly options: Readonly<Record<string, unknown>>;
    /** The metric of the reward; logs from before this field, and the next, leave them out. */
    readonly metric?: string;
    readonly parameters?: readonly Parameter[];
  };
}

/** What the log says of its environment. */
export function environmentOf(spec: Specification): Required<RunHeader['environment']> {
  const { env_id: id, spec_hash: specHash, options, reward, parameters } = spec;
  return { id, specHash, options, metric: reward.metric, parameters };
}

/**
 * An evaluation that was made before, in the fields of a server's history; a run's log has its key and its action beside
 * them.
 */
export interface PastEvaluation extends Pick<HistoryEntry, HistoryField> {
  /** One of the protocol's, or `discarded`: cancelled by its own run, since it was weak early on. */
  readonly outcome: string;
  /** In a run: `search/12`, `after-64/finalist/0/1`. */
  readonly key?: string;
  /** [D]; empty, or left out, where θ alone is known. */
  readonly action?: readonly number[];
  /** Of the reward of a discarded one. */
  readonly estimate?: number;
  /** In ISO 8601; some logs do not have it. */
  readonly accepted_at?: string;
  readonly seeds?: Readonly<Record<string, number>>;
  /** Milliseconds. */
  readonly timing?: Readonly<Record<string, number>>;
  readonly repro: { readonly spec_hash: string; readonly build?: string; readonly backend?: string | undefined };
}
type HistoryField =
  'env_id' | 'options' | 'step_id' | 'theta' | 'reward' | 'scores' | 'test_scores' | 'early_scores' | 'reason';

/** A trial that a run starts from; its key is `warm-start/12`. */
export type WarmTrial = PastEvaluation & Required<Pick<PastEvaluation, 'key' | 'action'>>;

/** The trials that a run starts from. They stand in its log, so that it continues without the file that they were in. */
export interface WarmStart {
  readonly type: 'warm-start';
  /** The file that they come from. */
  readonly file: string;
  readonly trials: readonly WarmTrial[];
}

/** A score of a model that is still in training, by the reward's metric. */
export interface EarlyScore {
  /** The share of the training that was done, 0 to 1. */
  readonly fraction: number;
  readonly score: number;
}

/** One evaluation. `key` names it in the run: `search/12`, `start/0`, `after-64/finalist/0/1`, `after-64/learned/2`. */
export interface EvaluationRecord {
  readonly type: 'evaluation';
  readonly key: string;
  readonly action: readonly number[];
  readonly theta: Readonly<Theta>;
  readonly outcome: string;
  readonly reward: number | null;
  readonly scores: Readonly<Record<string, number>>;
  readonly testScores?: Readonly<Record<string, number>>;
  /** The model's scores during training, if the run asks for them (`--discard`). */
  readonly early?: readonly EarlyScore[];
  /** For the outcome `discarded`: the estimated reward. */
  readonly estimate?: number;
  /** For the outcome `discarded`: the share of the training that was done and counts against the budget; otherwise 1. */
  readonly work?: number;
  readonly reason?: string;
  readonly seeds: Readonly<Record<string, number>>;
  readonly timing: Readonly<Record<string, number>>;
  /** The time of day in ISO 8601, which decides nothing; logs from before this field leave it out. */
  readonly endedAt?: string;
}

export type LogRecord =
  | RunHeader
  | WarmStart
  | EvaluationRecord
  | { readonly type: 'iteration'; readonly iteration: number; readonly state: Readonly<Record<string, unknown>> }
  | { readonly type: 'summary'; readonly [field: string]: unknown };

/** @throws {Error} naming the file, and the line that is broken, or the first line if it is no header of a run */
export function readTrialLog(path: string): { header: RunHeader; records: LogRecord[] } {
  if (!existsSync(path)) throw new Error(`${path}: expected the log of a run, got no such file`);
  return withHeader(path, readLines(path));
}

/**
 * The records of a log that may not have been started: undefined if there is none, or a killed program left not one
 * whole line.
 *
 * @throws {Error} as {@link readTrialLog} does
 */
export function startedTrialLog(path: string): ReturnType<typeof readTrialLog> | undefined {
  const records = linesSoFar<LogRecord>(path);
  return records.length === 0 ? undefined : withHeader(path, records);
}

function withHeader(path: string, records: LogRecord[]): { header: RunHeader; records: LogRecord[] } {
  const header = records[0];
  if (header?.type !== 'run') throw new Error(`${path}, line 1: expected the header of a run, got ${header?.type}`);
  return { header, records: latest(records) };
}

/** The records without evaluations that failed and were asked again: the last one of a key counts. */
export function latest<Each extends { readonly type?: string }>(records: readonly Each[]): Each[] {
  const last = new Map<unknown, Each>();
  for (const record of records) if (record.type === 'evaluation') last.set((record as { key?: unknown }).key, record);
  return records.filter(
    (record) => record.type !== 'evaluation' || last.get((record as { key?: unknown }).key) === record,
  );
}

/** The evaluations among the records of a log, by key. */
export function evaluationsByKey(records: readonly LogRecord[]): Map<string, EvaluationRecord> {
  const evaluations = records.filter((record) => record.type === 'evaluation');
  return new Map(evaluations.map((record) => [record.key, record]));
}
