import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';

const folder = mkdtempSync(join(tmpdir(), 'scenes-'));
const small = ['--width', '48', '--height', '32', '--count', '2', '--scale', '1'];

function scenes(...flags: string[]) {
  const program = [process.execPath, '--import', 'tsx', 'scripts/scenes.ts', ...flags] as const;
  return spawnSync(program[0], program.slice(1), { encoding: 'utf8' });
}

describe('npm run scenes @slow', () => {
  after(() => rmSync(folder, { recursive: true }));

  it('writes a contact sheet: image, labels and depth of each scene', async () => {
    const out = join(folder, 'scenes.png');
    const { status, stderr } = scenes(...small, '--theta', '{"fog":0.01}', '--out', out);
    assert.equal(status, 0, stderr);
    const { width, height } = await sharp(out).metadata();
    assert.ok(width >= 2 * 48 && height >= 3 * 32, `${width}×${height}`);
  });

  it('writes the sweep of a parameter', async () => {
    const out = join(folder, 'sweep.png');
    const { status, stderr } = scenes(...small, '--sweep', 'fog', '--out', out);
    assert.equal(status, 0, stderr);
    assert.equal((await sharp(out).metadata()).format, 'png');
  });

  it('sweeps with the rest of the given θ', async () => {
    const rgb = async (name: string, theta: string) => {
      const out = join(folder, `${name}.png`);
      const { status, stderr } = scenes(...small, '--sweep', 'fog', '--theta', theta, '--out', out);
      assert.equal(status, 0, stderr);
      return sharp(out).raw().toBuffer();
    };
    const dull = await rgb('dull', '{"weather":[0,1,0,0]}');
    assert.ok(dull.equals(await rgb('usual', '{}')), 'what suits fog where nothing else is said');
    assert.ok(!dull.equals(await rgb('rain', '{"weather":[0,0,0,1]}')));
  });

  it('stops with a sentence at an unknown flag, an unreadable number and an unknown parameter', () => {
    const sentences: [string[], RegExp][] = [
      [['--colour'], /unknown option '--colour'/],
      [['--count', 'many'], /Expected a number from 1 to 1000, got "many"/],
      [['--theta', '{"fogg":1}'], /fogg: expected one of/],
      [['--theta', 'test'], /Expected {…} or a readable file of it, got "test"/],
      [['--scale', '100'], /Expected a number from 1 to 16, got "100"/],
      [['--random-theta', '--sweep', 'fog'], /'--random-theta' cannot be used with option '--sweep/],
      [['--out', 'sheet.gif'], /Expected a file that ends in .png or .jpg, got "sheet.gif"/],
      [['--sweep', 'fogg'], /--sweep: expected all or one of .*, got fogg/],
    ];
    for (const [flags, sentence] of sentences) {
      const { status, stderr } = scenes('--out', join(folder, 'none.png'), ...flags);
      assert.notEqual(status, 0);
      assert.match(stderr, sentence);
    }
  });
});
