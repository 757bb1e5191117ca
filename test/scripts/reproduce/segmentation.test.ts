import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { reproduction, TINY_STREETS } from './reproduction.ts';

const tiny = ['--preset', 'quick', '--backend', 'wasm', '--evaluations', '4', '--search-seeds', '1'];
tiny.push('--random-thetas', '2', '--env-options', TINY_STREETS);

describe('reproduce segmentation', function () {
  this.timeout(400_000);
  const { run, wrote, summary, remove } = reproduction('segmentation');
  after(remove);

  it('compares searches of one budget with random θ, the start and the hidden θ*', async () => {
    const { code, err } = await run(...tiny);
    assert.equal(code, 0, err);
    const { arms } = summary();
    const spent = Object.entries(arms).map(([name, { evaluations }]) => [name, evaluations]);
    assert.deepEqual(Object.fromEntries(spent), {
      ...{ reinforce: 4, cem: 4, randomSearch: 4, cmaEs: 4, gaussianProcess: 4 },
      ...{ reinforceCommon: 4, reinforceDiscard: 4, gaussianProcessDiscard: 4 },
      ...{ start: 0, random: 0, randomBest: 2, truth: 0 },
    });
    assert.equal(arms['random']!.test.n, 2);
    assert.ok(arms['randomBest']!.validation.mean >= arms['random']!.validation.mean);
    wrote('table.md', 'table.csv', 'car-iou.svg', 'car-iou.png', 'predictions.png');
    wrote('evaluations-to-reach.md', 'evaluations-to-reach.png');
  });
});

/** Frames of four sequences that train, validate and are held out, and of a test split: a road, and a car on it. */
async function writeCamvid(folder: string): Promise<void> {
  const [width, height] = [32, 24];
  const isCar = (i: number) => i % width > 8 && i % width < 20 && i > 300 && i < 600;
  const labels = Buffer.from(Array.from({ length: width * height }, (_, i) => (isCar(i) ? 8 : 3)));
  const image = Buffer.from(
    Array.from({ length: width * height }, (_, i) => (isCar(i) ? [200, 0, 0] : [90, 90, 90])).flat(),
  );
  for (const frame of ['train/S1_1', 'train/S2_1', 'train/S3_1', 'train/S4_1', 'test/S5_1']) {
    const [split, name] = frame.split('/') as [string, string];
    mkdirSync(join(folder, split, 'images'), { recursive: true });
    mkdirSync(join(folder, split, 'labels'), { recursive: true });
    const raw = (channels: 1 | 3) => ({ raw: { width, height, channels } });
    const gray = sharp(labels, raw(1)).toColourspace('b-w');
    writeFileSync(join(folder, split, 'labels', `${name}.png`), await gray.png().toBuffer());
    writeFileSync(join(folder, split, 'images', `${name}.png`), await sharp(image, raw(3)).png().toBuffer());
  }
}

describe('reproduce segmentation-real', function () {
  this.timeout(180_000);
  const { run, wrote, read, summary, remove, folder, out, logs } = reproduction('segmentation-real');
  after(remove);

  it('stops with a sentence before anything starts when no folder of images is named', async () => {
    const { code, err } = await run(...tiny);
    assert.equal(code, 1);
    assert.match(err, /segmentation-real: expected --data DIR/);
    assert.ok(!existsSync(logs) && !existsSync(out));
  });

  it('searches two spaces of θ and reports held-out blocks beside the official test split', async () => {
    const data = join(folder, 'camvid');
    await writeCamvid(data);
    const { code, err } = await run(...tiny, '--data', data);
    assert.equal(code, 0, err);
    const { arms } = summary();
    const searches = ['reinforce', 'cem', 'randomSearch'].flatMap((arm) => [arm, `${arm}All`]);
    const random = ['random', 'randomBest', 'randomAll', 'randomAllBest'];
    const others = ['start', 'default', 'real', 'realFew', 'reinforceAndFew'];
    assert.deepEqual(Object.keys(arms).sort(), [...searches, ...random, ...others].sort());
    for (const { also } of Object.values(arms)) {
      assert.deepEqual(Object.keys(also!), ['heldOut.carIou', 'softCarIou', 'heldOut.softCarIou']);
    }
    wrote('table.md', 'car-iou.png', 'predictions.png');
    assert.match(read('table.md'), /\| validation \| test \| test heldOut\.carIou \|/);
  });
});
