/** What a queue costs beside child processes of one's own: time an evaluation, evaluations a second, and how it scales. */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { evaluationSeeds } from '../../env/evaluate.ts';
import { loadDefinition } from '../../env/experiments/load.ts';
import { DEFAULT_RUNTIME } from '../../env/runtime.ts';
import type { Evaluations } from '../../env/workers/evaluations.ts';
import { processEvaluations } from '../../env/workers/processes/process-evaluations.ts';
import { queueEvaluations } from '../../env/workers/queue/queue-evaluations.ts';
import { poolEnvironment } from '../../env/workers/queue/pool.ts';
import { exactBuild } from '../queue-flags.ts';
import { startRedis } from '../trust/redis.ts';
import { end, program } from '../trust/serving.ts';
import { median } from './rounds.ts';

export interface QueueBenchOptions {
  readonly evaluations: number;
  readonly workers: number;
  readonly json?: true;
}

const NOOP = 'scripts/bench/noop-environment.ts';
/** Evaluations that wait without work, so that two cores can have eight at once. */
const WAITING_MS = 200;
const MOST = 8;
/** How long workers that wait are measured. */
const IDLE_S = 10;

let number = 0;
const evaluate = async (evaluations: Evaluations, delayMs: number) => {
  const id = `step-bench-${process.pid}-${number++}`;
  const request = { theta: { x: 0.5 }, seeds: evaluationSeeds(number), test: false };
  const job = { id, source: NOOP, options: { delayMs }, runtime: DEFAULT_RUNTIME, request };
  const { outcome, reason } = await evaluations.submit(job, { owner: 'bench' });
  if (outcome !== 'ok') throw new Error(`queue: expected outcome ok, got ${outcome} (${reason})`);
};

/** The median time of an evaluation, one after the other, in milliseconds. */
async function millisecondsEach(evaluations: Evaluations, delayMs: number, count: number): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    await evaluate(evaluations, delayMs);
    times.push(performance.now() - began);
  }
  return median(times);
}

/** Evaluations a second, all asked for at once. */
async function perSecond(evaluations: Evaluations, delayMs: number, count: number): Promise<number> {
  const began = performance.now();
  await Promise.all(Array.from({ length: count }, () => evaluate(evaluations, delayMs)));
  return (1000 * count) / (performance.now() - began);
}

async function withReady<T>(evaluations: Evaluations, places: number, measure: () => Promise<T>): Promise<T> {
  try {
    await evaluations.ready;
    while (evaluations.counts.readyWorkers < places) await pause(50);
    await perSecond(evaluations, 0, 2 * places); // the first ones load the experiment
    return await measure();
  } finally {
    await evaluations.close();
  }
}

/** Measures on child processes. */
function onProcesses<T>(size: number, measure: (evaluations: Evaluations) => Promise<T>): Promise<T> {
  const evaluations = processEvaluations({ size, sources: [NOOP] });
  return withReady(evaluations, size, () => measure(evaluations));
}

/** What an evaluation costs each program, and a second in which so many workers say that they are there, in CPU ms. */
interface Cost {
  readonly server: number;
  readonly redis: number;
  readonly worker: number;
}

/** The CPU time of a process so far, in milliseconds; Linux counts it in hundredths of a second. */
function cpuMs(pid: number): number {
  const [, fields] = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ');
  const [user, system] = fields!.split(' ').slice(11, 13);
  return 10 * (Number(user) + Number(system));
}

/** The CPU time of server, Redis and worker program while something happens, by the count of it. */
async function costOf(pids: Cost, count: number, happens: () => Promise<unknown>): Promise<Cost> {
  const all = () => [cpuMs(pids.server), cpuMs(pids.redis), cpuMs(pids.worker)] as const;
  const before = all();
  await happens();
  const [server, redis, worker] = all().map((ms, i) => (ms - before[i]!) / count) as [number, number, number];
  return { server, redis, worker };
}

/** Measures on one worker program with so many places, through a Redis of its own. */
async function onQueue<T>(
  places: number,
  measure: (evaluations: Evaluations, pids: Cost, url: string) => Promise<T>,
): Promise<T> {
  const redis = await startRedis();
  const environments = { [NOOP]: poolEnvironment(NOOP, await loadDefinition(NOOP), DEFAULT_RUNTIME) };
  const evaluations = queueEvaluations({
    size: 0,
    sources: [NOOP],
    environments,
    queue: { url: redis.url, build: await exactBuild(), mixedBackends: false },
    longestMs: 60_000,
    outlives: false,
  });
  const flags = ['--env', NOOP, '--queue', redis.url, '--workers', `${places}`, '--log', 'warn'];
  const worker = program('scripts/worker.ts', flags, 'ignore');
  const pids = { server: process.pid, redis: redis.process.pid!, worker: worker.pid! };
  try {
    return await withReady(evaluations, places, () => measure(evaluations, pids, redis.url));
  } finally {
    await end(worker, 'SIGTERM');
    await redis.stop();
  }
}

/** What workers cost that do nothing but say that they are there: CPU ms a second. */
async function idleCost(pids: Cost, url: string, count: number): Promise<Cost> {
  const simulated = program('scripts/bench/queue-records.ts', [url, `${count}`], 'ignore');
  try {
    await pause(3_000); // it starts
    return await costOf(pids, IDLE_S, () => pause(1000 * IDLE_S));
  } finally {
    await end(simulated, 'SIGKILL');
  }
}

const shownCost = ({ server, redis, worker }: Cost) =>
  `server ${server.toFixed(2)} ms, Redis ${redis.toFixed(2)} ms, worker program ${worker.toFixed(2)} ms`;

export async function benchQueue({ evaluations: count, workers, json }: QueueBenchOptions): Promise<void> {
  const one = (evaluations: Evaluations) => millisecondsEach(evaluations, 0, count);
  const rate = (evaluations: Evaluations) => perSecond(evaluations, 0, 4 * count);
  // Whole rounds of all places.
  const waiting = (evaluations: Evaluations) => perSecond(evaluations, WAITING_MS, MOST * Math.ceil(count / MOST));
  const alone = await onProcesses(1, one);
  const queued = await onQueue(1, one);
  console.log(`one no-op evaluation: child process ${alone.toFixed(1)} ms, queue ${queued.toFixed(1)} ms`);
  const rates = [await onProcesses(2, rate), await onQueue(2, rate)] as const;
  console.log(
    `no-op evaluations a second, 2 places: child processes ${rates[0].toFixed(0)}, queue ${rates[1].toFixed(0)}`,
  );
  const scaling = [await onQueue(1, waiting), await onQueue(MOST, waiting)] as const;
  const times = scaling[1] / scaling[0];
  console.log(
    `evaluations of ${WAITING_MS} ms: ${MOST} places of the queue do ${times.toFixed(2)} times the work of 1`,
  );
  const [each, idle] = await onQueue(MOST, async (evaluations, pids, url) => [
    await costOf(pids, 4 * count, () => rate(evaluations)),
    await idleCost(pids, url, workers),
  ]);
  console.log(`CPU time of one no-op evaluation: ${shownCost(each)}`);
  console.log(`CPU time a second of ${workers} workers that wait: ${shownCost(idle)}`);
  if (json)
    console.log(JSON.stringify({ overheadMs: queued - alone, perSecond: rates[1], scaling: times, each, idle }));
}
