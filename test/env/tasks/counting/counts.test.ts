import assert from 'node:assert/strict';
import { carCounts, COUNTED_SHARE, writeDensity, type CountableImage } from '../../../../env/tasks/counting/counts.ts';
import { plainView } from '../../../../env/tasks/training/augmentation.ts';
import { countableScene, TYPES } from './countable-scenes.ts';

const SIZE = { width: 32, height: 16 };

/** An image that shows each car in these pixels. */
function showing(cars: readonly { type: string; pixels: readonly number[] }[]): CountableImage {
  const instances = new Uint16Array(SIZE.width * SIZE.height);
  cars.forEach(({ pixels }, i) => pixels.forEach((pixel) => (instances[pixel] = i + 1)));
  const listed = cars.map(({ type }, i) => ({ instance: i + 1, type }));
  return { ...SIZE, rgb: new Uint8Array(instances.length * 3), instances, cars: listed };
}

const row = (y: number, from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => y * SIZE.width + from + i);

describe('the cars of an image', () => {
  it('count from 80 pixels on at 96×72, and from the same share at other sizes', () => {
    const least = Math.ceil(COUNTED_SHARE * SIZE.width * SIZE.height);
    assert.equal(least, 6); // 512 · 80 / 6912 = 5.9
    const cars = [
      { type: 'red', pixels: row(0, 0, 5) },
      { type: 'red', pixels: row(2, 0, 6) },
      { type: 'blue', pixels: row(4, 0, 9) },
      { type: 'blue', pixels: row(6, 0, 9) },
    ];
    assert.deepEqual([...carCounts(showing(cars), TYPES)], [1, 2]);
  });

  it('do not count when they are out of view', () => {
    const image = showing([{ type: 'red', pixels: [] }]);
    assert.deepEqual([...carCounts(image, TYPES)], [0, 0]);
    assert.deepEqual([...carCounts({ ...image, cars: [] }, TYPES)], [0, 0]);
  });

  it('are spread over the cells by their pixels, and add up to the count', () => {
    const image = showing([{ type: 'blue', pixels: row(3, 6, 14) }]); // 2 pixels in the first cell of 8, 6 in the next
    const density = new Float32Array(4 * 2 * TYPES.length);
    writeDensity(image, TYPES, plainView(image), SIZE, 8, density);
    assert.deepEqual([...density.subarray(0, 4)], [0, 0.25, 0, 0.75]);
    assert.ok(density.subarray(4).every((value) => value === 0));
  });

  it('add up to the count in every mirrored or plain view of a scene', () => {
    for (let seed = 0; seed < 20; seed++) {
      const image = countableScene(seed);
      const density = new Float32Array(8 * 6 * TYPES.length);
      const counts = carCounts(image, TYPES);
      for (const mirrored of [false, true]) {
        writeDensity(image, TYPES, { ...plainView(image), mirrored }, image, 8, density);
        counts.forEach((count, type) => {
          const sum = density.reduce((total, value, i) => (i % 2 === type ? total + value : total), 0);
          assert.ok(Math.abs(sum - count) < 1e-5);
        });
      }
    }
  });

  it('have types that the task knows', () => {
    const image = showing([{ type: 'tram', pixels: [] }]);
    assert.throws(
      () => carCounts(image, TYPES),
      /^RangeError: counting: expected cars of the types red, blue, got tram$/,
    );
  });
});
