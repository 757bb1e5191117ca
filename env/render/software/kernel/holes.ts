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

// In an antialiased picture, the holes are read at three places of a pixel: its centre, between the two samples above,
// and between the two below. What was read is kept for each pixel of a row.
const placesX: StaticArray<f64> = [0.4, 0.4, 0.5, 0.6, 0.6];
const placesY: StaticArray<f64> = [0.2, 0.2, 0.5, 0.8, 0.8];
let placeX: f64 = 0.5;
let placeY: f64 = 0.5;

/** For each pixel of a row, the number of its last reading, and −1 where that found it solid, else 0; i32 [width]. */
let readings: usize = 0;
let solid: usize = 0;
/** The number of the present reading. */
let reading = 0;
let room = 0;

/** Makes room for views of this width. */
export function reserveHoles(width: i32): void {
  if (width <= room) return;
  room = width;
  const size = (<usize>(width + 4)) << 2;
  readings = heap.alloc(size);
  solid = heap.alloc(size);
  memory.fill(readings, 0, size);
}

/** Starts a triangle. */
export function turnToHoles(t: Triangle, ofDraw: Draw): void {
  draw = ofDraw;
  loadUv(t, ofDraw);
  reading++;
}

/** Starts a row of samples; the rows come from the top to the bottom of a triangle. */
export function turnToSample(sample: i32, samples: i32): void {
  const isSecond = samples > 1 && (sample == 1 || sample == 4);
  if (!isSecond) reading++;
  placeX = samples == 1 ? 0.5 : unchecked(placesX[sample]);
  placeY = samples == 1 ? 0.5 : unchecked(placesY[sample]);
}

/** Which of the four pixels from `x` on were read already. */
export function areKnown(x: i32): v128 {
  return i32x4.eq(v128.load(readings + ((<usize>x) << 2)), i32x4.splat(reading));
}

export function solidAt(x: i32): v128 {
  return v128.load(solid + ((<usize>x) << 2));
}

/** Keeps which of the four pixels from `x` on are solid, where `mask` has its bits set. */
export function keepSolid(x: i32, mask: v128, areSolid: v128): void {
  const at = (<usize>x) << 2;
  v128.store(readings + at, v128.bitselect(i32x4.splat(reading), v128.load(readings + at), mask));
  v128.store(solid + at, v128.bitselect(areSolid, v128.load(solid + at), mask));
}

/** Starts to read in a row of pixels, in the mip level that suits its middle. */
export function turnToRow(row: i32, start: i32, stop: i32): void {
  const offset = placeX;
  const y = <f64>row + placeY;
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
