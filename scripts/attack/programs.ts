/** Programs that go wrong in every way: each evaluation must have the outcome of its fault, and nothing may be left. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connect, type RemoteEnvironment } from '../../agents/client/index.ts';
import { writeImage } from '../../env/dataset/frame.ts';
import { CLASS_ID } from '../../env/streets/classes.ts';
import type { Outcome } from '../../protocol/messages.ts';
import type { Random } from '../../protocol/random.ts';
import { end, serve, type Serving } from '../trust/serving.ts';
import type { Found } from './round.ts';

/** What comes of an evaluation: its outcome, and how its reason reads. */
type Expected = readonly [outcome: Outcome, reason?: RegExp];

/** What each kind of server makes of each fault of faulty.sh; a fault that is not there is not tried. */
type Table = Readonly<Record<string, Expected>>;

const WORKERS = 2;
const SIDE = 16;
/** For programs that would never end. */
const DEADLINE_MS = 1500;

/** Faults that mean the same wherever they happen. */
const COMMON: Table = {
  none: ['ok'],
  infeasible: ['infeasible', /^no room for a car$/],
  signal: ['failed', /ended with signal SIGSEGV/],
  hang: ['deadline'],
  stubborn: ['deadline'],
  cancel: ['cancelled'],
  worker: ['failed', /the worker ended with signal SIGKILL/],
  child: ['ok'],
  leaver: ['ok'],
  flood: ['ok'],
  nonsense: ['ok'],
  nothing: ['failed', /expected files in .*, found none/],
};
const STARTED_ANEW: Table = {
  ...COMMON,
  code: ['failed', /^simulator: ended with exit code 7: no such scene$/],
  disk: ['failed', /No space left on device/],
  missing: ['failed', /exit code 127: .*\/no\/such\/program/],
};
const TRAINER: Table = {
  'trainer:code': ['failed', /^trainer: ended with exit code 7: no such scene$/],
  'trainer:infeasible': ['infeasible', /^no room for a car$/],
  'trainer:hang': ['deadline'],
  'trainer:stubborn': ['deadline'],
  'trainer:leaver': ['ok'],
  'trainer:nothing': ['failed', /result\.json: expected the scores, found no file/],
  'trainer:broken': ['failed', /result\.json: expected JSON/],
  'trainer:diverged': ['diverged'],
};
const WARM: Table = {
  ...COMMON,
  code: ['failed', /^simulator: answered exit 7$/],
  disk: ['failed', /^simulator: answered exit 1$/],
  missing: ['failed', /^simulator: answered exit 127$/],
};
const OURS: Table = { ...STARTED_ANEW, half: ['failed', /000001\.png: expected a readable image/] };

/** The kinds of servers: their flags, the options of the environment, and what share of the evaluations they get. */
const KINDS: readonly {
  readonly warm: boolean;
  readonly trainer: boolean;
  readonly table: Table;
  readonly share: number;
}[] = [
  { warm: false, trainer: true, table: { ...STARTED_ANEW, ...TRAINER }, share: 0.5 },
  { warm: true, trainer: true, table: { ...WARM, ...TRAINER }, share: 0.3 },
  { warm: false, trainer: false, table: OURS, share: 0.2 },
];

export async function programs(folder: string, count: number, random: Random): Promise<Found> {
  const shop = new Shop(join(folder, 'programs'));
  await shop.furnish();
  const seen = new Map<string, number>();
  const wrong: string[] = [];
  for (const kind of KINDS) {
    const names = Object.keys(kind.table);
    const server = await shop.serve(kind, names);
    const client = await connect(server.url);
    const options = { width: SIDE, height: SIDE, trainingImages: 2, ...(!kind.trainer && { steps: 1 }) };
    const environment = await client.open({ env_id: 'Program-v0', options });
    const assassin = new Assassin(shop.path);
    let left = Math.round(count * kind.share);
    const lane = async () => {
      while (left-- > 0) {
        const name = names[random.integer(names.length)]!;
        const { outcome, reason = '' } = await evaluate(environment, names.indexOf(name), name, random);
        seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
        const [expected, rule = /(?:)/] = kind.table[name]!;
        if (outcome !== expected || !rule.test(reason))
          wrong.push(`${name}: expected ${expected}, got ${outcome} (${reason})`);
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, lane));
    assassin.stop();
    await client.close();
    const idle = shop.folders(); // the server has ended every evaluation
    if (idle.length > 0) wrong.push(`${idle.length} folders left beside the server, such as ${idle[0]}`);
    await end(server.process, 'SIGTERM');
  }
  const processes = shop.processes();
  const files = readdirSync(shop.work);
  for (const sentence of wrong) console.log(`  ${sentence}`);
  rmSync(shop.path, { recursive: true });
  return {
    wrong: wrong.length + processes + files.length,
    figures: {
      evaluations: [...seen.values()].reduce((sum, number) => sum + number, 0),
      ...Object.fromEntries([...seen].map(([outcome, number]) => [`with the outcome ${outcome}`, number])),
      'with another outcome or reason': wrong.length,
      'processes left': processes,
      'files left': files.length,
    },
  };
}

/** Makes an evaluation that goes wrong. */
async function evaluate(environment: RemoteEnvironment, fault: number, name: string, random: Random) {
  const stop = new AbortController();
  const timer = name === 'cancel' ? setTimeout(() => stop.abort(), random.uniform(100, 1000)) : undefined;
  const isEndless = /hang|stubborn/.test(name);
  const request = { params: { fault }, ...(isEndless && { deadline_ms: DEADLINE_MS }) };
  try {
    return await environment.evaluate(request, { signal: stop.signal });
  } finally {
    clearTimeout(timer);
  }
}

/** The files of the programs, and what must be gone in the end. */
class Shop {
  readonly work: string;
  /** A number of seconds that no other program sleeps. */
  private readonly mark = `${1e7 + process.pid}`;

  constructor(readonly path: string) {
    this.work = join(path, 'work');
  }

  /** Writes two images, as a set to draw and as sets to score on. */
  async furnish(): Promise<void> {
    const isCar = (i: number) => i % SIDE < SIDE / 2;
    const pixels = Array.from({ length: SIDE ** 2 }, (_, i) => isCar(i));
    const classes = Uint8Array.from(pixels, (car) => (car ? CLASS_ID.car : CLASS_ID.road));
    const rgb = Uint8Array.from(pixels.flatMap((car) => (car ? [200, 30, 30] : [90, 90, 90])));
    mkdirSync(this.work, { recursive: true });
    for (const index of [0, 1])
      await writeImage(join(this.path, 'ready'), index, { width: SIDE, height: SIDE, rgb, classes });
    for (const set of ['validation', 'test'])
      cpSync(join(this.path, 'ready'), join(this.path, 'data', set), { recursive: true });
    const fault = { name: 'fault', low: 0, high: 100, default: 0 };
    writeFileSync(join(this.path, 'parameters.json'), JSON.stringify([fault]));
  }

  serve({ warm, trainer }: (typeof KINDS)[number], names: readonly string[]): Promise<Serving> {
    const script = join(import.meta.dirname, 'faulty.sh');
    const shared = `'${names.join(' ')}' '${join(this.path, 'ready')}' ${this.mark}`;
    const simulator = warm ? `sh ${script} stay ${shared}` : `sh ${script} simulate ${shared} {out} {theta}`;
    const training = trainer ? ['--trainer', `sh ${script} train ${this.mark} {out} {data}`] : [];
    const staying = warm ? ['--warm-simulator', '--calls-per-start', '7'] : [];
    const files = [
      '--parameters',
      join(this.path, 'parameters.json'),
      '--data',
      join(this.path, 'data'),
      '--work',
      this.work,
    ];
    const how = ['--port', '0', '--workers', String(WORKERS), '--journal', join(this.path, `${warm}${trainer}.sqlite`)];
    return serve(undefined, '--simulator', simulator, ...training, ...staying, ...files, ...how);
  }

  /** The working folders of evaluations. */
  folders(): string[] {
    return readdirSync(this.work, { recursive: true, encoding: 'utf8' }).filter((path) => /^[^/]+\/\d+$/.test(path));
  }

  /** The number of processes that the programs have left: they, and what they have started, name the mark. */
  processes(): number {
    const { stdout } = spawnSync('pgrep', ['-fc', `^(sleep|sh .*faulty.sh .*) ?${this.mark}`], { encoding: 'utf8' });
    return Number(stdout.trim() || 0);
  }
}

/** Kills each worker whose program asks for it, by a file with its process id. */
class Assassin {
  private isEnded = false;

  constructor(private readonly folder: string) {
    void this.watch();
  }

  stop(): void {
    this.isEnded = true;
  }

  private async watch(): Promise<void> {
    while (!this.isEnded) {
      for (const name of readdirSync(this.folder).filter((name) => name.startsWith('doomed-'))) {
        const pid = Number(readFileSync(join(this.folder, name), 'utf8'));
        if (!(pid > 1)) continue; // it is not yet written
        rmSync(join(this.folder, name));
        process.kill(pid, 'SIGKILL');
      }
      await pause(20);
    }
  }
}
