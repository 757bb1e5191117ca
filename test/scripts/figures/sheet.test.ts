import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { CLASS_ID, CLASSES, VOID } from '../../../env/streets/classes.ts';
import { classColours, classKey, DEPTH_KEY, depthColours } from '../../../env/streets/colours.ts';
import { renderSheet, writeSheet } from '../../../scripts/figures/sheet.ts';

const filled = (width: number, height: number, colour: readonly number[]) => ({
  width,
  height,
  rgb: Uint8Array.from({ length: width * height * 3 }, (_, i) => colour[i % 3]!),
});

describe('a sheet of pictures', () => {
  it('is a PNG that shows each picture enlarged and in its own colours', async () => {
    const red = filled(4, 3, [200, 10, 20]);
    const blue = filled(4, 3, [10, 20, 200]);
    const png = await renderSheet({ rows: [{ cells: [red, { ...blue, caption: 'blue' }] }], scale: 10 });
    const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    const count = (colour: readonly number[]) => {
      let found = 0;
      for (let i = 0; i < data.length; i += 3) {
        if (colour.every((value, c) => Math.abs(data[i + c]! - value) <= 1)) found++;
      }
      return found;
    };
    assert.ok(info.width >= 80 && info.height >= 30);
    assert.equal(count([200, 10, 20]), 40 * 30);
    assert.equal(count([10, 20, 200]), 40 * 30);
  });

  it('writes captions: dark pixels where there were none', async () => {
    const cell = filled(60, 10, [255, 255, 255]);
    const dark = async (caption?: string) => {
      const png = await renderSheet({ rows: [{ cells: [{ ...cell, ...(caption && { caption }) }] }] });
      const data = await sharp(png).greyscale().raw().toBuffer();
      return data.filter((value) => value < 100).length;
    };
    assert.equal(await dark(), 0);
    assert.ok((await dark('fog < 3 & more')) > 50);
  });

  it('is as wide as captions that are wider than their pictures', async () => {
    const cell = { ...filled(20, 20, [255, 255, 255]), caption: 'a long caption\nof two lines' };
    const { width, height } = await sharp(await renderSheet({ rows: [{ cells: [cell, cell] }] })).metadata();
    assert.ok(width >= 2 * 14 * 6 && height >= 40 + 2 * 12, `${width}×${height}`);
  });

  it('has a key to the colours, in as many lines as it needs', async () => {
    const rows = [{ cells: [filled(30, 10, [255, 255, 255])] }];
    const entries = [
      { name: 'road', colour: [200, 10, 20] as const },
      { name: 'a long name of a class', colour: [10, 20, 200] as const },
    ];
    const png = sharp(await renderSheet({ rows, keys: [{ title: 'labels', entries }] }));
    const { data, info } = await png.removeAlpha().raw().toBuffer({ resolveWithObject: true });
    const linesOf = (colour: readonly number[]) => {
      const lines = new Set<number>();
      for (let i = 0; i < data.length; i += 3) {
        if (colour.every((value, c) => data[i + c] === value)) lines.add(Math.floor(i / 3 / info.width));
      }
      return [...lines];
    };
    const [red, blue] = entries.map(({ colour }) => linesOf(colour));
    assert.ok(red!.length >= 10 && blue!.length >= 10);
    assert.ok(Math.min(...blue!) > Math.max(...red!), 'the second stands below the first');
  });

  it('is written to a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sheet-'));
    try {
      const path = join(folder, 'sheet.png');
      await writeSheet({ title: 'One', rows: [{ caption: 'row', cells: [filled(8, 8, [1, 2, 3])] }] }, path);
      assert.equal((await sharp(await readFile(path)).metadata()).format, 'png');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('refuses bytes that do not fit the size', async () => {
    const cell = { width: 4, height: 4, rgb: new Uint8Array(3) };
    await assert.rejects(renderSheet({ rows: [{ cells: [cell] }] }), /expected 48 bytes for 4×4, got 3/);
  });

  it('colours classes by their palette and leaves VOID black', () => {
    const rgb = classColours(Uint8Array.of(CLASS_ID.car, VOID, CLASS_ID.sky));
    assert.deepEqual([...rgb], [...CLASSES[CLASS_ID.car]!.colour, 0, 0, 0, ...CLASSES[CLASS_ID.sky]!.colour]);
  });

  it('names the classes that occur, by the names of the caller where it has some', () => {
    const [road, car] = [Uint8Array.of(CLASS_ID.road, VOID), Uint8Array.of(CLASS_ID.car, CLASS_ID.road)];
    const names = (key: ReturnType<typeof classKey>) => key.entries.map(({ name }) => name);
    assert.deepEqual(names(classKey([road, car])), ['road', 'car', 'no class']);
    assert.deepEqual(names(classKey([car], ['ground'])), ['ground', 'car']);
    const [first] = classKey([car]).entries;
    assert.deepEqual(first!.colour, CLASSES[CLASS_ID.road]!.colour);
  });

  it('names distances by the colours that they have', () => {
    assert.deepEqual(DEPTH_KEY.entries[0], { name: '2 m', colour: [...depthColours(Float32Array.of(2))] });
    assert.deepEqual(DEPTH_KEY.entries.at(-1), { name: 'sky', colour: [255, 255, 255] });
  });

  it('colours larger distances darker, and infinite ones white', () => {
    const rgb = depthColours(Float32Array.of(1, 5, 20, 80, 500, Infinity));
    const brightness = [0, 1, 2, 3, 4, 5].map((i) => rgb[3 * i]! + rgb[3 * i + 1]! + rgb[3 * i + 2]!);
    for (let i = 1; i < 5; i++) assert.ok(brightness[i]! < brightness[i - 1]!, brightness.join());
    assert.equal(brightness[5], 3 * 255);
  });
});
