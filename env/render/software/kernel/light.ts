/** The light that four fragments receive, and the light that they send to the viewer. */
import { Draw, Sun, Surroundings, Texture, View } from './records';
import { readAt, readB, readG, readR } from './texture';
import { add, all, atLeast, atMost, div, dot, expNegative, inverseLength, mul, sub, turns } from './vector';

const INVERSE_PI: f32 = 0.31830987;

let around: Surroundings = changetype<Surroundings>(0);

export function lightBy(surroundings: Surroundings): void {
  around = surroundings;
}

/** Light of four fragments: first what a white matt surface would reflect, then what the fragments reflect. */
export let lightR: v128 = i32x4(0, 0, 0, 0);
export let lightG: v128 = i32x4(0, 0, 0, 0);
export let lightB: v128 = i32x4(0, 0, 0, 0);

/** The light from no single direction on a flat triangle. */
let aroundR: v128 = i32x4(0, 0, 0, 0);
let aroundG: v128 = i32x4(0, 0, 0, 0);
let aroundB: v128 = i32x4(0, 0, 0, 0);
let isFlat = false;

/** Starts a triangle: a flat one, with the normal nx, ny, nz everywhere, or one that is not flat. */
export function turnToFlat(flat: bool, nx: v128, ny: v128, nz: v128): void {
  isFlat = false;
  if (!flat) return;
  lightFromAround(nx, ny, nz);
  aroundR = lightR;
  aroundG = lightG;
  aroundB = lightB;
  isFlat = true;
}

/** Computes the light from no single direction, by the normal. */
function lightFromAround(x: v128, y: v128, z: v128): void {
  if (isFlat) {
    lightR = aroundR;
    lightG = aroundG;
    lightB = aroundB;
    return;
  }
  const xy = mul(x, y);
  const yz = mul(y, z);
  const zz = sub(mul(mul(all(3), z), z), all(1));
  const xz = mul(x, z);
  const xx = sub(mul(x, x), mul(y, y));
  lightR = harmonic(around.harmonics, x, y, z, xy, yz, zz, xz, xx);
  lightG = harmonic(around.harmonics + 4, x, y, z, xy, yz, zz, xz, xx);
  lightB = harmonic(around.harmonics + 8, x, y, z, xy, yz, zz, xz, xx);
}

function harmonic(h: usize, x: v128, y: v128, z: v128, xy: v128, yz: v128, zz: v128, xz: v128, xx: v128): v128 {
  let sum = add(v128.load32_splat(h), mul(v128.load32_splat(h, 12), y));
  sum = add(sum, mul(v128.load32_splat(h, 24), z));
  sum = add(sum, mul(v128.load32_splat(h, 36), x));
  sum = add(sum, mul(v128.load32_splat(h, 48), xy));
  sum = add(sum, mul(v128.load32_splat(h, 60), yz));
  sum = add(sum, mul(v128.load32_splat(h, 72), zz));
  sum = add(sum, mul(v128.load32_splat(h, 84), xz));
  sum = add(sum, mul(v128.load32_splat(h, 96), xx));
  return atLeast(sum, 0);
}

/** Computes the light on matt surfaces at the places x, y, z with the unit normals nx, ny, nz. */
export function scatter(draw: Draw, x: v128, y: v128, z: v128, nx: v128, ny: v128, nz: v128): void {
  lightFromAround(nx, ny, nz);
  for (let i = 0; i < around.sunCount; i++) {
    const sun = sunAt(i);
    const facing = atLeast(dot(nx, ny, nz, all(sun.x), all(sun.y), all(sun.z)), 0);
    if (!v128.any_true(f32x4.gt(facing, all(0)))) continue;
    const share = mul(mul(facing, reached(sun, draw, x, y, z, nx, ny, nz)), all(INVERSE_PI));
    lightR = add(lightR, mul(share, all(sun.r)));
    lightG = add(lightG, mul(share, all(sun.g)));
    lightB = add(lightB, mul(share, all(sun.b)));
  }
}

export function sunAt(i: i32): Sun {
  return changetype<Sun>(around.suns + <usize>i * offsetof<Sun>());
}

const columns = memory.data(16, 16);
const rows = memory.data(16, 16);
const depths = memory.data(16, 16);
const shares = memory.data(16, 16);

/**
 * The share of a sun's light that reaches the places, 1 − intensity to 1: the mean of 3 × 3 comparisons with its shadow
 * map, each smoothed over a texel; 1 outside the map. normalBias moves the places along their normals.
 */
function reached(sun: Sun, draw: Draw, x: v128, y: v128, z: v128, nx: v128, ny: v128, nz: v128): v128 {
  const map = sun.shadow;
  if (!draw.receivesShadow || changetype<usize>(map) == 0) return all(1);
  const along = all(sun.normalBias);
  x = add(x, mul(nx, along));
  y = add(y, mul(ny, along));
  z = add(z, mul(nz, along));
  v128.store(columns, sub(projected(map.rows, x, y, z), all(0.5)));
  v128.store(rows, sub(projected(map.rows + 32, x, y, z), all(0.5)));
  v128.store(depths, sub(projected(map.rows + 96, x, y, z), all(sun.bias)));
  for (let i: usize = 0; i < 16; i += 4) {
    const lit = litShare(map, sun.step, load<f32>(columns + i), load<f32>(rows + i), load<f32>(depths + i));
    store<f32>(shares + i, 1 - sun.intensity * (1 - lit));
  }
  return v128.load(shares);
}

function projected(row: usize, x: v128, y: v128, z: v128): v128 {
  return add(dot(x, y, z, rowAt(row), rowAt(row + 8), rowAt(row + 16)), rowAt(row + 24));
}

function rowAt(at: usize): v128 {
  return all(<f32>load<f64>(at));
}

/** The share of the 3 × 3 texels around in which nothing is nearer to the sun than n. */
function litShare(map: View, step: i32, column: f32, row: f32, n: f32): f32 {
  const isInside =
    column >= -0.5 && column <= <f32>map.width - 0.5 && row >= -0.5 && row <= <f32>map.height - 0.5 && n >= -1;
  if (!isInside) return 1;
  const left = floor<f32>(column);
  const top = floor<f32>(row);
  const fx = column - left;
  const fy = row - top;
  const c = <i32>left - step;
  const r = <i32>top - step;
  const isAmid = step == 1 && c >= 0 && c + 3 < map.width;
  const across = f32x4.replace_lane(f32x4.replace_lane(all(1), 0, 1 - fx), 3, fx);
  let lit = all(0);
  for (let j = 0; j < 4; j++) {
    const base = map.nearness + ((<usize>(clamped(r + j * step, map.height) * map.width)) << 2);
    const known = isAmid ? v128.load(base + ((<usize>c) << 2)) : fourTexels(base, c, step, map.width);
    const open = v128.and(f32x4.ge(all(n), known), across);
    lit = add(lit, j == 0 ? mul(open, all(1 - fy)) : j == 3 ? mul(open, all(fy)) : open);
  }
  const sum = f32x4.extract_lane(lit, 0) + f32x4.extract_lane(lit, 1);
  return (sum + (f32x4.extract_lane(lit, 2) + f32x4.extract_lane(lit, 3))) / 9;
}

function fourTexels(base: usize, c: i32, step: i32, width: i32): v128 {
  let four = v128.load32_splat(base + ((<usize>clamped(c, width)) << 2));
  four = f32x4.replace_lane(four, 1, load<f32>(base + ((<usize>clamped(c + step, width)) << 2)));
  four = f32x4.replace_lane(four, 2, load<f32>(base + ((<usize>clamped(c + 2 * step, width)) << 2)));
  return f32x4.replace_lane(four, 3, load<f32>(base + ((<usize>clamped(c + 3 * step, width)) << 2)));
}

function clamped(i: i32, size: i32): i32 {
  return i < 0 ? 0 : i < size ? i : size - 1;
}

/** Reads an all-round picture in the directions x, y, z; blur is 0 (sharp) to 1 (the mean of about a hemisphere). */
export function lookUp(map: Texture, x: v128, y: v128, z: v128, blur: f32): void {
  const flat = f32x4.sqrt(add(mul(x, x), mul(z, z)));
  const u = add(turns(z, x), all(0.5));
  const v = add(mul(turns(y, flat), all(2)), all(0.5));
  readAt(map, u, v, blur * <f32>max(0, map.levelCount - 2));
}

/**
 * Computes the light that glossy surfaces of the colours r, g, b reflect to the viewer: Lambert's law under a GGX
 * gloss, as in three.js's standard material (without the light that the gloss scatters twice).
 */
export function shine(
  draw: Draw,
  x: v128,
  y: v128,
  z: v128,
  nx: v128,
  ny: v128,
  nz: v128,
  r: v128,
  g: v128,
  b: v128,
): void {
  let vx = all(-around.forwardX);
  let vy = all(-around.forwardY);
  let vz = all(-around.forwardZ);
  if (!around.isParallel) {
    const scale = inverseLength(sub(all(around.eyeX), x), sub(all(around.eyeY), y), sub(all(around.eyeZ), z));
    vx = mul(sub(all(around.eyeX), x), scale);
    vy = mul(sub(all(around.eyeY), y), scale);
    vz = mul(sub(all(around.eyeZ), z), scale);
  }
  const toViewer = dot(nx, ny, nz, vx, vy, vz);
  const metalness = draw.metalness;
  const matt = all(1 - metalness);
  const dark = all(0.04 * (1 - metalness)); // Reflectance at normal incidence, without the metal's colour.
  const mirrorR = add(dark, mul(all(metalness), r));
  const mirrorG = add(dark, mul(all(metalness), g));
  const mirrorB = add(dark, mul(all(metalness), b));
  if (changetype<usize>(around.reflected) != 0) mirror(draw.roughness, atLeast(toViewer, 0), vx, vy, vz, nx, ny, nz);
  lightFromAround(nx, ny, nz);
  sendFromAround(draw.roughness, atLeast(toViewer, 1e-4), matt, mirrorR, mirrorG, mirrorB, r, g, b);
  for (let i = 0; i < around.sunCount; i++) {
    const sun = sunAt(i);
    const facing = atLeast(dot(nx, ny, nz, all(sun.x), all(sun.y), all(sun.z)), 0);
    if (!v128.any_true(f32x4.gt(facing, all(0)))) continue;
    const share = mul(facing, reached(sun, draw, x, y, z, nx, ny, nz));
    const hx = add(all(sun.x), vx);
    const hy = add(all(sun.y), vy);
    const hz = add(all(sun.z), vz);
    const inverse = inverseLength(hx, hy, hz);
    const toHalf = atMost(atLeast(mul(dot(nx, ny, nz, hx, hy, hz), inverse), 0), 1);
    const away = sub(all(1), atMost(atLeast(mul(dot(vx, vy, vz, hx, hy, hz), inverse), 0), 1));
    const away2 = mul(away, away);
    const fresnel = mul(mul(away2, away2), away);
    const gloss = ggx(draw.roughness * draw.roughness, facing, atLeast(toViewer, 1e-4), toHalf);
    const scattered = mul(matt, all(INVERSE_PI));
    lightR = add(lightR, mul(mul(share, all(sun.r)), sent(mirrorR, fresnel, gloss, mul(scattered, r))));
    lightG = add(lightG, mul(mul(share, all(sun.g)), sent(mirrorG, fresnel, gloss, mul(scattered, g))));
    lightB = add(lightB, mul(mul(share, all(sun.b)), sent(mirrorB, fresnel, gloss, mul(scattered, b))));
  }
}

/** What becomes of a sun's light: a share by Schlick's Fresnel term is mirrored, the rest scattered. */
function sent(mirror: v128, fresnel: v128, gloss: v128, scattered: v128): v128 {
  const share = add(mirror, mul(sub(all(1), mirror), fresnel));
  return add(mul(share, gloss), mul(scattered, sub(all(1), share)));
}

/** Reads what surfaces mirror; rough ones look towards their normal, as in three.js. */
function mirror(roughness: f32, toViewer: v128, vx: v128, vy: v128, vz: v128, nx: v128, ny: v128, nz: v128): void {
  const bend = roughness * roughness * roughness * roughness;
  const keep = all(1 - bend);
  const twice = add(mul(mul(all(2), toViewer), keep), all(bend));
  const x = sub(mul(twice, nx), mul(keep, vx));
  const y = sub(mul(twice, ny), mul(keep, vy));
  const z = sub(mul(twice, nz), mul(keep, vz));
  lookUp(around.reflected, x, y, z, roughness);
}

/** Computes the first part of the reflected light: from no single direction, scattered and mirrored. */
function sendFromAround(
  roughness: f32,
  toViewer: v128,
  matt: v128,
  mirrorR: v128,
  mirrorG: v128,
  mirrorB: v128,
  r: v128,
  g: v128,
  b: v128,
): void {
  // The reflection of a uniform surrounding, mirror · scale + bias: B. Karis's fit for mobile (2014).
  const smooth: f32 = 1 - roughness;
  const least = f32x4.min(all(smooth * smooth), expNegative(mul(toViewer, all(-6.433))));
  const fade = add(mul(least, all(smooth)), all(0.0425 - 0.0275 * roughness));
  const scale = add(mul(fade, all(-1.04)), all(1.04 - 0.572 * roughness));
  const bias = add(mul(fade, all(1.04)), all(-0.04 + 0.022 * roughness));
  const intensity = all(around.reflectedIntensity);
  const ownR = add(mul(mirrorR, scale), bias);
  const ownG = add(mul(mirrorG, scale), bias);
  const ownB = add(mul(mirrorB, scale), bias);
  lightR = add(mul(mul(mul(matt, r), lightR), sub(all(1), ownR)), mul(mul(ownR, readR), intensity));
  lightG = add(mul(mul(mul(matt, g), lightG), sub(all(1), ownG)), mul(mul(ownG, readG), intensity));
  lightB = add(mul(mul(mul(matt, b), lightB), sub(all(1), ownB)), mul(mul(ownB, readB), intensity));
}

/** GGX distribution and masking (Walter et al. 2007), with Heitz's height correlation, over 4 facing · toViewer. */
function ggx(alpha: f32, facing: v128, toViewer: v128, toHalf: v128): v128 {
  const a2 = all(alpha * alpha);
  const rest = sub(all(1), a2);
  const spread = sub(all(1), mul(mul(toHalf, toHalf), rest));
  const distribution = div(mul(a2, all(INVERSE_PI)), mul(spread, spread));
  const masked = add(
    mul(facing, f32x4.sqrt(add(a2, mul(rest, mul(toViewer, toViewer))))),
    mul(toViewer, f32x4.sqrt(add(a2, mul(rest, mul(facing, facing))))),
  );
  return div(mul(distribution, all(0.5)), atLeast(masked, 1e-6));
}
