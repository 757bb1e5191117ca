import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import sharp from 'sharp';
import { connect } from '../../agents/client/client.ts';
import { hasWebgl } from '../../env/render/webgl/context.ts';

const folder = mkdtempSync(join(tmpdir(), 'lts-webgl-'));
const TINY = {
  preset: 'quick',
  width: 32,
  height: 24,
  trainingImages: 4,
  validationImages: 4,
  testImages: 4,
  steps: 2,
  networkWidth: 0.25,
};

function run(program: string, ...flags: string[]) {
  const args = ['--import', 'tsx', `scripts/${program}.ts`, '--renderer', 'webgl', ...flags];
  return spawnSync(process.execPath, args, { encoding: 'utf8', env: { ...process.env, DISPLAY: '' } });
}

/** The bytes of the pictures of a data set, by path. */
function pictures(name: string): Map<string, string> {
  const files = readdirSync(join(folder, name), { recursive: true, encoding: 'utf8' });
  const png = files.filter((file) => file.endsWith('.png')).sort();
  return new Map(png.map((file) => [file, readFileSync(join(folder, name, file)).toString('base64')]));
}

describe('--renderer webgl @slow', function () {
  this.timeout(300_000);
  const children: ChildProcess[] = [];

  before(function () {
    if (hasWebgl()) return;
    console.log('      skipped: there is no .webgl; npm run setup:webgl builds it');
    this.skip();
  });
  after(() => {
    children.forEach((child) => child.kill());
    rmSync(folder, { recursive: true });
  });

  it('draws a data set of the same bytes on one process and on two, and names what drew it', () => {
    const size = ['--count', '34', '--width', '48', '--height', '32'];
    for (const workers of ['1', '2']) {
      const { status, stderr } = run('dataset', ...size, '--workers', workers, '--out', join(folder, workers));
      assert.equal(status, 0, stderr);
    }
    assert.equal(pictures('1').size, 34 * 5);
    assert.deepEqual(pictures('2'), pictures('1'));
    const { renderer } = JSON.parse(readFileSync(join(folder, '1', 'dataset.json'), 'utf8')) as {
      renderer: { name: string; driver: string };
    };
    assert.equal(renderer.name, 'webgl');
    assert.match(renderer.driver, /\S/);
    const mixed = run('dataset', ...size, '--out', join(folder, '1'), '--renderer', 'software');
    assert.equal(mixed.status, 1);
    assert.match(mixed.stderr, /same θ, seed, size and renderer, got another/);
  });

  it('draws a contact sheet', async () => {
    const out = join(folder, 'sheet.png');
    const { status, stderr } = run('scenes', '--count', '1', '--width', '48', '--height', '32', '--out', out);
    assert.equal(status, 0, stderr);
    assert.equal((await sharp(out).metadata()).format, 'png');
  });

  it('serves evaluations, under a hash of their own, with one line on stdout', async () => {
    const hashes: string[] = [];
    for (const renderer of ['webgl', 'software']) {
      const flags = ['--env', 'TrafficSegmentation-v0', '--port', '0', '--workers', '1', '--log', 'silent', '--json'];
      const args = ['--import', 'tsx', 'scripts/serve.ts', '--renderer', renderer, '--backend', 'wasm', ...flags];
      const env = { ...process.env, DISPLAY: '' };
      const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env });
      children.push(server);
      const lines: string[] = [];
      const reader = createInterface(server.stdout).on('line', (line) => lines.push(line));
      await once(reader, 'line');
      const client = await connect((JSON.parse(lines[0]!) as { url: string }).url);
      const environment = await client.open({ env_id: 'TrafficSegmentation-v0', options: TINY });
      const { spec_hash, renderer: named } = environment.spec;
      hashes.push(spec_hash);
      assert.equal(named?.name, renderer);
      assert.equal(named.driver !== undefined, renderer === 'webgl');
      const { outcome, reason } = await environment.evaluate({ params: {} });
      assert.equal(outcome, 'ok', reason);
      assert.equal(lines.length, 1, lines.join('\n'));
      await client.close();
      server.kill();
      await once(server, 'exit');
    }
    assert.notEqual(hashes[0], hashes[1]);
  });
});
