import assert from 'node:assert/strict';
import * as THREE from 'three';
import fc from 'fast-check';
import { colorAt, drawingIn, sceneOf, straightCamera, triangles } from './pixel-scene.ts';
import { type Corners, RawPicture } from './raw-picture.ts';

/** How often each sample of a picture is covered by triangles. */
function countCover(picture: RawPicture, ...triangles: readonly Corners[]): Uint8Array {
  const counts = new Uint8Array(picture.width * picture.height * picture.samples);
  for (const corners of triangles) picture.draw([corners]).forEach((t, i) => (counts[i]! += t === 0 ? 1 : 0));
  return counts;
}

function rowsOf({ width, height, samples }: RawPicture, counts: Uint8Array): string[] {
  return Array.from({ length: height * samples }, (_, row) =>
    [...counts.subarray(row * width, (row + 1) * width)].join(''),
  );
}

describe('scan conversion', () => {
  const grid = new RawPicture(4, 4, 1);

  it('covers the centres inside a right triangle and on its left and top edges, and no others', () => {
    // Corners (0.5, 0.5) (3.5, 0.5) (0.5, 3.5): centres lie on all three edges. x + y = 4 is the slanted right edge.
    const counts = countCover(grid, [0.5, 0.5, 3.5, 0.5, 0.5, 3.5]);
    assert.deepEqual(rowsOf(grid, counts), ['1110', '1100', '1000', '0000']);
  });

  it('covers every other centre of the square with the other half, so that each is covered once', () => {
    const counts = countCover(grid, [0.5, 0.5, 3.5, 0.5, 0.5, 3.5], [3.5, 0.5, 3.5, 3.5, 0.5, 3.5]);
    assert.deepEqual(rowsOf(grid, counts), ['1110', '1110', '1110', '0000']);
  });

  it('does not depend on the order of the corners', () => {
    const [a, b, c] = [
      [0.3, 0.2],
      [3.9, 1.1],
      [1.2, 3.7],
    ] as const;
    const expected = countCover(grid, [a, b, c].flat());
    for (const order of [
      [a, c, b],
      [b, a, c],
      [b, c, a],
      [c, a, b],
      [c, b, a],
    ]) {
      assert.deepEqual(countCover(grid, order.flat()), expected);
    }
  });

  const coordinate = fc.oneof(
    fc.integer({ min: -8, max: 40 }).map((quarter) => quarter / 4), // Often exactly on centres and borders.
    fc.integer({ min: -3 * 1024, max: 11 * 1024 }).map((part) => part / 1024),
  );
  const point = fc.tuple(coordinate, coordinate);

  for (const antialias of [false, true]) {
    it(`covers each sample of a fan around a point exactly once${antialias ? ', with antialiasing' : ''}`, () => {
      const fine = new RawPicture(8, 8, antialias ? 5 : 1);
      const hub = fc.tuple(
        fc.double({ min: 0.01, max: 7.99, noNaN: true }),
        fc.double({ min: 0.01, max: 7.99, noNaN: true }),
      );
      fc.assert(
        fc.property(hub, (centre) => {
          const rim = [-1, -1, 9, -1, 9, 9, -1, 9];
          const fan = [0, 2, 4, 6].map((i) => [...centre, rim[i]!, rim[i + 1]!, rim[(i + 2) % 8]!, rim[(i + 3) % 8]!]);
          assert.ok(countCover(fine, ...fan).every((count) => count === 1));
        }),
      );
    });

    it(`never covers a sample twice, nor leaves one out, at a shared edge${antialias ? ', antialiased' : ''}`, () => {
      const fine = new RawPicture(8, 8, antialias ? 5 : 1);
      fc.assert(
        fc.property(point, point, point, fc.integer({ min: 0, max: 64 }), (a, b, c, part) => {
          // A point on edge a–b, which float32 holds exactly, splits the triangle in two: a–c–d and d–c–b.
          const share = part / 64;
          const d = [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])];
          const halves = countCover(fine, [...a, ...c, ...d], [...d, ...c, ...b]);
          assert.ok(halves.every((count) => count <= 1));
        }),
      );
    });
  }

  it('covers wide triangles like narrow ones, sample by sample', () => {
    const wide = new RawPicture(40, 4, 5);
    fc.assert(
      fc.property(point, point, point, (a, b, c) => {
        // The same triangle, once cut by the right border of a narrow picture.
        const narrow = new RawPicture(8, 4, 5);
        const stretched = [a, b, c].flatMap(([x, y]) => [4 * x, y / 2]);
        const all = countCover(wide, stretched);
        const some = countCover(narrow, stretched);
        some.forEach((count, i) => assert.equal(count, all[Math.floor(i / 8) * 40 + (i % 8)]));
      }),
      { numRuns: 30 },
    );
  });

  it('puts the five samples into five different rows and columns of the pixel; the centre is one of them', () => {
    const pixel = new RawPicture(1, 1, 5);
    const rightOf = (x: number) => countCover(pixel, [x, -9, 90, -9, x, 90]); // The pixel's part right of x.
    const columns = [0, 1, 2, 3, 4].map(
      (sample) => [1, 3, 5, 7, 9].filter((x) => rightOf(x / 10 - 0.05)[sample]).length,
    );
    assert.deepEqual([...columns].sort(), [1, 2, 3, 4, 5]);
    assert.equal(columns[2], 3);
  });

  it('shades at the centre if it is covered, otherwise at the mean of the covered samples', () => {
    const draw = drawingIn({ width: 1, height: 1 });
    const material = new THREE.MeshBasicMaterial({ vertexColors: true, side: THREE.DoubleSide });
    /** Covers the pixel up to x with a red that is x everywhere. */
    const redUpTo = (x: number) => {
      const mesh = triangles([2 * x - 1, -50, -1, 2 * x - 1, 50, -1, 2 * x - 21, 0, -1], material);
      mesh.geometry.setAttribute('color', new THREE.Float32BufferAttribute([x, 0, 0, x, 0, 0, x - 10, 0, 0], 3));
      return colorAt(draw(sceneOf(mesh), straightCamera()), 0, 0)[0];
    };
    assert.equal(redUpTo(0.6), 0.3); // Three samples, with the centre: 0.6 · 0.5.
    assert.equal(redUpTo(0.4), 0.08); // Two, at 0.1 and 0.3: 0.4 · 0.2.
  });

  for (const samples of [1, 5]) {
    it(`gives a pixel the mean colour of its ${samples} samples`, () => {
      const picture = new RawPicture(6, 5, samples);
      fc.assert(
        fc.property(fc.array(fc.tuple(point, point, point), { maxLength: 6 }), (triangles) => {
          const all = triangles.map((corners) => corners.flat());
          // Those that cover no sample are not kept; the others are numbered in their order.
          const reds = all.flatMap((corners, i) => (countCover(picture, corners).includes(1) ? [i + 1] : []));
          const seen = picture.draw(all);
          picture.reds().forEach((red, pixel) => {
            const [x, row] = [pixel % 6, Math.floor(pixel / 6)];
            const own = Array.from({ length: samples }, (_, k) => seen[(row * samples + k) * 6 + x]!);
            const mean = own.reduce((sum, t) => sum + (t < 0 ? 0 : reds[t]!), 0) / samples;
            assert.ok(Math.abs(red - mean) < 1e-5, `pixel ${x}, ${row}: expected ${mean}, got ${red}`);
          });
        }),
      );
    });
  }

  it('covers nothing with triangles without area, outside the picture or with corners that are NaN', () => {
    for (const corners of [
      [1, 1, 2, 2, 3, 3],
      [1, 1, 1, 1, 1, 1],
      [-5, -5, -1, -5, -5, -1],
      [Number.NaN, 0, 4, 0, 0, 4],
      [0, Number.NaN, 4, 0, 0, 4],
    ]) {
      assert.equal(Math.max(...countCover(grid, corners)), 0, String(corners));
    }
  });
});
