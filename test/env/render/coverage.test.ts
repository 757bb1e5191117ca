import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SampleGrid } from '../../../env/render/sample-grid.ts';
import { Spans } from '../../../env/render/spans.ts';

/** How often each sample of a grid is covered by triangles given as corner lists x, y. */
function countCover(grid: SampleGrid, ...corners: readonly (readonly number[])[]): Uint8Array {
  const spans = new Spans(grid);
  const counts = new Uint8Array(grid.rows * grid.width);
  for (const triangle of corners) {
    if (!spans.scan(Float64Array.from(triangle), 0, 2, 4)) continue;
    for (let row = spans.first; row < spans.end; row++) {
      for (let x = spans.starts[row]!; x < spans.ends[row]!; x++) counts[row * grid.width + x]!++;
    }
  }
  return counts;
}

function picture(grid: SampleGrid, counts: Uint8Array): string[] {
  return Array.from({ length: grid.rows }, (_, row) =>
    [...counts.subarray(row * grid.width, (row + 1) * grid.width)].join(''),
  );
}

describe('scan conversion', () => {
  const grid = new SampleGrid(4, 4, false);

  it('covers the centres inside a right triangle, those on its left and top edges included, others not', () => {
    // Corners (0.5, 0.5) (3.5, 0.5) (0.5, 3.5): centres lie on all three edges. x + y = 4 is the slanted right edge.
    const counts = countCover(grid, [0.5, 0.5, 3.5, 0.5, 0.5, 3.5]);
    assert.deepEqual(picture(grid, counts), ['1110', '1100', '1000', '0000']);
  });

  it('covers the complement of that triangle in its square by the other half, each centre once', () => {
    const counts = countCover(grid, [0.5, 0.5, 3.5, 0.5, 0.5, 3.5], [3.5, 0.5, 3.5, 3.5, 0.5, 3.5]);
    assert.deepEqual(picture(grid, counts), ['1110', '1110', '1110', '0000']);
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
    fc.double({ min: -3, max: 11, noNaN: true }),
  );
  const point = fc.tuple(coordinate, coordinate);

  for (const antialias of [false, true]) {
    it(`covers each sample of a fan around a point exactly once${antialias ? ', with antialiasing' : ''}`, () => {
      const fine = new SampleGrid(8, 8, antialias);
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
      const fine = new SampleGrid(8, 8, antialias);
      fc.assert(
        fc.property(point, point, point, fc.double({ min: 0, max: 1, noNaN: true }), (a, b, c, share) => {
          // A point on edge a–b, rounded to where arithmetic puts it, splits the triangle in two: a–c–d and d–c–b.
          const d = [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])];
          const halves = countCover(fine, [...a, ...c, ...d], [...d, ...c, ...b]);
          assert.ok(halves.every((count) => count <= 1));
        }),
      );
    });
  }

  it('puts the five samples into five different rows and columns of the pixel, the centre among them', () => {
    const fine = new SampleGrid(1, 1, true);
    const fifths = (offsets: Float64Array) => [...offsets].map((offset) => Math.round(offset * 10)).sort();
    assert.deepEqual(fifths(fine.xOffsets), [1, 3, 5, 7, 9]);
    assert.deepEqual(fifths(fine.yOffsets), [1, 3, 5, 7, 9]);
    assert.deepEqual([fine.xOffsets[fine.centre], fine.yOffsets[fine.centre]], [0.5, 0.5]);
  });

  it('shades at the centre where that is covered, else amid the samples that are', () => {
    const fine = new SampleGrid(1, 1, true);
    const place = (...samples: readonly number[]) => {
      const mask = samples.reduce((bits, sample) => bits | (1 << sample), 0);
      return [fine.coverage[mask], fine.shadeX[mask], fine.shadeY[mask]].map((v) => Math.round(v! * 1000) / 1000);
    };
    assert.deepEqual(place(0, 1, fine.centre), [0.6, 0.5, 0.5]);
    assert.deepEqual(place(3), [0.2, 0.9, 0.7]);
    assert.deepEqual(place(0, 1), [0.4, 0.4, 0.2]); // Between (0.7, 0.1) and (0.1, 0.3).
  });

  it('finds nothing in triangles without area, outside the picture or with corners that are no numbers', () => {
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
