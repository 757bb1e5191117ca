/**
 * Evaluations that survive the end of the program: results in the log are taken from it, missing ones are evaluated and
 * appended. Searches, reports, evaluations of fixed θ and the measurement of noise all use this loop.
 */
import { setMaxListeners } from 'node:events';
import type { LineLog } from './line-log.ts';

/** The function that evaluates, the log, and what is known already. */
export interface Runner<Request, Line> {
  readonly log: Pick<LineLog<NoInfer<Line>>, 'path' | 'append'>;
  /** The log's evaluations by the key of their request; new ones join them. */
  readonly known: Map<string, Line>;
  /** The most evaluations that run at once. */
  readonly atOnce: number;
  /** Ends the run: no new evaluation begins, and the running ones are told. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Evaluates one request, over a socket or in another process.
   *
   * @param signal aborts when the run ends early
   * @throws {Error} when there is no result to log, for example after an abort
   */
  evaluate(request: Request, signal: AbortSignal): Promise<Line>;
  /**
   * Whether an error ends the run for now: what runs is then left to itself, and another run finds its results. After any
   * other error, and where it is left out, what runs is told to end.
   */
  leaves?(error: unknown): boolean;
  /** How a logged evaluation differs from the request, as `expected …, got …`; undefined if it does not. */
  differs?(request: Request, logged: Line): string | undefined;
  /** Called for every evaluation; `past` says that it comes from the log. */
  onLine?: ((line: Line, past: boolean) => void) | undefined;
}

/**
 * Evaluates all requests, several at once.
 *
 * @param requests each with its own key, under which a later run finds it again
 * @returns their evaluations, in the order of the requests
 * @throws {RangeError} when two requests have the same key; {Error} naming the log and the key when the log has a
 *   different evaluation under it; in both cases nothing is evaluated. Otherwise the first error of `evaluate` or the
 *   reason of the signal, after all running evaluations have ended, or at once if the error `leaves` them
 */
export async function runAll<Request extends { readonly key: string }, Line>(
  requests: readonly Request[],
  runner: Runner<Request, Line>,
): Promise<Line[]> {
  const { log, known, onLine } = runner;
  const lines: Line[] = [];
  const missing: number[] = [];
  const keys = new Set<string>();
  for (const [i, request] of requests.entries()) {
    if (keys.has(request.key)) throw new RangeError(`requests: expected a key for each, got ${request.key} twice`);
    keys.add(request.key);
    const logged = known.get(request.key);
    const difference = logged && runner.differs?.(request, logged);
    if (difference !== undefined) throw new Error(`${log.path}, ${request.key}: ${difference}`);
    if (logged) lines[i] = logged;
    else missing.push(i);
  }
  for (const line of lines) if (line !== undefined) onLine?.(line, true);

  const failure = new AbortController();
  const signal = AbortSignal.any([failure.signal, ...(runner.signal ? [runner.signal] : [])]);
  setMaxListeners(0, signal); // every running evaluation listens
  let next = 0;
  let hasLeft = false;
  const lane = async (): Promise<void> => {
    while (next < missing.length && !hasLeft) {
      signal.throwIfAborted();
      const i = missing[next++]!;
      const { key } = requests[i]!;
      const line = await runner.evaluate(requests[i]!, signal);
      if (hasLeft) return; // the caller may have closed the log
      log.append(line);
      known.set(key, line);
      lines[i] = line;
      onLine?.(line, false);
    }
  };
  const lanes = Array.from({ length: Math.min(runner.atOnce, missing.length) }, lane);
  // The first failure ends the others, or leaves them. When the caller hears of it, none of them writes to the log any more.
  await new Promise<void>((resolve, reject) => {
    const ends = lanes.map((each) =>
      each.catch((error: unknown) => {
        if (hasLeft) return;
        if (signal.aborted || !runner.leaves?.(error)) return failure.abort(error);
        hasLeft = true;
        reject(error instanceof Error ? error : new Error(String(error)));
      }),
    );
    void Promise.all(ends).then(() => resolve());
  });
  failure.signal.throwIfAborted();
  return lines;
}
