/**
 * A server of the bandit and of the mixture that reports its memory, and how long its event loop was kept:
 * `weighed-server.ts <journal>`; questions and answers go over IPC.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createLog } from '../../env/server/log.ts';
import { startServer } from '../../env/server/server.ts';
import { BANDIT } from './serving.ts';

/** In bytes. */
export interface Weight {
  /** Objects that the program still holds after a garbage collection. */
  readonly kept: number;
  /** Memory outside the heap: buffers that are still to be sent, and SQLite with its cache. */
  readonly buffers: number;
  /** The resident memory of the process, with garbage that is not collected yet. */
  readonly resident: number;
  /** The longest time since the last question in which the event loop took nothing else, in milliseconds. */
  readonly longestDelayMs: number;
}

const RESOLUTION_MS = 5;
const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delays.enable();

function weigh(): Weight {
  const longestDelayMs = Math.max(0, delays.max / 1e6 - RESOLUTION_MS);
  // Twice: the second collects what finalizers released after the first.
  globalThis.gc!();
  globalThis.gc!();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { kept: heapUsed, buffers: external, resident: rss, longestDelayMs };
}

const server = await startServer({
  environments: [BANDIT, 'Mixture-v0'],
  port: 0,
  host: '127.0.0.1',
  workers: 1,
  build: 'soak',
  version: '0',
  log: createLog('error'),
  journal: process.argv[2]!,
});
process.on('message', () => {
  process.send!(weigh());
  delays.reset(); // without the garbage collections of the weighing
});
process.on('disconnect', () => void server.stop().then(() => process.exit(0)));
process.send!({ url: server.url });
