import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { CLASS_ID, VOID } from '../../../env/streets/classes.ts';
import { readLayout } from '../../../env/streets/folder-layouts.ts';
import { CAMVID } from '../../../env/streets/label-maps.ts';
import { assignFrames, readFrames, streetFrames } from '../../../env/streets/street-images.ts';
import { colour, gray, RED, streetFolder, type StreetFolder } from './street-folder.ts';

describe('a folder of street images', () => {
  let folder: StreetFolder;
  beforeEach(() => (folder = streetFolder()));
  afterEach(() => folder.remove());

  const read = async (size = { width: 2, height: 1 }) => {
    const { pool, test } = readLayout(folder.path);
    return readFrames([...pool, ...test], size);
  };
  const classesRead = async () => (await read()).map(({ classes }) => [...classes]);

  it('reads CamVid in 11 classes: ids in gray, 11 void', async () => {
    folder.put('train/images/S1_001.png', RED);
    folder.put('train/labels/S1_001.png', gray(2, [8, 11]));
    const [image] = await read();
    assert.deepEqual([...image!.classes], [CLASS_ID.car, VOID]);
    assert.deepEqual([...image!.rgb], [255, 0, 0, 255, 0, 0]);
  });

  it('reads CamVid in its own colours, beside images in `train` and `trainannot`', async () => {
    folder.put('train/S1_001.png', RED);
    folder.put('trainannot/S1_001_L.png', colour(2, [[64, 0, 128], [0, 0, 0]])); // prettier-ignore
    assert.deepEqual(await classesRead(), [[CLASS_ID.car, VOID]]);
  });

  it('reads KITTI: label ids of Cityscapes in `semantic`', async () => {
    folder.put('training/image_2/000001_10.png', RED);
    folder.put('training/semantic/000001_10.png', gray(2, [26, 7]));
    assert.deepEqual(await classesRead(), [[CLASS_ID.car, CLASS_ID.road]]);
  });

  it('reads Cityscapes: label ids, train ids or colours', async () => {
    const put = (frame: string, end: string, labels: Buffer) => {
      folder.put(`leftImg8bit/${frame}_leftImg8bit.png`, RED);
      folder.put(`gtFine/${frame}_gtFine_${end}.png`, labels);
    };
    put('train/ulm/ulm_000000_000019', 'labelIds', gray(2, [28, 23]));
    put('train/ulm/ulm_000001_000019', 'labelTrainIds', gray(2, [15, 255]));
    put('val/bonn/bonn_000000_000019', 'color', colour(2, [[0, 0, 142], [0, 0, 0]])); // prettier-ignore
    const { bus, sky, car } = CLASS_ID;
    assert.deepEqual(await classesRead(), [[bus, sky], [bus, VOID], [car, VOID]]); // prettier-ignore
  });

  it('crops around the centre to the wanted aspect ratio, and takes the nearest label', async () => {
    const pixels = Array.from({ length: 8 }, () => [9, 9, 9]);
    folder.put('train/images/S1_001.png', colour(4, pixels));
    folder.put('train/labels/S1_001.png', gray(4, [0, 3, 8, 0, 0, 3, 8, 0]));
    const [image] = await read({ width: 2, height: 2 });
    const { road, car } = CLASS_ID;
    assert.deepEqual([...image!.classes], [road, car, road, car]);
  });

  it('reads photographs and labels upright, each as its own EXIF says', async () => {
    const pixels = { raw: { width: 2, height: 1, channels: 3 as const } };
    const photograph = sharp(Buffer.from([10, 10, 10, 200, 200, 200]), pixels).withMetadata({ orientation: 6 });
    folder.put('train/images/S1_001.png', await photograph.png().toBuffer());
    folder.put('train/labels/S1_001.png', gray(1, [3, 8]));
    const [image] = await read({ width: 1, height: 2 });
    assert.deepEqual([...image!.classes], [CLASS_ID.road, CLASS_ID.car]);
    assert.deepEqual([...image!.rgb], [10, 10, 10, 200, 200, 200]);
    const labels = sharp(Buffer.from([3, 8]), { raw: { width: 2, height: 1, channels: 1 } }).toColourspace('b-w');
    folder.put('train/labels/S1_001.png', await labels.withMetadata({ orientation: 6 }).png().toBuffer());
    const [turned] = await read({ width: 1, height: 2 });
    assert.deepEqual([...turned!.classes], [CLASS_ID.road, CLASS_ID.car]);
  });

  it('names the file that is broken', async () => {
    folder.put('train/images/S1_001.png', RED);
    folder.put('train/labels/S1_001.png', 'no image');
    await assert.rejects(read(), /labels\/S1_001\.png: expected a readable image/);
    folder.put('train/labels/S1_001.png', gray(1, [8, 8]));
    await assert.rejects(read(), /labels\/S1_001\.png: expected 2×1 as its image, got 1×2/);
    folder.put('train/labels/S1_001.png', gray(2, [11, 11]));
    await assert.rejects(read(), /labels\/S1_001\.png: expected labels of known classes, got void everywhere/);
    folder.put('train/labels/S1_001.png', gray(2, [8, 3]));
    folder.put('train/images/S1_001.png', RED.subarray(0, -20));
    await assert.rejects(read(), /images\/S1_001\.png: expected a readable image/);
  });

  it('leaves out the few frames whose labels are void everywhere, and refuses many', async () => {
    for (let frame = 1; frame <= 30; frame++) {
      folder.put(`train/images/S1_${frame}.png`, RED);
      folder.put(`train/labels/S1_${frame}.png`, gray(2, frame <= 3 ? [11, 255] : [8, 3]));
    }
    const images = await read();
    assert.equal(images.length, 27);
    assert.ok(images.every(({ classes }) => classes[0] === CLASS_ID.car));
    folder.put('train/labels/S1_9.png', gray(2, [11, 11]));
    const message = /S1_1\.png: expected labels of known classes, got void everywhere \(4 of 30 label images\)/;
    await assert.rejects(read(), message);
  });

  it('is refused where nothing can validate or test, with what would do', () => {
    const put = (name: string, split = 'train') => {
      folder.put(`${split}/images/${name}.png`, RED);
      folder.put(`${split}/labels/${name}.png`, gray(2, [8, 3]));
    };
    const roles = () => {
      const { frames } = streetFrames(folder.path);
      return [frames.training, frames.validation, frames.heldOut, frames.test].map(({ length }) => length);
    };
    put('S1_0');
    assert.throws(
      roles,
      /expected frames to validate on, got 1 frame of 1 sequence and no test split\. .* What would do: 46 frames of one sequence, or 4 sequences; with a test split, 16 frames of one sequence, or 2 sequences$/,
    );
    put('S9_0', 'test');
    assert.throws(
      roles,
      /expected frames to validate on, .* a test split of 1\. .* do: 16 frames of one sequence, or 2 seq/,
    );
    for (let frame = 1; frame < 16; frame++) put(`S1_${frame}`);
    assert.deepEqual(roles(), [15, 1, 0, 1]);
    folder.remove('test');
    assert.throws(roles, /expected frames to test on, got 16 frames of 1 sequence and no test split\./);
    for (let frame = 16; frame < 45; frame++) put(`S1_${frame}`);
    assert.throws(roles, /expected frames to test on, got 45 frames/);
    put('S1_45');
    assert.deepEqual(roles(), [30, 15, 1, 0]);
    folder.remove('train');
    for (const sequence of [1, 2, 3, 4]) put(`S${sequence}_0`);
    assert.deepEqual(roles(), [2, 1, 1, 0]);
  });
});

describe('the frames of a data set', () => {
  const frames = (sequence: string, count: number) =>
    Array.from({ length: count }, (_, i) => ({ image: `${sequence}_${i}`, labels: '', maps: CAMVID, sequence }));
  const pool = [...frames('a', 65), ...frames('b', 40)];

  it('get their roles in blocks within their sequences, and each frame one role', () => {
    const { training, validation, heldOut, test } = assignFrames({ pool, test: frames('c', 7) }, 15);
    const names = [...training, ...validation, ...heldOut].map(({ image }) => image);
    assert.equal(new Set(names).size, 105);
    assert.equal(names.length, 105);
    assert.equal(test.length, 7);
    // blocks of a: 0 training, 1 validation, 2 training, 3 held out, 4 training (5 frames); of b: 5, 6, 7
    assert.deepEqual(validation[0], pool[15]);
    assert.deepEqual(heldOut[0], pool[45]);
    assert.equal(validation.filter(({ sequence }) => sequence === 'b').length, 15, 'both sequences validate');
  });
});

describe('CamVid', () => {
  const folder = join(import.meta.dirname, '../../../../shared/data/camvid');

  it('reads as it always did: the first frames of each role', async function () {
    if (!existsSync(folder)) {
      console.log(`      skipped: CamVid is not at ${folder}`);
      this.skip();
    }
    const { frames } = streetFrames(folder);
    const { training, validation, heldOut, test } = frames;
    assert.deepEqual(
      [training, validation, heldOut, test].map(({ length }) => length),
      [232, 120, 116, 233],
    );
    const hash = createHash('sha256');
    let [sum, samples] = [0, 0];
    for (const role of [training, validation, heldOut, test]) {
      for (const { rgb, classes } of await readFrames(role.slice(0, 3), { width: 96, height: 72 })) {
        hash.update(classes);
        sum += rgb.reduce((total, value) => total + value, 0);
        samples += rgb.length;
      }
    }
    assert.equal(hash.digest('hex').slice(0, 16), '6233f00425da2f5d');
    assert.ok(Math.abs(sum / samples - 59.006) < 0.01, `mean ${sum / samples}`);
  });
});
