/** A second signal ends the program at once if it comes later than this after the first. */
const IMPATIENCE_MS = 1000;

/**
 * Does work that Ctrl-C or SIGTERM may interrupt: they abort the signal.
 *
 * One Ctrl-C may arrive several times, from the terminal and from the programs that started this one. So only a signal
 * that comes a while after the first ends the program at once.
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
