import type { SampleGrid } from './sample-grid.ts';

/** How many fragments are shaded in one go. Larger ones would outgrow the first-level cache. */
export const BATCH = 128;

function floats(): Float64Array {
  return new Float64Array(BATCH);
}

/**
 * Pieces of pixels that show one triangle, and what is worked out about them on the way to their colours: one array for
 * each quantity, of which the first `count` places hold. Each step of shading is then one loop over plain numbers.
 */
export class Fragments {
  count = 0;
  /** Row · width + column. */
  readonly pixel = new Int32Array(BATCH);
  /** What share of the pixel it is. */
  readonly weight = floats();
  /** Where they are shaded: pixel coordinates, and metres along the camera's axis. */
  readonly px = floats();
  readonly py = floats();
  readonly distance = floats();
  /** Weights of the triangle's corners. Known where something varies from corner to corner. */
  readonly w0 = floats();
  readonly w1 = floats();
  readonly w2 = floats();
  /** World position; known where shadows fall or the surface shines. */
  readonly x = floats();
  readonly y = floats();
  readonly z = floats();
  /** Unit vector to the viewer; known where the surface shines. */
  readonly vx = floats();
  readonly vy = floats();
  readonly vz = floats();
  /** Unit normal, on the viewer's side. */
  readonly nx = floats();
  readonly ny = floats();
  readonly nz = floats();
  /** All normals are the first one; only it is filled in, until `spreadNormal`. */
  isFlat = false;
  /** Own colour; in the end the light that is sent to the viewer. */
  readonly r = floats();
  readonly g = floats();
  readonly b = floats();
  readonly alpha = floats();
  /** Light that a white surface without shine would send back: irradiance / π. */
  readonly lightR = floats();
  readonly lightG = floats();
  readonly lightB = floats();
  /** Light that a surface which shines sends to the viewer. */
  readonly sentR = floats();
  readonly sentG = floats();
  readonly sentB = floats();
  /** Unit vector to look along into the surroundings, and where that is in their picture. */
  readonly lookX = floats();
  readonly lookY = floats();
  readonly lookZ = floats();
  readonly u = floats();
  readonly v = floats();
  /** What was read from a texture or from the surroundings. */
  readonly readR = floats();
  readonly readG = floats();
  readonly readB = floats();
  readonly readA = floats();
  /** Share of a lamp's light that reaches the place, 0 to 1. */
  readonly reached = floats();

  get isFull(): boolean {
    return this.count === BATCH;
  }

  /**
   * Adds the pixels of a run, as far as there is room.
   *
   * @param pixel row · width + column of the first
   * @param mask  which of their samples
   * @returns     how many were added
   */
  add(pixel: number, length: number, mask: number, { width, coverage, shadeX, shadeY }: SampleGrid): number {
    const from = this.count;
    const end = Math.min(BATCH, from + length);
    const row = Math.floor(pixel / width);
    const x = pixel - row * width + shadeX[mask]!;
    const y = row + shadeY[mask]!;
    const share = coverage[mask]!;
    for (let i = from; i < end; i++) {
      this.pixel[i] = pixel + i - from;
      this.px[i] = x + (i - from);
      this.py[i] = y;
      this.weight[i] = share;
    }
    this.count = end;
    return end - from;
  }

  setColors(r: number, g: number, b: number, alpha: number): void {
    for (let i = 0; i < this.count; i++) {
      this.r[i] = r; // In a loop: TypedArray.fill costs more to call than a short one.
      this.g[i] = g;
      this.b[i] = b;
      this.alpha[i] = alpha;
    }
  }

  spreadNormal(): void {
    if (!this.isFlat) return;
    const { nx, ny, nz, count } = this;
    for (let i = 1; i < count; i++) {
      nx[i] = nx[0]!;
      ny[i] = ny[0]!;
      nz[i] = nz[0]!;
    }
  }
}
