import type { DrawList } from './draw-list.ts';
import type { Shader } from './shader.ts';
import type { Spans } from './spans.ts';
import type { TriangleSink, Triangles } from './triangles.ts';
import type { DepthPlane, Visibility } from './visibility.ts';

/** Lays see-through triangles over the finished colours, where no opaque one hides them. Ids and depth stay. */
export class BlendSink implements TriangleSink {
  /** Linear light, float32 [height, width, 3]. */
  into!: Float32Array;
  private readonly masks: Uint8Array; // Samples of each pixel of a row that see the triangle.

  constructor(
    private readonly visibility: Visibility,
    private readonly triangles: Triangles,
    private readonly list: DrawList,
    private readonly spans: Spans,
    private readonly plane: DepthPlane,
    private readonly shader: Shader,
  ) {
    this.masks = new Uint8Array(spans.grid.width);
  }

  cover(t: number): void {
    const { plane, masks, shader } = this;
    const { offsetFactor, offsetUnits } = this.list.draws[this.triangles.draw[t]!]!.surface;
    plane.load(this.triangles.planes, t, offsetFactor, offsetUnits);
    const { first, end, grid } = this.spans;
    const { samples, width } = grid;
    shader.turnTo(t);
    for (let row = Math.floor(first / samples); row * samples < end; row++) {
      let start = width;
      let stop = 0;
      for (let r = Math.max(first, row * samples); r < Math.min(end, (row + 1) * samples); r++) {
        this.markRow(r, 1 << (r % samples));
        start = Math.min(start, this.spans.starts[r]!);
        stop = Math.max(stop, this.spans.ends[r]!);
      }
      for (let x = start; x < stop; x++) {
        if (masks[x] === 0) continue;
        if (shader.isFull) shader.blend(this.into);
        shader.add(row * width + x, masks[x]!);
        masks[x] = 0;
      }
    }
    shader.blend(this.into);
  }

  private markRow(r: number, bit: number): void {
    const { plane, masks, spans } = this;
    const { nearness } = this.visibility;
    const { samples, width, xOffsets } = spans.grid;
    const atLeft = plane.a * xOffsets[r % samples]! + (plane.b * (r + 0.5)) / samples + plane.c;
    for (let x = spans.starts[r]!; x < spans.ends[r]!; x++) {
      if (Math.fround(plane.a * x + atLeft) >= nearness[r * width + x]!) masks[x]! |= bit;
    }
  }
}
