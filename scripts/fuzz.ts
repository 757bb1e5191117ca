/**
 * `npm run fuzz -- --cases 200000`: sends a server messages that are nearly correct, wrong ones, and bytes that are no
 * message at all.
 *
 * The server must not end and not stop answering, its workers must live, and another session must get all its rewards
 * meanwhile.
 */
import { WebSocket } from 'ws';
import { integer, seed } from '../agents/run/flags.ts';
import { endDescendants } from '../agents/run/process-family.ts';
import { newCommand, runProgram } from '../agents/run/run-program.ts';
import { connect } from '../agents/client/client.ts';
import { localEnvironment } from '../env/environment.ts';
import { createExperiment, loadDefinition } from '../env/experiments/load.ts';
import { DEFAULT_RUNTIME } from '../env/runtime.ts';
import { encode } from '../protocol/codec.ts';
import { Peer } from '../protocol/conformance/peer.ts';
import type { Codec } from '../protocol/messages.ts';
import { Random } from '../protocol/random.ts';
import { damaged, mutated } from './trust/mutate.ts';
import { RAW_CASES, sendRaw } from './trust/raw-frames.ts';
import { BANDIT, end, serveBandit } from './trust/serving.ts';
import { workerPids } from './trust/worker-pids.ts';

interface Options {
  readonly cases: number;
  readonly seed: number;
}

const options = newCommand('fuzz')
  .description('Sends a server wrong messages, wrong bytes and wrong frames, and checks that it is not harmed.')
  .option('--cases <n>', 'total number of cases', integer(20, 100_000_000), 200_000)
  .option('--seed <n>', 'decides what is sent', seed, 1)
  .parse()
  .opts<Options>();

/** Shares of the cases; all others are mutated messages. */
const DAMAGED = 0.3;
const RAW = 0.01;
/** The number of cases after which the server must answer a ping; and after which the connection is replaced. */
const PING_EVERY = 50;
const CONNECTION_EVERY = 2000;

interface Row {
  readonly kind: string;
  cases: number;
  refused: number;
  closed: number;
}

function templates(session_id: string, n: number): Record<string, unknown>[] {
  const action = [0, 0, 0, 0, 0, 0];
  const step = { step_id: `s${n}`, action, seed: 1, seeds: { order: 3 }, test: false, deadline_ms: 1000 };
  return [
    { t: 'hello', id: n, protocol: [1], client: { name: 'fuzz', version: '1' }, capabilities: ['resume'] },
    { t: 'open', id: n, env_id: 'Bandit-v0', options: { noise: 0.1 }, seed: 7, detach_grace_ms: 0 },
    { t: 'resume', id: n, session_id, resume_token: 'none', last_seq: 0 },
    { t: 'reset', id: n, session_id, seed: 3 },
    { t: 'step', id: n, session_id, ...step, reset: true, progress: true },
    {
      t: 'step',
      id: n,
      session_id,
      step_id: `p${n}`,
      params: { x: 0.5, weather: [0.25, 0.25, 0.25, 0.25] },
      reset: true,
    },
    { t: 'step_batch', id: n, session_id, items: [step, { step_id: `b${n}`, action }], progress: false },
    { t: 'cancel', id: n, session_id, step_id: `s${n - 1}` },
    { t: 'ack', session_id, seq: n },
    { t: 'note', session_id, topic: `n${n % 20}`, value: { evaluations: n, mean: action } },
    { t: 'close', id: n, session_id: `${session_id}x` },
    { t: 'ping', id: n },
  ];
}

/** Sends `count` cases, on a new connection whenever the server has closed the old one. */
async function attack(
  url: string,
  codec: Codec,
  count: number,
  damage: boolean,
  random: Random,
  row: Row,
): Promise<void> {
  let peer: Peer | undefined;
  let session = '';
  for (let i = 0; i < count; i++) {
    if (!peer || peer.socket.readyState !== WebSocket.OPEN) {
      if (peer) row.closed++;
      peer = await Peer.connect(url, codec);
      await peer.ask({ t: 'hello', id: 'hello', protocol: [1] }, 'welcome');
      session = (await peer.ask({ t: 'open', id: 'open', env_id: 'Bandit-v0' }, 'opened')).session_id;
    }
    const all = templates(session, row.cases++);
    const message = all[random.integer(all.length)]!;
    if (damage) {
      const bytes = damaged(Buffer.from(encode(codec, message)), random);
      peer.raw(codec === 'json' && random.chance(0.9) ? bytes.toString('utf8') : bytes);
    } else {
      const wrong = mutated(message, random);
      try {
        peer.send(wrong);
      } catch {
        peer.raw(JSON.stringify(wrong)); // our codec refuses to send it, such as the key __proto__
      }
    }
    if (i % PING_EVERY === PING_EVERY - 1) row.refused += await answers(peer);
  }
  peer?.close();
  if (peer && peer.malformed.length > 0) throw new Error(`the server broke its own schema: ${peer.malformed[0]}`);
}

/** The number of errors since the last call. @throws {Error} when the server does not answer */
async function answers(peer: Peer): Promise<number> {
  if (peer.socket.readyState !== WebSocket.OPEN) return 0;
  const id = `answer me ${performance.now()}`;
  peer.send({ t: 'ping', id });
  let errors = 0;
  for (;;) {
    const message = await Promise.race([peer.next(), peer.closed.then(() => ({ t: 'closed', re: id, code: '' }))]);
    if (message.t === 'error') errors++;
    if (message['re'] === id && message.t !== 'error') return errors;
    if (message['re'] === id && message['code'] === 'RATE_LIMITED') return errors;
  }
}

/** A session that evaluates meanwhile, and counts its evaluations, wrong rewards, and the longest time of one. */
function witness(url: string) {
  const state = { evaluations: 0, wrong: 0, longestMs: 0, stopped: false };
  const done = (async () => {
    const local = localEnvironment(
      createExperiment(await loadDefinition(BANDIT), { noise: 0.2 }, DEFAULT_RUNTIME).experiment,
      1,
    );
    const client = await connect(url, { reconnectForMs: 0 });
    const environment = await client.open({ env_id: 'Bandit-v0', options: { noise: 0.2 } });
    while (!state.stopped) {
      const request = { action: [0, 0, 0, 0, 0, 0], seed: state.evaluations++, reset: true };
      const began = performance.now();
      const { reward } = await environment.evaluate(request);
      state.longestMs = Math.max(state.longestMs, performance.now() - began);
      if (reward !== (await local.step(request)).reward) state.wrong++;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await client.close();
  })();
  return { state, done };
}

async function memoryMb(url: string): Promise<number> {
  const text = await (await fetch(`${url.replace('ws', 'http')}/metrics`)).text();
  return Number(/^lts_memory_bytes (.*)$/m.exec(text)?.[1]) / 1024 ** 2;
}

async function main(): Promise<void> {
  console.log(`fuzz ${JSON.stringify(options)}`);
  const random = new Random(options.seed);
  const server = await serveBandit(0, '--workers', '2');
  const workers = workerPids(server.process.pid!).join();
  const beside = witness(server.url);
  beside.done.catch(() => {});
  const before = await memoryMb(server.url);
  const rows: Row[] = [];
  const raw = Math.max(Object.keys(RAW_CASES).length, Math.round(options.cases * RAW));
  const began = performance.now();
  try {
    for (const [kind, damage, share] of [
      ['mutated messages', false, 1 - DAMAGED],
      ['damaged bytes', true, DAMAGED],
    ] as const) {
      for (const codec of ['msgpack', 'json'] as Codec[]) {
        const row: Row = { kind: `${kind}, ${codec}`, cases: 0, refused: 0, closed: 0 };
        rows.push(row);
        const count = Math.round(((options.cases - raw) * share) / 2);
        while (row.cases < count) {
          await attack(server.url, codec, Math.min(CONNECTION_EVERY, count - row.cases), damage, random, row);
        }
        console.log(`${row.kind}: ${row.cases} cases, ${((performance.now() - began) / 1000).toFixed(0)} s`);
      }
    }
    const row: Row = { kind: 'raw frames', cases: 0, refused: 0, closed: 0 };
    rows.push(row);
    const names = Object.keys(RAW_CASES);
    while (row.cases < raw) {
      const some = Array.from(
        { length: Math.min(20, raw - row.cases) },
        (_, i) => names[(row.cases + i) % names.length]!,
      );
      const ends = some.map((name) => sendRaw(server.port, { name, ...RAW_CASES[name]!(random) }));
      row.cases += some.length;
      row.closed += (await Promise.all(ends)).filter((how) => how === 'closed').length;
    }
    beside.state.stopped = true;
    await beside.done;
    console.log(`\n${'kind'.padEnd(28)} ${'cases'.padStart(8)} ${'refused'.padStart(8)} ${'closed'.padStart(8)}`);
    for (const { kind, cases, refused, closed } of rows) {
      console.log(`${kind.padEnd(28)} ${[cases, refused, closed].map((n) => String(n).padStart(8)).join(' ')}`);
    }
    const total = rows.reduce((sum, { cases }) => sum + cases, 0);
    const { evaluations, wrong, longestMs } = beside.state;
    const sameWorkers = workerPids(server.process.pid!).join() === workers;
    const after = await memoryMb(server.url);
    console.log(`${total} cases in ${((performance.now() - began) / 1000).toFixed(0)} s`);
    console.log(
      `beside them ${evaluations} evaluations, ${wrong} with a wrong reward, the longest ${longestMs.toFixed(0)} ms`,
    );
    console.log(
      `workers ${sameWorkers ? 'are the same' : 'were replaced'}; server's memory ${before.toFixed(0)} → ${after.toFixed(0)} MB`,
    );
    if (wrong > 0 || !sameWorkers || server.process.exitCode !== null) throw new Error('something has suffered');
  } finally {
    await end(server.process, 'SIGTERM');
  }
}

await runProgram('fuzz', () => {
  endDescendants();
  return main();
});
