/** A signal that comes this long after the first one ends the program at once. */
const IMPATIENCE_MS = 1000;

/**
 * Does some work that Ctrl-C or SIGTERM may interrupt.
 *
 * One Ctrl-C may arrive several times, from the terminal and from the programs that started this one: only one that
 * comes a while after the first means "now".
 */
export async function interruptible(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  let stoppedAt = 0;
  const onSignal = () => {
    if (stop.signal.aborted && performance.now() - stoppedAt > IMPATIENCE_MS) process.exit(130);
    if (!stop.signal.aborted) stoppedAt = performance.now();
    stop.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    await work(stop.signal);
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}
