/** Enters the samples of triangles into a view, or collects the samples of transparent ones. */
import { xOffset } from './grid';
import { areKnown, findSolid, keepSolid, solidAt, turnToHoles, turnToRow, turnToSample } from './holes';
import { markSamples } from './marks';
import { Draw, Vertex, View } from './records';
import { Triangle } from './triangles';

let view: View = changetype<View>(0);
/** Pixels between sample rows. */
let rowHeight: f64 = 1;
let entersIds = false;
let blends = false;

/** The triangle, and its plane of n. In the depth test a larger n is nearer; of two equal ones the later one stays. */
let triangle: i32 = 0;
let a: f64 = 0;
let b: f64 = 0;
let c: f64 = 0;
let hasHoles = false;
/** Whether what is drawn now hides what is drawn later and is further away, as a mask of four lanes. */
let writes: v128 = i32x4(-1, -1, -1, -1);
/** Whether any sample of the triangle was entered. */
export let isSeen = false;

/** Scans into `to` from now on. With `blending`, samples are not entered but collected. */
export function coverView(to: View, blending: bool): void {
  view = to;
  rowHeight = 1 / <f64>to.samples;
  entersIds = to.seen != 0;
  blends = blending;
}

/** Starts a draw. All things cast shadows that hide each other. */
export function coverDraw(draw: Draw): void {
  writes = i32x4.splat(draw.writesDepth || !entersIds ? -1 : 0);
}

/** Starts a triangle; its plane of n is the sum of its weight planes times n0, n1 and n2. */
export function coverTriangle(t: i32, tri: Triangle, draw: Draw, n0: f64, n1: f64, n2: f64): void {
  triangle = t;
  a = n0 * tri.a0 + n1 * tri.a1 + n2 * tri.a2;
  b = n0 * tri.b0 + n1 * tri.b1 + n2 * tri.b2;
  c = n0 * tri.c0 + n1 * tri.c1 + n2 * tri.c2;
  // glPolygonOffset counts in window depth z = (f / (f − n)) (1 − n / distance) with 24 bits.
  const unit = <f64>view.offsetUnit;
  if (unit != 0) c -= <f64>draw.offsetFactor * max(abs(a), abs(b)) + <f64>draw.offsetUnits * unit;
  isSeen = false;
  hasHoles = (!blends || draw.writesDepth) && draw.alphaTest > 0 && changetype<usize>(draw.map) != 0;
  if (hasHoles) turnToHoles(tri, draw);
}

/** Triangles that span at most this many pixels are entered in two blocks of four pixels, the same in each row. */
const NARROW = 8;

/**
 * Scan conversion: enters the samples of each sample row that are inside a triangle, or a part of it.
 *
 * A sample belongs to the triangle when it is at or right of the left edge and strictly left of the right edge, at or
 * under the top and strictly above the bottom (the top-left rule). An edge's position in a row is always computed from
 * its upper end downwards, for either of its triangles. So two triangles that share an edge never both take a sample,
 * and never both miss it.
 */
export function scan(top: Vertex, middle: Vertex, bottom: Vertex): void {
  if (middle.y < top.y) {
    const other = top;
    top = middle;
    middle = other;
  }
  if (bottom.y < middle.y) {
    const other = middle;
    middle = bottom;
    bottom = other;
  }
  if (middle.y < top.y) {
    const other = top;
    top = middle;
    middle = other;
  }
  const samples = view.samples;
  const topY = top.y * <f64>samples; // In sample rows: row r has its samples at r + 1/2.
  const middleY = middle.y * <f64>samples;
  const bottomY = bottom.y * <f64>samples;
  const topX = top.x;
  const middleX = middle.x;
  const bottomX = bottom.x;
  const first = <i32>max<f64>(0, ceil(topY - 0.5));
  const end = <i32>min<f64>(<f64>(view.height * samples), ceil(bottomY - 0.5));
  if (!(first < end) || isNaN(topX + middleX + bottomX + middleY)) return;
  const bend = <i32>min<f64>(<f64>end, max<f64>(<f64>first, ceil(middleY - 0.5)));
  const left = max(0, min(topX, min(middleX, bottomX)));
  const right = min(<f64>view.width, max(topX, max(middleX, bottomX)));
  // The first pixel of the blocks; −1 when rows are not entered in such blocks.
  const x0 = !hasHoles && !blends && right - left < NARROW - 1 ? <i32>left : -1;
  // The left and the right edge in the lanes of one vector; one of them is the long one, the other bends.
  const middleIsLeft = (middleX - topX) * (bottomY - topY) < (bottomX - topX) * (middleY - topY);
  const longSlope = (bottomX - topX) / (bottomY - topY);
  const upperSlope = (middleX - topX) / (middleY - topY);
  const lowerSlope = (bottomX - middleX) / (bottomY - middleY);
  if (middleIsLeft) {
    coverRows(first, bend, pair(topX, topX), pair(topY, topY), pair(upperSlope, longSlope), x0);
    coverRows(bend, end, pair(middleX, topX), pair(middleY, topY), pair(lowerSlope, longSlope), x0);
  } else {
    coverRows(first, bend, pair(topX, topX), pair(topY, topY), pair(longSlope, upperSlope), x0);
    coverRows(bend, end, pair(topX, middleX), pair(topY, middleY), pair(longSlope, lowerSlope), x0);
  }
}

function pair(left: f64, right: f64): v128 {
  return f64x2.replace_lane(f64x2.splat(left), 1, right);
}

/** Scans rows between a left and a right edge: x, y and slope of both. */
function coverRows(first: i32, end: i32, edgeX: v128, edgeY: v128, slopes: v128, x0: i32): void {
  const samples = view.samples;
  const limit = f64x2.splat(<f64>view.width);
  const low = f64x2.add(f64x2.splat(<f64>x0), f64x2(0, 1));
  let sample = first % samples;
  for (let row = first; row < end; row++) {
    const offset = xOffset(samples, sample);
    const y = <f64>row + 0.5;
    const down = f64x2.mul(f64x2.sub(f64x2.splat(y), edgeY), slopes);
    const x = f64x2.ceil(f64x2.sub(f64x2.add(edgeX, down), f64x2.splat(offset)));
    const ends = i32x4.trunc_sat_f64x2_s_zero(f64x2.pmax(f64x2.splat(0), f64x2.pmin(limit, x)));
    const atLeft = a * offset + b * (y * rowHeight) + c;
    if (x0 >= 0) enterBlocks(row * view.width + x0, x0, low, f64x2.splat(atLeft), ends);
    else {
      const start = i32x4.extract_lane(ends, 0);
      const stop = i32x4.extract_lane(ends, 1);
      if (start < stop) {
        if (hasHoles || blends) coverSome(row, sample, f64x2.splat(atLeft), start, stop);
        else enterRow(row * view.width + start, f64x2.splat(atLeft), start, stop);
      }
    }
    if (++sample == samples) sample = 0;
  }
}

/** n of four samples; the first two are at pixels `low`. */
function nearnessAt(low: v128, atLeft: v128): v128 {
  const slope = f64x2.splat(a);
  const two = f64x2.add(f64x2.mul(slope, low), atLeft);
  const next = f64x2.add(f64x2.mul(slope, f64x2.add(low, f64x2.splat(2))), atLeft);
  return v128.shuffle<f32>(f32x4.demote_f64x2_zero(two), f32x4.demote_f64x2_zero(next), 0, 1, 4, 5);
}

/** Enters four samples at place `at` of the view where they are nearest so far and `inside` has its bits set. */
function enter(at: usize, n: v128, inside: v128): v128 {
  const near = view.nearness + at;
  const known = v128.load(near);
  const pass = v128.and(f32x4.ge(n, known), inside);
  v128.store(near, v128.bitselect(n, known, v128.and(pass, writes)));
  if (entersIds) {
    const seen = view.seen + at;
    v128.store(seen, v128.bitselect(i32x4.splat(triangle), v128.load(seen), pass));
  }
  return pass;
}

/** Enters what lies between the ends in two blocks from x0 on: no branch depends on the row. */
function enterBlocks(first: i32, x0: i32, low: v128, atLeft: v128, ends: v128): void {
  const start = v128.shuffle<i32>(ends, ends, 0, 0, 0, 0);
  const stop = v128.shuffle<i32>(ends, ends, 1, 1, 1, 1);
  const at = (<usize>first) << 2;
  const x = i32x4.add(i32x4.splat(x0), i32x4(0, 1, 2, 3));
  const next = i32x4.add(x, i32x4.splat(4));
  let inside = v128.and(i32x4.ge_s(x, start), i32x4.lt_s(x, stop));
  let pass = enter(at, nearnessAt(low, atLeft), inside);
  inside = v128.and(i32x4.ge_s(next, start), i32x4.lt_s(next, stop));
  pass = v128.or(pass, enter(at + 16, nearnessAt(f64x2.add(low, f64x2.splat(4)), atLeft), inside));
  isSeen = isSeen || v128.any_true(pass);
}

/** Enters the samples of a row from `start` to `stop`. */
function enterRow(first: i32, atLeft: v128, start: i32, stop: i32): void {
  let at = (<usize>first) << 2;
  let some = i32x4.splat(0);
  let left = i32x4.sub(i32x4.splat(stop - start), i32x4(0, 1, 2, 3)); // From a sample on to the end.
  let low = f64x2.add(f64x2.splat(<f64>start), f64x2(0, 1));
  for (let x = start; x < stop; x += 4, at += 16) {
    some = v128.or(some, enter(at, nearnessAt(low, atLeft), i32x4.gt_s(left, i32x4.splat(0))));
    low = f64x2.add(low, f64x2.splat(4));
    left = i32x4.sub(left, i32x4.splat(4));
  }
  isSeen = isSeen || v128.any_true(some);
}

/** The same where a texture has holes; samples of transparent triangles are marked. */
function coverSome(row: i32, sample: i32, atLeft: v128, start: i32, stop: i32): void {
  let at = (<usize>(row * view.width + start)) << 2;
  let isTurned = false;
  if (hasHoles) turnToSample(sample, view.samples);
  for (let x = start; x < stop; x += 4, at += 16) {
    const n = nearnessAt(f64x2.add(f64x2.splat(<f64>x), f64x2(0, 1)), atLeft);
    const inside = i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(stop - x));
    const pass = v128.and(f32x4.ge(n, v128.load(view.nearness + at)), inside);
    if (!v128.any_true(pass)) continue;
    if (blends) {
      markSamples(row / view.samples, sample, x, i32x4.bitmask(pass), view.width);
      if (!v128.any_true(writes)) continue;
    }
    let solid = pass;
    if (hasHoles) {
      const unknown = v128.andnot(pass, areKnown(x));
      if (v128.any_true(unknown)) {
        if (!isTurned) turnToRow(row / view.samples, start, stop);
        isTurned = true;
        keepSolid(x, unknown, findSolid(x - start, unknown));
      }
      solid = v128.and(pass, solidAt(x));
    }
    const entered = enter(at, n, solid);
    isSeen = isSeen || v128.any_true(entered);
  }
}
