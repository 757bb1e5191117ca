/**
 * Evaluations that outlive the program which asks for them: what the log has is taken from it, what it lacks is
 * evaluated and appended. The one loop of searches, of reports, of fixed θ and of the measurement of noise.
 */
import { setMaxListeners } from 'node:events';
import type { LineLog } from './line-log.ts';

/** Who evaluates, and where it is written down. */
export interface Runner<Request, Line> {
  readonly log: Pick<LineLog<NoInfer<Line>>, 'path' | 'append'>;
  /** The log's evaluations by the key of their request; new ones join them. */
  readonly known: Map<string, Line>;
  /** The most evaluations that are under way at once. */
  readonly atOnce: number;
  /** Ends the run: no evaluation begins after it, and those that are under way are told. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Evaluates one request, over a socket or in a process of its own.
   *
   * @param signal aborts when the run ends early
   * @throws {Error} where there is nothing to write down, as when it was aborted
   */
  evaluate(request: Request, signal: AbortSignal): Promise<Line>;
  /** In what a logged evaluation is not the one that is asked for: `expected …, got …`. */
  differs?(request: Request, logged: Line): string | undefined;
  /** Told of every evaluation; `past`: it comes from the log. */
  onLine?: ((line: Line, past: boolean) => void) | undefined;
}

/**
 * Evaluates all requests, several at once.
 *
 * @param requests each with a key of its own, under which a later run finds it again
 * @returns their evaluations, in the order of the requests
 * @throws {Error} naming the log and the key where it has another evaluation under the same key; then nothing is
 *   evaluated. Otherwise the first error of `evaluate` or the reason of the signal, once nothing is under way any more
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
  setMaxListeners(0, signal); // every evaluation under way listens
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < missing.length) {
      signal.throwIfAborted();
      const i = missing[next++]!;
      const { key } = requests[i]!;
      const line = await runner.evaluate(requests[i]!, signal);
      log.append(line);
      known.set(key, line);
      lines[i] = line;
      onLine?.(line, false);
    }
  };
  const lanes = Array.from({ length: Math.min(runner.atOnce, missing.length) }, lane);
  // The first that fails ends the others; none still writes to the log when the caller hears of it.
  await Promise.all(lanes.map((each) => each.catch((error: unknown) => failure.abort(error))));
  failure.signal.throwIfAborted();
  return lines;
}
