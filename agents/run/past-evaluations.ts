/**
 * Evaluations that were made before, wherever they are written: in the log of a run, or in JSON lines of the history that a
 * server keeps of every client's. Both become one type, in the fields of the history.
 */
import { z } from 'zod';
import type { HistoryEntry } from '../../protocol/history.ts';
import { theta } from '../../protocol/parameters.ts';
import { readLines } from './line-log.ts';
import { latest, type EvaluationRecord, type LogRecord, type PastEvaluation, type RunHeader } from './trial-log.ts';

/** What a file of past evaluations holds. */
export interface PastFile {
  /** In the order in which they were asked for. */
  readonly evaluations: readonly PastEvaluation[];
  /** The first line of a run's log. */
  readonly run?: RunHeader;
}

/** The fields without which a line of a history is none. */
const historyLine = z.looseObject({
  env_id: z.string(),
  step_id: z.string(),
  outcome: z.string(),
  reward: z.number().nullable(),
  theta,
  repro: z.looseObject({ spec_hash: z.string() }),
});

/**
 * Reads the log of a run, or exported JSON lines; compressed if the name ends in `.gz`.
 *
 * @throws {Error} naming the file, and the line that is neither
 */
export function readPast(path: string): PastFile {
  const lines = readLines<LogRecord | HistoryEntry>(path);
  const [first] = lines;
  if (first === undefined) throw new Error(`${path}: expected the log of a run or exported evaluations, got no line`);
  if ('type' in first && first.type === 'run') {
    return { run: first, evaluations: evaluationsOfRun(first, latest(lines.slice(1) as LogRecord[])) };
  }
  lines.forEach((line, i) => {
    const issue = historyLine.safeParse(line).error?.issues[0];
    if (!issue) return;
    const told = `${issue.path.join('.')}: ${issue.message}`;
    throw new Error(`${path}, line ${i + 1}: expected the log of a run or an exported evaluation, got ${told}`);
  });
  return { evaluations: oldestFirst(lines as HistoryEntry[]) };
}

/** Entries of a history, which has the latest first, in the order in which they were accepted; those of a run as they are. */
export function oldestFirst(entries: readonly PastEvaluation[]): PastEvaluation[] {
  if (entries.some(({ key }) => key !== undefined)) return [...entries];
  const time = ({ accepted_at = '' }: PastEvaluation) => accepted_at;
  return [...entries].reverse().sort((a, b) => (time(a) < time(b) ? -1 : Number(time(a) > time(b))));
}

/** Whether it is a trial of a search, and not the evaluation of a finalist or for a report; of a history, nobody knows. */
export function isTrial({ key }: PastEvaluation): boolean {
  return key === undefined || key.startsWith('search/') || key.startsWith('warm-start/');
}

/** The trials in the order in which the agent asked for them, then the others in the order in which they ended. */
function evaluationsOfRun(run: RunHeader, records: readonly LogRecord[]): PastEvaluation[] {
  const warm = records.flatMap((record) => (record.type === 'warm-start' ? record.trials : []));
  const own = records.filter((record) => record.type === 'evaluation');
  const position = ({ key }: EvaluationRecord) => (key.startsWith('search/') ? Number(key.slice(7)) : Infinity);
  const sorted = [...own].sort((a, b) => (position(a) === position(b) ? 0 : position(a) - position(b)));
  return [...warm, ...sorted.map((record) => ofRecord(run, record))];
}

function ofRecord(run: RunHeader, record: EvaluationRecord): PastEvaluation {
  const { key, action, theta, outcome, reward, scores, testScores, early, estimate, reason, seeds, timing } = record;
  const took = Object.values(timing).reduce((sum, ms) => sum + ms, 0);
  const { id, options, specHash, metric = 'reward' } = run.environment;
  return {
    ...{ env_id: id, options, repro: { spec_hash: specHash } },
    ...{ step_id: `${run.runId}/${key}`, key, outcome, reward, scores, theta, action, seeds, timing },
    ...(testScores && { test_scores: testScores }),
    ...(early && { early_scores: early.map(({ fraction, score }) => ({ fraction, scores: { [metric]: score } })) }),
    ...(estimate !== undefined && { estimate }),
    ...(reason !== undefined && { reason }),
    ...(record.endedAt !== undefined && { accepted_at: new Date(Date.parse(record.endedAt) - took).toISOString() }),
  };
}
