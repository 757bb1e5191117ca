import assert from 'node:assert/strict';
import { join } from 'node:path';
import { readBoxLayout } from '../../../env/streets/folder-layouts.ts';
import { readKittiBoxes, type KittiDifficulty } from '../../../env/streets/kitti-boxes.ts';
import { readBoxFrames } from '../../../env/streets/street-images.ts';
import { colour, streetFolder, type StreetFolder } from './street-folder.ts';

/** A line as KITTI writes it. */
const line = (type: string, truncated: number, occluded: number, ...box: number[]) =>
  [type, truncated, occluded, -1.57, ...box.map((edge) => edge.toFixed(2)), '1.5 1.6 4.0 1.0 1.7 20.0 -1.6'].join(' ');

describe('KITTI’s boxes', () => {
  let folder: StreetFolder;
  beforeEach(() => (folder = streetFolder()));
  afterEach(() => folder.remove());

  const read = (lines: readonly string[], classes = ['car'], difficulty: KittiDifficulty = 'moderate') => {
    folder.put('000000.txt', lines.join('\r\n') + '\n');
    return readKittiBoxes(join(folder.path, '000000.txt'), classes, difficulty);
  };

  it('are asked for as each difficulty says: by height, occlusion and truncation', () => {
    const lines = [
      line('Car', 0.15, 0, 10, 10, 60, 50), // 40 high: easy
      line('Car', 0.15, 0, 10, 10, 60, 49.9),
      line('Car', 0.3, 1, 10, 10, 60, 35), // moderate
      line('Car', 0.5, 2, 10, 10, 60, 35), // hard
      line('Car', 0, 0, 10, 10, 60, 34.9), // too low for all
      line('Car', 0, 3, 10, 10, 60, 60), // nobody knows how much is hidden
    ];
    const asked = (difficulty: KittiDifficulty) =>
      read(lines, ['car'], difficulty).map(({ ignored }) => Number(!ignored));
    assert.deepEqual(asked('easy'), [1, 0, 0, 0, 0, 0]);
    assert.deepEqual(asked('moderate'), [1, 1, 1, 0, 0, 0]);
    assert.deepEqual(asked('hard'), [1, 1, 1, 1, 0, 0]);
    assert.deepEqual(read(lines)[0], { category: 'car', ignored: false, x: 10, y: 10, width: 50, height: 40 });
  });

  it('ignore what is like a wanted object, and where nobody has looked; other types are not there', () => {
    const lines = ['Van', 'Truck', 'DontCare', 'Person_sitting', 'Pedestrian', 'Cyclist'].map((type) =>
      line(type, type === 'DontCare' ? -1 : 0, type === 'DontCare' ? -1 : 0, 0, 0, 50, 50),
    );
    const seen = (...classes: string[]) =>
      read(lines, classes).map(({ category, ignored }) => `${category} ${ignored}`);
    assert.deepEqual(seen('car'), ['car true', 'car true']); // Van and DontCare
    assert.deepEqual(seen('Cyclist'), ['Cyclist true', 'Cyclist false']);
    assert.deepEqual(seen('person'), ['person true', 'person true', 'person false', 'person false']);
    assert.deepEqual(
      seen('car', 'Truck').filter((each) => each.startsWith('Truck')),
      ['Truck false', 'Truck true'],
    );
  });

  it('lie in label_2, beside image_2, and are cropped and scaled with their images', async () => {
    const pixels = Array.from({ length: 400 * 100 }, () => [7, 7, 7]);
    folder.put('training/image_2/000000.png', colour(400, pixels));
    folder.put(
      'training/label_2/000000.txt',
      [line('Car', 0, 0, 160, 20, 240, 80), line('Car', 0, 0, 0, 20, 80, 80), line('Car', 0, 0, 80, 20, 180, 80)].join(
        '\n',
      ),
    );
    const { name, pool } = readBoxLayout(folder.path, { classes: ['car'], difficulty: 'moderate' });
    assert.deepEqual([name, pool.length], ['kitti', 1]);
    const [image] = await readBoxFrames(pool, { width: 50, height: 50 }); // the 100 × 100 pixels in the middle, at half size
    assert.deepEqual(image!.boxes, [
      { category: 'car', ignored: false, x: 5, y: 10, width: 40, height: 30 },
      { category: 'car', ignored: false, x: 0, y: 10, width: 15, height: 30 }, // 30 % of it remain
    ]);
  });

  it('are refused with the file, the line, the rule and the value', () => {
    assert.throws(() => read([line('Bus', 0, 0, 0, 0, 9, 9)]), /000000\.txt:1: expected one of Car, .*, got "Bus"/);
    assert.throws(
      () => read(['', 'Car 0 0 1 2 3']),
      /000000\.txt:2: expected a type, truncation, .*, got "Car 0 0 1 2 3"/,
    );
    assert.throws(() => read([line('Car', 0, 0, 9, 0, 0, 9)]), /:1: expected left, top, right, bottom, got/);
    assert.throws(() => read([], ['lorry']), /classes: expected KITTI’s Car, Van, .*, or person .*, got lorry/);
    folder.put(
      'training/image_2/000001.png',
      colour(2, [
        [0, 0, 0],
        [0, 0, 0],
      ]),
    );
    folder.put('training/label_2/000000.txt', '');
    const wanted = { classes: ['car'], difficulty: 'easy' } as const;
    assert.throws(
      () => readBoxLayout(folder.path, wanted),
      /000001\.png: expected its boxes at .*000001\.txt, found none/,
    );
    folder.remove('training');
    assert.throws(
      () => readBoxLayout(folder.path, wanted),
      /expected KITTI \(training\/image_2, training\/label_2\) or COCO/,
    );
  });
});
