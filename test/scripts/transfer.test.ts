import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spread } from '../../env/targets/spread.ts';
import { TINY_STREETS, type Summary } from './reproduce/reproduction.ts';
import { writeCamvid } from './reproduce/tiny-camvid.ts';

const folder = mkdtempSync(join(tmpdir(), 'transfer-'));
const [out, logs] = [join(folder, 'out'), join(folder, 'logs')];

async function transfer(...flags: string[]): Promise<{ code: number | null; err: string }> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', 'scripts/transfer.ts', '--out', out, '--logs', logs, ...flags],
    {
      cwd: join(import.meta.dirname, '../..'),
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  let err = '';
  child.stderr.on('data', (data: Buffer) => (err += data.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, err };
}

describe('transfer', function () {
  this.timeout(120_000);
  after(() => rmSync(folder, { recursive: true }));

  it('scores a hand-set θ beside random θ and real images, on the test split and on held-out blocks @slow', async () => {
    await writeCamvid(folder);
    const tiny = ['--backend', 'wasm', '--seeds', '2', '--random-thetas', '3', '--env-options', TINY_STREETS];
    const { code, err } = await transfer('--data', folder, '--theta', '{"treeRate":0}', ...tiny);
    assert.equal(code, 0, err);
    const { arms } = JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')) as Summary;
    const sizes = Object.entries(arms).map(([name, { test }]) => [name, test.n]);
    assert.deepEqual(Object.fromEntries(sizes), { handSet: 2, centre: 2, random: 3, real: 2, realFew: 2 });
    for (const { also } of Object.values(arms)) assert.ok('heldOut.carIou' in also!);
    assert.match(readFileSync(join(out, 'table.md'), 'utf8'), /\| real images \(2\) \|/);
    assert.ok(statSync(join(out, 'predictions.png')).size > 500);
  });

  it('writes its table again from the trainings beside it, without the images @slow', async () => {
    const table = readFileSync(join(out, 'table.md'), 'utf8');
    rmSync(join(out, 'table.md'));
    rmSync(logs, { recursive: true });
    const { code, err } = await transfer('--figures-only');
    assert.equal(code, 0, err);
    assert.equal(readFileSync(join(out, 'table.md'), 'utf8'), table);
  });

  it('names the parameter of --theta that breaks its rule @slow', async () => {
    const { code, err } = await transfer('--data', folder, '--theta', '{"treeRate":-1}');
    assert.equal(code, 1);
    assert.match(err, /transfer: .*treeRate/);
  });

  it('takes few images evenly from all', () => {
    assert.deepEqual(spread([0, 1, 2, 3, 4, 5, 6, 7], 4), [0, 2, 4, 6]);
    assert.deepEqual(spread([0, 1], 4), [0, 1]);
  });
});
