import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { readPhotograph, scaled } from '../../../env/streets/photograph.ts';
import { displayP3, png, profileChunk } from './png.ts';

describe('a photograph', () => {
  const folder = mkdtempSync(join(tmpdir(), 'photographs-'));
  const path = join(folder, 'photograph');
  after(() => rmSync(folder, { recursive: true }));

  const read = async (file: Buffer) => {
    writeFileSync(path, file);
    const { width, height, rgb } = await readPhotograph(path);
    return { width, height, rgb: [...rgb] };
  };
  const near = (actual: readonly number[], expected: readonly number[], by: number) => {
    assert.equal(actual.length, expected.length);
    actual.forEach((value, i) =>
      assert.ok(Math.abs(value - expected[i]!) <= by, `${actual.join()} for ${expected.join()}`),
    );
  };
  /** A picture of 8×4 pixels of one colour. */
  const plain = (colour: readonly number[]) =>
    sharp(Buffer.from(Array.from({ length: 32 }, () => colour).flat()), { raw: { width: 8, height: 4, channels: 3 } });

  it('is converted from its profile to sRGB', async () => {
    const chunks = { iCCP: profileChunk(await displayP3()) };
    const { rgb } = await read(png({ width: 1, type: 'rgb', samples: [100, 150, 200], chunks }));
    // Light is 0.127, 0.305, 0.578 in P3; its matrix (https://www.w3.org/TR/css-color-4/#color-conversion) gives 0.088,
    // 0.312, 0.608 in sRGB.
    near(rgb, [84, 152, 205], 1);
    const plainly = await read(png({ width: 1, type: 'rgb', samples: [100, 150, 200] }));
    assert.deepEqual(plainly.rgb, [100, 150, 200]);
  });

  it('has what its alpha hides', async () => {
    const samples = [200, 100, 50, 0, 10, 20, 30, 128];
    const file = png({ width: 2, type: 'rgba', samples });
    assert.deepEqual((await read(file)).rgb, [200, 100, 50, 10, 20, 30]);
    const photograph = await readPhotograph(path);
    const half = await scaled(photograph, { left: 0, top: 0, width: 1, height: 1 }, { width: 4, height: 4 });
    assert.deepEqual([...half.subarray(0, 3)], [200, 100, 50]);
    assert.deepEqual((await read(png({ width: 1, type: 'grayAlpha', samples: [90, 0] }))).rgb, [90, 90, 90]);
  });

  it('of 16 bits is rounded to 8', async () => {
    const values = [0, 128, 129, 32767, 32768, 65535];
    const { rgb } = await read(png({ width: 2, type: 'rgb', depth: 16, samples: values }));
    assert.deepEqual(rgb, [0, 0, 1, 127, 128, 255]); // value / 257
    const gray = await read(png({ width: 1, type: 'gray', depth: 16, samples: [32768] }));
    assert.deepEqual(gray.rgb, [128, 128, 128]);
  });

  it('of grays, CMYK or a palette is one of red, green and blue', async () => {
    near(
      (await read(await plain([90, 90, 90]).toColourspace('b-w').jpeg().toBuffer())).rgb.slice(0, 3),
      [90, 90, 90],
      2,
    );
    const cmyk = await plain([150, 140, 130]).toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer();
    assert.equal((await sharp(cmyk).metadata()).space, 'cmyk');
    near((await read(cmyk)).rgb.slice(0, 3), [150, 140, 130], 12);
    const indexed = png({ width: 2, type: 'indexed', samples: [1, 0], palette: [[9, 8, 7], [200, 100, 50]] }); // prettier-ignore
    assert.deepEqual((await read(indexed)).rgb, [200, 100, 50, 9, 8, 7]);
  });

  it('is turned as its EXIF says', async () => {
    const stored = [10, 60, 110, 160, 210, 250]; // of 3×2 pixels
    const upright: Record<number, number[]> = {
      1: [10, 60, 110, 160, 210, 250],
      2: [110, 60, 10, 250, 210, 160],
      3: [250, 210, 160, 110, 60, 10],
      4: [160, 210, 250, 10, 60, 110],
      5: [10, 160, 60, 210, 110, 250],
      6: [160, 10, 210, 60, 250, 110],
      7: [250, 110, 210, 60, 160, 10],
      8: [110, 250, 60, 210, 10, 160],
    };
    const pixels = Buffer.from(stored.flatMap((value) => [value, value, value]));
    for (const [orientation, expected] of Object.entries(upright)) {
      const image = sharp(pixels, { raw: { width: 3, height: 2, channels: 3 } });
      const file = await image
        .withMetadata({ orientation: Number(orientation) })
        .png()
        .toBuffer();
      const { width, height, rgb } = await read(file);
      assert.deepEqual([width, height], Number(orientation) > 4 ? [2, 3] : [3, 2], orientation);
      assert.deepEqual(
        rgb.filter((_, i) => i % 3 === 0),
        expected,
        orientation,
      );
    }
  });

  it('that is cut short is refused, naming the file', async () => {
    const noise = Buffer.from(Array.from({ length: 96 * 64 * 3 }, (_, i) => (i * i * 31) % 251));
    const image = sharp(noise, { raw: { width: 96, height: 64, channels: 3 } });
    for (const file of [await image.clone().jpeg().toBuffer(), await image.clone().png().toBuffer()]) {
      for (const length of [0, 10, file.length >> 1, file.length - 100]) {
        await assert.rejects(read(file.subarray(0, length)), /photograph: expected a readable image \(/, `${length}`);
      }
    }
  });
});
