/** Materials with alphaTest: which samples of a triangle's rows are solid, and not holes of the texture. */
import { Draw } from './records';
import { MOST_LEVELS, findAlpha } from './texture';
import { Triangle } from './triangles';
import { da, db, dc, loadUv, ua, ub, uc, va, vb, vc } from './uv-planes';
import { add, all, div, log2Roughly, mul } from './vector';

let draw: Draw = changetype<Draw>(0);
/** u / distance, v / distance and 1 / distance at a row's first four samples, and the row's mip level. */
let rowU: v128 = i32x4(0, 0, 0, 0);
let rowV: v128 = i32x4(0, 0, 0, 0);
let rowD: v128 = i32x4(0, 0, 0, 0);
let level = 0;
let isSmooth = false;

/** Starts a triangle. */
export function turnToHoles(t: Triangle, ofDraw: Draw): void {
  draw = ofDraw;
  loadUv(t, ofDraw);
}

/** Starts a row; it is read in the mip level that suits its middle. */
export function turnToRow(offset: f64, y: f64, start: i32, stop: i32): void {
  const map = draw.map;
  const x = <f64>start + offset;
  const steps = f32x4(0, 1, 2, 3);
  rowU = add(all(<f32>(ua * x + ub * y + uc)), mul(steps, all(<f32>ua)));
  rowV = add(all(<f32>(va * x + vb * y + vc)), mul(steps, all(<f32>va)));
  rowD = add(all(<f32>(da * x + db * y + dc)), mul(steps, all(<f32>da)));
  const middle = <f64>((start + stop) >> 1) + offset;
  const d = 1 / (da * middle + db * y + dc);
  const u = (ua * middle + ub * y + uc) * d;
  const v = (va * middle + vb * y + vc) * d;
  const width = <f64>load<i32>(map.levels + 4 * MOST_LEVELS) * d;
  const height = <f64>load<i32>(map.levels + 8 * MOST_LEVELS) * d;
  const longest = max(
    ((ua - u * da) * width) ** 2 + ((va - v * da) * height) ** 2,
    ((ub - u * db) * width) ** 2 + ((vb - v * db) * height) ** 2,
  );
  isSmooth = (longest > 1 ? map.smoothFar : map.smoothNear) != 0;
  level = 0;
  if (!(longest > 1) || !map.hasMips) return;
  const log = f32x4.extract_lane(log2Roughly(all(<f32>longest)), 0);
  level = min(<i32>(0.5 * log + 0.5), map.levelCount - 1);
}

/** Which of the four samples at `along` of the row are solid; only those with `wanted` set count. */
export function findSolid(along: i32, wanted: v128): v128 {
  const steps = all(<f32>along);
  const d = div(all(1), add(rowD, mul(steps, all(<f32>da))));
  const u = mul(add(rowU, mul(steps, all(<f32>ua))), d);
  const v = mul(add(rowV, mul(steps, all(<f32>va))), d);
  return findAlpha(draw, u, v, level, isSmooth, wanted);
}
