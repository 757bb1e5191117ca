/**
 * Where a picture is sampled: once at each pixel's centre, or at the centre and four places around it.
 *
 * The five places form a rotated lattice: each has its own fifth of the pixel's height and of its width, so that edges
 * near the vertical and near the horizontal both get six shades. Because no two share a height, a picture of H pixel
 * rows is a picture of 5 H *sample rows*, of which row r is shifted by `xOffsets[r % 5]`: one scan converter does both.
 * Sample row 2 of each five runs through the centres, where a picture without antialiasing has its only sample; ids and
 * depth are taken there, and are the same with and without.
 */
export class SampleGrid {
  readonly width: number;
  readonly height: number;
  /** Samples in a pixel: 1 or 5. */
  readonly samples: number;
  /** Which sample of a pixel is its centre. */
  readonly centre: number;
  /** Sample rows in the picture. */
  readonly rows: number;
  /** How far right of the pixel's left border each sample lies, in pixels. */
  readonly xOffsets: Float64Array;
  /** How far under the pixel's upper border each sample lies, in pixels. */
  readonly yOffsets: Float64Array;
  /** Share of the pixel that a set of samples (a bit mask) covers, by mask. */
  readonly coverage: Float64Array;
  /** Where to shade for a set of samples, by mask: the centre if it is covered, else the mean of the covered places. */
  readonly shadeX: Float64Array;
  readonly shadeY: Float64Array;
  /** The mask of all samples. */
  readonly full: number;

  constructor(width: number, height: number, antialias: boolean) {
    this.width = width;
    this.height = height;
    this.samples = antialias ? 5 : 1;
    this.centre = antialias ? 2 : 0;
    this.rows = height * this.samples;
    this.xOffsets = antialias ? Float64Array.of(0.7, 0.1, 0.5, 0.9, 0.3) : Float64Array.of(0.5);
    this.yOffsets = antialias ? Float64Array.of(0.1, 0.3, 0.5, 0.7, 0.9) : Float64Array.of(0.5);
    const masks = 1 << this.samples;
    this.full = masks - 1;
    this.coverage = new Float64Array(masks);
    this.shadeX = new Float64Array(masks).fill(0.5);
    this.shadeY = new Float64Array(masks).fill(0.5);
    for (let mask = 1; mask < masks; mask++) this.tabulate(mask);
  }

  private tabulate(mask: number): void {
    let count = 0;
    let x = 0;
    let y = 0;
    for (let k = 0; k < this.samples; k++) {
      if ((mask & (1 << k)) === 0) continue;
      count++;
      x += this.xOffsets[k]!;
      y += this.yOffsets[k]!;
    }
    this.coverage[mask] = count / this.samples;
    if ((mask & (1 << this.centre)) !== 0) return;
    this.shadeX[mask] = x / count;
    this.shadeY[mask] = y / count;
  }
}
