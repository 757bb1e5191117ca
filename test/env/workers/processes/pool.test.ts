import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { evaluationSeeds } from '../../../../env/evaluate.ts';
import { DEFAULT_RUNTIME } from '../../../../env/runtime.ts';
import type { Job, JobOutcome } from '../../../../env/workers/job.ts';
import { WorkerPool } from '../../../../env/workers/processes/pool.ts';
import { BANDIT } from '../../server/bandit-server.ts';

const WEATHER = [0.25, 0.25, 0.25, 0.25];

function job(options: object = {}, { x = 0.5, seed = 1 } = {}): Job {
  const request = { theta: { x, y: 0.1, weather: WEATHER }, seeds: evaluationSeeds(seed), test: false };
  return { source: BANDIT, options: { noise: 0.1, ...options }, runtime: DEFAULT_RUNTIME, request };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('the worker pool', () => {
  let pool: WorkerPool;
  before(async () => {
    pool = new WorkerPool({
      size: 2,
      sources: [BANDIT],
      graceMs: 200,
      variables: { NODE_OPTIONS: '--max-old-space-size=64' },
    });
    await pool.ready;
  });
  after(() => pool.stop());

  const run = (work: Job, deadlineMs?: number) => pool.submit(work, { owner: 'me', deadlineMs }).done;
  const summary = ({ outcome, reward, reason }: JobOutcome) => [outcome, reward, reason];

  it('says what the experiments run on', () => {
    assert.equal(pool.backendOf(BANDIT), 'arithmetic');
  });

  it('[R1] gives the same rewards with one worker and with two', async () => {
    const jobs = Array.from({ length: 12 }, (_, seed) => job({}, { seed, x: seed / 12 }));
    const single = new WorkerPool({ size: 1, sources: [BANDIT] });
    const [two, one] = await Promise.all(
      [pool, single].map((each) => Promise.all(jobs.map((work) => each.submit(work, { owner: 'me' }).done))),
    );
    await single.stop();
    const rewards = two!.map(({ reward }) => reward);
    assert.deepEqual(
      rewards,
      one!.map(({ reward }) => reward),
    );
    assert.equal(new Set(rewards).size, 12);
  });

  it('[P6] an infeasible θ and a diverged model are outcomes, and cost no worker', async () => {
    const { pids } = pool;
    assert.deepEqual(summary(await run(job({ fault: 'infeasible' }))), ['infeasible', null, 'no such bandit']);
    const diverged = await run(job({ fault: 'diverge' }));
    assert.deepEqual(summary(diverged).slice(0, 2), ['diverged', null]);
    assert.match(diverged.reason!, /finite gain, got NaN/);
    assert.deepEqual(pool.pids, pids);
  });

  for (const [fault, reason] of [
    ['throw', /^Error: this bandit throws \(test\/environments\/bandit\.ts:\d+\)$/],
    ['exit', /exit code 3: Error: this bandit leaves/],
    ['abort', /signal SIGABRT/],
    ['memory', /signal SIGABRT.*heap out of memory/],
  ] as const) {
    it(`[P15] a worker that ends (${fault}) fails its own evaluation with the reason, and is replaced`, async () => {
      const { pids, crashes } = pool;
      const others = [1, 2, 3].map((seed) => pool.submit(job({ delayMs: 200 }, { seed }), { owner: 'you' }).done);
      const failed = await run(job({ fault }));
      assert.deepEqual(summary(failed).slice(0, 2), ['failed', null]);
      assert.match(failed.reason!, reason);
      assert.ok((await Promise.all(others)).every(({ outcome }) => outcome === 'ok'));
      while (pool.readyWorkers < 2) await new Promise((resolve) => setTimeout(resolve, 20));
      assert.equal(pool.pids.filter((pid) => pids.includes(pid)).length, 1);
      assert.equal(pool.crashes, crashes + 1);
    });
  }

  it('[P9] a deadline ends an evaluation that waits for ever, and one that blocks its event loop', async () => {
    const { crashes } = pool;
    const [hang, block] = await Promise.all([run(job({ fault: 'hang' }), 200), run(job({ fault: 'block' }), 200)]);
    assert.deepEqual(summary(hang), ['deadline', null, 'expected an end within 200 ms']);
    assert.deepEqual(summary(block), ['deadline', null, 'expected an end within 200 ms']);
    assert.equal((await run(job())).outcome, 'ok', 'their workers were replaced');
    assert.equal(pool.crashes, crashes, 'a worker that we killed is no crash');
  });

  it('[P10] cancelling a blocked evaluation kills its worker after the grace', async () => {
    const ticket = pool.submit(job({ fault: 'block' }), { owner: 'me' });
    while (ticket.state === 'queued') await new Promise((resolve) => setTimeout(resolve, 20));
    ticket.cancel();
    assert.equal((await ticket.done).outcome, 'cancelled');
    assert.equal(ticket.state, 'finished');
  });

  it('takes turns between owners', async () => {
    const single = new WorkerPool({ size: 1, sources: [BANDIT] });
    await single.ready;
    const ended: string[] = [];
    const submit = (owner: string) => single.submit(job({ delayMs: 30 }), { owner }).done.then(() => ended.push(owner));
    await Promise.all(['a', 'a', 'a', 'a', 'b', 'b'].map(submit));
    await single.stop();
    assert.deepEqual(ended, ['a', 'b', 'a', 'b', 'a', 'a']);
  });

  it('gives a worker several quick jobs at once, and those of a worker that ends to others', async () => {
    const two = new WorkerPool({ size: 2, sources: [BANDIT] });
    await two.ready;
    const options = { noise: 0.1 };
    const quick = (seed: number): Job => ({ ...job({}, { seed }), options });
    for (let seed = 0; seed < 20; seed++) await two.submit(quick(seed), { owner: 'me' }).done;
    const alone = await Promise.all([...Array(5).keys()].map((seed) => run(job({}, { seed }))));
    const together = Array.from({ length: 400 }, (_, i) => two.submit(quick(i % 5), { owner: 'me' }).done);
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(two.evaluating > 2, `${two.evaluating} are with two workers`);
    process.kill(two.pids[0]!, 'SIGKILL');
    const outcomes = await Promise.all(together);
    const rewards = outcomes.map(({ reward }, i) => [reward, alone[i % 5]!.reward]);
    assert.ok(rewards.every(([reward, expected]) => reward === expected));
    await two.stop();
  });

  it('evaluates in its own process where it has no other', async () => {
    const own = new WorkerPool({ size: 0, sources: [BANDIT], graceMs: 50 });
    await own.ready;
    assert.deepEqual([own.pids, own.size, own.backendOf(BANDIT)], [[], 1, 'arithmetic']);
    const there = (work: Job, deadlineMs?: number) => own.submit(work, { owner: 'me', deadlineMs }).done;
    assert.equal((await there(job({}, { seed: 9 }))).reward, (await run(job({}, { seed: 9 }))).reward);
    const [outcome, reward, reason] = summary(await there(job({ fault: 'throw' })));
    assert.deepEqual([outcome, reward], ['failed', null]);
    assert.match(String(reason), /^Error: this bandit throws \(test\/environments\/bandit\.ts:\d+\)$/);
    assert.equal((await there(job({ fault: 'hang' }), 100)).outcome, 'deadline');
    assert.equal((await there(job())).outcome, 'ok', 'the one that hangs was given up');
    await own.stop();
  });

  it('lets the sockets have their turns between evaluations in its own process', async () => {
    const own = new WorkerPool({ size: 0, sources: [BANDIT] });
    await own.ready;
    // The first loads the experiment.
    await own.submit(job(), { owner: 'me' }).done;
    let turns = 0;
    const count = () => {
      turns++;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    const jobs = Array.from({ length: 64 }, (_, seed) => own.submit(job({}, { seed }), { owner: 'me' }).done);
    await Promise.all(jobs);
    clearImmediate(next);
    // Nothing is known of how long such a job takes, so that each goes alone.
    assert.ok(turns >= 60, `${turns} turns of the event loop`);
    await own.stop();
  });

  it('ends every evaluation and every process when it stops', async () => {
    const stopped = new WorkerPool({ size: 2, sources: [BANDIT] });
    await stopped.ready;
    const { pids } = stopped;
    const work = ['block', 'hang', 'none', 'none'].map((fault) => stopped.submit(job({ fault }), { owner: 'me' }).done);
    await stopped.stop();
    for (const outcome of await Promise.all(work)) assert.ok(['cancelled', 'ok'].includes(outcome.outcome));
    assert.equal(pids.length, 2);
    assert.deepEqual(pids.filter(isAlive), []);
  });

  it('says why when its workers cannot start', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'lts-')), 'broken.ts');
    writeFileSync(path, "throw new Error('this module cannot be loaded');");
    const broken = new WorkerPool({ size: 1, sources: [path] });
    await assert.rejects(broken.ready, { message: `${path}: this module cannot be loaded` });
    const outcome = await broken.submit(job(), { owner: 'me' }).done;
    assert.equal(outcome.outcome, 'failed');
    assert.match(outcome.reason!, /no worker starts: .*broken\.ts: this module cannot be loaded/);
    await broken.stop();
  });
});
