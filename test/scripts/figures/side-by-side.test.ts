import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { CLASS_ID, CLASSES, type ClassName } from '../../../env/streets/classes.ts';
import { ACROSS, drawPredictions, drawStreets, scaleFor } from '../../../scripts/figures/side-by-side.ts';

const SIDE = 8;

/** An image whose left half is sidewalk and whose right half is a bus; its photograph is of one colour. */
const image = {
  width: SIDE,
  height: SIDE,
  rgb: Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, i) => [11, 99, 222][i % 3]!),
  classes: Uint8Array.from({ length: SIDE * SIDE }, (_, i) => (i % SIDE < SIDE / 2 ? CLASS_ID.sidewalk : CLASS_ID.bus)),
};

describe('a picture', () => {
  it('of predictions has photographs, and truth and predictions in the classes that the network is asked for', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'predictions-'));
    try {
      const model = {
        predict: async (images: readonly unknown[]) =>
          images.map(() => ({ classes: new Uint8Array(SIDE * SIDE).fill(CLASS_ID.sky) })),
        dispose: () => {},
      };
      const taught: number[] = [];
      const networks = [
        { name: 'the start', theta: {} },
        { name: 'real images', images: [image, image] },
      ];
      const experiment = {
        simulator: { open: () => ({ draw: () => image }) },
        task: {
          train: async (samples: readonly unknown[]) => {
            taught.push(samples.length);
            return model;
          },
        },
        trainingSamples: 1,
        target: { test: async () => Array.from({ length: 6 }, () => image) },
      };
      const path = join(folder, 'predictions.png');
      await drawPredictions(experiment as never, networks, path);
      assert.deepEqual(taught, [1, 2]);
      const { data } = await sharp(path).removeAlpha().raw().toBuffer({ resolveWithObject: true });
      const count = (colour: readonly number[]) => {
        let found = 0;
        for (let i = 0; i < data.length; i += 3) if (colour.every((value, c) => data[i + c] === value)) found++;
        return found;
      };
      const of = (name: ClassName) => count(CLASSES[CLASS_ID[name]]!.colour);
      const pixels = ACROSS * SIDE * SIDE * scaleFor([image]) ** 2; // of a row
      assert.equal(count([11, 99, 222]), pixels);
      assert.deepEqual([of('sidewalk'), of('bus')], [0, 0]);
      const [without, beside] = [join(folder, 'without.png'), join(folder, 'beside.png')];
      await drawPredictions(experiment as never, networks, without, beside);
      assert.deepEqual(readFileSync(beside), readFileSync(path));
      const rest = await sharp(without).removeAlpha().raw().toBuffer();
      for (let i = 0; i < rest.length; i += 3) {
        assert.notDeepEqual([rest[i], rest[i + 1], rest[i + 2]], [11, 99, 222], 'a pixel of a photograph');
      }
      // The swatches of the key show a colour too.
      for (const [name, least] of [
        ['road', pixels / 2],
        ['car', pixels / 2],
        ['sky', 2 * pixels], // both networks
      ] as const) {
        assert.ok(of(name) > least && of(name) < least + 200, `${name}: ${of(name)} pixels`);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('of streets has a row for each θ, and photographs only in the picture beside it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'streets-'));
    try {
      const drawnOf: unknown[] = [];
      const grey = { ...image, rgb: new Uint8Array(SIDE * SIDE * 3).fill(77) };
      const draw = (theta: unknown) => {
        drawnOf.push(theta);
        return grey;
      };
      const simulator = { open: (theta: unknown) => ({ draw: () => draw(theta) }) };
      const thetas = [
        { name: 'the start', theta: { fog: 1 } },
        { name: 'learned', theta: { fog: 2 } },
      ];
      const [path, beside] = [join(folder, 'streets.png'), join(folder, 'beside.png')];
      const real = { images: Array.from({ length: 9 }, () => image), path: beside };
      await drawStreets(simulator as never, thetas, path, real);
      const of = (fog: number) => Array<unknown>(ACROSS).fill({ fog });
      assert.deepEqual(drawnOf, [...of(1), ...of(2)]);
      const row = ACROSS * SIDE * SIDE * scaleFor([image]) ** 2;
      const counts = async (file: string) => {
        const data = await sharp(file).removeAlpha().raw().toBuffer();
        const count = (red: number, green: number, blue: number) => {
          let found = 0;
          for (let i = 0; i < data.length; i += 3)
            if (data[i] === red && data[i + 1] === green && data[i + 2] === blue) found++;
          return found;
        };
        return { photographs: count(11, 99, 222), streets: count(77, 77, 77) };
      };
      const without = await counts(path);
      assert.equal(without.photographs, 0);
      // The edges of letters have greys too.
      assert.ok(without.streets >= 2 * row && without.streets < 2 * row + 200, `${without.streets}`);
      assert.equal((await counts(beside)).photographs, row);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
