import type { SampleGrid } from './sample-grid.ts';

/**
 * Scan conversion: which samples of each sample row lie inside a triangle.
 *
 * A sample belongs to the triangle when it is at or right of the left edge and strictly left of the right edge, at or
 * under the top and strictly above the bottom (the top-left rule). An edge's position in a row is worked out from its
 * upper end downwards, whichever triangle asks, so two triangles that share an edge never both take a sample nor both
 * leave it.
 */
export class Spans {
  /** First sample row covered. */
  first = 0;
  /** Row after the last one covered. */
  end = 0;
  /** First pixel of each row's span. */
  readonly starts: Int32Array;
  /** Pixel after the last one of each row's span; not above the start when the span is empty. */
  readonly ends: Int32Array;
  readonly grid: SampleGrid;

  constructor(grid: SampleGrid) {
    this.grid = grid;
    this.starts = new Int32Array(grid.rows);
    this.ends = new Int32Array(grid.rows);
  }

  /**
   * Finds the spans of a triangle; they hold until the next call.
   *
   * @param corners pixel coordinates, x right and y down from the picture's upper left corner
   * @param a       where each corner's x stands in `corners`, its y after it; in any order
   * @returns       false when no sample lies inside
   */
  scan(corners: Float64Array, a: number, b: number, c: number): boolean {
    if (corners[b + 1]! < corners[a + 1]!) [a, b] = [b, a];
    if (corners[c + 1]! < corners[b + 1]!) [b, c] = [c, b];
    if (corners[b + 1]! < corners[a + 1]!) [a, b] = [b, a];
    const { samples, rows } = this.grid;
    const topY = corners[a + 1]! * samples; // In sample rows: row r has its samples at r + 1/2.
    const bottomY = corners[c + 1]! * samples;
    const first = Math.max(0, Math.ceil(topY - 0.5));
    const end = Math.min(rows, Math.ceil(bottomY - 0.5));
    if (!(first < end)) return false; // So it is where a y is not a number.
    const middleY = corners[b + 1]! * samples;
    const topX = corners[a]!;
    const middleX = corners[b]!;
    const bottomX = corners[c]!;
    if (Number.isNaN(topX + middleX + bottomX)) return false;
    this.first = first;
    this.end = end;

    const longSlope = (bottomX - topX) / (bottomY - topY);
    const bend = Math.min(end, Math.max(first, Math.ceil(middleY - 0.5)));
    const middleIsLeft = (middleX - topX) * (bottomY - topY) < (bottomX - topX) * (middleY - topY);
    const { starts, ends } = this;
    const { xOffsets, width } = this.grid;
    let sample = first % samples;
    let covered = false;
    let shortX = topX;
    let shortY = topY;
    let shortSlope = (middleX - topX) / (middleY - topY);
    for (let row = first; row < end; row++) {
      if (row === bend) {
        shortX = middleX;
        shortY = middleY;
        shortSlope = (bottomX - middleX) / (bottomY - middleY);
      }
      const y = row + 0.5;
      const offset = xOffsets[sample]!;
      const long = Math.ceil(topX + (y - topY) * longSlope - offset);
      const short = Math.ceil(shortX + (y - shortY) * shortSlope - offset);
      const left = middleIsLeft ? short : long;
      const right = middleIsLeft ? long : short;
      const start = left > 0 ? left : 0;
      const stop = right < width ? right : width;
      starts[row] = start;
      ends[row] = stop;
      if (start < stop) covered = true;
      if (++sample === samples) sample = 0;
    }
    return covered;
  }
}
