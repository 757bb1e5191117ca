import type { SampleGrid } from './sample-grid.ts';
import { doubled } from './triangles.ts';
import type { Visibility } from './visibility.ts';

/**
 * What is seen, sorted by triangle: the runs of pixels in a row that show each one with the same of their samples. So
 * each triangle's normals, texture coordinates and light are worked out once, for all of its pixels.
 */
export class VisibleRuns {
  /** Row · width + column of each run's first pixel, the runs of a triangle together. */
  readonly pixel: Int32Array;
  /** How many pixels it has. */
  readonly length: Int32Array;
  /** Which samples of its pixels, as bits. */
  readonly mask: Uint8Array;
  /** The runs of triangle t are from starts[t] up to starts[t + 1]; the background's are those before starts[0]. */
  starts = new Int32Array(1024);
  private readonly grid: SampleGrid;
  private count = 0;
  private readonly unsortedTriangle: Int32Array;
  private readonly unsortedPixel: Int32Array;
  private readonly unsortedLength: Int32Array;
  private readonly unsortedMask: Uint8Array;

  constructor(grid: SampleGrid) {
    this.grid = grid;
    const most = grid.rows * grid.width;
    this.pixel = new Int32Array(most);
    this.length = new Int32Array(most);
    this.mask = new Uint8Array(most);
    this.unsortedTriangle = new Int32Array(most);
    this.unsortedPixel = new Int32Array(most);
    this.unsortedLength = new Int32Array(most);
    this.unsortedMask = new Uint8Array(most);
  }

  /** Reads the visibility buffer, which holds triangles −1 (the background) to `triangleCount` − 1. */
  sort({ triangle }: Visibility, triangleCount: number): void {
    const { width, height, samples, full } = this.grid;
    while (this.starts.length < triangleCount + 2) this.starts = doubled(this.starts);
    this.starts.fill(0, 0, triangleCount + 2);
    this.count = 0;
    for (let row = 0; row < height; row++) {
      const base = row * samples * width;
      for (let x = 0; x < width;) {
        const end = samples === 1 ? runEnd(triangle, base, width, x) : fiveRunsEnd(triangle, base, width, x);
        const pixel = row * width + x;
        if (end > x) this.add(triangle[base + x]!, pixel, end - x, full);
        else this.addMixed(triangle, base + x, pixel);
        x = end > x ? end : x + 1;
      }
    }
    this.place(triangleCount);
  }

  /** Adds the pieces of a pixel whose five samples, the first at `i`, do not all see the same. */
  private addMixed(triangle: Int32Array, i: number, pixel: number): void {
    const { width } = this.grid;
    const t0 = triangle[i]!;
    const t1 = triangle[i + width]!;
    const t2 = triangle[i + 2 * width]!;
    const t3 = triangle[i + 3 * width]!;
    const t4 = triangle[i + 4 * width]!;
    const as0 = 1 | (t1 === t0 ? 2 : 0) | (t2 === t0 ? 4 : 0) | (t3 === t0 ? 8 : 0) | (t4 === t0 ? 16 : 0);
    const as1 = 2 | (t2 === t1 ? 4 : 0) | (t3 === t1 ? 8 : 0) | (t4 === t1 ? 16 : 0);
    const as2 = 4 | (t3 === t2 ? 8 : 0) | (t4 === t2 ? 16 : 0);
    const as3 = 8 | (t4 === t3 ? 16 : 0);
    this.add(t0, pixel, 1, as0);
    let done = as0;
    if ((done & 2) === 0) this.add(t1, pixel, 1, as1);
    done |= as1;
    if ((done & 4) === 0) this.add(t2, pixel, 1, as2);
    done |= as2;
    if ((done & 8) === 0) this.add(t3, pixel, 1, as3);
    done |= as3;
    if ((done & 16) === 0) this.add(t4, pixel, 1, 16);
  }

  private add(t: number, pixel: number, length: number, mask: number): void {
    const i = this.count++;
    this.unsortedTriangle[i] = t;
    this.unsortedPixel[i] = pixel;
    this.unsortedLength[i] = length;
    this.unsortedMask[i] = mask;
    this.starts[t + 2]!++;
  }

  /** A counting sort: sums up how many runs the triangles have, and puts each run where its triangle's next goes. */
  private place(triangleCount: number): void {
    const { starts, unsortedTriangle, unsortedPixel, unsortedLength, unsortedMask, pixel, length, mask, count } = this;
    for (let t = 1; t < triangleCount + 2; t++) starts[t]! += starts[t - 1]!;
    for (let i = 0; i < count; i++) {
      const place = starts[unsortedTriangle[i]! + 1]!++;
      pixel[place] = unsortedPixel[i]!;
      length[place] = unsortedLength[i]!;
      mask[place] = unsortedMask[i]!;
    }
  }
}

/** Where the run of equal triangles ends that starts at pixel x of a sample row. */
export function runEnd(triangle: Int32Array, base: number, width: number, x: number): number {
  const t = triangle[base + x]!;
  while (x < width && triangle[base + x] === t) x++;
  return x;
}

/** The same for five sample rows at once; x itself when they differ there. */
function fiveRunsEnd(triangle: Int32Array, base: number, width: number, x: number): number {
  const t = triangle[base + x]!;
  const b = base + width;
  const c = b + width;
  const d = c + width;
  const e = d + width;
  while (
    x < width &&
    triangle[base + x] === t &&
    triangle[b + x] === t &&
    triangle[c + x] === t &&
    triangle[d + x] === t &&
    triangle[e + x] === t
  ) {
    x++;
  }
  return x;
}
