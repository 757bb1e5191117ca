import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'noise-'));
const log = join(folder, 'log.jsonl');

async function noise(): Promise<string> {
  const flags = [
    '--env',
    'Mixture-v0',
    '--thetas',
    '4',
    '--seeds',
    '2',
    '--out',
    folder,
    '--log',
    log,
    '--workers',
    '1',
  ];
  const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/noise.ts', ...flags], {
    cwd: join(import.meta.dirname, '../../..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (data: Buffer) => (said += data.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 0);
  return said;
}

const rewards = () =>
  readFileSync(log, 'utf8')
    .trim()
    .split('\n')
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
    const keep = lines.slice(0, 5).join('\n').length + 1;
    truncateSync(log, keep + 9); // five lines, and nine bytes of the sixth
    const said = await noise();
    assert.match(said, /^5 of 16 evaluations are in /m);
    assert.equal(said.match(/^\d+ of 11: /gm)?.length, 11);
    assert.deepEqual(rewards().sort(), whole.sort());

    const report = readFileSync(join(folder, 'noise-Mixture-v0.md'), 'utf8');
    assert.match(await noise(), /^16 of 16 evaluations are in /m);
    assert.equal(readFileSync(join(folder, 'noise-Mixture-v0.md'), 'utf8'), report);
  });
});
