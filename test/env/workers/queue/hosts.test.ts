import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from '../../../../agents/client/client.ts';
import type { EnvironmentServer } from '../../../../env/server/server.ts';
import { exactBuild } from '../../../../scripts/queue-flags.ts';
import { hasRedis, startRedis, type OwnRedis } from '../../../../scripts/trust/redis.ts';
import { end } from '../../../../scripts/trust/serving.ts';
import { BANDIT, startBanditServer } from '../../server/bandit-server.ts';

const HOSTS = 4;
const LOCK_MS = 3_000;
const ACTION = [0, 0, 0, 0, 0, 0];
/** Interfaces have short names. */
const NAME = `lts${process.pid % 100_000}`;
const NETWORK = `10.${70 + (process.pid % 100)}.0`;

const ip = (...words: string[]) => execFileSync('ip', words, { stdio: 'pipe' });
const host = (i: number) => `${NAME}h${i}`;
const cable = (i: number) => `${NAME}c${i}`;

function removeHosts(): void {
  for (let i = 0; i < HOSTS; i++) spawnSync('ip', ['netns', 'del', host(i)]);
  spawnSync('ip', ['link', 'del', NAME]);
}

/** Four hosts with an address each, on one switch with this process. */
function makeHosts(): void {
  ip('link', 'add', NAME, 'type', 'bridge');
  ip('addr', 'add', `${NETWORK}.1/24`, 'dev', NAME);
  ip('link', 'set', NAME, 'up');
  for (let i = 0; i < HOSTS; i++) {
    ip('netns', 'add', host(i));
    ip('link', 'add', cable(i), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', host(i));
    ip('link', 'set', cable(i), 'master', NAME, 'up');
    ip('-n', host(i), 'addr', 'add', `${NETWORK}.${10 + i}/24`, 'dev', 'eth0');
    ip('-n', host(i), 'link', 'set', 'eth0', 'up');
    ip('-n', host(i), 'link', 'set', 'lo', 'up');
  }
}

/** Whether this process may make network namespaces: as root, where ip is there. */
function mayMakeHosts(): boolean {
  const made = spawnSync('ip', ['netns', 'add', `${NAME}try`]).status === 0;
  if (made) spawnSync('ip', ['netns', 'del', `${NAME}try`]);
  return made;
}

describe('workers on four hosts (with Redis, and the right to make network namespaces) @slow', function () {
  this.timeout(180_000);
  let redis: OwnRedis | undefined;
  let server: EnvironmentServer | undefined;
  const workers: ChildProcess[] = [];

  before(async function () {
    if (!hasRedis() || !mayMakeHosts()) return this.skip();
    makeHosts();
    redis = await startRedis('--bind', '0.0.0.0', '--protected-mode', 'no');
  });
  after(async () => {
    await Promise.all(workers.map((worker) => end(worker, 'SIGKILL')));
    await server?.stop();
    await redis?.stop();
    removeHosts();
  });

  it('lose no evaluation when one is cut off in the middle of it, which then joins again', async () => {
    const url = redis!.url.replace('127.0.0.1', `${NETWORK}.1`);
    const queue = { url, build: await exactBuild(), mixedBackends: false, lockMs: LOCK_MS };
    server = await startBanditServer({ workers: 0, queue });
    for (let i = 0; i < HOSTS; i++) {
      const flags = ['--env', BANDIT, '--queue', url, '--workers', '1', '--log', 'silent'];
      const words = ['netns', 'exec', host(i), process.execPath, '--import', 'tsx', 'scripts/worker.ts', ...flags];
      workers.push(spawn('ip', words, { stdio: 'ignore' }));
    }
    const ready = () => server!.evaluations.workers.filter(({ state }) => state === 'ready');
    const until = async (isSo: () => boolean) => {
      const limit = performance.now() + 60_000;
      while (!isSo()) {
        assert.ok(performance.now() < limit, `expected within a minute: ${isSo.toString()}`);
        await pause(50);
      }
    };
    await until(() => ready().length === HOSTS);
    const client = await connect(server.url);
    try {
      const environment = await client.open({ env_id: 'Bandit-v0', options: { noise: 0.3, delayMs: 4000 } });
      const evaluations = [0, 1, 2, 3].map((seed) => environment.evaluate({ action: ACTION, seed }));
      await until(() => ready().filter(({ running }) => running === 1).length === HOSTS);
      ip('link', 'set', cable(0), 'down');
      const results = await Promise.all(evaluations);
      assert.deepEqual(
        results.map(({ outcome }) => outcome),
        ['ok', 'ok', 'ok', 'ok'],
      );
      assert.equal(server.evaluations.counts.restarts, 1, 'one evaluation has moved');
      assert.equal(ready().length, HOSTS - 1);
      const made = new Set(results.map(({ worker }) => worker));
      assert.equal(made.size, HOSTS - 1);
      ip('link', 'set', cable(0), 'up');
      await until(() => ready().length === HOSTS);
      const quick = await client.open({ env_id: 'Bandit-v0', options: { noise: 0.3, delayMs: 400 } });
      const again = await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map((seed) => quick.evaluate({ action: ACTION, seed })));
      assert.equal(new Set(again.map(({ worker }) => worker)).size, HOSTS, 'all four work');
      assert.deepEqual(
        again.slice(0, 4).map(({ reward }) => reward),
        results.map(({ reward }) => reward),
      );
    } finally {
      await client.close();
    }
  });
});
