import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { CLASS_ID, VOID } from '../../../env/streets/classes.ts';
import { assignFrames, readFrames, streetFrames } from '../../../env/streets/street-images.ts';

/** A gray image of these values, row by row. */
const gray = (width: number, values: number[]) =>
  sharp(Buffer.from(values), { raw: { width, height: values.length / width, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
const colour = (width: number, pixels: number[][]) =>
  sharp(Buffer.from(pixels.flat()), { raw: { width, height: pixels.length / width, channels: 3 } })
    .png()
    .toBuffer();

describe('a folder of street images', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'streets-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const put = async (path: string, bytes: Promise<Buffer> | string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), await bytes);
  };
  const red = colour(2, [
    [255, 0, 0],
    [255, 0, 0],
  ]);
  const read = async (size = { width: 2, height: 1 }) => {
    const { layout, frames } = streetFrames(folder);
    return { name: layout.name, images: await readFrames([...frames.training, ...frames.test], layout, size) };
  };

  it('reads CamVid in 11 classes: ids in gray, 11 void', async () => {
    await put('train/images/S1_001.png', red);
    await put('train/labels/S1_001.png', gray(2, [8, 11]));
    const { name, images } = await read();
    assert.equal(name, 'camvid');
    assert.deepEqual([...images[0]!.classes], [CLASS_ID.car, VOID]);
    assert.deepEqual([...images[0]!.rgb], [255, 0, 0, 255, 0, 0]);
  });

  it('reads CamVid in its own colours, beside images in `train` and `trainannot`', async () => {
    await put('train/S1_001.png', red);
    await put('trainannot/S1_001_L.png', colour(2, [[64, 0, 128], [1, 2, 3]])); // prettier-ignore
    const { images } = await read();
    assert.deepEqual([...images[0]!.classes], [CLASS_ID.car, VOID]);
  });

  it('reads KITTI: label ids of Cityscapes in `semantic`', async () => {
    await put('training/image_2/000001_10.png', red);
    await put('training/semantic/000001_10.png', gray(2, [26, 7]));
    const { name, images } = await read();
    assert.equal(name, 'kitti');
    assert.deepEqual([...images[0]!.classes], [CLASS_ID.car, CLASS_ID.road]);
  });

  it('reads Cityscapes: ids or colours, its `val` as test', async () => {
    await put('leftImg8bit/train/ulm/ulm_000000_000019_leftImg8bit.png', red);
    await put('gtFine/train/ulm/ulm_000000_000019_gtFine_labelIds.png', gray(2, [28, 23]));
    await put('leftImg8bit/val/bonn/bonn_000000_000019_leftImg8bit.png', red);
    await put('gtFine/val/bonn/bonn_000000_000019_gtFine_color.png', colour(2, [[0, 0, 142], [0, 0, 0]])); // prettier-ignore
    const { name, images } = await read();
    assert.equal(name, 'cityscapes');
    assert.deepEqual([...images[0]!.classes], [CLASS_ID.bus, CLASS_ID.sky]);
    assert.deepEqual([...images[1]!.classes], [CLASS_ID.car, VOID]);
  });

  it('crops around the centre to the wanted aspect ratio, and takes the nearest label', async () => {
    await put(
      'train/images/S1_001.png',
      colour(
        4,
        Array.from({ length: 8 }, () => [9, 9, 9]),
      ),
    );
    await put('train/labels/S1_001.png', gray(4, [0, 3, 8, 0, 0, 3, 8, 0]));
    const { images } = await read({ width: 2, height: 2 });
    const { road, car } = CLASS_ID;
    assert.deepEqual([...images[0]!.classes], [road, car, road, car]);
  });

  it('names the folder or file that is missing or broken', async () => {
    assert.throws(() => streetFrames(join(folder, 'none')), /none: expected a folder of street images, found nothing/);
    await put('readme.txt', 'hello');
    assert.throws(() => streetFrames(folder), /expected CamVid .* KITTI .* Cityscapes .*, found readme.txt/);
    await put('train/images/S1_001.png', red);
    await put('train/labels/other.png', gray(2, [8, 8]));
    assert.throws(
      () => streetFrames(folder),
      /S1_001\.png: expected its labels at .*S1_001\.png or .*_L\.png, found none/,
    );
    await put('train/labels/S1_001.png', 'no image');
    await assert.rejects(read(), /labels\/S1_001\.png: expected a readable image/);
    await put('train/labels/S1_001.png', gray(1, [8, 8]));
    await assert.rejects(read(), /images\/S1_001\.png: expected 1×2 as its labels, got 2×1/);
    await put('train/labels/S1_001.png', gray(2, [11, 11]));
    await assert.rejects(read(), /expected labels of known classes, got void everywhere/);
  });
});

describe('the frames of a data set', () => {
  const frames = (sequence: string, count: number) =>
    Array.from({ length: count }, (_, i) => ({ image: `${sequence}_${i}`, labels: '', sequence }));
  const layout = {
    name: 'camvid' as const,
    ids: new Uint8Array(256),
    palette: new Map<number, number>(),
    pool: [...frames('a', 65), ...frames('b', 40)],
    test: frames('c', 7),
  };

  it('get their roles in blocks within their sequences, and each frame one role', () => {
    const { training, validation, heldOut, test } = assignFrames(layout, 15);
    const names = [...training, ...validation, ...heldOut].map(({ image }) => image);
    assert.equal(new Set(names).size, 105);
    assert.equal(names.length, 105);
    assert.equal(test.length, 7);
    // blocks of a: 0 training, 1 validation, 2 training, 3 held out, 4 training (5 frames); of b: 5, 6, 7
    assert.deepEqual(validation[0], layout.pool[15]);
    assert.deepEqual(heldOut[0], layout.pool[45]);
    assert.equal(validation.filter(({ sequence }) => sequence === 'b').length, 15, 'both sequences validate');
  });
});
