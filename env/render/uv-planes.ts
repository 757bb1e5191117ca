import type { Draw } from './draw-list.ts';
import type { Triangles } from './triangles.ts';

/**
 * Texture coordinates over a triangle: u / distance and v / distance are planes on the screen, and so is 1 / distance;
 * their quotients give u, v and, by the quotient rule, the change from pixel to pixel.
 */
export class UvPlanes {
  /** (u / distance, v / distance, 1 / distance) as a x + b y + c of pixel coordinates, [3, (a, b, c)] */
  readonly planes = new Float64Array(9);

  /** Turns to triangle `t` of `draw`; its coordinates after its texture's transform, (0, 0) without a uv attribute. */
  load({ corners, planes: weights }: Triangles, t: number, { surface, body }: Draw): void {
    const { planes } = this;
    const { uvs } = body;
    const m = surface.map!.uvMatrix;
    for (let k = 0; k < 9; k++) planes[k] = 0;
    for (let corner = 0; corner < 3; corner++) {
      const vertex = corners[t * 3 + corner]! * 2;
      const s = uvs === null ? 0 : uvs[vertex]!;
      const r = uvs === null ? 0 : uvs[vertex + 1]!;
      const u = m[0]! * s + m[3]! * r + m[6]!;
      const v = m[1]! * s + m[4]! * r + m[7]!;
      const o = t * 9 + corner * 3;
      for (let k = 0; k < 3; k++) {
        const weight = weights[o + k]!;
        planes[k]! += u * weight;
        planes[3 + k]! += v * weight;
        planes[6 + k]! += weight;
      }
    }
  }
}
