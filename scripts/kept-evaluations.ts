/** Evaluations that a script makes in worker processes of its own, without a server, and keeps in a log. */
import { LineLog, linesSoFar } from '../agents/run/line-log.ts';
import { SparseLines } from '../agents/run/progress-lines.ts';
import { runAll } from '../agents/run/runner.ts';
import type { Evaluation, EvaluationProgress, EvaluationRequest } from '../env/evaluate.ts';
import type { Runtime } from '../env/runtime.ts';
import { processEvaluations } from '../env/workers/processes/process-evaluations.ts';
import type { Specification } from '../protocol/messages.ts';

/** The first line of a log. */
interface LogHeader {
  /** The script that writes it. */
  readonly type: string;
  readonly environment: { readonly id: string; readonly specHash: string };
}

/** What is evaluated, and how. */
export interface KeptEvaluations<Wanted, Line> {
  /** The script's name. */
  readonly script: string;
  /** What the user has asked for: it is shown when the work begins. */
  readonly flags: object;
  /** An environment's id, or the path of its module. */
  readonly env: string;
  readonly spec: Pick<Specification, 'env_id' | 'spec_hash'>;
  readonly runtime: Runtime;
  readonly workers: number;
  readonly log: string;
  readonly keyOf: (line: Line) => string;
  readonly jobOf: (wanted: Wanted) => {
    readonly options: Readonly<Record<string, unknown>>;
    readonly request: EvaluationRequest;
  };
  /** @param progress all that the evaluation has reported */
  readonly lineOf: (wanted: Wanted, evaluation: Evaluation, progress: readonly EvaluationProgress[]) => Line;
  /**
   * How a line of the log differs from what is wanted, as `expected …, got …`; undefined where it does not. Left out
   * where the key says all.
   */
  readonly differs?: (wanted: Wanted, line: Line) => string | undefined;
  /** What is shown of an evaluation, in a few words. */
  readonly words: (line: Line) => string;
}

/**
 * Evaluates what is missing in the log.
 *
 * @returns all lines, in the order of what is wanted
 * @throws {Error} when the log is another script's or another environment's, or has another evaluation than one that is
 *   wanted; or when an evaluation fails: those before it are in the log, and another run goes on from them
 */
export async function keptEvaluations<Wanted extends { readonly key: string }, Line extends object>(
  wanted: readonly Wanted[],
  kept: KeptEvaluations<Wanted, Line>,
): Promise<Line[]> {
  const { script, flags, env, spec, runtime, workers, log: path, keyOf, jobOf, lineOf, differs, words } = kept;
  const environment = { id: spec.env_id, specHash: spec.spec_hash };
  const before = linesIn<Line>(path, script, environment);
  const known = new Map(before?.map((line) => [keyOf(line), line]));
  for (const one of wanted) {
    const line = known.get(one.key);
    const difference = line && differs?.(one, line);
    if (difference !== undefined) throw new Error(`${path}, ${one.key}: ${difference}; give --log another name`);
  }
  const missing = wanted.filter(({ key }) => !known.has(key)).length;
  const begin = () => {
    console.log(`${script} ${JSON.stringify(flags)}`);
    console.log(`${wanted.length - missing} of ${wanted.length} evaluations are in ${path}`);
  };
  if (missing === 0) {
    begin();
    return wanted.map(({ key }) => known.get(key)!);
  }

  const log = new LineLog<LogHeader | Line>(path);
  if (!before) log.append({ type: script, environment });
  const evaluations = processEvaluations({ size: workers, sources: [env], runtime });
  const lines = new SparseLines(missing);
  let done = 0;
  const start = performance.now();
  const evaluate = async (one: Wanted, signal: AbortSignal): Promise<Line> => {
    const progress: EvaluationProgress[] = [];
    const job = { id: `${script}-${one.key}`, source: env, runtime, ...jobOf(one) };
    const onProgress = (report: EvaluationProgress) => void progress.push(report);
    const evaluation = await evaluations.submit(job, { owner: script, signal, onProgress });
    const { outcome, reason } = evaluation;
    if (outcome === 'failed' || outcome === 'cancelled') throw new Error(`an evaluation ${outcome}: ${reason}`);
    const line = lineOf(one, evaluation, progress);
    const left = ((performance.now() - start) / ++done / 60_000) * (missing - done);
    if (lines.isDue(done)) console.log(`${done} of ${missing}: ${words(line)}; about ${left.toFixed(1)} min left`);
    return line;
  };
  try {
    await evaluations.ready;
    begin();
    return await runAll(wanted, { log, known, atOnce: workers, evaluate });
  } finally {
    await evaluations.close();
    log.close();
  }
}

/**
 * The evaluations in a log; undefined if it has not begun.
 *
 * @throws {Error} when it is the log of something else
 */
function linesIn<Line>(path: string, script: string, environment: LogHeader['environment']): Line[] | undefined {
  const [header, ...lines] = linesSoFar<LogHeader | Line>(path);
  if (header === undefined) return undefined;
  const what = `expected a log of the ${script} of`;
  const given = header as Partial<LogHeader>;
  const { id, specHash } = environment;
  if (given.type !== script || !given.environment) {
    throw new Error(`${path}: ${what} ${id}, got another log or an old one; give --log another name`);
  }
  if (given.environment.specHash !== specHash) {
    const got = `${given.environment.id} with spec ${given.environment.specHash}`;
    throw new Error(`${path}: ${what} ${id} with spec ${specHash}, got ${got}; give --log another name`);
  }
  return lines as Line[];
}
