import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { CLASS_ID, CLASSES, type ClassName } from '../../../env/streets/classes.ts';
import { drawPredictions } from '../../../scripts/figures/run-pictures.ts';

const SIDE = 8;

/** An image whose left half is sidewalk and whose right half is a bus; its photograph is of one colour. */
const image = {
  width: SIDE,
  height: SIDE,
  rgb: Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, i) => [11, 99, 222][i % 3]!),
  classes: Uint8Array.from({ length: SIDE * SIDE }, (_, i) => (i % SIDE < SIDE / 2 ? CLASS_ID.sidewalk : CLASS_ID.bus)),
};

describe('a picture of predictions', () => {
  it('has photographs, and truth and predictions in the classes that the network is asked for', async () => {
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
      const pixels = 6 * SIDE * SIDE * 3 * 3; // of a row, at the sheet's scale of 3
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
});
