/** `npm run soak -- --steps 100000`: many connections, instant steps, and the server's memory over time. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { connect } from '../agents/client.ts';
import { integer } from '../agents/flags.ts';
import { end, serveBandit } from './trust/serving.ts';

interface Options {
  readonly steps: number;
  readonly connections: number;
}

const options = new Command('soak')
  .description('Evaluates instant steps over many connections, with a journal, and prints the server’s memory.')
  .option('--steps <n>', 'how many in all', integer(1000, 1e9), 100_000)
  .option('--connections <n>', 'connections, each with a session', integer(1, 200), 20)
  .parse()
  .opts<Options>();

/** How often memory is looked at. */
const LOOKS = 20;
/** Each connection comes and goes so often in all: what is kept of those that are gone would show. */
const RECONNECTIONS = 10;
const MB = 1024 ** 2;

async function look(url: string): Promise<{ memory: number; sessions: number }> {
  const text = await (await fetch(`${url.replace('ws', 'http')}/metrics`)).text();
  const value = (name: string) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
  return { memory: value('lts_memory_bytes') / MB, sessions: value('lts_sessions') };
}

/** Evaluates a share of the steps, half of them one after the other, half in batches. */
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
  const server = await serveBandit(0, '--workers', '1', '--journal', journal);
  const began = performance.now();
  const memory: number[] = [];
  let done = 0;
  let looking = Promise.resolve();
  const lookNow = async () => {
    const { memory: mb, sessions } = await look(server.url);
    memory.push(mb);
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    console.log(
      `${String(done).padStart(9)} steps  ${mb.toFixed(0).padStart(5)} MB  ${sessions} sessions  ${seconds} s`,
    );
  };
  const count = () => {
    done++;
    if (done % Math.ceil(options.steps / LOOKS) === 0) looking = looking.then(lookNow);
  };
  const share = Math.ceil(options.steps / options.connections);
  await Promise.all(Array.from({ length: options.connections }, () => work(server.url, share, count)));
  await looking;
  const seconds = (performance.now() - began) / 1000;
  await end(server.process, 'SIGTERM');
  console.log(
    `${done} steps in ${seconds.toFixed(0)} s, ${(done / seconds).toFixed(0)} a second over ${options.connections} connections`,
  );
  console.log(`journal: ${(statSync(journal).size / MB).toFixed(0)} MB`);
  rmSync(folder, { recursive: true });
  const quarter = (n: number) => Math.max(...memory.slice((n * memory.length) / 4, ((n + 1) * memory.length) / 4));
  const flat = quarter(3) <= 1.15 * quarter(1);
  console.log(
    `highest memory in the second quarter ${quarter(1).toFixed(0)} MB, in the last ${quarter(3).toFixed(0)} MB: ${flat ? 'flat' : 'it grows'}`,
  );
  process.exitCode = flat ? 0 : 1;
}

await main().catch((error: unknown) => {
  console.error(`soak: ${(error as Error).message}`);
  process.exit(1);
});
