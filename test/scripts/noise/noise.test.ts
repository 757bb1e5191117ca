import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'noise-'));
const log = join(folder, 'log.jsonl');

async function start(...more: string[]): Promise<{ said: string; err: string; code: number | null }> {
  const flags = ['--env', 'Mixture-v0', '--thetas', '4', '--seeds', '2', '--out', folder, '--workers', '1', ...more];
  const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/noise.ts', ...flags], {
    cwd: join(import.meta.dirname, '../../..'),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [said, err] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (said += data.toString()));
  child.stderr.on('data', (data: Buffer) => (err += data.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { said, err, code };
}

async function noise(): Promise<string> {
  const { said, err, code } = await start('--log', log);
  assert.equal(code, 0, err);
  return said;
}

const rewards = () =>
  readFileSync(log, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => JSON.parse(line) as { kind: string; theta: number; seed: number; reward: number })
    .map(({ kind, theta, seed, reward }) => `${kind} ${theta} ${seed}: ${reward}`);

describe('npm run noise @slow', function () {
  this.timeout(180_000);
  after(() => rmSync(folder, { recursive: true }));

  it('goes on from a log whose last line was cut, and evaluates nothing twice', async () => {
    assert.match(await noise(), /^0 of 16 evaluations are in /m);
    const whole = rewards();
    assert.equal(new Set(whole).size, 16);
    const lines = readFileSync(log, 'utf8').split('\n');
    const keep = lines.slice(0, 6).join('\n').length + 1;
    truncateSync(log, keep + 9); // the header, five lines, and nine bytes of the sixth
    const said = await noise();
    assert.match(said, /^5 of 16 evaluations are in /m);
    assert.equal(said.match(/^\d+ of 11: /gm)?.length, 11);
    assert.deepEqual(rewards().sort(), whole.sort());

    const report = readFileSync(join(folder, 'noise-Mixture-v0.md'), 'utf8');
    assert.match(await noise(), /^16 of 16 evaluations are in /m);
    assert.equal(readFileSync(join(folder, 'noise-Mixture-v0.md'), 'utf8'), report);
  });

  it('compares the ranks of another environment with the same parameters, and refuses one with others', async () => {
    const { err, code } = await start('--log', join(folder, 'beside.jsonl'), '--beside', 'Mixture-v0');
    assert.equal(code, 0, err);
    const report = readFileSync(join(folder, 'noise-Mixture-v0.md'), 'utf8');
    const [full, , other] = report
      .split('\n')
      .filter((line) => line.startsWith('| '))
      .slice(1);
    const figures = (row: string) => row.split(' | ').slice(2).join();
    assert.match(other!, /^\| Mixture-v0 \| /);
    assert.equal(figures(other!), figures(full!), 'the same θ and seeds');
    const wrong = await start('--log', join(folder, 'wrong.jsonl'), '--beside', 'TrafficCounting-v0');
    assert.match(
      wrong.err,
      /--beside: TrafficCounting-v0: expected the parameters of Mixture-v0: expected a0.*, got carTypes, weather/,
    );
    assert.equal(wrong.code, 1);
  });

  it('takes several kinds of short evaluations, and refuses the same twice', async () => {
    const short = ['--short-options', '{"pointsPerComponent":10}', '--short-options', '{"pointsPerComponent":5}'];
    const several = join(folder, 'several.jsonl');
    assert.match((await start('--log', several, ...short)).said, /^\| pointsPerComponent 5 of 50 \| /m);
    for (const again of ['{"pointsPerComponent":5}', '{"pointsPerComponent":50}']) {
      const { err, code } = await start('--log', several, ...short, '--short-options', again);
      assert.equal(code, 1);
      assert.match(
        err,
        /^noise: --short-options: expected options of another evaluation, got the same again \(3 of 3\)/,
      );
    }
  });

  it('refuses the log of something else, or of another environment, and leaves it as it is', async () => {
    const header = (environment: object) => `${JSON.stringify({ type: 'noise', environment })}\n`;
    for (const [text, message] of [
      ['{"type":"run","agent":"cem"}\n', /expected a log of the noise of Mixture-v0, got another log/],
      ['{"kind":"full","theta":0}\n', /expected a log of the noise of Mixture-v0, got another log or an old one/],
      [header({ id: 'Line-v0', specHash: 'abc' }), /the noise of Mixture-v0 with spec \w+, got Line-v0 with spec abc;/],
    ] as const) {
      const other = join(folder, 'other.jsonl');
      writeFileSync(other, text);
      const { err, code } = await start('--log', other);
      assert.equal(code, 1);
      assert.match(err, message);
      assert.equal(readFileSync(other, 'utf8'), text);
    }
  });
});
