/** A server of the bandit that reports its memory: `weighed-server.ts <journal>`; questions and answers go over IPC. */
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
}

function weigh(): Weight {
  // Twice: the second collects what finalizers released after the first.
  globalThis.gc!();
  globalThis.gc!();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { kept: heapUsed, buffers: external, resident: rss };
}

const server = await startServer({
  environments: [BANDIT],
  port: 0,
  host: '127.0.0.1',
  workers: 1,
  build: 'soak',
  version: '0',
  log: createLog('error'),
  journal: process.argv[2]!,
});
process.on('message', () => process.send!(weigh()));
process.on('disconnect', () => void server.stop().then(() => process.exit(0)));
process.send!({ url: server.url });
