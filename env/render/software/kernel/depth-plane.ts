import { Draw, View } from './records';
import { Triangle } from './triangles';

/** The depth over a triangle in a parallel view: depthA x + depthB y + depthC, in metres. */
export let depthA: f64 = 0;
export let depthB: f64 = 0;
export let depthC: f64 = 0;

/** Starts a triangle. */
export function loadDepth(t: Triangle, view: View): void {
  const d0 = depthOfVertex(t.draw, t.v0, view);
  const d1 = depthOfVertex(t.draw, t.v1, view);
  const d2 = depthOfVertex(t.draw, t.v2, view);
  depthA = d0 * t.a0 + d1 * t.a1 + d2 * t.a2;
  depthB = d0 * t.b0 + d1 * t.b1 + d2 * t.b2;
  depthC = d0 * t.c0 + d1 * t.c1 + d2 * t.c2;
}

/** n of the view is −depth. */
function depthOfVertex(draw: Draw, vertex: i32, view: View): f64 {
  const from = draw.positions + <usize>vertex * 12;
  const world = draw.world;
  const row = view.rows + 96;
  let n = load<f64>(row, 24);
  for (let k: usize = 0; k < 24; k += 8) {
    const place =
      load<f64>(world + k) * load<f32>(from) +
      load<f64>(world + k, 32) * load<f32>(from, 4) +
      load<f64>(world + k, 64) * load<f32>(from, 8) +
      load<f64>(world + k, 96);
    n += load<f64>(row + k) * place;
  }
  return -n;
}
