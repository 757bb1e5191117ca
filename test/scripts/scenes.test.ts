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

describe('npm run scenes', () => {
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

  it('stops with a sentence at an unknown flag, an unreadable number and an unknown parameter', () => {
    const sentences: [string[], RegExp][] = [
      [['--colour'], /unknown option '--colour'/],
      [['--count', 'many'], /expected a whole number from 1, got many/],
      [['--theta', '{"fogg":1}'], /fogg: expected one of/],
      [['--sweep', 'fogg'], /--sweep: expected all or one of .*, got fogg/],
    ];
    for (const [flags, sentence] of sentences) {
      const { status, stderr } = scenes(...flags, '--out', join(folder, 'none.png'));
      assert.notEqual(status, 0);
      assert.match(stderr, sentence);
    }
  });
});
