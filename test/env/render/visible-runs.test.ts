import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SampleGrid } from '../../../env/render/sample-grid.ts';
import { Visibility } from '../../../env/render/visibility.ts';
import { VisibleRuns } from '../../../env/render/visible-runs.ts';

const TRIANGLES = 3;

/** What each sample sees, read back from the sorted runs: null where none or more than one tells. */
function readBack(grid: SampleGrid, { pixel, length, mask, starts }: VisibleRuns): (number | null)[] {
  const seen = new Array<number | null>(grid.rows * grid.width).fill(null);
  for (let t = -1, i = 0; t < TRIANGLES; t++) {
    for (; i < starts[t + 1]!; i++) {
      for (let p = pixel[i]!; p < pixel[i]! + length[i]!; p++) {
        const [x, row] = [p % grid.width, Math.floor(p / grid.width)];
        for (let k = 0; k < grid.samples; k++) {
          if ((mask[i]! & (1 << k)) === 0) continue;
          const at = (row * grid.samples + k) * grid.width + x;
          seen[at] = seen[at] === null ? t : null;
        }
      }
    }
  }
  return seen;
}

describe('VisibleRuns', () => {
  for (const antialias of [false, true]) {
    const grid = new SampleGrid(3, 2, antialias);
    const runs = new VisibleRuns(grid);
    const visibility = new Visibility(grid);
    const samples = fc.array(fc.integer({ min: -1, max: TRIANGLES - 1 }), {
      minLength: visibility.triangle.length,
      maxLength: visibility.triangle.length,
    });

    it(`gives every sample once, to the triangle it sees, with ${grid.samples} samples a pixel`, () => {
      fc.assert(
        fc.property(samples, (triangle) => {
          visibility.triangle.set(triangle);
          runs.sort(visibility, TRIANGLES);
          assert.deepEqual(readBack(grid, runs), triangle);
        }),
      );
    });

    it(`gives a pixel to a triangle as one piece, with ${grid.samples} samples a pixel`, () => {
      fc.assert(
        fc.property(samples, (triangle) => {
          visibility.triangle.set(triangle);
          runs.sort(visibility, TRIANGLES);
          for (let t = 0; t < TRIANGLES; t++) {
            const pieces = [...runs.pixel.subarray(runs.starts[t], runs.starts[t + 1])];
            assert.equal(new Set(pieces).size, pieces.length);
          }
        }),
      );
    });
  }
});
