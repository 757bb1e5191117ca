import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KERNELS } from '../../scripts/kernels/compile.ts';
import { BANDIT, startBanditServer } from '../env/server/bandit-server.ts';

const ROOT = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'programs-'));
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Ended after each test, or a test that fails would leave them behind. */
const started: ChildProcess[] = [];

function start(command: string, args: readonly string[]): ChildProcess {
  const child = spawn(command, args, { cwd: ROOT, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  started.push(child);
  return child;
}

const node = (...words: string[]) => start(process.execPath, ['--import', 'tsx', ...words]);

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

async function ended(child: ChildProcess): Promise<Ended> {
  let [out, err] = ['', ''];
  child.stdout!.on('data', (data: Buffer) => (out += data.toString()));
  child.stderr!.on('data', (data: Buffer) => (err += data.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
}

/** Does work on each value, two at once. */
async function inPairs<T>(values: readonly T[], work: (value: T) => Promise<void>): Promise<void> {
  const left = [...values];
  const lane = async () => {
    for (let value = left.shift(); value !== undefined; value = left.shift()) await work(value);
  };
  await Promise.all([lane(), lane()]);
}

/** Every program: what has a program's beginning, and the conformance kit. */
const PROGRAMS = ['scripts', 'agents']
  .flatMap((place) => readdirSync(join(ROOT, place)).map((name) => `${place}/${name}`))
  .filter((name) => /\b(runProgram\(|isProgram\(import)/.test(name.endsWith('.ts') ? text(name) : ''))
  .concat('protocol/conformance/run.ts');

function text(name: string): string {
  return readFileSync(join(ROOT, name), 'utf8');
}

const NOWHERE = 'ws://127.0.0.1:1';
const MISSPELT = ['--env-options', '{"presett":"quick"}'];
const SEGMENTATION = ['--env', 'TrafficSegmentation-v0'];

/** Wrong inputs beside a flag that does not exist, and words of the sentence that each ends with. */
const WRONG: readonly (readonly [program: string, flags: readonly string[], words: RegExp])[] = [
  ['scripts/serve.ts', [], /--env: expected at least one environment/],
  ['scripts/serve.ts', ['Mixture-v0'], /expected flags alone, got Mixture-v0; --env names an environment/],
  ['scripts/serve.ts', ['--env', './nothere.ts'], /expected a module at \.\/nothere\.ts, found no such file/],
  ['scripts/serve.ts', ['--env', '.'], /: expected a file, got a folder/],
  ['scripts/serve.ts', ['--env', 'README.md'], /README\.md: expected a module that can be loaded, got: /],
  [
    'scripts/serve.ts',
    ['--env', 'Mixture-v0', '--host', '256.1.1.1', '--token', 'x'],
    /--host: expected an address or a name of this machine, got 256\.1\.1\.1/,
  ],
  ['scripts/serve.ts', ['--env', `${folder}/broken.ts`], /broken\.ts: .*broken\.ts:1/],
  ['scripts/serve.ts', ['--env', BANDIT, '--data', '/doesnotexist'], /^\/doesnotexist: expected a folder/],
  [
    'scripts/serve.ts',
    ['--env', BANDIT, '--journal', '/proc/x/y.sqlite'],
    /\/proc\/x: expected a folder that can be made/,
  ],
  ['scripts/noise.ts', ['--env', 'Nowhere-v0'], /expected an id \(.*got Nowhere-v0/],
  ['scripts/noise.ts', ['--env', 'Mixture-v0', '--preset', 'quick'], /preset: expected one of.*got quick/],
  ['scripts/noise.ts', [...SEGMENTATION, ...MISSPELT], /expected a known option \(preset, .*got presett/],
  ['scripts/noise.ts', ['--env', 'Mixture-v0', '--out', '/proc/x'], /\/proc\/x: expected a folder/],
  ['scripts/table.ts', ['--env', 'Nowhere-v0'], /expected an id \(.*got Nowhere-v0/],
  ['scripts/table.ts', ['--env', 'Mixture-v0', ...MISSPELT], /got presett/],
  ['scripts/table.ts', ['--env', 'Mixture-v0', '--log', '/dev/zero'], /\/dev\/zero: expected a file, got no/],
  ['scripts/table.ts', ['--fit', `${folder}/none.csv`], /none\.json: expected JSON that describes the table/],
  ['scripts/pretrain.ts', ['--env', 'Mixture-v0'], /Mixture-v0: expected an environment that takes weights/],
  ['scripts/pretrain.ts', ['--env', './nothere.ts'], /expected a module at \.\/nothere\.ts, found/],
  ['scripts/bench.ts', [], /expected a command: render, /],
  ['scripts/bench.ts', ['evaluate', '--env', 'Nowhere-v0'], /got Nowhere-v0/],
  [
    'scripts/bench.ts',
    ['python-client', '--python', '/no/python'],
    /--python: expected .*; npm run setup:python makes/,
  ],
  ['scripts/dataset.ts', ['--count', '1', '--out', '/proc/x'], /\/proc\/x: expected a folder/],
  ['scripts/dataset.ts', ['--count', '1', '--out', `${folder}/broken.ts`], /broken\.ts: expected/],
  ['scripts/dataset.ts', ['--count', '1', '--out', folder, '--theta', '{"fogg":1}'], /fogg: expected one of/],
  ['scripts/demo.ts', ['--out', '/proc/x'], /\/proc\/x: expected a folder/],
  ['scripts/scenes.ts', ['--sweep', 'fogg'], /--sweep: expected all or one of/],
  ['scripts/scenes.ts', ['--out', '/proc/x/scenes.png'], /\/proc\/x: expected a folder/],
  ['scripts/reproduce.ts', ['segmentation-real'], /expected --data DIR/],
  [
    'scripts/reproduce.ts',
    ['mixture', '--preset', 'pretrained'],
    /mixture: expected one of its presets \(quick, standard\)/,
  ],
  ['scripts/reproduce.ts', ['mixture', '--out', `${folder}/out`, ...MISSPELT], /got presett/],
  [
    'scripts/reproduce.ts',
    ['mixture', '--out', `${folder}/out`, '--logs', `${folder}/out/logs`],
    /--logs: expected another/,
  ],
  ['scripts/reproduce.ts', ['mixture', '--out', '/proc/x'], /\/proc\/x: expected a folder/],
  ['scripts/reproduce.ts', ['mixture', '--figures-only', '--out', folder, '--logs', folder], /has no logs/],
  ['scripts/transfer.ts', ['--data', '/doesnotexist'], /\/doesnotexist: expected a folder/],
  ['scripts/try-backend.ts', ['tfjs-node', folder], /expected tfjs-node/],
  ['agents/history.ts', ['list', '--url', 'ws://127.0.0.1:2'], /127\.0\.0\.1:2: expected a server, got .*ECONNREFUSED/],
  ['agents/history.ts', ['list', '--url', 'nonsense'], /--url: expected an address.*got nonsense/],
  ['agents/history.ts', ['list', '--outcome', 'bad'], /Allowed choices are ok, infeasible, diverged/],
  ['agents/history.ts', [], /expected a command: list, export, replay/],
  ['agents/cem.ts', ['--url', NOWHERE], /127\.0\.0\.1:1/],
  ['agents/cem.ts', ['--log', 'README.md'], /README\.md, which exists; --resume README\.md goes on with it/],
  [
    'agents/cem.ts',
    ['--search-seeds', '1..2', '--log', 'README.md'],
    /--log: expected a folder, since --search-seeds makes several runs, .*, got the file README\.md$/m,
  ],
  ['agents/cem.ts', ['--evaluations', '-3'], /Expected a number of at least 1, got "-3"/],
  ['agents/cem.ts', ['--resume', 'README.md'], /README\.md, line 1: expected one JSON object/],
  [
    'agents/cem.ts',
    ['--resume', folder],
    /--resume: expected a file, the log of one run, got the folder .*, with --log .*, goes on/,
  ],
  [
    'agents/cem.ts',
    ['--resume', `${folder}/bad.jsonl.gz`],
    /bad\.jsonl\.gz: expected a log to write to, got a compressed/,
  ],
  [
    'agents/cem.ts',
    ['--log', folder],
    /--log: expected a file, since .*, got the folder .*; with --search-seeds it is a folder/,
  ],
  [
    'agents/cem.ts',
    ['--log', `${folder}/none/`],
    /--log: expected a file, since one run has one log, got the folder .*none\/;/,
  ],
  [
    'agents/cem.ts',
    ['--env-options', '{"preset": quick}'],
    /'--env-options <json>' .*\. the JSON, line 1, column 12: expected JSON, got quick} after {"preset":/,
  ],
  [
    'agents/cem.ts',
    ['--env-options', `${folder}/broken.json`],
    /\. \S+\/broken\.json, line 3, column 11: expected JSON, got "high": 1 after { "fog": {"low": 0/,
  ],
  ['agents/cem.ts', ['--log', '/dev/full'], /\/dev\/full: expected a file, got no regular file/],
  ['agents/cem.ts', ['--env-options', '/dev/zero'], /\/dev\/zero: expected a file, got no regular file/],
  ['scripts/compare.ts', ['/dev/zero'], /\/dev\/zero: expected a file, got no regular file/],
  ['scripts/compare.ts', [`${folder}/bad.jsonl.gz`], /bad\.jsonl\.gz: expected a file that gzip has compressed/],
  ['scripts/noise.ts', ['--env', 'Mixture-v0', '--log', '/dev/zero'], /\/dev\/zero: expected a file, got no/],
  ['protocol/conformance/run.ts', [], /expected either a URL or --client/],
  ['protocol/conformance/run.ts', [NOWHERE], /ECONNREFUSED/],
  [
    'protocol/conformance/run.ts',
    [NOWHERE, '--env-options', '{bad'],
    /--env-options, line 1, column 2: expected JSON, got bad after { \(invalid symbol\)$/m,
  ],
];

/** A program's last words: one sentence on one line, no stack, and an exit code that says so. */
function assertSentence({ code, err }: Ended, what: string): void {
  assert.match(err, /^[^\n]+\n$/, `${what}: ${err}`);
  assert.ok(!/^Error|\bat .*:\d+:\d+/.test(err), `${what}: ${err}`);
  assert.ok(code === 1 || code === 2, `${what}: exit code ${code}`);
}

describe('a program @slow', () => {
  before(() => {
    writeFileSync(join(folder, 'broken.ts'), 'export default defineExperiment({;\n');
    writeFileSync(join(folder, 'broken.json'), '{\n  "fog": {"low": 0\n          "high": 1\n}}\n');
    writeFileSync(join(folder, 'bad.jsonl.gz'), 'no gzip');
  });
  after(() => rmSync(folder, { recursive: true }));
  afterEach(() => {
    for (const child of started.splice(0)) child.kill('SIGKILL');
  });

  it('refuses in a sentence a flag that it does not know', async () => {
    assert.ok(PROGRAMS.length >= 24, PROGRAMS.join());
    await inPairs(PROGRAMS, async (name) => {
      const end = await ended(node(name, '--nosuchflag'));
      assertSentence(end, name);
      assert.match(end.err, /unknown option '--nosuchflag'|required (option|argument)/, name);
    });
  }).timeout(300_000);

  it('says in a sentence what is wrong with its input', async () => {
    await inPairs(WRONG, async ([name, flags, words]) => {
      const end = await ended(node(name, ...flags));
      const what = [name, ...flags].join(' ');
      assertSentence(end, what);
      assert.match(end.err, words, what);
      // What a benchmark needs, it finds out while it measures.
      if (name !== 'scripts/bench.ts')
        assert.doesNotMatch(end.out, /^[\w -]*\{"/m, `${what}: options before the error`);
    });
  }).timeout(300_000);

  it('does nothing but explain itself when it is asked for help', async () => {
    const files = [...KERNELS.map(({ output }) => output), 'env/README.md'].map((file) => join(ROOT, file));
    const times = () => files.map((file) => statSync(file).mtimeMs);
    const before = times();
    await inPairs(PROGRAMS, async (name) => {
      const { code, out } = await ended(node(name, '--help'));
      assert.deepEqual([code, out.startsWith('Usage: ')], [0, true], name);
    });
    assert.deepEqual(times(), before);
  }).timeout(300_000);

  it('ends without a word when nobody reads what it prints', async () => {
    const cases = [
      ['scripts/scenes.ts', '--count', '1', '--width', '32', '--height', '24', '--out', join(folder, 'scenes.png')],
      ['scripts/dataset.ts', '--count', '1', '--width', '32', '--height', '24', '--out', join(folder, 'data')],
      ['protocol/conformance/run.ts', '--client', 'true'],
    ];
    await inPairs(cases, async (words) => {
      const child = node(...words);
      child.stdout!.destroy();
      const { code, err } = await ended(child);
      assert.deepEqual([code, err], [141, ''], words[0]);
    });
  });

  describe('ends whole', () => {
    /** The processes that a process has started, with itself. */
    function family(pid: number): number[] {
      const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' }).trim().split('\n');
      const all = lines.map((line) => line.trim().split(/\s+/));
      const of = (parent: number): number[] => [
        parent,
        ...all.filter(([, ppid]) => Number(ppid) === parent).flatMap(([child]) => of(Number(child))),
      ];
      return of(pid);
    }

    function alive(pids: readonly number[]): number[] {
      const list = execFileSync('ps', ['-A', '-o', 'pid=,stat='], { encoding: 'utf8' }).trim().split('\n');
      const running = list.map((line) => line.trim().split(/\s+/)).filter(([, state]) => !state!.startsWith('Z'));
      return running.map(([pid]) => Number(pid)).filter((pid) => pids.includes(pid));
    }

    /** Sends a signal to what was typed, alone, when the output says that it is under way, and waits until all has ended. */
    async function endsWhole(command: string, isUnderWay: RegExp, signal: NodeJS.Signals): Promise<string> {
      const [program, ...args] = command.split(' ') as [string, ...string[]];
      const child = start(program, args);
      let output = '';
      for (const stream of [child.stdout!, child.stderr!])
        stream.on('data', (data: Buffer) => (output += data.toString()));
      while (!isUnderWay.test(output)) {
        assert.equal(child.exitCode, null, output);
        await pause(50);
      }
      const pids = family(child.pid!);
      child.kill(signal);
      const until = performance.now() + 15_000;
      while (alive(pids).length > 0 && performance.now() < until) await pause(50);
      const left = alive(pids);
      left.forEach((pid) => process.kill(pid, 'SIGKILL'));
      assert.deepEqual(left, [], `${command}, ${signal}: some of ${pids.join(' ')} are left`);
      return output;
    }

    const SERVE = `--env ${BANDIT} --port 0 --workers 1 --log silent`;
    for (const [command, signals] of [
      [`npm run serve -- ${SERVE}`, ['SIGTERM', 'SIGINT', 'SIGKILL']],
      [`node --import tsx scripts/serve.ts ${SERVE}`, ['SIGTERM', 'SIGINT', 'SIGKILL']],
      // To SIGINT alone the shell between npx and tsx does not react, and passes it to nobody.
      [`npx tsx scripts/serve.ts ${SERVE}`, ['SIGTERM', 'SIGKILL']],
    ] as const) {
      for (const signal of signals) {
        it(`the server of ${command.split(' --env')[0]}, by ${signal}`, async () => {
          const output = await endsWhole(command, /is ready/, signal);
          const url = /^ws(:\S+) is ready/m.exec(output)![1]!;
          await assert.rejects(fetch(`http${url}/healthz`), 'the server still answers');
        });
      }
    }

    for (const [command, signal] of [
      ['npx tsx agents/cem.ts', 'SIGTERM'],
      ['node --import tsx agents/cem.ts', 'SIGINT'],
      ['npx tsx agents/cem.ts', 'SIGKILL'],
    ] as const) {
      it(`the agent of ${command}, by ${signal}`, async () => {
        const server = await startBanditServer();
        const flags = `--url ${server.url} --env-options {"delayMs":300} --log ${folder}/${signal}.jsonl`;
        await endsWhole(`${command} ${flags}`, /^\[ *1\//m, signal).finally(() => server.stop());
      });
    }

    it('a program that computes without a pause', async () => {
      await endsWhole(`npx tsx scripts/scenes.ts --sweep all --out ${folder}/sweep.png`, /^\{/, 'SIGTERM');
    });

    it('a program whose wrapper ends before it has begun', async () => {
      const mark = join(folder, 'early.png');
      const ofMark = () => {
        const lines = execFileSync('ps', ['-A', '-o', 'pid=,args='], { encoding: 'utf8' }).trim().split('\n');
        return lines.filter((line) => line.includes(mark)).map((line) => Number.parseInt(line, 10));
      };
      for (const command of ['npx tsx scripts/scenes.ts', 'npm run scenes --']) {
        const [program, ...args] = command.split(' ') as [string, ...string[]];
        const child = start(program, [...args, '--sweep', 'all', '--out', mark]);
        while (ofMark().length < 2) await pause(20); // the wrapper and what it starts
        child.kill('SIGKILL');
        for (let tries = 0; ofMark().length > 0 && tries < 200; tries++) await pause(100);
        const left = ofMark();
        left.forEach((pid) => process.kill(pid, 'SIGKILL'));
        assert.deepEqual(left, [], command);
      }
    });

    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      it(`programs that have started others, by ${signal}`, async () => {
        const data = `--count 100000 --workers 2 --width 32 --height 24 --out ${folder}/${signal}`;
        await endsWhole(`npm run dataset -- ${data}`, /^100 of /m, signal);
        await endsWhole('npm run kill-rounds -- --rounds 1000', /^kill-rounds/m, signal);
        await endsWhole(
          `npm run noise -- --env ${BANDIT} --env-options {"delayMs":100} --out ${folder} --log ${folder}/noise-${signal}`,
          /^1 of/m,
          signal,
        );
      }).timeout(120_000);
    }
  });
});
