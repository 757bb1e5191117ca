/** Reads textures as WebGL would: wrapping, filters, mip levels, anisotropy, flipY. */
import { Draw, Texture } from './records';
import { add, all, atLeast, atMost, div, log2Roughly, mul, select, sub } from './vector';

const CLAMP = 0;
const REPEAT = 1;

/** The largest number of levels in a texture's tables. */
export const MOST_LEVELS: usize = 20;

/** Puts texture coordinates inside the picture, 0 to 1. */
function wrap(u: v128, mode: i32): v128 {
  if (mode == REPEAT) return sub(u, f32x4.floor(u));
  if (mode == CLAMP) return atMost(atLeast(u, 0), 1);
  return sub(all(1), f32x4.abs(sub(sub(u, mul(f32x4.floor(mul(u, all(0.5))), all(2))), all(1))));
}

/** Moves rows or columns that are at most one outside the picture to its other end, or to its border. */
function inside(i: v128, size: v128, mode: i32): v128 {
  if (mode != REPEAT) return i32x4.max_s(i32x4.splat(0), i32x4.min_s(i, i32x4.sub(size, i32x4.splat(1))));
  const below = v128.and(i32x4.shr_s(i, 31), size);
  const above = v128.and(i32x4.ge_s(i, size), size);
  return i32x4.sub(i32x4.add(i, below), above);
}

/** Numbers of a table by index. */
function gather(table: usize, index: v128): v128 {
  let four = v128.load32_splat(table + ((<usize>i32x4.extract_lane(index, 0)) << 2));
  four = v128.load_lane<i32>(table + ((<usize>i32x4.extract_lane(index, 1)) << 2), four, 1);
  four = v128.load_lane<i32>(table + ((<usize>i32x4.extract_lane(index, 2)) << 2), four, 2);
  return v128.load_lane<i32>(table + ((<usize>i32x4.extract_lane(index, 3)) << 2), four, 3);
}

// Four places of a texture, each in a mip level of its own: the addresses of the texels around them, and how far
// between these they lie.

const upperLeft = memory.data(16, 16);
const upperRight = memory.data(16, 16);
const lowerLeft = memory.data(16, 16);
const lowerRight = memory.data(16, 16);
const alongX = memory.data(16, 16);
const alongY = memory.data(16, 16);

/** Of the places found last, the column and the row of the texel at their upper left: −1 beyond the border. */
let column: v128 = i32x4(0, 0, 0, 0);
let row: v128 = i32x4(0, 0, 0, 0);

/** Finds four places: between texels where `smooth` has its bits set, else at the nearest one. */
function find(map: Texture, u: v128, v: v128, level: v128, smooth: v128): void {
  const width = gather(map.levels + 4 * MOST_LEVELS, level);
  const height = gather(map.levels + 8 * MOST_LEVELS, level);
  locate(map, u, v, width, height, smooth);
  address(map, gather(map.levels, level), width, height);
}

function locate(map: Texture, u: v128, v: v128, width: v128, height: v128, smooth: v128): void {
  const half = v128.and(smooth, all(0.5));
  const up = wrap(v, map.wrapT);
  const down = map.flipY ? sub(all(1), up) : up;
  const x = sub(mul(wrap(u, map.wrapS), f32x4.convert_i32x4_s(width)), half);
  const y = sub(mul(down, f32x4.convert_i32x4_s(height)), half);
  const left = f32x4.floor(x);
  const top = f32x4.floor(y);
  v128.store(alongX, v128.and(smooth, sub(x, left)));
  v128.store(alongY, v128.and(smooth, sub(y, top)));
  column = i32x4.trunc_sat_f32x4_s(left);
  row = i32x4.trunc_sat_f32x4_s(top);
}

/** Writes the addresses around the places located. */
function address(map: Texture, texels: v128, width: v128, height: v128): void {
  const one = i32x4.splat(1);
  const left16 = i32x4.shl(inside(column, width, map.wrapS), 4);
  const right16 = i32x4.shl(inside(i32x4.add(column, one), width, map.wrapS), 4);
  const upper = i32x4.add(texels, i32x4.shl(i32x4.mul(inside(row, height, map.wrapT), width), 4));
  const lower = i32x4.add(texels, i32x4.shl(i32x4.mul(inside(i32x4.add(row, one), height, map.wrapT), width), 4));
  v128.store(upperLeft, i32x4.add(upper, left16));
  v128.store(upperRight, i32x4.add(upper, right16));
  v128.store(lowerLeft, i32x4.add(lower, left16));
  v128.store(lowerRight, i32x4.add(lower, right16));
}

/** What was read at four places so far: red, green, blue and alpha of each, f32 [4, 4]. */
const sums = memory.data(64, 16);
const shares = memory.data(16, 16);

/** Reads at four places, and adds the readings to the sums with these weights. */
function addReadings(map: Texture, u: v128, v: v128, level: v128, smooth: v128, weight: v128): void {
  find(map, u, v, level, smooth);
  v128.store(shares, weight);
  for (let i: usize = 0; i < 16; i += 4) {
    if (load<f32>(shares + i) == 0) continue;
    const fx = v128.load32_splat(alongX + i);
    const a = v128.load(load<usize>(upperLeft + i));
    const above = add(a, mul(fx, sub(v128.load(load<usize>(upperRight + i)), a)));
    const c = v128.load(load<usize>(lowerLeft + i));
    const below = add(c, mul(fx, sub(v128.load(load<usize>(lowerRight + i)), c)));
    const read = add(above, mul(v128.load32_splat(alongY + i), sub(below, above)));
    const sum = sums + (i << 2);
    v128.store(sum, add(v128.load(sum), mul(v128.load32_splat(shares + i), read)));
  }
}

/** What was read for four fragments. */
export let readR: v128 = i32x4(0, 0, 0, 0);
export let readG: v128 = i32x4(0, 0, 0, 0);
export let readB: v128 = i32x4(0, 0, 0, 0);
export let readA: v128 = i32x4(0, 0, 0, 0);

function clearSums(): void {
  for (let i: usize = 0; i < 64; i += 16) v128.store(sums + i, i32x4.splat(0));
}

/** From four colours to four reds, greens, blues and alphas. */
function collectSums(): void {
  const p = v128.load(sums);
  const q = v128.load(sums, 16);
  const r = v128.load(sums, 32);
  const s = v128.load(sums, 48);
  const redGreenP = v128.shuffle<f32>(p, q, 0, 4, 1, 5);
  const redGreenR = v128.shuffle<f32>(r, s, 0, 4, 1, 5);
  const blueAlphaP = v128.shuffle<f32>(p, q, 2, 6, 3, 7);
  const blueAlphaR = v128.shuffle<f32>(r, s, 2, 6, 3, 7);
  readR = v128.shuffle<f32>(redGreenP, redGreenR, 0, 1, 4, 5);
  readG = v128.shuffle<f32>(redGreenP, redGreenR, 2, 3, 6, 7);
  readB = v128.shuffle<f32>(blueAlphaP, blueAlphaR, 0, 1, 4, 5);
  readA = v128.shuffle<f32>(blueAlphaP, blueAlphaR, 2, 3, 6, 7);
}

/**
 * Reads the texture where four fragments see it. dudx to dvdy are the changes of u and v to the next pixel.
 *
 * A pixel that is longer than wide is read several times along its longer direction (du, dv), in the mip level that
 * suits the distance of the readings best: with several readings the step between levels does not show. Other pixels
 * are read in the two levels around the one that suits them.
 */
export function readMap(map: Texture, u: v128, v: v128, dudx: v128, dvdx: v128, dudy: v128, dvdy: v128): void {
  const width = all(<f32>load<i32>(map.levels + 4 * MOST_LEVELS));
  const height = all(<f32>load<i32>(map.levels + 8 * MOST_LEVELS));
  // How many texels the pixel spans in its two directions, squared.
  const x2 = span2(mul(dudx, width), mul(dvdx, height));
  const y2 = span2(mul(dudy, width), mul(dvdy, height));
  const longest = f32x4.max(x2, y2);
  const isFar = f32x4.gt(longest, all(1));
  const smooth = select(isFar, i32x4.splat(-map.smoothFar), i32x4.splat(-map.smoothNear));
  clearSums();
  if (!map.hasMips || !v128.any_true(isFar)) {
    addReadings(map, u, v, i32x4.splat(0), smooth, all(1));
    collectSums();
    return;
  }
  let count = all(1);
  if (map.anisotropy > 1) {
    const ratio = f32x4.sqrt(div(longest, atLeast(f32x4.min(x2, y2), 1e-12)));
    count = select(isFar, f32x4.ceil(atLeast(atMost(ratio, map.anisotropy), 1)), count);
  }
  const level = mul(all(0.5), log2Roughly(atLeast(div(longest, mul(count, count)), 1)));
  const isWide = f32x4.gt(x2, y2);
  readAlong(map, u, v, select(isWide, dudx, dudy), select(isWide, dvdx, dvdy), count, level, smooth);
}

function span2(du: v128, dv: v128): v128 {
  return add(mul(du, du), mul(dv, dv));
}

function readAlong(map: Texture, u: v128, v: v128, du: v128, dv: v128, count: v128, level: v128, smooth: v128): void {
  level = atMost(level, <f32>(map.levelCount - 1));
  const isOnce = f32x4.eq(count, all(1));
  const blends = map.blendsMips ? isOnce : i32x4.splat(0);
  const lower = select(blends, f32x4.floor(level), f32x4.floor(add(level, all(0.5))));
  const between = v128.and(blends, sub(level, lower));
  const firstLevel = i32x4.trunc_sat_f32x4_s(lower);
  const secondLevel = i32x4.min_s(i32x4.sub(firstLevel, blends), i32x4.splat(map.levelCount - 1));
  const share = div(all(1), count);
  const most = map.anisotropy > 1 ? <i32>map.anisotropy : 2;
  let along = sub(mul(all(0.5), share), all(0.5)); // 0 for those that are read once.
  for (let k = 0; k < most; k++) {
    const more = v128.and(f32x4.lt(all(<f32>k), count), share);
    const weight = select(isOnce, k == 0 ? sub(all(1), between) : k == 1 ? between : all(0), more);
    if (!v128.any_true(f32x4.gt(weight, all(0)))) break;
    const place = v128.andnot(along, isOnce);
    addReadings(map, add(u, mul(place, du)), add(v, mul(place, dv)), k == 0 ? firstLevel : secondLevel, smooth, weight);
    along = add(along, share);
  }
  collectSums();
}

/** Reads level `level` (0 is the full size; a fraction blends two levels) at four places. */
export function readAt(map: Texture, u: v128, v: v128, level: f32): void {
  clearSums();
  readAlong(map, u, v, all(0), all(0), all(1), all(level), i32x4.splat(-map.smoothFar));
}

/** Values of a byte of `Draw.holes`, which is for a texel and its neighbours to the right and below. */
const SOLID = 1;
const MIXED = 2;

/**
 * Where the alpha in one level is at least a threshold, at four places.
 *
 * Mostly the texels around a place are all holes or all solid, and a byte says so. Else, where `wanted` has its bits
 * set, the alpha is read.
 */
export function findAlpha(draw: Draw, u: v128, v: v128, level: i32, isSmooth: bool, wanted: v128): v128 {
  const map = draw.map;
  const at = map.levels + ((<usize>level) << 2);
  const width = v128.load32_splat(at, 4 * MOST_LEVELS);
  const height = v128.load32_splat(at, 8 * MOST_LEVELS);
  locate(map, u, v, width, height, i32x4.splat(-(<i32>isSmooth)));
  const texels = load<usize>(at);
  const place = i32x4.add(i32x4.mul(inside(row, height, map.wrapT), width), inside(column, width, map.wrapS));
  const kinds = bytes(draw.holes + ((texels - load<usize>(map.levels)) >> 4), place);
  if (!v128.any_true(v128.and(i32x4.eq(kinds, i32x4.splat(MIXED)), wanted))) {
    return i32x4.eq(kinds, i32x4.splat(SOLID));
  }
  address(map, i32x4.splat(texels), width, height);
  return f32x4.ge(mul(alphaThere(), all(draw.opacity)), all(draw.alphaTest));
}

/** Bytes of a table by index. */
function bytes(table: usize, index: v128): v128 {
  let four = v128.load_lane<u8>(table + <usize>i32x4.extract_lane(index, 0), i32x4.splat(0), 0);
  four = v128.load_lane<u8>(table + <usize>i32x4.extract_lane(index, 1), four, 4);
  four = v128.load_lane<u8>(table + <usize>i32x4.extract_lane(index, 2), four, 8);
  return v128.load_lane<u8>(table + <usize>i32x4.extract_lane(index, 3), four, 12);
}

/** The alpha at the places found last. */
function alphaThere(): v128 {
  const fx = v128.load(alongX);
  const a = alphas(upperLeft);
  const above = add(a, mul(fx, sub(alphas(upperRight), a)));
  const c = alphas(lowerLeft);
  const below = add(c, mul(fx, sub(alphas(lowerRight), c)));
  return add(above, mul(v128.load(alongY), sub(below, above)));
}

function alphas(addresses: usize): v128 {
  let four = v128.load32_splat(load<usize>(addresses), 12);
  four = v128.load_lane<f32>(load<usize>(addresses, 4), four, 1, 12);
  four = v128.load_lane<f32>(load<usize>(addresses, 8), four, 2, 12);
  return v128.load_lane<f32>(load<usize>(addresses, 12), four, 3, 12);
}
