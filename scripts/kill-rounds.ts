/**
 * `npm run kill-rounds -- --rounds 200`: kills agent, worker or server with SIGKILL, again and again, at random moments.
 *
 * With `--queue`, evaluations also run in two worker programs that a Redis connects, and these programs and the Redis are
 * killed too, and now and then one of the programs is frozen, until long after its evaluations have moved.
 *
 * In the end no evaluation may be lost, counted twice, or have the reward of another.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChildProcess } from 'node:child_process';
import { integer, seed } from '../agents/run/flags.ts';
import { linesSoFar } from '../agents/run/line-log.ts';
import { endDescendants } from '../agents/run/process-family.ts';
import { newCommand, runProgram } from '../agents/run/run-program.ts';
import { localEnvironment } from '../env/environment.ts';
import { createExperiment, loadDefinition } from '../env/experiments/load.ts';
import { DEFAULT_RUNTIME } from '../env/runtime.ts';
import { SqliteStore } from '../env/server/sqlite-store.ts';
import { Random } from '../protocol/random.ts';
import { actionOf, type AgentLine } from './trust/kill-agent.ts';
import { startRedis } from './trust/redis.ts';
import { BANDIT, end, program, serveBandit } from './trust/serving.ts';
import { workerPids } from './trust/worker-pids.ts';

interface Options {
  readonly rounds: number;
  readonly seed: number;
  readonly queue?: true;
  readonly freezeSeconds: number;
}

const options = newCommand('kill-rounds')
  .description('Kills agent, worker or server at random moments, and counts what was lost, doubled or mixed up.')
  .option('--rounds <n>', 'number of processes to kill', integer(1, 100_000), 200)
  .option('--seed <n>', 'decides which process is killed when', seed, 1)
  .option('--queue', 'with workers on a Redis of its own; these, and the Redis, are killed too')
  .option('--freeze-seconds <n>', 'how long a worker of the queue is frozen, one after the other', integer(1, 3600), 90)
  .parse()
  .opts<Options>();

const VICTIMS = ['agent', 'worker', 'server', ...(options.queue ? (['program', 'redis'] as const) : [])] as const;
type Victim = 'agent' | 'worker' | 'server' | 'program' | 'redis' | 'frozen program';
/** The number of worker programs on the queue; one more is frozen now and then, and never killed. */
const PROGRAMS = 2;

/** A frozen worker's pause between two freezes. */
const FREEZE_AGAIN_MS = 10_000;

const folder = mkdtempSync(join(tmpdir(), 'lts-kill-'));
const paths = {
  journal: join(folder, 'journal.sqlite'),
  results: join(folder, 'results.jsonl'),
  stop: join(folder, 'stop'),
};
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A worker program that is frozen, goes on, and is frozen again, until `stop` is called. */
function freezing(start: () => ChildProcess) {
  const child = start();
  let count = 0;
  const freeze = () => {
    count++;
    child.kill('SIGSTOP');
    timer = setTimeout(thaw, options.freezeSeconds * 1000);
  };
  const thaw = () => {
    child.kill('SIGCONT');
    timer = setTimeout(freeze, FREEZE_AGAIN_MS);
  };
  let timer = setTimeout(freeze, FREEZE_AGAIN_MS);
  return {
    async stop() {
      clearTimeout(timer);
      child.kill('SIGCONT');
      await end(child, 'SIGTERM');
      return count;
    },
  };
}

async function killThem(): Promise<Partial<Record<Victim, number>>> {
  const random = new Random(options.seed);
  const redis = options.queue && (await startRedis());
  const queue = redis ? ['--queue', redis.url] : [];
  const flags = ['--journal', paths.journal, '--workers', redis ? '1' : '2', ...queue];
  const startProgram = () =>
    program('scripts/worker.ts', ['--env', BANDIT, '--workers', '1', '--log', 'silent', ...queue], 'ignore');
  let server = await serveBandit(0, ...flags);
  const startAgent = () => program('scripts/trust/kill-agent.ts', [server.url, paths.results, paths.stop], 'ignore');
  let agent = startAgent();
  const programs = redis ? Array.from({ length: PROGRAMS }, startProgram) : [];
  const freezer = redis && freezing(startProgram);
  const killed: Partial<Record<Victim, number>> = {};
  const began = performance.now();
  for (let round = 1; round <= options.rounds; round++) {
    // So that processes are killed while they start as well as in the middle of their work.
    await pause(random.chance(0.5) ? random.uniform(0, 200) : random.uniform(300, 1800));
    const victim = VICTIMS[random.integer(VICTIMS.length)]!;
    killed[victim] = (killed[victim] ?? 0) + 1;
    if (victim === 'agent') {
      await end(agent, 'SIGKILL');
      agent = startAgent();
    } else if (victim === 'server') {
      await end(server.process, 'SIGKILL');
      server = await serveBandit(server.port, ...flags);
    } else if (victim === 'program') {
      const i = random.integer(programs.length);
      await end(programs[i]!, 'SIGKILL');
      programs[i] = startProgram();
    } else if (victim === 'redis') {
      await redis!.killAndRestart(random.uniform(0, 2000));
    } else {
      const parents = [server.process, ...programs];
      const workers = parents.flatMap(({ pid }) => workerPids(pid!));
      if (workers.length > 0) process.kill(workers[random.integer(workers.length)]!, 'SIGKILL');
    }
    if (agent.exitCode !== null) throw new Error(`the agent ended by itself, in round ${round}`);
    if (round % 20 === 0) {
      const seconds = ((performance.now() - began) / 1000).toFixed(0);
      console.log(`round ${round} of ${options.rounds}, ${linesSoFar(paths.results).length} lines, ${seconds} s`);
    }
  }
  writeFileSync(paths.stop, '');
  const [code] = agent.exitCode === null ? ((await once(agent, 'exit')) as [number | null]) : [agent.exitCode];
  if (code !== 0) throw new Error(`the agent ended with ${code}`);
  if (freezer) killed['frozen program'] = await freezer.stop();
  await Promise.all([server.process, ...programs].map((child) => end(child, 'SIGTERM')));
  await redis?.stop();
  return killed;
}

/** Compares the agent's log with the journal and with the correct rewards. */
async function count() {
  const results = linesSoFar<AgentLine>(paths.results).filter(({ result }) => result !== undefined);
  const ok = results.filter(({ result }) => result!.outcome === 'ok');
  const numbers = ok.map(({ n }) => n!);
  const highest = Math.max(...numbers);
  const lost = Array.from({ length: highest + 1 }, (_, n) => n).filter((n) => !numbers.includes(n)).length;
  const doubled = numbers.length - new Set(numbers).size;

  const definition = await loadDefinition(BANDIT);
  const local = localEnvironment(
    createExperiment(definition, { noise: 0.3, delayMs: 0 }, DEFAULT_RUNTIME).experiment,
    5,
  );
  let mixedUp = 0;
  for (const { n, result } of ok) {
    const expected = await local.step({ action: actionOf(n!), seed: n!, reset: true });
    if (expected.reward !== result!.reward || result!.seed !== n) mixedUp++;
  }

  const store = new SqliteStore(paths.journal);
  const kept = [...store.history({ limit: 1_000_000 })].flat();
  const unfinished = [...new Set(kept.map(({ session_id }) => session_id))].flatMap((id) => store.unfinishedSteps(id));
  store.close();
  const gaps = kept
    .map(({ seq }) => seq)
    .sort((a, b) => a - b)
    .filter((seq, i) => seq !== i + 1).length;
  const known = new Set(results.map(({ result }) => result!.step_id));
  const unheard = kept.filter(({ step_id }) => !known.has(step_id)).length;
  const failed = results.length - ok.length;
  return { evaluations: ok.length, failed, lost, doubled, mixedUp, gaps, unheard, unfinished: unfinished.length };
}

async function main(): Promise<void> {
  console.log(`kill-rounds ${JSON.stringify(options)}; files in ${folder}`);
  const killed = await killThem();
  const { evaluations, failed, ...wrong } = await count();
  const rows: [string, number][] = [
    ...Object.entries(killed).map(([victim, n]): [string, number] => [
      victim === 'frozen program' ? 'times a worker program was frozen' : `times ${victim} killed`,
      n,
    ]),
    ['evaluations with a score', evaluations],
    ['evaluations that failed with their worker, and were tried again', failed],
    ['lost: no result in the agent’s log', wrong.lost],
    ['counted twice in the agent’s log', wrong.doubled],
    ['with another’s reward or seed', wrong.mixedUp],
    ['gaps in the journal’s sequence of results', wrong.gaps],
    ['results in the journal that the agent never had', wrong.unheard],
    ['steps in the journal that never ended', wrong.unfinished],
  ];
  for (const [what, n] of rows) console.log(`${String(n).padStart(7)}  ${what}`);
  const right = Object.values(wrong).every((n) => n === 0);
  if (right) rmSync(folder, { recursive: true });
  console.log(right ? 'nothing lost, nothing doubled, nothing mixed up' : `something is wrong; see ${folder}`);
  process.exitCode = right ? 0 : 1;
}

await runProgram('kill-rounds', () => {
  endDescendants();
  return main();
});
