/**
 * The log of a run, one JSON object per line (line-log.ts).
 *
 * The first line describes the run (`run`). Then come evaluations (`evaluation`) in the order in which they finished,
 * the agent's state after each iteration (`iteration`), and the final scores (`summary`). A stopped or killed run
 * continues from its log, and no evaluation in it is made again.
 */
import { existsSync } from 'node:fs';
import type { Theta } from '../../protocol/parameters.ts';
import { linesSoFar, readLines } from './line-log.ts';

/** The first line. */
export interface RunHeader {
  readonly type: 'run';
  readonly runId: string;
  readonly agent: string;
  /** Every option that decides a result. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly environment: { readonly id: string; readonly specHash: string; readonly options: unknown };
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
}

export type LogRecord =
  | RunHeader
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
  return { header, records };
}

/** The evaluations among the records of a log, by key. */
export function evaluationsByKey(records: readonly LogRecord[]): Map<string, EvaluationRecord> {
  const evaluations = records.filter((record) => record.type === 'evaluation');
  return new Map(evaluations.map((record) => [record.key, record]));
}
