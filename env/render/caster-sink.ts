import type { Draw } from './draw-list.ts';
import type { Spans } from './spans.ts';
import type { TriangleSink, Triangles } from './triangles.ts';
import { UvPlanes } from './uv-planes.ts';

/**
 * Enters casters into a shadow map. What lies before the shadow camera's near plane casts its shadow all the same.
 */
export class CasterSink implements TriangleSink {
  private readonly uv = new UvPlanes();
  private readonly seen: Uint8Array; // Marks the texels of a row that the triangle may darken.
  private readonly toDepth = new Float64Array(4); // depth from the body's object coordinates
  private readonly plane = new Float64Array(3); // depth as a x + b y + c of the map's texels
  private caster!: Draw;

  constructor(
    /** [height, width], the nearest so far. */
    private readonly depth: Float32Array,
    /** depth from world coordinates */
    private readonly depthRow: Float64Array,
    private readonly triangles: Triangles,
    private readonly spans: Spans,
  ) {
    this.seen = new Uint8Array(spans.grid.width);
  }

  /** Turns to a draw, whose triangles follow. */
  begin(draw: Draw): void {
    this.caster = draw;
    const { world } = draw.body;
    const { depthRow, toDepth } = this;
    for (let column = 0; column < 4; column++) {
      let sum = column === 3 ? depthRow[3]! : 0;
      for (let k = 0; k < 3; k++) sum += depthRow[k]! * world[column * 4 + k]!;
      toDepth[column] = sum;
    }
  }

  cover(t: number): void {
    const { alphaTest, opacity, map } = this.caster.surface;
    this.setPlane(t);
    if (alphaTest === 0) this.coverWhole();
    else if (map !== null) this.coverCutout(t);
    else if (opacity >= alphaTest) this.coverWhole();
    this.triangles.count = 0; // Nobody asks for a caster's triangle again.
  }

  private coverWhole(): void {
    const { depth, plane } = this;
    const a = plane[0]!;
    const { starts, ends, first, end, grid } = this.spans;
    const { width } = grid;
    for (let row = first; row < end; row++) {
      const atLeft = 0.5 * a + plane[1]! * (row + 0.5) + plane[2]!;
      const base = row * width;
      const stop = ends[row]!;
      for (let x = starts[row]!; x < stop; x++) {
        const value = a * x + atLeft;
        if (value < depth[base + x]!) depth[base + x] = value;
      }
    }
  }

  private coverCutout(t: number): void {
    const { depth, plane, seen, uv } = this;
    const { alphaTest, opacity, map } = this.caster.surface;
    const a = plane[0]!;
    const { starts, ends, first, end, grid } = this.spans;
    const { width } = grid;
    uv.load(this.triangles, t, this.caster);
    map!.threshold = alphaTest / opacity;
    map!.xOffset = 0.5;
    for (let row = first; row < end; row++) {
      const atLeft = 0.5 * a + plane[1]! * (row + 0.5) + plane[2]!;
      const base = row * width;
      const start = starts[row]!;
      const stop = ends[row]!;
      for (let x = start; x < stop; x++) seen[x] = a * x + atLeft < depth[base + x]! ? 1 : 0;
      map!.y = row + 0.5;
      map!.cutRow(uv.planes, start, stop, seen);
      for (let x = start; x < stop; x++) if (seen[x] !== 0) depth[base + x] = a * x + atLeft;
    }
  }

  private setPlane(t: number): void {
    const { plane, toDepth, triangles } = this;
    const { positions } = this.caster.body;
    plane[0] = plane[1] = plane[2] = 0;
    for (let corner = 0; corner < 3; corner++) {
      const v = triangles.corners[t * 3 + corner]! * 3;
      const depth =
        toDepth[0]! * positions[v]! + toDepth[1]! * positions[v + 1]! + toDepth[2]! * positions[v + 2]! + toDepth[3]!;
      const o = t * 9 + corner * 3;
      for (let k = 0; k < 3; k++) plane[k]! += depth * triangles.planes[o + k]!;
    }
  }
}
