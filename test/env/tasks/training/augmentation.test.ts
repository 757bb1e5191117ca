import assert from 'node:assert/strict';
import { CLASS_ID, VOID } from '../../../../env/streets/classes.ts';
import type { LabelledImage } from '../../../../env/streets/labelled-image.ts';
import {
  noiseTable,
  plainView,
  randomView,
  writePatches,
  type ImageView,
} from '../../../../env/tasks/training/augmentation.ts';
import { writeLabels } from '../../../../env/tasks/segmentation/labels.ts';
import { MERGED_CAR, MERGED_CLASSES } from '../../../../env/tasks/segmentation/merged-classes.ts';
import { Random } from '../../../../protocol/random.ts';

const SIZE = { width: 32, height: 16 };
/** Patches and cells of labels are squares of 4×4 pixels. */
const CELLS = { columns: 8, rows: 4 };
const PATCH_LENGTH = 6 * 6 * 3;
const quiet = new Float32Array(1);

/** A gray road with a red car in these pixels. */
function carAt(left: number, top: number, width: number, height: number): LabelledImage {
  const rgb = new Uint8Array(SIZE.width * SIZE.height * 3).fill(90);
  const classes = new Uint8Array(SIZE.width * SIZE.height).fill(CLASS_ID.road);
  for (let y = top; y < top + height; y++) {
    for (let x = left; x < left + width; x++) {
      classes[y * SIZE.width + x] = CLASS_ID.car;
      rgb.set([220, 30, 30], (y * SIZE.width + x) * 3);
    }
  }
  return { ...SIZE, rgb, classes };
}

function seen(image: LabelledImage, view: ImageView): { patches: Float32Array; labels: number[] } {
  const patches = new Float32Array(CELLS.columns * CELLS.rows * PATCH_LENGTH);
  const labels = new Float32Array(CELLS.columns * CELLS.rows);
  writePatches(image, view, SIZE, patches, quiet, 0);
  writeLabels(image, view, SIZE, 4, labels);
  return { patches, labels: [...labels] };
}

/** The value of a patch at a position from −1 to 4 on each axis: 0 to 3 are its own pixels. */
function at(patches: Float32Array, cell: number, x: number, y: number, channel: number): number {
  return patches[cell * PATCH_LENGTH + ((y + 1) * 6 + x + 1) * 3 + channel]!;
}

/** How much redder than green the own pixels of a patch are on average. */
function redness(patches: Float32Array, cell: number): number {
  let sum = 0;
  for (let i = 0; i < 16; i++) sum += at(patches, cell, i % 4, i >> 2, 0) - at(patches, cell, i % 4, i >> 2, 1);
  return sum / 16;
}

describe('a view of a labelled image', () => {
  it('keeps its brightness with fixed levels, and has the common brightness with its own levels', () => {
    const gray = (value: number): LabelledImage => ({
      ...carAt(0, 0, 1, 1),
      rgb: new Uint8Array(SIZE.width * SIZE.height * 3).fill(value),
    });
    const value = (byte: number, levels: 'own' | 'fixed') =>
      at(seen(gray(byte), plainView(SIZE, levels)).patches, 7, 1, 1, 0);
    assert.ok(Math.abs(value(204, 'fixed') - value(51, 'fixed') - 0.6 / 0.25) < 1e-5);
    assert.ok(Math.abs(value(204, 'own')) + Math.abs(value(51, 'own')) < 1e-3);
  });

  it('without augmentation gives each cell its own pixels, row by row, standardised', () => {
    const image = carAt(20, 8, 4, 4); // exactly the cell in row 2, column 5
    const { patches, labels } = seen(image, plainView(image));
    assert.deepEqual(
      labels.flatMap((id, cell) => (id === MERGED_CAR ? [cell] : [])),
      [2 * CELLS.columns + 5],
    );
    const own = labels.flatMap((_, cell) =>
      Array.from({ length: 48 }, (_, i) => at(patches, cell, (i >> 2) % 4, i & 3, Math.floor(i / 16))),
    );
    const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
    const variance = own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / own.length;
    assert.ok(Math.abs(mean) < 1e-5 && Math.abs(variance - 1) < 1e-4);
    labels.forEach((id, cell) => assert.equal(redness(patches, cell) > 1, id === MERGED_CAR));
  });

  it('surrounds each patch with the pixels of its neighbours, and with the mean beyond the edge', () => {
    const rgb = Uint8Array.from({ length: SIZE.width * SIZE.height * 3 }, (_, i) => (i * 37) % 251);
    const image = { ...carAt(0, 0, 1, 1), rgb };
    const { patches } = seen(image, plainView(image));
    const { columns, rows } = CELLS;
    for (let cell = 0; cell < columns * rows; cell++) {
      for (let i = -1; i <= 4; i++) {
        const last = cell % columns === columns - 1;
        for (const channel of [0, 1, 2]) {
          if (i >= 0 && i < 4) {
            const right = last ? 0 : at(patches, cell + 1, 0, i, channel);
            assert.equal(at(patches, cell, 4, i, channel), right);
          }
          if (cell < columns) assert.equal(at(patches, cell, i, -1, channel), 0);
          else if (i >= 0 && i < 4) {
            assert.equal(at(patches, cell, i, -1, channel), at(patches, cell - columns, i, 3, channel));
          }
        }
      }
    }
  });

  it('keeps labels and colours together through crop and mirror', () => {
    const random = new Random(11);
    let cars = 0;
    for (let i = 0; i < 200; i++) {
      const image = carAt(random.integer(18), random.integer(7), 14, 9);
      const view = { ...randomView(image, 0.7, random), noise: 0 };
      const { patches, labels } = seen(image, view);
      const reds = labels.map((_, cell) => redness(patches, cell));
      // A cell that is all car is as red as any, one that is all road as gray as any: the truth lies between.
      const threshold = (Math.max(...reds) + Math.min(...reds)) / 2;
      const margin = (Math.max(...reds) - Math.min(...reds)) / 5;
      labels.forEach((id, cell) => {
        if (Math.abs(reds[cell]! - threshold) < margin) return; // on the edge
        assert.equal(reds[cell]! > threshold, id === MERGED_CAR, `view ${i}, cell ${cell}`);
        if (id === MERGED_CAR) cars++;
      });
    }
    assert.ok(cars > 500);
  });

  it('mirrors columns, and nothing else', () => {
    const image = carAt(0, 8, 4, 4);
    const { labels } = seen(image, { ...plainView(image), mirrored: true });
    assert.equal(labels[2 * CELLS.columns + CELLS.columns - 1], MERGED_CAR);
    assert.equal(labels.filter((id) => id === MERGED_CAR).length, 1);
  });

  it('enlarges a crop to the whole', () => {
    const image = carAt(8, 4, 16, 8);
    const { labels } = seen(image, { ...plainView(image), left: 8, top: 4, width: 16, height: 8 });
    assert.ok(labels.every((id) => id === MERGED_CAR));
  });

  it('is not changed by more light and another exposure, which standardising removes', () => {
    const image = carAt(8, 4, 8, 8);
    const plain = plainView(image);
    const brighter = seen(image, { ...plain, tone: plain.tone.map((value) => 0.1 + 1.3 * value) });
    seen(image, plain).patches.forEach((value, i) => assert.ok(Math.abs(value - brighter.patches[i]!) < 1e-4));
  });

  it('labels a cell with the class of most of its labelled pixels, and as void if none is labelled', () => {
    const image = carAt(0, 0, 4, 1); // four pixels of car above twelve of road
    const ground = MERGED_CLASSES.indexOf('ground');
    assert.equal(seen(image, plainView(image)).labels[0], ground);
    const classes = image.classes.slice();
    for (let x = 0; x < 4; x++) for (let y = 1; y < 4; y++) if (x > 0) classes[y * SIZE.width + x] = VOID;
    for (let x = 4; x < 8; x++) for (let y = 0; y < 4; y++) classes[y * SIZE.width + x] = VOID;
    const { labels } = seen({ ...image, classes }, plainView(image));
    assert.deepEqual(labels.slice(0, 3), [MERGED_CAR, VOID, ground]);
  });

  it('is drawn the same from the same seed, and stays within the image', () => {
    for (let seed = 0; seed < 100; seed++) {
      const view = randomView(SIZE, 0.7, new Random(seed));
      assert.deepEqual(view, randomView(SIZE, 0.7, new Random(seed)));
      assert.ok(view.left >= 0 && view.left + view.width <= SIZE.width + 1e-9);
      assert.ok(view.top >= 0 && view.top + view.height <= SIZE.height + 1e-9);
      assert.ok(view.width >= 0.7 * SIZE.width);
    }
  });
});

describe('noiseTable', () => {
  it('holds standard normal numbers', () => {
    const table = noiseTable(new Random(1));
    const mean = table.reduce((sum, value) => sum + value, 0) / table.length;
    const variance = table.reduce((sum, value) => sum + value * value, 0) / table.length;
    assert.ok(Math.abs(mean) < 0.02 && Math.abs(variance - 1) < 0.02);
  });
});
