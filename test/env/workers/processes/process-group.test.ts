import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { connect } from '../../../../agents/client/client.ts';
import { evaluationSeeds } from '../../../../env/evaluate.ts';
import { DEFAULT_RUNTIME } from '../../../../env/runtime.ts';
import { WorkerProcesses } from '../../../../env/workers/processes/worker-processes.ts';
import { QueuedEvaluations } from '../../../../env/workers/queued-evaluations.ts';
import { BANDIT } from '../../server/bandit-server.ts';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A number of seconds that marks the program of one evaluation. */
let seconds = 1_000_000 + process.pid;

/** The processes of a program: its shell, and what the shell has started. */
function running(mark: number): number {
  try {
    return Number(execFileSync('pgrep', ['-fc', `^(sh -c )?sleep ${mark}`], { encoding: 'utf8' }));
  } catch {
    return 0; // pgrep fails when it finds none
  }
}

async function becomes(mark: number, count: number): Promise<void> {
  const until = performance.now() + 10_000;
  while (running(mark) !== count && performance.now() < until) await pause(50);
  assert.equal(running(mark), count);
}

describe('the programs that an evaluation has started end @slow', () => {
  let workers: WorkerProcesses;
  let evaluations: QueuedEvaluations;
  let mark: number;
  beforeEach(async () => {
    mark = seconds++;
    workers = new WorkerProcesses({ size: 1, sources: [BANDIT], graceMs: 100 });
    evaluations = new QueuedEvaluations(workers);
    await evaluations.ready;
  });
  afterEach(() => evaluations.close());

  const begin = async (options: { deadlineMs?: number; signal?: AbortSignal } = {}) => {
    const request = { theta: { x: 0.5, y: 0.1, weather: [1, 0, 0, 0] }, seeds: evaluationSeeds(1), test: false };
    const work = { fault: 'program', programSeconds: mark };
    const job = { id: 'job', source: BANDIT, options: work, runtime: DEFAULT_RUNTIME, request };
    const end = evaluations.submit(job, { owner: 'me', ...options });
    await becomes(mark, 2);
    return { end };
  };

  it('at its deadline', async () => {
    const { end } = await begin({ deadlineMs: 2000 });
    assert.equal((await end).outcome, 'deadline');
    await becomes(mark, 0);
  });

  it('when it is cancelled', async () => {
    const stop = new AbortController();
    const { end } = await begin({ signal: stop.signal });
    stop.abort();
    assert.equal((await end).outcome, 'cancelled');
    await becomes(mark, 0);
  });

  it('when its worker is killed from outside, and the worker is replaced', async () => {
    const { end } = await begin();
    process.kill(workers.pids[0]!, 'SIGKILL');
    assert.equal((await end).outcome, 'failed');
    await becomes(mark, 0);
  });

  it('when the workers are closed', async () => {
    const { end } = await begin();
    await evaluations.close();
    assert.equal((await end).outcome, 'cancelled');
    await becomes(mark, 0);
  });
});

describe('the programs that an evaluation of a server has started end @slow', () => {
  let server: ChildProcess | undefined;
  afterEach(() => server?.kill('SIGKILL'));

  const begin = async (workers: number) => {
    const flags = ['--env', BANDIT, '--port', '0', '--workers', `${workers}`, '--drain-seconds', '0'];
    server = spawn(process.execPath, ['--import', 'tsx', 'scripts/serve.ts', ...flags, '--log', 'silent', '--json'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface(server.stdout!), 'line')) as [string];
    const client = await connect((JSON.parse(line) as { url: string }).url, { reconnectForMs: 0 });
    const mark = seconds++;
    const options = { fault: 'program', programSeconds: mark };
    const environment = await client.open({ env_id: 'Bandit-v0', options });
    environment.evaluate({ action: [0, 0, 0, 0, 0, 0] }).catch(() => {});
    await becomes(mark, 2);
    return { server, mark };
  };

  for (const [signal, workers] of [
    ['SIGTERM', 1],
    ['SIGKILL', 1],
    ['SIGTERM', 0],
  ] as const) {
    it(`with the server, by ${signal}, with ${workers} worker processes`, async () => {
      const { server, mark } = await begin(workers);
      server.kill(signal);
      await once(server, 'exit');
      await becomes(mark, 0);
    });
  }
});
