/** A server of the bandit that says what it keeps in memory: `weighed-server.ts <journal>`, asked and told over IPC. */
import { createLog } from '../../env/server/log.ts';
import { startServer } from '../../env/server/server.ts';
import { BANDIT } from './serving.ts';

/** In bytes. */
export interface Weight {
  /** Objects that the program still holds after a garbage collection. */
  readonly kept: number;
  /** Memory outside the heap: buffers on their way, and SQLite with its cache. */
  readonly buffers: number;
  /** What the process has of the machine, with what is not collected yet. */
  readonly resident: number;
}

function weigh(): Weight {
  // Twice: what a finalizer lets go of is collected by the second.
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
