import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBanditServer } from './env/server/bandit-server.ts';

const root = join(import.meta.dirname, '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** The lines of README's shell blocks. */
const commands = [...readme.matchAll(/^```sh\n([^]*?)^```/gm)].flatMap((block) =>
  block[1]!
    .replace(/ \\\n +/g, ' ')
    .trim()
    .split('\n'),
);

/** What shortens a command for a test; null: not run here, for the reason beside it. */
const shorter: Readonly<Record<string, string | null>> = {
  'npm ci && npm run demo': '--evaluations 8 --out OUT/demo',
  'npm ci && npm test': null, // this is it
  'npm run serve -- --env TrafficSegmentation-v0': '',
  'npm run dataset -- --count 60': null, // 'searches for the θ of a simulator of one’s own' runs these
  'npm run serve -- --simulator': null,
  'npm run check-program -- --simulator': null, // test/scripts/check-program.test.ts runs it
  'node --import tsx agents/gaussian-process.ts': null,
  'node --import tsx agents/reinforce.ts': '',
  'node --import tsx agents/random-search.ts': '',
  'node --import tsx agents/cem.ts': '',
  'npm run compare -- runs/agents': null, // test/scripts/compare/compare.test.ts runs it
  'npm run report -- runs/agents': null, // test/scripts/report.test.ts runs it
  'node --import tsx agents/hill-climber.ts': null, // 'has an example agent that climbs' does
  'pip install': null, // for those who have Python; test/protocol/examples.test.ts runs what it is for
  'python3 protocol/examples/random_search.py': null,
  'python3 agents/python/examples/optuna_tpe.py': null, // agents/python/tests/test_examples.py runs it
  'npm run reproduce -- mixture': null, // test/scripts/reproduce/mixture.test.ts runs it
  'npm run scenes -- --theta': '--out OUT/scenes.png',
  'npm run scenes -- --sweep': '--count 3 --out OUT/sweep.png',
  'npm run setup:backbone': null, // needs pip and 17 MB; test/scripts/setup-backbone.test.ts has the rest
  'npm run setup:native': null, // needs pip, a compiler and 300 MB; test/scripts/setup-native.test.ts has the rest
};
const QUICK = `--env-options '{"preset":"quick","steps":10}' --evaluations 2 --finalists 1 --finalist-seeds 1 --report-seeds 1`;

/** Groups of processes that were started and have not ended. */
const groups = new Set<number>();

/** Runs a command line in a shell, as a reader would; the group of its processes can be signalled as Ctrl-C does. */
function start(line: string) {
  const child = spawn('bash', ['-c', line], { cwd: root, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  groups.add(child.pid!);
  let output = '';
  let ended = false;
  const collect = (data: Buffer) => (output += data.toString());
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  return {
    output: () => output,
    ended: () => ended,
    end: once(child, 'close').then(([code]) => {
      ended = true;
      groups.delete(child.pid!);
      return { code: code as number | null, output };
    }),
    interrupt: () => process.kill(-child.pid!, 'SIGINT'),
  };
}

describe('README', () => {
  let out: string;
  before(() => {
    out = mkdtempSync(join(tmpdir(), 'readme-'));
  });
  after(() => {
    for (const group of groups) process.kill(-group, 'SIGKILL'); // a test that failed half-way leaves some
    rmSync(out, { recursive: true });
  });

  const command = (beginning: string) => {
    const line = commands.find((known) => known.startsWith(beginning));
    assert.ok(line, `README has no command that begins with ${beginning}`);
    const flags = shorter[beginning]!.replaceAll('OUT', out);
    const run = line.replace('npm ci && ', '');
    return `${run}${run.includes(' -- ') || run.startsWith('node') || flags === '' ? '' : ' --'} ${flags}`;
  };

  it('has no command that is not tested here', () => {
    for (const line of commands) {
      assert.ok(
        Object.keys(shorter).some((beginning) => line.startsWith(beginning)),
        line,
      );
    }
  });

  it('names no file or folder that does not exist', () => {
    const links = [...readme.matchAll(/\]\(([^)]+)\)/g)]
      .map((match) => match[1]!)
      .filter((link) => !link.includes(':'));
    assert.ok(links.length > 5);
    for (const link of links) assert.ok(existsSync(join(root, link.replace(/#.*/, ''))), link);
  });

  it('runs the demo, which ends with scores of both θ and the pictures that it made @slow', async () => {
    const { code, output } = await start(command('npm ci && npm run demo')).end;
    assert.equal(code, 0, output);
    assert.match(output, /^test carIou +[\d.]+ ± [\d.]+ +[\d.]+ ± [\d.]+$/m);
    for (const picture of ['reward.png', 'scenes.png', 'predictions.png']) {
      assert.ok(output.includes(join(out, 'demo', picture)), output);
      const signature = readFileSync(join(out, 'demo', picture))
        .subarray(1, 4)
        .toString();
      assert.equal(signature, 'PNG');
    }
  }).timeout(400_000);

  it('stops the demo on Ctrl-C and leaves no process behind @slow', async () => {
    const marker = `--out ${join(out, 'stopped')}`;
    const demo = start(`npm run demo -- --evaluations 200 ${marker}`);
    while (!/^\[ *2\//m.test(demo.output())) await new Promise((resolve) => setTimeout(resolve, 100));
    const server = /server: ws:\/\/127\.0\.0\.1:(\d+)/.exec(demo.output())![1]!;
    demo.interrupt();
    const { output } = await demo.end; // the pipes close when the last process of the demo has gone
    assert.match(output, /stopped; go on with npm run demo -- --out \S+stopped --evaluations 200 --seed 1$/m);
    await assert.rejects(fetch(`http://127.0.0.1:${server}/healthz`), 'the server still answers');
  }).timeout(300_000);

  it('serves in one terminal, and runs each agent in another @slow', async () => {
    const server = start(`${command('npm run serve -- --env TrafficSegmentation-v0')} --port 0`);
    while (!/^ws:\S+ is ready/m.test(server.output())) {
      assert.ok(!server.ended(), server.output());
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.match(server.output(), /backend: (tfjs-node-gpu|tfjs-node|wasm)/);
    const url = /^(ws:\S+) is ready/m.exec(server.output())![1]!;
    for (const agent of ['reinforce', 'random-search', 'cem']) {
      const line = command(`node --import tsx agents/${agent}.ts`)
        .replace('ws://127.0.0.1:7077', url)
        .replace(/--evaluations \d+/, `${QUICK} --log ${join(out, `${agent}.jsonl`)}`);
      const { code, output } = await start(line).end;
      assert.equal(code, 0, output);
      assert.match(output, /^fog +[\d.]+ +[\d.]+ +1\/m$/m);
    }
    server.interrupt();
    await server.end;
  }).timeout(400_000);

  it('shows an agent that climbs when it is run @slow', async () => {
    const example = /^```ts\n([^]*?)^```/m.exec(readme)![1]!;
    const path = join(out, 'hill-climber.ts');
    writeFileSync(path, example.replaceAll("from './", `from '${join(root, 'agents')}/`));
    const server = await startBanditServer();
    const log = join(out, 'hill.jsonl');
    const { code, output } = await start(`node --import tsx ${path} --url ${server.url} --evaluations 80 --log ${log}`)
      .end;
    await server.stop();
    assert.equal(code, 0, output);
    const [, before, after] = /^validation gain \(reward\) +([\d.]+).*? {2}([\d.]+)/m.exec(output)!;
    assert.ok(Number(after) > Number(before) + 0.2, output);
  });

  it('searches for the θ of a simulator of one’s own, in five lines @slow', async function () {
    if (spawnSync('python3', ['-c', 'import numpy']).status !== 0) {
      assert.ok(!process.env['CI'], 'python3 with numpy: expected it here');
      console.log('      skipped: python3 with numpy is not here');
      return this.skip();
    }
    const lines = commands.slice(commands.indexOf('pip install numpy'), commands.indexOf('pip install numpy') + 5);
    assert.equal(lines.length, 5);
    const [, validation, test, serve, search] = lines.map((line) => line.replace('runs/streets', join(out, 'streets')));
    for (const line of [validation!, test!]) {
      const { code, output } = await start(line.replace('--count 60', '--count 8')).end;
      assert.equal(code, 0, output);
    }
    const server = start(`${serve} --port 0 --workers 1 --work ${join(out, 'work')}`);
    while (!/^ws:\S+ is ready/m.test(server.output())) {
      assert.ok(!server.ended(), server.output());
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const url = /^(ws:\S+) is ready/m.exec(server.output())![1]!;
    const quick = search!
      .replace('ws://127.0.0.1:7077', url)
      .replace('{"preset":"quick"}', '{"preset":"quick","trainingImages":8,"steps":10}')
      .replace(/--evaluations \d+/, '--evaluations 2 --finalists 1 --finalist-seeds 1 --report-seeds 1');
    const { code, output } = await start(`${quick} --log ${join(out, 'own.jsonl')}`).end;
    assert.equal(code, 0, output);
    assert.match(output, /^carSize +[\d.]+ +[\d.]+/m);
    server.interrupt();
    await server.end;
    assert.deepEqual(readdirSync(join(out, 'work')), []);
  }).timeout(400_000);

  it('draws scenes and a sweep @slow', async () => {
    for (const beginning of ['npm run scenes -- --theta', 'npm run scenes -- --sweep']) {
      const { code, output } = await start(command(beginning)).end;
      assert.equal(code, 0, output);
    }
    for (const picture of ['scenes.png', 'sweep.png']) assert.ok(existsSync(join(out, picture)));
  }).timeout(300_000);
});
