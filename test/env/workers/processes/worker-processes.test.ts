import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { evaluationSeeds, type Evaluation } from '../../../../env/evaluate.ts';
import { DEFAULT_RUNTIME } from '../../../../env/runtime.ts';
import type { Job } from '../../../../env/workers/evaluations.ts';
import { WorkerProcesses, type WorkerProcessesOptions } from '../../../../env/workers/processes/worker-processes.ts';
import { QueuedEvaluations } from '../../../../env/workers/queued-evaluations.ts';
import { BANDIT } from '../../server/bandit-server.ts';

const WEATHER = [0.25, 0.25, 0.25, 0.25];

function job(options: object = {}, { x = 0.5, seed = 1 } = {}): Job {
  const request = { theta: { x, y: 0.1, weather: WEATHER }, seeds: evaluationSeeds(seed), test: false };
  return { id: `job-${seed}`, source: BANDIT, options: { noise: 0.1, ...options }, runtime: DEFAULT_RUNTIME, request };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function start(options: WorkerProcessesOptions) {
  const workers = new WorkerProcesses(options);
  return { workers, evaluations: new QueuedEvaluations(workers) };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('evaluations in worker processes', () => {
  let workers: WorkerProcesses;
  let evaluations: QueuedEvaluations;
  before(async () => {
    const variables = { NODE_OPTIONS: '--max-old-space-size=64' };
    ({ workers, evaluations } = start({ size: 2, sources: [BANDIT], graceMs: 200, variables }));
    await evaluations.ready;
  });
  after(() => evaluations.close());

  const run = (work: Job, deadlineMs?: number) => evaluations.submit(work, { owner: 'me', deadlineMs });
  const summary = ({ outcome, reward, reason }: Evaluation) => [outcome, reward, reason];

  it('report the backends of the experiments', () => {
    assert.equal(evaluations.backendOf(BANDIT), 'arithmetic');
  });

  it('[R1] give the same rewards with one worker and with two', async () => {
    const jobs = Array.from({ length: 12 }, (_, seed) => job({}, { seed, x: seed / 12 }));
    const single = start({ size: 1, sources: [BANDIT] }).evaluations;
    const [two, one] = await Promise.all(
      [evaluations, single].map((each) => Promise.all(jobs.map((work) => each.submit(work, { owner: 'me' })))),
    );
    await single.close();
    const rewards = two!.map(({ reward }) => reward);
    assert.deepEqual(
      rewards,
      one!.map(({ reward }) => reward),
    );
    assert.equal(new Set(rewards).size, 12);
  });

  it('[P6] an infeasible θ and a diverged model are outcomes, and end no worker', async () => {
    const { pids } = workers;
    assert.deepEqual(summary(await run(job({ fault: 'infeasible' }))), ['infeasible', null, 'no such bandit']);
    const diverged = await run(job({ fault: 'diverge' }));
    assert.deepEqual(summary(diverged).slice(0, 2), ['diverged', null]);
    assert.match(diverged.reason!, /finite gain, got NaN/);
    assert.deepEqual(workers.pids, pids);
  });

  for (const [fault, reason] of [
    ['throw', /^Error: this bandit throws \(test\/environments\/bandit\.ts:\d+\)$/],
    ['exit', /exit code 3: Error: this bandit leaves/],
    ['abort', /signal SIGABRT/],
    ['memory', /signal SIGABRT.*heap out of memory/],
  ] as const) {
    it(`[P15] a worker that ends (${fault}) fails its own evaluation with the reason, and is replaced @slow`, async () => {
      const { pids, restarts } = workers;
      const others = [1, 2, 3].map((seed) => evaluations.submit(job({ delayMs: 200 }, { seed }), { owner: 'you' }));
      const failed = await run(job({ fault }));
      assert.deepEqual(summary(failed).slice(0, 2), ['failed', null]);
      assert.match(failed.reason!, reason);
      assert.ok((await Promise.all(others)).every(({ outcome }) => outcome === 'ok'));
      while (workers.readyCount < 2) await pause(20);
      assert.equal(workers.pids.filter((pid) => pids.includes(pid)).length, 1);
      assert.equal(workers.restarts, restarts + 1);
    });
  }

  it('[P9] a deadline ends an evaluation that waits for ever, and one that blocks its event loop @slow', async () => {
    const { restarts } = workers;
    const [hang, block] = await Promise.all([run(job({ fault: 'hang' }), 200), run(job({ fault: 'block' }), 200)]);
    assert.deepEqual(summary(hang), ['deadline', null, 'expected an end within 200 ms']);
    assert.deepEqual(summary(block), ['deadline', null, 'expected an end within 200 ms']);
    assert.equal((await run(job())).outcome, 'ok', 'their workers were replaced');
    assert.equal(workers.restarts, restarts, 'a worker that we killed is no crash');
  });

  it('[P10] cancelling a blocked evaluation kills its worker after the grace', async () => {
    const stop = new AbortController();
    const phases: string[] = [];
    const onProgress = ({ phase }: { phase: string }) => phases.push(phase);
    const evaluation = evaluations.submit(job({ fault: 'block' }), { owner: 'me', signal: stop.signal, onProgress });
    while (phases.length === 0) await pause(20);
    stop.abort();
    assert.deepEqual(summary(await evaluation), ['cancelled', null, 'cancelled on request']);
    assert.deepEqual(phases, ['simulate']);
  });

  it('[P10] what was cancelled before it was submitted, or while it waits, is never begun @slow', async () => {
    const single = start({ size: 1, sources: [BANDIT] }).evaluations;
    await single.ready;
    const stop = new AbortController();
    const first = single.submit(job({ delayMs: 100 }), { owner: 'me' });
    const waiting = single.submit(job({ fault: 'exit' }), { owner: 'me', signal: stop.signal });
    stop.abort();
    assert.equal((await waiting).outcome, 'cancelled');
    const aborted = await single.submit(job({ fault: 'exit' }), { owner: 'me', signal: AbortSignal.abort() });
    assert.equal(aborted.outcome, 'cancelled');
    assert.equal((await first).outcome, 'ok');
    assert.equal(single.counts.restarts, 0);
    await single.close();
  });

  it('take turns between owners @slow', async () => {
    const single = start({ size: 1, sources: [BANDIT] }).evaluations;
    await single.ready;
    const ended: string[] = [];
    const submit = (owner: string) => single.submit(job({ delayMs: 30 }), { owner }).then(() => ended.push(owner));
    await Promise.all(['a', 'a', 'a', 'a', 'b', 'b'].map(submit));
    await single.close();
    assert.deepEqual(ended, ['a', 'a', 'b', 'a', 'b', 'a'], 'the first one found nobody else');
  });

  it('count what waits, what runs and who is ready @slow', async () => {
    const two = start({ size: 2, sources: [BANDIT] }).evaluations;
    await two.ready;
    while (two.counts.readyWorkers < 2) await pause(20);
    const all = Array.from({ length: 5 }, () => two.submit(job({ delayMs: 50 }), { owner: 'me' }));
    assert.deepEqual(two.counts, { workers: 2, readyWorkers: 2, queued: 3, running: 2, restarts: 0 });
    await Promise.all(all);
    assert.deepEqual(two.counts, { workers: 2, readyWorkers: 2, queued: 0, running: 0, restarts: 0 });
    await two.close();
  });

  it('go on in another worker when one is killed from outside, and only its evaluation fails @slow', async () => {
    const two = start({ size: 2, sources: [BANDIT] });
    await two.evaluations.ready;
    const alone = await Promise.all([...Array(5).keys()].map((seed) => run(job({}, { seed }))));
    const together = Array.from({ length: 100 }, (_, i) =>
      two.evaluations.submit(job({}, { seed: i % 5 }), { owner: 'me' }),
    );
    process.kill(two.workers.pids[0]!, 'SIGKILL');
    const outcomes = await Promise.all(together);
    const right = outcomes.filter(({ reward }, i) => reward === alone[i % 5]!.reward).length;
    const failed = outcomes.filter(({ outcome }) => outcome === 'failed').length;
    assert.ok(failed <= 1 && right + failed === 100, `${right} right, ${failed} failed`);
    await two.evaluations.close();
  });

  it('run in this process if there is no child process', async () => {
    const own = start({ size: 0, sources: [BANDIT], graceMs: 50 });
    await own.evaluations.ready;
    assert.deepEqual([own.workers.pids, own.workers.size, own.workers.backendOf(BANDIT)], [[], 1, 'arithmetic']);
    const there = (work: Job, deadlineMs?: number) => own.evaluations.submit(work, { owner: 'me', deadlineMs });
    assert.equal((await there(job({}, { seed: 9 }))).reward, (await run(job({}, { seed: 9 }))).reward);
    const [outcome, reward, reason] = summary(await there(job({ fault: 'throw' })));
    assert.deepEqual([outcome, reward], ['failed', null]);
    assert.match(String(reason), /^Error: this bandit throws \(test\/environments\/bandit\.ts:\d+\)$/);
    assert.equal((await there(job({ fault: 'hang' }), 100)).outcome, 'deadline');
    assert.equal((await there(job())).outcome, 'ok', 'the one that hangs was given up');
    await own.evaluations.close();
  });

  it('need no sign of life in this process @slow', async () => {
    const { evaluations } = start({ size: 0, sources: [BANDIT], silentMs: 1000 });
    await evaluations.ready;
    await pause(6500);
    assert.equal(evaluations.counts.readyWorkers, 1);
    assert.equal((await evaluations.submit(job(), { owner: 'me' })).outcome, 'ok');
    await evaluations.close();
  });

  it('give the sockets a turn after some dozens of evaluations in this process', async () => {
    const own = start({ size: 0, sources: [BANDIT] }).evaluations;
    await own.ready;
    await own.submit(job(), { owner: 'me' }); // the first loads the experiment
    let turns = 0;
    const count = () => {
      turns++;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    await Promise.all(Array.from({ length: 640 }, (_, seed) => own.submit(job({}, { seed }), { owner: 'me' })));
    clearImmediate(next);
    assert.ok(turns >= 9, `${turns} turns of the event loop`);
    await own.close();
  });

  it('all end, and every process with them, on close @slow', async () => {
    const stopped = start({ size: 2, sources: [BANDIT] });
    await stopped.evaluations.ready;
    const { pids } = stopped.workers;
    const work = ['block', 'hang', 'none', 'none'].map((fault) =>
      stopped.evaluations.submit(job({ fault }), { owner: 'me' }),
    );
    await stopped.evaluations.close();
    for (const outcome of await Promise.all(work)) assert.ok(['cancelled', 'ok'].includes(outcome.outcome));
    assert.equal(pids.length, 2);
    assert.deepEqual(pids.filter(isAlive), []);
  });

  it('[R1] never evaluate with other code than at their start: a replaced process says that its files have changed', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'lts-')), 'mine.ts');
    const code = `export { default } from ${JSON.stringify(BANDIT)};\n`;
    writeFileSync(path, code);
    const mine = start({ size: 1, sources: [path] });
    const there = (options: object) => mine.evaluations.submit({ ...job(options), source: path }, { owner: 'me' });
    await mine.evaluations.ready;
    writeFileSync(path, `${code}// a change\n`);
    assert.equal((await there({})).outcome, 'ok', 'the process that runs has the code as it was');
    assert.equal((await there({ fault: 'exit' })).outcome, 'failed');
    const { outcome, reason } = await there({});
    assert.equal(outcome, 'failed');
    assert.match(
      reason!,
      /no worker starts: the code: expected what it was when the program started, got changed files/,
    );
    writeFileSync(path, code);
    while (mine.workers.readyCount === 0) await pause(20);
    assert.equal((await there({})).outcome, 'ok', 'and it goes on with the code as it was');
    await mine.evaluations.close();
  });

  it('say why when no worker can start @slow', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'lts-')), 'broken.ts');
    writeFileSync(path, "throw new Error('this module cannot be loaded');");
    const broken = start({ size: 1, sources: [path] }).evaluations;
    await assert.rejects(broken.ready, { message: `${path}: this module cannot be loaded` });
    const outcome = await broken.submit(job(), { owner: 'me' });
    assert.equal(outcome.outcome, 'failed');
    assert.match(outcome.reason!, /no worker starts: .*broken\.ts: this module cannot be loaded/);
    await broken.close();
  });
});

describe('a worker that stops, or works for too long @slow', () => {
  const only = { size: 1, sources: [BANDIT], graceMs: 200, silentMs: 3000 };

  it('[P15] is killed when it shows no sign of life, and its evaluation is given to another one', async () => {
    const { workers, evaluations } = start(only);
    await evaluations.ready;
    const [pid] = workers.pids;
    const progress: number[] = [];
    const result = evaluations.submit(job({ delayMs: 1500 }), {
      owner: 'me',
      onProgress: ({ fraction }) => progress.push(fraction),
    });
    await pause(300);
    process.kill(pid!, 'SIGSTOP');
    const undisturbed = start({ size: 1, sources: [BANDIT] }).evaluations;
    const expected = await undisturbed.submit(job({ delayMs: 0 }), { owner: 'me' });
    await undisturbed.close();
    assert.equal((await result).reward, expected.reward);
    assert.equal(isAlive(pid!), false);
    assert.equal(evaluations.counts.restarts, 1);
    await evaluations.close();
  });

  it('[P15] is given no evaluation while it is silent, and is not counted as ready', async () => {
    const { workers, evaluations } = start({ ...only, silentMs: 60_000 });
    await evaluations.ready;
    const [pid] = workers.pids;
    process.kill(pid!, 'SIGSTOP');
    while (evaluations.counts.readyWorkers > 0) await pause(100);
    const waiting = evaluations.submit(job(), { owner: 'me' });
    assert.deepEqual([evaluations.counts.queued, evaluations.counts.running], [1, 0]);
    process.kill(pid!, 'SIGCONT');
    assert.equal((await waiting).outcome, 'ok');
    assert.equal(evaluations.counts.readyWorkers, 1);
    await evaluations.close();
  });

  it('[P15] three times in a row fails its evaluation', async () => {
    const { evaluations } = start(only);
    const { outcome, reason } = await evaluations.submit(job({ fault: 'stop' }), { owner: 'me' });
    assert.deepEqual([outcome, reason], ['failed', 'its worker stopped without a word, 3 times']);
    assert.equal((await evaluations.submit(job(), { owner: 'me' })).outcome, 'ok');
    await evaluations.close();
  });

  it('[P9] ends with the outcome deadline when it works for longer than the server gives it', async () => {
    const { evaluations } = start({ ...only, longestMs: 1200 });
    for (const fault of ['hang', 'block', 'none']) {
      const began = performance.now();
      const { outcome, reason } = await evaluations.submit(job({ fault, delayMs: 8000 }), { owner: 'me' });
      assert.deepEqual(
        [outcome, reason],
        ['deadline', 'expected an end within the 1.2 s that this server gives an evaluation'],
      );
      assert.ok(performance.now() - began < 20_000);
    }
    assert.equal((await evaluations.submit(job(), { owner: 'me' })).outcome, 'ok');
    assert.equal(evaluations.counts.restarts, 0);
    await evaluations.close();
  });
});
