import { setImmediate } from 'node:timers/promises';
import type { Theta } from '../../protocol/parameters.ts';
import type { Seed } from '../../protocol/random.ts';
import type { DataSet, DrawOptions, Simulator } from './simulator.ts';

/** After this much time of drawing the event loop runs once, so that a cancel or a deadline is noticed. */
const TURN_AFTER_MS = 10;

/**
 * Draws samples 0 to `count` − 1 of the data set (θ, seed), and closes it, also after an error.
 *
 * @throws the signal's reason when it is aborted; what `open` and `draw` throw; what `report` throws
 */
export function drawSamples<Sample>(
  simulator: Simulator<Sample>,
  theta: Theta,
  seed: Seed,
  count: number,
  options: DrawOptions = {},
): Promise<Sample[]> {
  return withSamples(simulator, theta, seed, count, options, (samples) => Promise.resolve(samples));
}

/**
 * Draws samples as {@link drawSamples} does, and closes the data set after they were used.
 *
 * @param use samples that are files are there until its promise is settled
 * @throws as `drawSamples` does, and what `use` throws
 */
export async function withSamples<Sample, Result>(
  simulator: Simulator<Sample>,
  theta: Theta,
  seed: Seed,
  count: number,
  { signal, report = () => {} }: DrawOptions,
  use: (samples: Sample[]) => Promise<Result>,
): Promise<Result> {
  signal?.throwIfAborted();
  report(0);
  const set = simulator.open(theta, seed);
  try {
    let samples: Sample[];
    try {
      samples = await drawFrom(set, count, { signal, report });
    } catch (error) {
      signal?.throwIfAborted(); // the signal's reason comes before what the simulator made of it
      throw error;
    }
    return await use(samples);
  } finally {
    await set.close?.();
  }
}

async function drawFrom<Sample>(
  set: DataSet<Sample>,
  count: number,
  { signal, report = () => {} }: DrawOptions,
): Promise<Sample[]> {
  let turned = performance.now();
  await set.drawAhead?.(count, { signal, report });
  const samples: Sample[] = [];
  while (samples.length < count) {
    const drawn = set.draw(samples.length, signal);
    samples.push(drawn instanceof Promise ? await drawn : drawn);
    if (performance.now() - turned >= TURN_AFTER_MS) {
      await setImmediate();
      turned = performance.now();
      report(set.drawAhead ? 1 : samples.length / count);
    }
    signal?.throwIfAborted();
  }
  return samples;
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
