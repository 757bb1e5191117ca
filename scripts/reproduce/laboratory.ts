import { connect } from '../../agents/client/index.ts';
import { LineLog } from '../../agents/run/line-log.ts';
import {
  environmentOf,
  evaluationsByKey,
  startedTrialLog,
  type EvaluationRecord,
  type LogRecord,
  type RunHeader,
} from '../../agents/run/trial-log.ts';
import type { Runtime } from '../../env/runtime.ts';
import type { Specification } from '../../protocol/messages.ts';
import type { Programs } from '../programs.ts';
import type { EnvOptions } from './study.ts';

/** Where the evaluations of a study are made and logged. */
export interface Laboratory {
  readonly programs: Programs;
  /** The server's address; left out for a study that trains everything in this process. */
  readonly url?: string;
  /** The server's runtime: models that this process trains have the same. */
  readonly runtime: Runtime;
  /** The folder of the logs, from which a stopped study continues. */
  readonly logs: string;
}

/** Searches under way at once: while one optimiser thinks, the other's evaluations keep the workers busy. */
export const AT_ONCE = 2;

/** The name of a flag: `--learning-rate` of `learningRate`. */
export const flag = (option: string) => `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** @throws {Error} when the laboratory has no server */
export function serverOf({ url, logs }: Laboratory): string {
  if (url === undefined) throw new Error(`${logs}: expected a server that evaluates, got none`);
  return url;
}

/** @throws {Error} after Ctrl-C */
export function goOn({ programs }: Laboratory): void {
  if (programs.interrupted) throw new Error('interrupted; the same command goes on');
}

/** What the laboratory's server says of an environment with these options. */
export async function specificationOf(
  laboratory: Laboratory,
  env_id: string,
  options: EnvOptions,
): Promise<Specification> {
  const client = await connect(serverOf(laboratory), { name: 'reproduce', say: console.error });
  try {
    return (await client.open({ env_id, options: { ...options } })).spec;
  } finally {
    await client.close();
  }
}

interface EvaluationLog {
  readonly log: LineLog<LogRecord>;
  /** The evaluations that it has already. */
  readonly known: Map<string, EvaluationRecord>;
}

/**
 * Opens a log of evaluations that belong to no search, to continue it.
 *
 * @param agent   what stands in the log in place of an agent's name
 * @param options what the header of a new log says of its evaluations
 * @throws {Error} when it was made in another environment, or is of something else
 */
export async function openEvaluationLog(
  path: string,
  agent: string,
  spec: Specification,
  options: () => RunHeader['options'] | Promise<RunHeader['options']> = () => ({}),
): Promise<EvaluationLog> {
  const { env_id: id, spec_hash: specHash } = spec;
  const started = startedTrialLog(path);
  if (started) {
    const { environment, agent: by } = started.header;
    if (by !== agent) throw new Error(`${path}: expected a log of ${agent}, got one of ${by}; move it away`);
    const { specHash: got } = environment;
    if (got !== specHash) throw new Error(`${path}: expected ${id} with spec ${specHash}, got ${got}; move it away`);
    return { log: new LineLog(path), known: evaluationsByKey(started.records) };
  }
  const header: RunHeader = {
    type: 'run',
    runId: `${agent}-${specHash}`,
    agent,
    options: await options(),
    environment: environmentOf(spec),
  };
  const log = new LineLog<LogRecord>(path);
  log.append(header);
  return { log, known: new Map() };
}
