import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from '../../../agents/client/client.ts';
import { evaluationSeeds, type Evaluation } from '../../../env/evaluate.ts';
import { createExperiment, loadDefinition } from '../../../env/experiments/load.ts';
import { removeAbandoned } from '../../../env/programs/working-folder.ts';
import type { Runtime } from '../../../env/runtime.ts';
import { WorkerProcesses } from '../../../env/workers/processes/worker-processes.ts';
import { QueuedEvaluations } from '../../../env/workers/queued-evaluations.ts';
import { SIDE, simulating, training, workshop, type Workshop } from './workshop.ts';

/** A number of seconds that marks the programs of one test. */
let seconds = 4_000_000 + process.pid;
const count = (mark: number) =>
  Number(spawnSync('pgrep', ['-fc', `^sleep ${mark}`], { encoding: 'utf8' }).stdout.trim() || 0);

async function becomes(mark: number, number: number): Promise<void> {
  const until = performance.now() + 15_000;
  while (count(mark) !== number && performance.now() < until) await pause(50);
  assert.equal(count(mark), number);
}

/** A program that starts one that stays in its group, and one that leaves it, and waits. */
const sleeping = (mark: number) => `setsid sleep ${mark} & sleep ${mark}`;

describe('[G15] [G6] programs and their folders go @slow', () => {
  let shop: Workshop;
  let workers: WorkerProcesses;
  let evaluations: QueuedEvaluations;
  let mark: number;
  let runtime: Runtime;
  beforeEach(async () => {
    mark = seconds++;
    shop = workshop();
    const draws = `sh ${shop.script('draw.sh', `cp -r ${shop.ready}/. "$1"; [ "$2" = '{"x":7}' ] || exit 0; ${sleeping(mark)}`)} {out} {theta}`;
    const trains = `sh ${shop.script('train.sh', `echo '{"scores":{"score":0.5}}' > "$1/result.json"`)} {out}`;
    runtime = shop.runtime({ ...simulating(draws), ...training(trains) });
    workers = new WorkerProcesses({ size: 1, sources: ['Program-v0'], runtime });
    evaluations = new QueuedEvaluations(workers);
    await evaluations.ready;
  });
  afterEach(async () => {
    await evaluations.close();
    shop.remove();
  });

  const submit = async (x: number, how: { deadlineMs?: number; signal?: AbortSignal } = {}): Promise<Evaluation> => {
    const options = { width: SIDE, height: SIDE, trainingImages: 2 };
    const definition = await loadDefinition('Program-v0');
    const { options: all } = createExperiment(definition, options, runtime);
    const request = { theta: { x }, seeds: evaluationSeeds(1), test: false };
    return evaluations.submit({ source: 'Program-v0', options: all, runtime, request }, { owner: 'me', ...how });
  };
  const nothingIsLeft = async () => {
    await becomes(mark, 0);
    const until = performance.now() + 10_000;
    while (shop.left().length > 0 && performance.now() < until) await pause(50);
    assert.deepEqual(shop.left(), []);
  };

  it('[G14] at a deadline and a cancel; the worker goes on', async () => {
    const [pid] = workers.pids;
    assert.equal((await submit(7, { deadlineMs: 1500 })).outcome, 'deadline');
    await nothingIsLeft();
    const stop = new AbortController();
    const end = submit(7, { signal: stop.signal });
    await becomes(mark, 2);
    stop.abort();
    assert.equal((await end).outcome, 'cancelled');
    await nothingIsLeft();
    assert.equal((await submit(1)).outcome, 'ok');
    assert.deepEqual(workers.pids, [pid]);
  });

  it('when the worker is killed, which is replaced', async () => {
    const end = submit(7);
    await becomes(mark, 2);
    process.kill(workers.pids[0]!, 'SIGKILL');
    assert.equal((await end).outcome, 'failed');
    await nothingIsLeft();
    assert.equal((await submit(1)).outcome, 'ok');
  });

  it('when the workers are closed', async () => {
    const end = submit(7);
    await becomes(mark, 2);
    await evaluations.close();
    assert.equal((await end).outcome, 'cancelled');
    assert.equal(count(mark), 0);
    assert.deepEqual(readdirSync(shop.work), []);
  });

  it('[G13] [G16] where a program fails, the worker goes on', async () => {
    const [pid] = workers.pids;
    writeFileSync(join(shop.folder, 'draw.sh'), 'exit 1'); // a worker that is asked for the old one says so
    assert.equal((await submit(1)).outcome, 'failed');
    assert.equal((await submit(1)).outcome, 'failed');
    assert.deepEqual(workers.pids, [pid]);
    assert.equal(workers.restarts, 0);
  });
});

describe('[G15] programs of a server go @slow', () => {
  let shop: Workshop;
  let server: ChildProcess | undefined;
  beforeEach(() => (shop = workshop()));
  afterEach(() => {
    server?.kill('SIGKILL');
    shop.remove();
  });

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(`with the server, by ${signal}`, async () => {
      const mark = seconds++;
      const draws = `sh ${shop.script('draw.sh', sleeping(mark))} {out}`;
      writeFileSync(join(shop.folder, 'θ.json'), '[{"name":"x","low":0,"high":1,"default":0}]');
      const flags = [
        '--simulator',
        draws,
        '--parameters',
        join(shop.folder, 'θ.json'),
        '--data',
        join(shop.folder, 'data'),
      ];
      const how = [
        '--work',
        shop.work,
        '--port',
        '0',
        '--workers',
        '1',
        '--drain-seconds',
        '0',
        '--log',
        'silent',
        '--json',
      ];
      server = spawn(process.execPath, ['--import', 'tsx', 'scripts/serve.ts', ...flags, ...how], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [line] = (await once(createInterface(server.stdout!), 'line')) as [string];
      const client = await connect((JSON.parse(line) as { url: string }).url, { reconnectForMs: 0 });
      const environment = await client.open({ env_id: 'Program-v0' });
      environment.evaluate({ action: [0] }).catch(() => {});
      await becomes(mark, 2);
      server.kill(signal);
      await once(server, 'exit');
      await becomes(mark, 0);
      if (signal === 'SIGTERM') assert.deepEqual(readdirSync(shop.work), []);
    });
  }
});

describe('[G6] what a killed server has left', () => {
  it('is removed by a later worker, and what a worker has that lives is not', async () => {
    const shop = workshop();
    const old = new Date(1e12);
    const leave = (name: string, time: Date) => {
      mkdirSync(join(shop.work, name), { recursive: true });
      writeFileSync(join(shop.work, name, 'image.png'), '');
      writeFileSync(join(shop.work, `${name}.lock`), '');
      utimesSync(join(shop.work, `${name}.lock`), time, time);
    };
    for (const name of ['killed', 'alive']) leave(name, old);
    leave('starting', new Date());
    mkdirSync(join(shop.work, 'kept/seed-1'), { recursive: true });
    const holder = spawn('flock', [join(shop.work, 'alive.lock'), 'sh', '-c', 'echo ready; sleep 60'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    try {
      await once(holder.stdout, 'data');
      removeAbandoned(shop.work);
      assert.deepEqual(readdirSync(shop.work).sort(), ['alive', 'alive.lock', 'kept', 'starting', 'starting.lock']);
      assert.ok(existsSync(join(shop.work, 'alive/image.png')), 'it is there');
    } finally {
      process.kill(-holder.pid!, 'SIGKILL');
      await once(holder, 'close');
      shop.remove();
    }
  });
});
