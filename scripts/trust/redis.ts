/** A Redis of one's own, on a free port, as our queue wants one: it writes an append-only file and drops nothing. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { end } from './serving.ts';

export interface OwnRedis {
  readonly url: string;
  readonly process: ChildProcess;
  /** Ends it, by SIGKILL, and starts it again on the same port and file. */
  killAndRestart(pauseMs?: number): Promise<void>;
  stop(): Promise<void>;
}

/** Whether this machine has a Redis: on Debian, `npm run setup:redis` installs it. */
export function hasRedis(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/**
 * Starts one.
 *
 * @param flags further ones of redis-server, such as `--bind`
 */
export async function startRedis(...flags: string[]): Promise<OwnRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'lts-redis-'));
  const port = await freePort();
  const all = ['--port', `${port}`, '--dir', folder, '--appendonly', 'yes', '--save', '', ...flags];
  const start = async () => {
    const child = spawn('redis-server', all, { stdio: 'ignore' });
    await answers(port);
    return child;
  };
  let child = await start();
  process.once('exit', () => child.kill('SIGKILL'));
  return {
    url: `redis://127.0.0.1:${port}`,
    get process() {
      return child;
    },
    async killAndRestart(pauseMs = 0) {
      await end(child, 'SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      child = await start();
    },
    async stop() {
      await end(child, 'SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function answers(port: number): Promise<void> {
  const client = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 20, maxRetriesPerRequest: null });
  client.on('error', () => {});
  try {
    // An answer may also be that it wants a password.
    const isThere = () =>
      client.ping().then(
        () => true,
        ({ message }: Error) => message.startsWith('NOAUTH'),
      );
    while (!(await isThere())) await new Promise((resolve) => setTimeout(resolve, 20));
  } finally {
    client.disconnect();
  }
}
