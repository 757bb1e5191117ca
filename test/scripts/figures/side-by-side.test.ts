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

type Colour = readonly [red: number, green: number, blue: number];
const PHOTOGRAPH: Colour = [11, 99, 222];

/** How many pixels of a picture have a colour. */
async function pixelsOf(path: string, [red, green, blue]: Colour): Promise<number> {
  const data = await sharp(path).removeAlpha().raw().toBuffer();
  let found = 0;
  for (let i = 0; i < data.length; i += 3)
    if (data[i] === red && data[i + 1] === green && data[i + 2] === blue) found++;
  return found;
}

const ROW = ACROSS * SIDE * SIDE * scaleFor([image]) ** 2;

describe('a picture', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'side-by-side-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('of predictions has photographs, and truth and predictions in the classes that the network is asked for', async () => {
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
      target: { test: async () => Array.from({ length: ACROSS }, () => image) },
    };
    const [path, without, beside] = ['predictions', 'without', 'beside'].map((name) => join(folder, `${name}.png`));
    await drawPredictions(experiment as never, networks, path!);
    assert.deepEqual(taught, [1, 2]);
    const of = (name: ClassName) => pixelsOf(path!, CLASSES[CLASS_ID[name]]!.colour);
    assert.equal(await pixelsOf(path!, PHOTOGRAPH), ROW);
    assert.deepEqual([await of('sidewalk'), await of('bus')], [0, 0]);
    await drawPredictions(experiment as never, networks, without!, beside);
    assert.deepEqual(readFileSync(beside!), readFileSync(path!));
    assert.equal(await pixelsOf(without!, PHOTOGRAPH), 0);
    // The swatches of the key show a colour too.
    for (const [name, least] of [
      ['road', ROW / 2],
      ['car', ROW / 2],
      ['sky', 2 * ROW], // both networks
    ] as const) {
      const pixels = await of(name);
      assert.ok(pixels > least && pixels < least + 200, `${name}: ${pixels} pixels`);
    }
  });

  it('of streets has a row for each θ, and photographs only in the picture beside it', async () => {
    const grey: Colour = [77, 77, 77];
    const drawnOf: unknown[] = [];
    const draw = (theta: unknown) => {
      drawnOf.push(theta);
      return { ...image, rgb: new Uint8Array(SIDE * SIDE * 3).fill(77) };
    };
    const simulator = { open: (theta: unknown) => ({ draw: () => draw(theta) }) };
    const thetas = [
      { name: 'the start', theta: { fog: 1 } },
      { name: 'learned', theta: { fog: 2 } },
    ];
    const [path, beside] = [join(folder, 'streets.png'), join(folder, 'streets-beside.png')];
    const real = { images: Array.from({ length: 9 }, () => image), path: beside };
    await drawStreets(simulator as never, thetas, path, real);
    const of = (fog: number) => Array<unknown>(ACROSS).fill({ fog });
    assert.deepEqual(drawnOf, [...of(1), ...of(2)]);
    assert.equal(await pixelsOf(path, PHOTOGRAPH), 0);
    assert.equal(await pixelsOf(beside, PHOTOGRAPH), ROW);
    for (const picture of [path, beside]) {
      const pixels = await pixelsOf(picture, grey); // the edges of letters have greys too
      assert.ok(pixels >= 2 * ROW && pixels < 2 * ROW + 200, `${picture}: ${pixels} pixels`);
    }
  });
});
