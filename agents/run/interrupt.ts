/** A second signal counts if it comes later than this after the first. */
const IMPATIENCE_MS = 1000;

/**
 * Listens to SIGINT and SIGTERM.
 *
 * One Ctrl-C may arrive several times, from the terminal and from the programs that started this one (npm passes it on). So
 * only a signal that comes a while after the first is a second one.
 *
 * @returns a function that ends the listening
 */
export function onSignals(first: () => void, second: () => void): () => void {
  let firstAt: number | undefined;
  const onSignal = () => {
    if (firstAt === undefined) {
      firstAt = performance.now();
      first();
    } else if (performance.now() - firstAt > IMPATIENCE_MS) second();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
}

/** Does work that Ctrl-C or SIGTERM may interrupt: the first aborts the signal, the second ends the program at once. */
export async function interruptible(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const stopListening = onSignals(
    () => stop.abort(),
    () => process.exit(130),
  );
  try {
    await work(stop.signal);
  } finally {
    stopListening();
  }
}
