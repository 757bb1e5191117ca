import { existsSync } from 'node:fs';
import { LineLog, readLines } from '../../agents/run/line-log.ts';
import {
  evaluationsByKey,
  readTrialLog,
  type EvaluationRecord,
  type LogRecord,
  type RunHeader,
} from '../../agents/run/trial-log.ts';
import type { Runtime } from '../../env/runtime.ts';
import type { Programs } from '../programs.ts';

/** Where the evaluations of a study are made and written down. */
export interface Laboratory {
  readonly programs: Programs;
  /** The server; none for a study that has everything trained in this process. */
  readonly url?: string;
  /** What the server runs on, for models that are trained in this process: they are to be like the server's. */
  readonly runtime: Runtime;
  /** The folder of the logs, from which a stopped study goes on. */
  readonly logs: string;
}

/** @throws {Error} where the laboratory has no server */
export function serverOf({ url, logs }: Laboratory): string {
  if (url === undefined) throw new Error(`${logs}: expected a server that evaluates, got none`);
  return url;
}

/** @throws {Error} once Ctrl-C has come */
export function goOn({ programs }: Laboratory): void {
  if (programs.interrupted) throw new Error('interrupted; the same command goes on');
}

interface EvaluationLog {
  readonly log: LineLog<LogRecord>;
  /** What it has already. */
  readonly known: Map<string, EvaluationRecord>;
  /** Whether it has no header yet. */
  readonly isNew: boolean;
}

/**
 * Opens a log of evaluations that no search makes, to go on with it.
 *
 * @throws {Error} when it was made in another environment
 */
export function openEvaluationLog(
  path: string,
  { id, specHash }: Omit<RunHeader['environment'], 'options'>,
): EvaluationLog {
  // A program that was killed may leave a file without a whole line.
  const isNew = !existsSync(path) || readLines(path).length === 0;
  if (isNew) return { log: new LineLog(path), known: new Map(), isNew };
  const { header, records } = readTrialLog(path);
  const { specHash: got } = header.environment;
  if (got !== specHash) throw new Error(`${path}: expected ${id} with spec ${specHash}, got ${got}; move it away`);
  return { log: new LineLog(path), known: evaluationsByKey(records), isNew };
}
