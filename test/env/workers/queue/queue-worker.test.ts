import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ChildProcess } from 'node:child_process';
import { Redis } from 'ioredis';
import { connect } from '../../../../agents/client/client.ts';
import { localEnvironment } from '../../../../env/environment.ts';
import { createExperiment } from '../../../../env/experiments/load.ts';
import { DEFAULT_RUNTIME } from '../../../../env/runtime.ts';
import type { EnvironmentServer, ServerOptions } from '../../../../env/server/server.ts';
import { QueueWorker, type QueueWorkerOptions } from '../../../../env/workers/queue/queue-worker.ts';
import { exactBuild } from '../../../../scripts/queue-flags.ts';
import { end, program } from '../../../../scripts/trust/serving.ts';
import { hasRedis, startRedis, type OwnRedis } from '../../../../scripts/trust/redis.ts';
import bandit from '../../../environments/bandit.ts';
import { BANDIT, startBanditServer } from '../../server/bandit-server.ts';

const READER = join(import.meta.dirname, '../../../environments/data-reader.ts');
const ACTION = [0, 0, 0, 0, 0, 0];
/** A worker without a sign of life loses its evaluations after this time. */
const LOCK_MS = 1_500;

type Event = [event: string, details: Readonly<Record<string, unknown>>];

describe('evaluations on a queue @slow', function () {
  let redis: OwnRedis;
  let build: string;
  const started: { close(): Promise<unknown> }[] = [];
  const processes: ChildProcess[] = [];

  before(async function () {
    if (!hasRedis()) return this.skip(); // npm run setup:redis
    redis = await startRedis();
    build = await exactBuild();
  });
  afterEach(async () => {
    processes.splice(0).forEach((child) => child.kill('SIGKILL'));
    for (const one of started.splice(0)) await one.close();
    const client = new Redis(redis.url);
    await client.flushall();
    client.disconnect();
  });
  after(() => redis?.stop());

  const serve = async (options: Partial<ServerOptions> & { mixedBackends?: boolean; folder?: string } = {}) => {
    const { mixedBackends = false, folder, ...rest } = options;
    const queue = { url: redis.url, build, mixedBackends, lockMs: LOCK_MS, ...(folder && { data: 'numbers' }) };
    const runtime = { ...DEFAULT_RUNTIME, ...(folder && { data: folder }) };
    const server = await startBanditServer({ workers: 0, queue, runtime, ...rest });
    started.unshift({ close: () => server.stop() });
    return server;
  };
  const work = (options: Partial<QueueWorkerOptions> = {}) => {
    const events: Event[] = [];
    const log = (...event: Event) => void events.push(event);
    const defaults = {
      url: redis.url,
      places: 1,
      build,
      modules: [BANDIT],
      data: new Map(),
      runtime: { ...DEFAULT_RUNTIME, weights: '' },
    };
    const worker = new QueueWorker({ ...defaults, log, ...options });
    started.unshift({ close: () => worker.stop() });
    return { worker, events };
  };
  /** A worker in a process of its own, as `npm run worker` starts one. */
  const workElsewhere = async (server: EnvironmentServer, ...flags: string[]) => {
    const count = workersOf(server, 'ready').length;
    const all = ['--env', BANDIT, '--queue', redis.url, '--workers', '1', '--log', 'error', ...flags];
    const child = program('scripts/worker.ts', all, 'ignore');
    processes.push(child);
    await until(() => workersOf(server, 'ready').length === count + 1);
    return child;
  };
  const workersOf = ({ evaluations }: EnvironmentServer, state: string) =>
    evaluations.workers.filter((worker) => worker.state === state);
  const until = async (isSo: () => boolean | Promise<boolean>, withinMs = 20_000) => {
    const limit = performance.now() + withinMs;
    while (!(await isSo())) {
      assert.ok(performance.now() < limit, `expected it within ${withinMs} ms: ${isSo.toString()}`);
      await pause(20);
    }
  };
  const opened = async ({ url }: EnvironmentServer, options: Record<string, unknown> = {}, env_id = 'Bandit-v0') => {
    const client = await connect(url);
    started.unshift({ close: () => client.close() });
    return client.open({ env_id, options, seed: 5 });
  };
  const expectedReward = async (seed: number, options: Record<string, unknown>) => {
    const local = localEnvironment(createExperiment(bandit, options, DEFAULT_RUNTIME).experiment, 5);
    return (await local.step({ action: ACTION, seed, reset: true })).reward;
  };

  it('[R1] give the rewards that this process gives, on local and remote workers at once, and say which made them', async () => {
    const server = await serve({ workers: 1 });
    const { worker } = work();
    await until(() => workersOf(server, 'ready').length === 2);
    const environment = await opened(server, { noise: 0.3, delayMs: 100 });
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, seed) => environment.evaluate({ action: ACTION, seed })),
    );
    for (const { seed, reward } of results) {
      assert.equal(reward, await expectedReward(seed, { noise: 0.3, delayMs: 0 }));
    }
    assert.deepEqual(new Set(results.map((result) => result.worker)), new Set(['local', worker.id]));
    assert.ok(
      results.every(({ repro }) => repro.backend === 'arithmetic'),
      'each says its backend',
    );
  });

  it('take any name of a step, though a queue forbids some', async () => {
    const server = await serve();
    work();
    const environment = await opened(server);
    for (const step_id of ['123', 'a:b:c', 'ü/..']) {
      assert.equal((await environment.evaluate({ action: ACTION, step_id })).outcome, 'ok', step_id);
    }
  });

  it('wait for a first worker, whose backend is that of all later ones; the page says who there is', async () => {
    const server = await serve({ environments: [BANDIT] });
    const get = async (path: string) => fetch(`${server.url.replace('ws', 'http')}${path}`);
    assert.equal((await get('/readyz')).status, 503);
    const environment = await opened(server, { delayMs: 300 });
    const evaluation = environment.evaluate({ action: ACTION });
    await until(async () => /lts_queue_depth 1/.test(await (await get('/metrics')).text()));
    const { worker } = work({ places: 2 });
    assert.equal((await evaluation).worker, worker.id);
    assert.equal((await get('/readyz')).status, 200);
    const { workers } = (await (await get('/v1/workers')).json()) as { workers: object[] };
    assert.equal(workers.length, 1);
    const [{ state, places, backends }] = workers as [Record<string, unknown>];
    assert.deepEqual([state, places, backends], ['ready', 2, { 'Bandit-v0': 'arithmetic' }]);
    const metrics = await (await get('/metrics')).text();
    for (const line of ['lts_workers_ready 2', 'lts_workers_wanted 0', 'lts_queue_reached 1', 'lts_workers_refused 0'])
      assert.ok(metrics.includes(`${line}\n`), line);
  });

  it('report progress and early scores from the other process', async () => {
    const server = await serve();
    await workElsewhere(server);
    const environment = await opened(server, { delayMs: 1500 });
    const phases: string[] = [];
    const result = await environment.evaluate({ action: ACTION }, { onProgress: ({ phase }) => phases.push(phase) });
    assert.ok(phases.filter((phase) => phase === 'train').length >= 2, phases.join(' '));
    assert.ok((result.early_scores?.length ?? 0) >= 3, 'a quarter, a half, three quarters');
  });

  it('hear cancel and deadline within a second, in another process, and the worker goes on', async () => {
    const server = await serve();
    await workElsewhere(server);
    const environment = await opened(server, { delayMs: 60_000 });
    const began = performance.now();
    const late = await environment.evaluate({ action: ACTION, deadline_ms: 500 });
    assert.equal(late.outcome, 'deadline');
    assert.ok(performance.now() - began < 1500, `${performance.now() - began} ms`);
    const stop = new AbortController();
    const cancelled = environment.evaluate({ action: ACTION }, { signal: stop.signal });
    await until(() => workersOf(server, 'ready')[0]!.running === 1);
    const from = performance.now();
    stop.abort();
    assert.equal((await cancelled).outcome, 'cancelled');
    assert.ok(performance.now() - from < 1000, `${performance.now() - from} ms`);
    await until(() => workersOf(server, 'ready')[0]!.running === 0);
    assert.ok(performance.now() - from < 2500, 'its record comes every second');
    const quick = await opened(server);
    assert.equal((await quick.evaluate({ action: ACTION })).outcome, 'ok');
  });

  it('keep their worker while they block it for longer than its lock lasts', async () => {
    const server = await serve();
    await workElsewhere(server);
    const environment = await opened(server, { fault: 'block' });
    const { outcome } = await environment.evaluate({ action: ACTION, deadline_ms: 3 * LOCK_MS });
    assert.equal(outcome, 'deadline');
    assert.equal(server.evaluations.counts.restarts, 0, 'the lock was renewed meanwhile');
  });

  it('move from a worker that freezes, and the frozen one’s late result counts nothing', async () => {
    const server = await serve();
    const frozen = await workElsewhere(server);
    const environment = await opened(server, { noise: 0.3, delayMs: 2500 });
    const evaluation = environment.evaluate({ action: ACTION, seed: 7 });
    await until(() => server.evaluations.counts.running === 1 && workersOf(server, 'ready')[0]!.running === 1);
    const { id } = workersOf(server, 'ready')[0]!;
    frozen.kill('SIGSTOP');
    const { worker } = work();
    const result = await evaluation;
    assert.equal(result.worker, worker.id);
    assert.equal(result.reward, await expectedReward(7, { noise: 0.3, delayMs: 0 }));
    assert.equal(server.evaluations.counts.restarts, 1);
    frozen.kill('SIGCONT');
    await until(() => workersOf(server, 'ready').some((one) => one.id === id && one.running === 0));
    const history = await fetch(`${server.url.replace('ws', 'http')}/v1/history.jsonl`);
    assert.equal((await history.text()).trim().split('\n').length, 1);
    // Both take evaluations again.
    const quick = await opened(server, { delayMs: 300 });
    const results = await Promise.all([1, 2, 3, 4].map(() => quick.evaluate({ action: ACTION })));
    assert.deepEqual(new Set(results.map((one) => one.worker)), new Set([id, worker.id]));
  });

  it('survive two workers that vanish one after the other, which is more than BullMQ allows by itself', async () => {
    const server = await serve();
    const environment = await opened(server, { delayMs: 1000 });
    const evaluation = environment.evaluate({ action: ACTION });
    for (let i = 0; i < 2; i++) {
      const victim = await workElsewhere(server);
      await until(() => workersOf(server, 'ready').some(({ running }) => running === 1));
      await end(victim, 'SIGKILL');
      await until(() => workersOf(server, 'ready').length === 0);
    }
    work();
    assert.equal((await evaluation).outcome, 'ok');
  });

  it('come back to the server’s own workers when nobody else is left', async () => {
    const server = await serve({ workers: 1 });
    const remote = await workElsewhere(server);
    const environment = await opened(server, { delayMs: 1500 });
    const evaluations = [1, 2].map(() => environment.evaluate({ action: ACTION }));
    await until(() => workersOf(server, 'ready').every(({ running }) => running === 1));
    await end(remote, 'SIGKILL');
    const results = await Promise.all(evaluations);
    assert.deepEqual(
      results.map(({ outcome, worker }) => [outcome, worker]),
      [
        ['ok', 'local'],
        ['ok', 'local'],
      ],
    );
  });

  it('[S11] are not begun again when the server is: the next one finds them, running or done', async () => {
    const journal = join(mkdtempSync(join(tmpdir(), 'lts-')), 'journal.sqlite');
    const first = await serve({ journal });
    work({ places: 2 });
    const environment = await opened(first, { noise: 0.3, delayMs: 800 });
    const client = new Redis(redis.url);
    const early = environment.evaluate({ action: ACTION, seed: 1 });
    await until(() => first.evaluations.counts.running === 1);
    await pause(300);
    const late = environment.evaluate({ action: ACTION, seed: 2 });
    await until(() => first.evaluations.counts.running === 2);
    await first.stop();
    await pause(700); // one ends while no server is there
    const second = await serve({ journal, port: first.port });
    const results = await Promise.all([early, late]);
    assert.deepEqual(
      results.map(({ reward }) => reward),
      await Promise.all([1, 2].map((seed) => expectedReward(seed, { noise: 0.3, delayMs: 0 }))),
    );
    const begun = await Promise.all(
      (await client.keys('lts:evaluations-*:step-*')).map((key) => client.hget(key, 'ats')),
    );
    client.disconnect();
    assert.deepEqual(begun, ['1', '1'], 'each was begun once');
    assert.equal(second.evaluations.counts.queued, 0);
  });

  it('go on after a Redis that was killed, before, during and after it', async () => {
    const server = await serve();
    await workElsewhere(server);
    const environment = await opened(server, { noise: 0.3, delayMs: 1500 });
    const evaluation = environment.evaluate({ action: ACTION, seed: 3 });
    await until(() => workersOf(server, 'ready').some(({ running }) => running === 1));
    await redis.killAndRestart(500);
    assert.equal((await evaluation).reward, await expectedReward(3, { noise: 0.3, delayMs: 0 }));
    const next = await environment.evaluate({ action: ACTION, seed: 4 });
    assert.equal(next.reward, await expectedReward(4, { noise: 0.3, delayMs: 0 }));
  });

  it('are given to a Redis again that has lost them', async () => {
    const server = await serve();
    await workElsewhere(server);
    const environment = await opened(server, { noise: 0.3, delayMs: 1000 });
    const evaluation = environment.evaluate({ action: ACTION, seed: 3 });
    await until(() => workersOf(server, 'ready').some(({ running }) => running === 1));
    const client = new Redis(redis.url);
    await client.flushall();
    client.disconnect();
    assert.equal((await evaluation).reward, await expectedReward(3, { noise: 0.3, delayMs: 0 }));
  });

  it('go on locally while Redis is away', async () => {
    const server = await serve({ workers: 1 });
    const environment = await opened(server);
    redis.process.kill('SIGSTOP');
    try {
      assert.equal((await environment.evaluate({ action: ACTION })).worker, 'local');
    } finally {
      redis.process.kill('SIGCONT');
    }
  });

  it('hold up no worker that is told to end while Redis is away', async () => {
    const server = await serve({ workers: 1 });
    const remote = await workElsewhere(server);
    redis.process.kill('SIGSTOP');
    try {
      const exit = once(remote, 'exit');
      remote.kill('SIGTERM');
      const began = performance.now();
      assert.deepEqual(await exit, [0, null]);
      assert.ok(performance.now() - began < 20_000, `${performance.now() - began} ms`);
    } finally {
      redis.process.kill('SIGCONT');
    }
  });

  it('end before a worker that was told to leave, or go to another one if they take too long', async () => {
    const server = await serve();
    const leaving = await workElsewhere(server, '--drain-seconds', '20');
    const environment = await opened(server, { delayMs: 2500 });
    const short = environment.evaluate({ action: ACTION });
    const slow = await opened(server, { delayMs: 5000 });
    await until(() => workersOf(server, 'ready').some(({ running }) => running === 1));
    const exit = once(leaving, 'exit');
    leaving.kill('SIGTERM');
    assert.equal((await short).outcome, 'ok');
    assert.deepEqual(await exit, [0, null]);
    const second = await workElsewhere(server, '--drain-seconds', '1');
    const long = slow.evaluate({ action: ACTION });
    await until(() => workersOf(server, 'ready').some(({ running }) => running === 1));
    const secondExit = once(second, 'exit');
    second.kill('SIGTERM');
    assert.deepEqual(await secondExit, [0, null]);
    const { worker } = work();
    assert.equal((await long).worker, worker.id);
    assert.equal(server.evaluations.counts.restarts, 0, 'nothing had to be missed first');
  });

  it('are refused by workers that would give other results, with the reason', async () => {
    const server = await serve();
    const { events } = work({ build: 'another' });
    work({ modules: [] });
    await until(() => workersOf(server, 'refused').length === 2);
    const reasons = workersOf(server, 'refused').map(({ reason }) => reason!);
    assert.ok(reasons.includes(`build: expected ${build}, got another`), reasons.join('; '));
    assert.ok(
      reasons.some((reason) => reason.startsWith('Bandit-v0: expected this environment')),
      reasons.join('; '),
    );
    assert.ok(
      events.some(([event]) => event === 'refused'),
      'it says so itself',
    );
    assert.equal(workersOf(server, 'ready').length, 0);
  });

  const ECHO = join(import.meta.dirname, '../../../environments/runtime-echo.ts'); // its backend is its runtime
  for (const mixedBackends of [false, true]) {
    it(`${mixedBackends ? 'take' : 'refuse'} a worker of another backend ${mixedBackends ? 'if told to' : ''}`, async () => {
      const server = await serve({ environments: [ECHO], mixedBackends });
      work({ modules: [ECHO] });
      await until(() => workersOf(server, 'ready').length === 1);
      work({ modules: [ECHO], backend: 'wasm' });
      await until(() => workersOf(server, mixedBackends ? 'ready' : 'refused').length === (mixedBackends ? 2 : 1));
      if (mixedBackends) return;
      const { reason } = workersOf(server, 'refused')[0]!;
      assert.match(reason!, /expected the backend .*auto.*got .*wasm.*--mixed-backends/);
    });
  }

  const folderWith = (name: string, text: string) => {
    const folder = mkdtempSync(join(tmpdir(), 'lts-data-'));
    writeFileSync(join(folder, name), text);
    return folder;
  };

  it('read data that is found by its name, wherever it lies, and are refused where its content is another', async () => {
    const server = await serve({ environments: [READER], folder: folderWith('number.txt', '42') });
    work({ modules: [READER] });
    work({ modules: [READER], data: new Map([['numbers', folderWith('number.txt', '43')]]) });
    await until(() => workersOf(server, 'refused').length === 2);
    const reasons = workersOf(server, 'refused')
      .map(({ reason }) => reason!)
      .sort();
    assert.match(reasons[0]!, /^DataReader-v0: expected the specification \w+, got \w+: other data/);
    assert.match(reasons[1]!, /^data: expected a folder for numbers \(--data numbers=DIR\), got none$/);
    const { worker } = work({ modules: [READER], data: new Map([['numbers', folderWith('number.txt', '42')]]) });
    const environment = await opened(server, {}, 'DataReader-v0');
    const result = await environment.evaluate({ action: [0] });
    assert.deepEqual([result.reward, result.worker], [42, worker.id]);
  });

  it('go to a worker that has the weights, and a worker that has not takes no more', async () => {
    const data = new Map([['numbers', folderWith('number.txt', '42')]]);
    const weights = folderWith('w', '2');
    mkdirSync(join(weights, 'empty'));
    const runtime = { ...DEFAULT_RUNTIME, data: data.get('numbers')!, weights };
    const server = await serve({ environments: [READER], runtime, folder: data.get('numbers')! });
    work({ modules: [READER], data, runtime: { ...DEFAULT_RUNTIME, weights: join(weights, 'empty') } });
    await until(() => workersOf(server, 'ready').length === 1);
    const environment = await opened(server, { weights: 'w' }, 'DataReader-v0');
    const evaluation = environment.evaluate({ action: [0] });
    await until(() => workersOf(server, 'refused').length === 1);
    assert.match(workersOf(server, 'refused')[0]!.reason!, /ENOENT/);
    const { worker } = work({
      modules: [READER],
      data,
      runtime: { ...DEFAULT_RUNTIME, weights: folderWith('w', '2') },
    });
    const result = await evaluation;
    assert.deepEqual([result.reward, result.worker], [84, worker.id]);
  });

  it('have one build and set of environments at a Redis, and the next server may have others', async () => {
    const first = await serve();
    const other = { url: redis.url, build: 'c', mixedBackends: false };
    await assert.rejects(
      startBanditServer({ workers: 0, queue: other }),
      /--queue: expected a Redis, or a database of it .* got that of the server on .*; Bandit-v0; /,
    );
    await assert.rejects(
      startBanditServer({ workers: 0, queue: { ...other, build, lockMs: LOCK_MS }, maxEvaluationMs: 60_000 }),
      /--queue: expected .* data, backend and longest evaluation, got that of the server on .*"longestMs":/,
    );
    const equal = await serve();
    await first.stop();
    await equal.stop();
    const next = await startBanditServer({ workers: 0, queue: other });
    started.unshift({ close: () => next.stop() });
    const { worker } = work({ build: 'c' });
    const environment = await opened(next);
    assert.equal((await environment.evaluate({ action: ACTION })).worker, worker.id);
  });
});
