/** The time that pieces of long work take of one turn of the event loop, all together; then sockets and timers come. */
const TURN_MS = 10;

const pieces: (() => void)[] = [];

/**
 * Does a piece of long work soon, in its turn with the pieces of all others: however many clients ask for much, each turn
 * of the event loop is short. A piece takes a few milliseconds, and throws nothing.
 */
export function inTurn(piece: () => void): void {
  if (pieces.push(piece) === 1) setImmediate(work);
}

function work(): void {
  const until = performance.now() + TURN_MS;
  do {
    pieces[0]!();
    pieces.shift(); // only now, so that what the piece adds does not ask for a turn too
  } while (pieces.length > 0 && performance.now() < until);
  if (pieces.length > 0) setImmediate(work);
}

/** Takes the next value of an iterator in its turn. */
export function nextInTurn<T>(iterator: Iterator<T>): Promise<IteratorResult<T, unknown>> {
  return new Promise((resolve, reject) =>
    inTurn(() => {
      try {
        resolve(iterator.next());
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    }),
  );
}
