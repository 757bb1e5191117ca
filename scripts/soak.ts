/** `npm run soak -- --steps 100000`: many connections, instant steps, and the server's memory over time. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../agents/client/client.ts';
import { integer } from '../agents/run/flags.ts';
import { endDescendants } from '../agents/run/process-family.ts';
import { newCommand, runProgram } from '../agents/run/run-program.ts';
import type { Weight } from './trust/weighed-server.ts';

interface Options {
  readonly steps: number;
  readonly connections: number;
}

const options = newCommand('soak')
  .description('Evaluates instant steps over many connections, with a journal, and measures the server’s memory.')
  .option('--steps <n>', 'total number of steps', integer(1000, 1e9), 100_000)
  .option('--connections <n>', 'number of connections, each with a session', integer(1, 200), 20)
  .parse()
  .opts<Options>();

/** The number of times that memory is measured. */
const LOOKS = 40;
/** The number of times that each connection is closed and opened again, to find memory that closed ones leave behind. */
const RECONNECTIONS = 10;
/** A step's id alone takes twice as much, so a server that keeps anything of each step is above this limit. */
const MOST_BYTES_A_STEP = 50;
/** SQLite's cache is 16 MB of it. */
const MOST_BUFFERS = 40 * 1024 ** 2;
const MB = 1024 ** 2;

const mb = (bytes: number) => `${(bytes / MB).toFixed(1)} MB`;

/** Starts the server in a process that collects its garbage before its memory is measured. */
async function startServer(journal: string) {
  const path = join(import.meta.dirname, 'trust/weighed-server.ts');
  const process = fork(path, [journal], { execArgv: ['--import', 'tsx', '--expose-gc'] });
  const [{ url }] = (await once(process, 'message')) as [{ url: string }];
  return {
    url,
    async weigh(): Promise<Weight> {
      process.send('weigh');
      const [weight] = (await once(process, 'message')) as [Weight];
      return weight;
    },
    async stop(): Promise<void> {
      process.disconnect();
      await once(process, 'exit');
    },
  };
}

/** Evaluates a share of the steps: batches of at most 32, or one step if an odd number is left. */
async function work(url: string, steps: number, count: () => void): Promise<void> {
  for (let left = steps; left > 0;) {
    const client = await connect(url);
    const environment = await client.open({ env_id: 'Bandit-v0' });
    const until = Math.max(0, left - Math.ceil(steps / RECONNECTIONS));
    while (left > until) {
      const size = left % 2 === 0 ? Math.min(32, left - until) : 1;
      const requests = Array.from({ length: size }, () => ({ action: [0, 0, 0, 0, 0, 0] }));
      const results = await environment.evaluateBatch(requests);
      if (results.some(({ outcome }) => outcome !== 'ok')) throw new Error('expected every outcome to be ok');
      left -= size;
      for (let i = 0; i < size; i++) count();
    }
    await client.close();
  }
}

async function main(): Promise<void> {
  console.log(`soak ${JSON.stringify(options)}`);
  const folder = mkdtempSync(join(tmpdir(), 'lts-soak-'));
  const journal = join(folder, 'journal.sqlite');
  const server = await startServer(journal);
  const began = performance.now();
  const weights: Weight[] = [];
  let done = 0;
  let looking = Promise.resolve();
  const look = async (steps: number) => {
    const weight = await server.weigh();
    weights.push(weight);
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    const memory = `kept ${mb(weight.kept)}  buffers ${mb(weight.buffers)}  resident ${mb(weight.resident)}`;
    console.log(`${String(steps).padStart(9)} steps  ${memory}  ${seconds} s`);
  };
  const every = Math.ceil(options.steps / LOOKS);
  const count = () => {
    const steps = ++done;
    if (steps % every === 0) looking = looking.then(() => look(steps));
  };
  const share = Math.ceil(options.steps / options.connections);
  await Promise.all(Array.from({ length: options.connections }, () => work(server.url, share, count)));
  await looking;
  const seconds = (performance.now() - began) / 1000;
  await server.stop();
  const rate = (done / seconds).toFixed(0);
  console.log(`${done} steps in ${seconds.toFixed(0)} s, ${rate} a second over ${options.connections} connections`);
  console.log(`journal: ${(statSync(journal).size / MB).toFixed(0)} MB`);
  rmSync(folder, { recursive: true });
  process.exitCode = judge(weights) ? 0 : 1;
}

/**
 * Whether memory grows: compares the lowest measurement of the end with the lowest of the middle. The lowest, because
 * results that are not written yet come and go; not with the beginning, because the beginning fills caches.
 *
 * @returns true if it does not grow
 */
function judge(weights: readonly Weight[]): boolean {
  const lowest = (from: number, to: number) =>
    Math.min(...weights.slice(from * weights.length, to * weights.length).map(({ kept }) => kept));
  const [middle, last] = [lowest(0.2, 0.6), lowest(0.6, 1)];
  const aStep = (last - middle) / (0.4 * options.steps);
  const buffers = Math.max(...weights.map(({ buffers }) => buffers));
  const flat = aStep < MOST_BYTES_A_STEP && buffers < MOST_BUFFERS;
  console.log(
    `kept ${mb(middle)} in the middle, ${mb(last)} at the end: ${aStep.toFixed(1)} bytes a step; ` +
      `buffers at most ${mb(buffers)}: ${flat ? 'flat' : 'it grows'}`,
  );
  return flat;
}

await runProgram('soak', () => {
  endDescendants();
  return main();
});
