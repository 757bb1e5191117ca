import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { CLASS_ID, VOID } from '../../../env/streets/classes.ts';
import { CAMVID, CITYSCAPES, CITYSCAPES_TRAIN } from '../../../env/streets/label-maps.ts';
import { readLabels } from '../../../env/streets/labels.ts';
import { displayP3, gammaChunk, grayProfile, png, profileChunk, VOC_PALETTE, type PngParts } from './png.ts';

const { sky, building, pole, road, sidewalk, vegetation, car, person } = CLASS_ID;
const { fence, rider, bus, bicycle } = CLASS_ID;

describe('labels', () => {
  const folder = mkdtempSync(join(tmpdir(), 'labels-'));
  const path = join(folder, 'labels.png');
  after(() => rmSync(folder, { recursive: true }));

  const classesOf = async (file: Buffer, maps = CAMVID) => {
    writeFileSync(path, file);
    return [...(await readLabels(path, maps)).classes];
  };
  const all = Array.from({ length: 12 }, (_, id) => id);
  const sign = CLASS_ID['traffic sign'];
  const allClasses = [sky, building, pole, road, sidewalk, vegetation, sign, fence, car, person, rider, VOID];
  const gray = (samples: readonly number[], parts: Partial<PngParts> = {}) =>
    png({ width: samples.length, type: 'gray', samples, ...parts });

  describe('are the numbers that the file stores', () => {
    it('whatever profile gray ids carry', async () => {
      const file = gray(all, { chunks: { iCCP: profileChunk(grayProfile(1.8)) } });
      const shown = await sharp(file).toColourspace('b-w').raw().toBuffer();
      assert.notDeepEqual([...shown], all, 'the profile changes them on a screen');
      assert.deepEqual(await classesOf(file), allClasses);
    });

    it('whatever profile colours carry', async () => {
      const samples = [64, 0, 128, 128, 64, 128, 0, 0, 192];
      const file = png({ width: 3, type: 'rgb', samples, chunks: { iCCP: profileChunk(await displayP3()) } });
      assert.notDeepEqual([...(await sharp(file).raw().toBuffer())], samples, 'the profile changes them on a screen');
      assert.deepEqual(await classesOf(file), [car, road, sidewalk]);
    });

    it('whatever gamma, intent, significant bits, transparency and background they carry', async () => {
      const chunks = { gAMA: gammaChunk(1), sRGB: Buffer.from([0]), sBIT: Buffer.from([3]) };
      assert.deepEqual(await classesOf(gray(all, { chunks })), allClasses);
      const transparent = { tRNS: Buffer.from([0, 8]), bKGD: Buffer.from([0, 3]) };
      assert.deepEqual(await classesOf(gray(all, { chunks: transparent })), allClasses);
    });

    it('however deep they are', async () => {
      assert.deepEqual(await classesOf(gray(all, { depth: 16 })), allClasses);
      assert.deepEqual(await classesOf(gray(all, { depth: 4 })), allClasses);
      assert.deepEqual(await classesOf(gray([3, 2, 1, 0], { depth: 2 })), [road, pole, building, sky]);
      assert.deepEqual(await classesOf(gray([1, 0, 1], { depth: 1 })), [building, sky, building]);
    });

    it('of 16 bits: ids, −1, and ids of 8 bits that were widened', async () => {
      assert.deepEqual(await classesOf(gray([26, 65535, 33], { depth: 16 }), CITYSCAPES), [car, VOID, bicycle]);
      const wide = all.map((id) => id * 257);
      assert.deepEqual(await classesOf(gray(wide, { depth: 16 })), allClasses);
    });

    it('in rows of any order, with a width that fills no byte', async () => {
      const samples = Array.from({ length: 11 * 9 }, (_, i) => (i * 7) % 12);
      const expected = samples.map((id) => allClasses[id]);
      for (const depth of [4, 8, 16] as const) {
        assert.deepEqual(await classesOf(png({ width: 11, type: 'gray', depth, samples, interlaced: true })), expected);
      }
      const palette = VOC_PALETTE.slice(0, 16);
      const file = png({ width: 11, type: 'indexed', depth: 4, palette, samples, interlaced: true });
      assert.deepEqual(await classesOf(file), expected);
    });

    it('without their alpha', async () => {
      const hidden = [8, 0, 3, 255, 9, 7];
      assert.deepEqual(await classesOf(png({ width: 3, type: 'grayAlpha', samples: hidden })), [car, road, person]);
      const colours = [64, 0, 128, 0, 128, 64, 128, 255];
      assert.deepEqual(await classesOf(png({ width: 2, type: 'rgba', samples: colours })), [car, road]);
    });
  });

  describe('with a palette', () => {
    const indexed = (
      samples: readonly number[],
      palette: readonly (readonly number[])[],
      parts: Partial<PngParts> = {},
    ) => png({ width: samples.length, type: 'indexed', samples, palette, ...parts });

    it('are its colours, where they are the data set’s own, in any order', async () => {
      const palette = [
        [64, 64, 0],
        [64, 0, 128],
        [0, 0, 0],
        [128, 64, 128],
      ];
      assert.deepEqual(await classesOf(indexed([1, 3, 0, 2], palette)), [car, road, person, VOID]);
      const padded = [...palette, ...Array.from({ length: 252 }, (_, i) => [i + 4, i + 4, i + 4])];
      assert.deepEqual(await classesOf(indexed([1, 3, 0, 2], padded)), [car, road, person, VOID]);
      const strays = [...palette, [1, 2, 3]];
      const samples = [...Array<number>(300).fill(1), 4];
      assert.deepEqual(await classesOf(indexed(samples, strays)), [...Array<number>(300).fill(car), VOID]);
    });

    it('are its indices, where they are another’s', async () => {
      assert.deepEqual(await classesOf(indexed(all, VOC_PALETTE)), allClasses);
      assert.deepEqual(await classesOf(indexed([3, 1, 0], VOC_PALETTE.slice(0, 4))), [road, building, sky]);
      assert.deepEqual(await classesOf(indexed([26, 7, 33], VOC_PALETTE), CITYSCAPES), [car, road, bicycle]);
      const rainbow = all.map((id) => [255 - 20 * id, 20 * id, 77]);
      assert.deepEqual(await classesOf(indexed(all, rainbow)), allClasses);
      const shades = all.map((id) => [20 * id, 20 * id, 20 * id]);
      assert.deepEqual(await classesOf(indexed(all, shades)), allClasses);
    });

    it('are what Pascal VOC’s colours stand for, where an optimiser has left and sorted those that are used', async () => {
      const used = [8, 0, 7, 2, 9, 5];
      const palette = used.map((id) => VOC_PALETTE[id]!);
      const expected = used.map((id) => allClasses[id]);
      assert.deepEqual(await classesOf(indexed([0, 1, 2, 3, 4, 5], palette, { depth: 4 })), expected);
    });

    it('are its grays, where these are ids, as optimisers write gray', async () => {
      const ids = [11, 8, 0, 3, 9];
      const palette = ids.map((id) => [id, id, id]);
      const expected = ids.map((id) => allClasses[id]);
      assert.deepEqual(await classesOf(indexed([0, 1, 2, 3, 4], palette, { depth: 4 })), expected);
      const ramp = Array.from({ length: 256 }, (_, i) => [i, i, i]);
      assert.deepEqual(await classesOf(indexed(all, ramp)), allClasses);
      const optimised = sharp(gray(all)).png({ palette: true, effort: 10 });
      assert.deepEqual(await classesOf(await optimised.toBuffer()), allClasses);
    });

    it('are its grays, where these are the data set’s colours', async () => {
      const palette = [
        [128, 128, 128],
        [0, 0, 0],
      ];
      assert.deepEqual(await classesOf(indexed([0, 1, 0], palette, { depth: 1 })), [sky, VOID, sky]);
    });

    it('are the same, whatever profile and transparency it carries', async () => {
      const chunks = { iCCP: profileChunk(await displayP3()) };
      assert.deepEqual(await classesOf(indexed(all, VOC_PALETTE, { chunks })), allClasses);
    });
  });

  describe('in colour', () => {
    it('are ids where red, green and blue are alike and no colours of the data set', async () => {
      const samples = all.flatMap((id) => [id, id, id]);
      assert.deepEqual(await classesOf(png({ width: 12, type: 'rgb', samples })), allClasses);
      assert.deepEqual(await classesOf(png({ width: 12, type: 'rgb', samples, depth: 16 })), allClasses);
      assert.deepEqual(await classesOf(png({ width: 2, type: 'rgb', samples: [128, 128, 128, 0, 0, 0] })), [sky, VOID]);
      const cityscapes = png({ width: 3, type: 'rgb', samples: [70, 70, 70, 153, 153, 153, 0, 0, 0] });
      assert.deepEqual(await classesOf(cityscapes, CITYSCAPES), [building, pole, VOID]);
    });

    it('are those of 8 bits, where they were widened to 16', async () => {
      const samples = [64, 0, 128, 128, 64, 128].map((value) => value * 257);
      assert.deepEqual(await classesOf(png({ width: 2, type: 'rgb', depth: 16, samples })), [car, road]);
    });

    it('are void in the colours that the data set calls so', async () => {
      const samples = [81, 0, 81, 0, 0, 90, 0, 60, 100, 0, 0, 0];
      assert.deepEqual(await classesOf(png({ width: 4, type: 'rgb', samples }), CITYSCAPES), [VOID, VOID, bus, VOID]);
    });
  });

  it('know ids of Cityscapes from its train ids', async () => {
    assert.deepEqual(await classesOf(gray([26, 13, 255]), CITYSCAPES), [car, fence, VOID]);
    assert.deepEqual(await classesOf(gray([13, 12, 255]), CITYSCAPES_TRAIN), [car, rider, VOID]);
    assert.deepEqual(await classesOf(gray([8, 5, 255]), CAMVID), [car, vegetation, VOID]);
  });

  describe('are refused, naming the file,', () => {
    it('when they were scaled smoothly', async () => {
      const [width, height] = [64, 48];
      const colours = [[64, 0, 128], [128, 64, 128], [128, 128, 0]]; // prettier-ignore
      const samples = Array.from({ length: width * height }, (_, i) => colours[(i >> 3) % 3]!).flat();
      const scaled = sharp(Buffer.from(samples), { raw: { width, height, channels: 3 } }).resize(41, 31);
      await assert.rejects(
        classesOf(await scaled.png().toBuffer()),
        /labels\.png: expected ids or colours of the data set, got \d+ others in \d+\.\d % of the pixels, such as #[0-9a-f]{6}; they look scaled smoothly/,
      );
    });

    it('when a share of the ids is none of the data set’s, and not for a few strays', async () => {
      const some = (strays: number) =>
        gray([...Array<number>(1000 - strays).fill(8), ...Array<number>(strays).fill(77)]);
      assert.equal((await classesOf(some(5))).filter((id) => id === VOID).length, 5);
      await assert.rejects(classesOf(some(6)), /labels\.png: .* got 1 others in 0\.6 % of the pixels, such as 77$/);
    });

    it('when an index has no colour', async () => {
      const file = png({ width: 2, type: 'indexed', samples: [1, 9], palette: [[0, 0, 0], [64, 0, 128]] }); // prettier-ignore
      await assert.rejects(classesOf(file), /labels\.png: /);
    });

    it('when the file is cut short or no PNG', async () => {
      const file = gray(Array.from({ length: 4000 }, (_, i) => (i * i) % 12));
      for (const length of [0, 7, 20, 40, file.length >> 1, file.length - 16]) {
        await assert.rejects(
          classesOf(file.subarray(0, length)),
          /labels\.png: expected a readable image/,
          `${length}`,
        );
      }
      const damaged = Buffer.from(file);
      damaged[file.length >> 1]! ^= 0xff;
      await assert.rejects(classesOf(damaged), /labels\.png: expected a readable image/);
      const jpeg = await sharp(file).jpeg().toBuffer();
      await assert.rejects(classesOf(jpeg), /labels\.png: expected a readable image \(no PNG, which keeps numbers/);
    });
  });
});
