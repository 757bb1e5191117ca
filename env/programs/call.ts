/** A call of a program by files: the request is written, its progress followed, and its end understood. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { printable, shortened } from '../../protocol/errors.ts';
import { isRegularFile } from '../../protocol/regular-file.ts';
import { writeWhole } from '../../protocol/whole-file.ts';
import { FailedError } from '../failed-error.ts';
import { InfeasibleError } from '../simulators/simulator.ts';
import { CONTRACT, type ProgramRequest, type ProgressLine } from './contract.ts';
import type { Program } from './program.ts';
import { ProgressFile } from './progress-file.ts';
import type { ProgramRole } from './template.ts';

/** The exit code of a program that can do nothing with this θ. */
const INFEASIBLE = 3;
/** The time between two looks at the progress. */
const LOOK_MS = 200;
/** The longest reason that is read from a file. */
const LONGEST_REASON = 2000;

/** What the caller says of a request; the rest is the same for all. */
type Asked<Request> = Request extends ProgramRequest
  ? Omit<Request, 'contract' | 'id' | 'progress' | 'failure'>
  : never;

export interface CallOptions {
  /** Whether the folder stays: then it gets the output too, and a failure names it. */
  readonly isKept: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Called with each line of progress; an error that it throws ends the call. */
  readonly onProgress?: (line: ProgressLine) => void | Promise<void>;
}

let calls = 0;

/**
 * Calls a program, and waits until it has done what it was asked.
 *
 * @param folder of the files of this call; it is there
 * @throws {InfeasibleError} where the program says that this θ is infeasible; {FailedError} where it fails; the signal's
 *   reason; what `onProgress` throws
 */
export async function call(
  role: ProgramRole,
  program: Program,
  asked: Asked<ProgramRequest>,
  folder: string,
  { isKept, signal, onProgress = () => {} }: CallOptions,
): Promise<void> {
  signal?.throwIfAborted();
  const file = join(folder, 'request.json');
  const failure = join(folder, 'failure.txt');
  const progress = new ProgressFile(join(folder, 'progress.jsonl'));
  const request = { contract: CONTRACT, id: ++calls, ...asked, progress: progress.path, failure } as ProgramRequest;
  await failing(role, () => writeWhole(file, `${JSON.stringify(request, null, 2)}\n`));
  const stop = new AbortController();
  const onAbort = () => stop.abort();
  signal?.addEventListener('abort', onAbort, { once: true });
  let isEnded = false;
  const ended = program.call(request, file, stop.signal).finally(() => (isEnded = true));
  try {
    for (let isLast = false; !isLast;) {
      await Promise.race([ended, pause(LOOK_MS, undefined, { ref: false })]);
      isLast = isEnded;
      for (const line of await progress.read()) await onProgress(line);
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    stop.abort(); // no effect where it has ended
    await ended;
  }
  const { code, sentence, output } = await ended;
  if (isKept && output) {
    const { stdout, stderr } = output;
    await failing(role, () => {
      writeFileSync(join(folder, 'stdout.txt'), stdout);
      writeFileSync(join(folder, 'stderr.txt'), stderr);
    });
  }
  signal?.throwIfAborted();
  if (code === 0) return;
  const reason = reasonIn(failure);
  if (code === INFEASIBLE) throw new InfeasibleError(reason ?? `${role}: ${sentence}, without a word in failure.txt`);
  const more = [reason && `failure.txt: ${reason}`, isKept && `kept in ${folder}`].filter(Boolean);
  throw new FailedError([`${role}: ${sentence}`, ...more].join('; '));
}

/** What a program has written to its file of failure; undefined where that is nothing. */
function reasonIn(path: string): string | undefined {
  try {
    const text = isRegularFile(path) ? readFileSync(path, 'utf8').trim() : '';
    return text === '' ? undefined : shortened(printable(text), LONGEST_REASON);
  } catch {
    return undefined;
  }
}

/**
 * Does what concerns files: what goes wrong there harms nothing but this evaluation.
 *
 * @throws {FailedError} in place of any error but a mistake in our code
 */
export async function failing<Result>(place: string, work: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const isDefect = (error instanceof TypeError || error instanceof ReferenceError) && !('code' in error);
    if (!(error instanceof Error) || isDefect) throw error;
    throw new FailedError(`${place}: ${printable(error.message)}`, { cause: error });
  }
}
