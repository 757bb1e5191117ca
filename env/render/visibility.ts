import type { DrawList } from './draw-list.ts';
import type { SampleGrid } from './sample-grid.ts';
import type { Spans } from './spans.ts';
import type { TriangleSink, Triangles } from './triangles.ts';
import { UvPlanes } from './uv-planes.ts';

/** No triangle: the background. */
export const NOTHING = -1;

/**
 * Which triangle each sample sees.
 *
 * The test is on 1 / distance, which is a plane on the screen and keeps 24 significant bits at every distance. Of two
 * equal ones the later drawn stays (three.js's LessEqualDepth).
 */
export class Visibility {
  /** 1 / metres along the camera's axis, [sample rows, width]. */
  readonly nearness: Float32Array;
  /** Triangle, or NOTHING, [sample rows, width]. */
  readonly triangle: Int32Array;

  constructor(grid: SampleGrid) {
    this.nearness = new Float32Array(grid.rows * grid.width);
    this.triangle = new Int32Array(grid.rows * grid.width);
  }

  /** Forgets all triangles; what is farther than `far` metres will not be seen. */
  clear(far: number): void {
    this.nearness.fill(1 / far);
    this.triangle.fill(NOTHING);
  }
}

/**
 * A triangle's plane of 1 / distance as the depth test sees it: its weight planes summed, moved by the material's
 * polygonOffset. glPolygonOffset counts in window depth z = (f / (f − n)) (1 − n / distance) with 24 bits.
 */
export class DepthPlane {
  a = 0.5;
  b = 0.5;
  c = 0.5;
  /** Change of 1 / distance for the smallest step of window depth. */
  private unit = 0.5;

  setRange(near: number, far: number): void {
    this.unit = (1 / near - 1 / far) / 2 ** 24;
  }

  load(planes: Float64Array, t: number, factor: number, units: number): void {
    const o = t * 9;
    this.a = planes[o]! + planes[o + 3]! + planes[o + 6]!;
    this.b = planes[o + 1]! + planes[o + 4]! + planes[o + 7]!;
    this.c = planes[o + 2]! + planes[o + 5]! + planes[o + 8]!;
    if (factor === 0 && units === 0) return;
    this.c -= factor * Math.max(Math.abs(this.a), Math.abs(this.b)) + units * this.unit;
  }
}

/** Enters opaque triangles into the visibility buffer. */
export class OpaqueSink implements TriangleSink {
  constructor(
    private readonly visibility: Visibility,
    private readonly triangles: Triangles,
    private readonly list: DrawList,
    private readonly spans: Spans,
    private readonly plane: DepthPlane,
  ) {}

  cover(t: number): void {
    const { plane, spans } = this;
    const { offsetFactor, offsetUnits } = this.list.draws[this.triangles.draw[t]!]!.surface;
    plane.load(this.triangles.planes, t, offsetFactor, offsetUnits);
    const { a, b, c } = plane;
    const { nearness, triangle } = this.visibility;
    const { starts, ends, first, end, grid } = spans;
    const { width, samples, xOffsets } = grid;
    let sample = first % samples;
    for (let row = first; row < end; row++) {
      const atLeft = a * xOffsets[sample]! + (b * (row + 0.5)) / samples + c;
      const base = row * width;
      const stop = ends[row]!;
      for (let x = starts[row]!; x < stop; x++) {
        const value = Math.fround(a * x + atLeft);
        const i = base + x;
        if (value >= nearness[i]!) {
          nearness[i] = value;
          triangle[i] = t;
        }
      }
      if (++sample === samples) sample = 0;
    }
  }
}

/** The same for materials with alphaTest: samples where the texture's alpha is below it stay as they were. */
export class CutoutSink implements TriangleSink {
  private readonly uv = new UvPlanes();
  private readonly seen: Uint8Array; // Marks the pixels of a row that pass the depth test.

  constructor(
    private readonly visibility: Visibility,
    private readonly triangles: Triangles,
    private readonly list: DrawList,
    private readonly spans: Spans,
    private readonly plane: DepthPlane,
  ) {
    this.seen = new Uint8Array(spans.grid.width);
  }

  cover(t: number): void {
    const { plane, uv, seen } = this;
    const draw = this.list.draws[this.triangles.draw[t]!]!;
    const { offsetFactor, offsetUnits, map, opacity, alphaTest } = draw.surface;
    if (map === null && opacity < alphaTest) return;
    plane.load(this.triangles.planes, t, offsetFactor, offsetUnits);
    if (map !== null) {
      uv.load(this.triangles, t, draw);
      map.threshold = alphaTest / opacity;
    }
    const { nearness, triangle } = this.visibility;
    const { starts, ends, first, end, grid } = this.spans;
    const { width, samples, xOffsets } = grid;
    for (let row = first; row < end; row++) {
      const xOffset = xOffsets[row % samples]!;
      const y = (row + 0.5) / samples;
      const atLeft = plane.a * xOffset + plane.b * y + plane.c;
      const start = starts[row]!;
      const stop = ends[row]!;
      const base = row * width;
      let count = 0;
      for (let x = start; x < stop; x++) {
        seen[x] = Math.fround(plane.a * x + atLeft) >= nearness[base + x]! ? 1 : 0;
        count += seen[x]!;
      }
      if (count === 0) continue;
      if (map !== null) {
        map.y = y;
        map.xOffset = xOffset;
        map.cutRow(uv.planes, start, stop, seen);
      }
      for (let x = start; x < stop; x++) {
        if (seen[x] === 0) continue;
        nearness[base + x] = plane.a * x + atLeft;
        triangle[base + x] = t;
      }
    }
  }
}
