import { setImmediate } from 'node:timers/promises';
import type { Theta } from '../../protocol/parameters.ts';
import type { Seed } from '../../protocol/random.ts';
import type { Simulator } from './simulator.ts';

/** After this much time of drawing the event loop runs once, so that a cancel or a deadline is noticed. */
const TURN_AFTER_MS = 10;

export interface DrawOptions {
  /** Ends the drawing when it is aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the share of drawn samples, 0 to 1: with 0 at the start, then about every {@link TURN_AFTER_MS}. */
  readonly report?: (fraction: number) => void;
}

/**
 * Draws samples 0 to `count` − 1 of the data set (θ, seed), and closes it, also after an error.
 *
 * @throws the signal's reason when it is aborted; what `open` and `draw` throw; what `report` throws
 */
export async function drawSamples<Sample>(
  simulator: Simulator<Sample>,
  theta: Theta,
  seed: Seed,
  count: number,
  { signal, report = () => {} }: DrawOptions = {},
): Promise<Sample[]> {
  signal?.throwIfAborted();
  report(0);
  let turned = performance.now();
  const set = simulator.open(theta, seed);
  const samples: Sample[] = [];
  try {
    while (samples.length < count) {
      const drawn = set.draw(samples.length, signal);
      samples.push(drawn instanceof Promise ? await drawn : drawn);
      if (performance.now() - turned >= TURN_AFTER_MS) {
        await setImmediate();
        turned = performance.now();
        report(samples.length / count);
      }
      signal?.throwIfAborted();
    }
    return samples;
  } catch (error) {
    signal?.throwIfAborted(); // the signal's reason comes before what the simulator made of it
    throw error;
  } finally {
    await set.close?.();
  }
}

/** Draws one sample of the data set (θ, seed). The event loop runs once, so that a signal is noticed between two. */
export async function drawSample<Sample>(
  simulator: Simulator<Sample>,
  theta: Theta,
  seed: Seed,
  index: number,
): Promise<Sample> {
  await setImmediate();
  const set = simulator.open(theta, seed);
  try {
    return await set.draw(index);
  } finally {
    await set.close?.();
  }
}
