/** Shades what is seen, triangle by triangle. */
import { depthA, depthB, depthC, loadDepth } from './depth-plane';
import { coverage } from './grid';
import { clearFragments, fragmentCount, padFragments, pixels, weights, xs, ys } from './fragments';
import { lightB, lightG, lightR, lookUp, scatter, shine, sunAt, turnToFlat } from './light';
import { setCorners } from './normals';
import { BASIC, Draw, STANDARD, Surroundings, View } from './records';
import { readA, readB, readG, readMap, readR } from './texture';
import { Triangle } from './triangles';
import { da, db, dc, loadUv, ua, ub, uc, va, vb, vc } from './uv-planes';
import { add, all, atLeast, atMost, div, expNegative, inverseLength, mul, select, sub } from './vector';

let around: Surroundings = changetype<Surroundings>(0);
let view: View = changetype<View>(0);
/** Linear light so far, f32 [height · width, (red, green, blue, 0)]. */
let picture: usize = 0;
/** Whether any sun has a shadow map. */
let hasShadows = false;

export function shadeInto(light: usize, seenIn: View, surroundings: Surroundings): void {
  picture = light;
  view = seenIn;
  around = surroundings;
  hasShadows = false;
  for (let i = 0; i < surroundings.sunCount; i++) {
    if (changetype<usize>(sunAt(i).shadow) != 0) hasShadows = true;
  }
}

// Planes over the screen, f32 [7, (a, b, c)], from (x0, y0), the first fragment's place, where float32 is exact enough.

const W0 = 0;
const W1 = 1;
const W2 = 2;
const U = 3;
const V = 4;
const D = 5; // 1 / w
const Z = 6; // Depth, only in a parallel view: elsewhere it is w.
const planes = memory.data(84, 16);
let x0: f32 = 0;
let y0: f32 = 0;

function setPlane(k: usize, a: f64, b: f64, c: f64): void {
  store<f32>(planes + k * 12, <f32>a);
  store<f32>(planes + k * 12, <f32>b, 4);
  store<f32>(planes + k * 12, <f32>(a * x0 + b * y0 + c), 8);
}
function plane(k: usize, x: v128, y: v128): v128 {
  return add(add(mul(x, changeX(k)), mul(y, changeY(k))), v128.load32_splat(planes + k * 12, 8));
}
function changeX(k: usize): v128 {
  return v128.load32_splat(planes + k * 12);
}
function changeY(k: usize): v128 {
  return v128.load32_splat(planes + k * 12, 4);
}

/** Unit normals at the corners, and colours, f32 [3, 4]. */
const normals = memory.data(48, 16);
/** The triangle's colour. If its corners have different colours, these are multiplied later. */
let red: f32 = 0;
let green: f32 = 0;
let blue: f32 = 0;
let opacity: f32 = 0;
let isColored = false;
/** Whether the light is the same all over the triangle; then one fragment is shaded for all. */
let isPlain = false;
let plainLight: v128 = i32x4(0, 0, 0, 0);
/** Whether the normal is the same all over the triangle. */
let isFlat = false;
const colors = memory.data(64, 16);

/** The weighted mean of number k of the corners. */
function mixed(corners: usize, k: usize, w0: v128, w1: v128, w2: v128): v128 {
  const at = corners + (k << 2);
  return add(
    add(mul(w0, v128.load32_splat(at)), mul(w1, v128.load32_splat(at, 16))),
    mul(w2, v128.load32_splat(at, 32)),
  );
}

function turnTo(t: Triangle, draw: Draw): void {
  x0 = load<f32>(xs);
  y0 = load<f32>(ys);
  loadUv(t, draw);
  setPlane(W0, t.a0, t.b0, t.c0);
  setPlane(W1, t.a1, t.b1, t.c1);
  setPlane(W2, t.a2, t.b2, t.c2);
  setPlane(U, ua, ub, uc);
  setPlane(V, va, vb, vc);
  setPlane(D, da, db, dc);
  if (around.isParallel) {
    loadDepth(t, view);
    setPlane(Z, depthA, depthB, depthC);
  }
  if (draw.shading != BASIC) {
    setCorners(normals, t, draw, around);
    isFlat = areSame(normals, normals + 16) && areSame(normals, normals + 32);
    turnToFlat(isFlat, v128.load32_splat(normals), v128.load32_splat(normals, 4), v128.load32_splat(normals, 8));
  } else isFlat = true;
  red = draw.r;
  green = draw.g;
  blue = draw.b;
  opacity = draw.opacity;
  isColored = false;
  if (draw.colors == 0) return;
  setColor(0, t.v0, draw);
  setColor(1, t.v1, draw);
  setColor(2, t.v2, draw);
  isColored = !(areSame(colors, colors + 16) && areSame(colors, colors + 32));
  if (isColored) return;
  red *= load<f32>(colors);
  green *= load<f32>(colors, 4);
  blue *= load<f32>(colors, 8);
  opacity *= load<f32>(colors, 12);
}

/** Starts a triangle whose first fragment is known. Returns whether it has one colour all over. */
export function turnToTriangle(t: Triangle): bool {
  const draw = t.draw;
  turnTo(t, draw);
  isPlain = changetype<usize>(draw.map) == 0 && !isColored && !(draw.hasFog && around.fogKind != 0);
  if (draw.shading != BASIC) isPlain = isPlain && draw.shading != STANDARD && isFlat && !catchesShadow(draw);
  return isPlain;
}

/** Whether shadows may fall on a draw. */
function catchesShadow(draw: Draw): bool {
  return draw.receivesShadow != 0 && hasShadows;
}

function areSame(a: usize, b: usize): bool {
  return i32x4.all_true(f32x4.eq(v128.load(a), v128.load(b)));
}

function setColor(corner: usize, vertex: i32, draw: Draw): void {
  const from = draw.colors + ((<usize>(vertex * draw.colorSize)) << 2);
  const to = colors + (corner << 4);
  store<f32>(to, load<f32>(from));
  store<f32>(to, load<f32>(from, 4), 4);
  store<f32>(to, load<f32>(from, 8), 8);
  store<f32>(to, draw.colorSize == 4 ? load<f32>(from, 12) : 1, 12);
}

/** Shades the fragments, which show this triangle, and forgets them. With `blending`, lays them over the picture. */
export function shadeTriangle(t: Triangle, blending: bool): void {
  if (fragmentCount == 0) return;
  padFragments();
  const draw = t.draw;
  if (blending) turnToTriangle(t);
  const needsPlaces = draw.shading == STANDARD || catchesShadow(draw);
  for (let i: usize = 0; i < (<usize>fragmentCount) << 2; i += 16) {
    const px = sub(v128.load(xs + i), all(x0));
    const py = sub(v128.load(ys + i), all(y0));
    const distance = div(all(1), plane(D, px, py));
    const depth = around.isParallel ? plane(Z, px, py) : distance;
    let w0 = all(0);
    let w1 = w0;
    let w2 = w0;
    if (isColored || !isFlat) {
      w0 = mul(plane(W0, px, py), distance);
      w1 = mul(plane(W1, px, py), distance);
      w2 = mul(plane(W2, px, py), distance);
    }
    let r = all(red);
    let g = all(green);
    let b = all(blue);
    let alpha = all(opacity);
    if (isColored) {
      r = mul(r, mixed(colors, 0, w0, w1, w2));
      g = mul(g, mixed(colors, 1, w0, w1, w2));
      b = mul(b, mixed(colors, 2, w0, w1, w2));
      alpha = mul(alpha, mixed(colors, 3, w0, w1, w2));
    }
    if (changetype<usize>(draw.map) != 0) {
      const u = mul(plane(U, px, py), distance);
      const v = mul(plane(V, px, py), distance);
      const dudx = mul(sub(changeX(U), mul(u, changeX(D))), distance);
      const dvdx = mul(sub(changeX(V), mul(v, changeX(D))), distance);
      const dudy = mul(sub(changeY(U), mul(u, changeY(D))), distance);
      const dvdy = mul(sub(changeY(V), mul(v, changeY(D))), distance);
      readMap(draw.map, u, v, dudx, dvdx, dudy, dvdy);
      r = mul(r, readR);
      g = mul(g, readG);
      b = mul(b, readB);
      alpha = mul(alpha, readA);
    }
    if (draw.shading != BASIC) {
      let nx = v128.load32_splat(normals);
      let ny = v128.load32_splat(normals, 4);
      let nz = v128.load32_splat(normals, 8);
      if (!isFlat) {
        nx = mixed(normals, 0, w0, w1, w2);
        ny = mixed(normals, 1, w0, w1, w2);
        nz = mixed(normals, 2, w0, w1, w2);
        const scale = inverseLength(nx, ny, nz);
        nx = mul(nx, scale);
        ny = mul(ny, scale);
        nz = mul(nz, scale);
      }
      let x = all(0);
      let y = x;
      let z = x;
      if (needsPlaces) {
        const column = v128.load(xs + i);
        const row = v128.load(ys + i);
        x = ray(column, row, around.rightX, around.downX, around.cornerX);
        y = ray(column, row, around.rightY, around.downY, around.cornerY);
        z = ray(column, row, around.rightZ, around.downZ, around.cornerZ);
        if (around.isParallel) {
          x = add(x, mul(depth, all(around.forwardX)));
          y = add(y, mul(depth, all(around.forwardY)));
          z = add(z, mul(depth, all(around.forwardZ)));
        } else {
          x = mul(depth, x);
          y = mul(depth, y);
          z = mul(depth, z);
        }
        x = add(all(around.eyeX), x);
        y = add(all(around.eyeY), y);
        z = add(all(around.eyeZ), z);
      }
      if (draw.shading == STANDARD) {
        shine(draw, x, y, z, nx, ny, nz, r, g, b);
        r = lightR;
        g = lightG;
        b = lightB;
      } else {
        scatter(draw, x, y, z, nx, ny, nz);
        r = mul(r, lightR);
        g = mul(g, lightG);
        b = mul(b, lightB);
      }
      r = add(r, all(draw.emissiveR));
      g = add(g, all(draw.emissiveG));
      b = add(b, all(draw.emissiveB));
    }
    if (draw.hasFog && around.fogKind != 0) {
      const share = fogShare(depth);
      r = add(r, mul(share, sub(all(around.fogR), r)));
      g = add(g, mul(share, sub(all(around.fogG), g)));
      b = add(b, mul(share, sub(all(around.fogB), b)));
    }
    if (blending) {
      const shown = f32x4.ge(alpha, all(draw.alphaTest));
      blend(i, r, g, b, v128.and(mul(atMost(atLeast(alpha, 0), 1), v128.load(weights + i)), shown));
    } else if (isPlain) {
      transpose(r, g, b, all(0));
      plainLight = v128.load(columns);
    } else accumulate(i, r, g, b);
  }
  clearFragments();
}

/** Adds the light of the last plain triangle to `length` pixels of a row. */
export function fillRun(pixel: i32, length: i32, mask: i32): void {
  const light = mul(plainLight, all(unchecked(coverage[mask])));
  let at = picture + ((<usize>pixel) << 4);
  for (let i = 0; i < length; i++, at += 16) v128.store(at, add(v128.load(at), light));
}

/** Component of the rays through places of the picture, one metre along the camera's axis (parallel: their starts). */
function ray(x: v128, y: v128, right: f32, down: f32, corner: f32): v128 {
  return add(add(mul(x, all(right)), mul(y, all(down))), all(corner));
}

/** Share of the fog's colour at depths, 0 to 1. */
function fogShare(depth: v128): v128 {
  if (around.fogKind == 2) {
    const thickness = mul(all(around.fogFrom), depth);
    return sub(all(1), expNegative(f32x4.neg(mul(thickness, thickness))));
  }
  const t = div(sub(depth, all(around.fogFrom)), all(around.fogTo - around.fogFrom));
  const inside = atMost(atLeast(t, 0), 1);
  return mul(mul(inside, inside), sub(all(3), mul(all(2), inside)));
}

/** Shades the fragments, which show the background, and forgets them. */
export function shadeBackground(): void {
  if (fragmentCount == 0) return;
  padFragments();
  let r = all(around.backgroundR);
  let g = all(around.backgroundG);
  let b = all(around.backgroundB);
  for (let i: usize = 0; i < (<usize>fragmentCount) << 2; i += 16) {
    if (changetype<usize>(around.background) != 0) {
      const column = v128.load(xs + i);
      const row = v128.load(ys + i);
      const x = ray(column, row, around.rightX, around.downX, around.cornerX);
      const y = ray(column, row, around.rightY, around.downY, around.cornerY);
      const z = ray(column, row, around.rightZ, around.downZ, around.cornerZ);
      lookUp(around.background, x, y, z, 0);
      r = mul(readR, all(around.backgroundIntensity));
      g = mul(readG, all(around.backgroundIntensity));
      b = mul(readB, all(around.backgroundIntensity));
    }
    accumulate(i, r, g, b);
  }
  clearFragments();
}

/** Four fragments' red, green, blue and 0 or share, f32 [4, 4]. */
const columns = memory.data(64, 16);

function transpose(r: v128, g: v128, b: v128, rest: v128): void {
  const low = v128.shuffle<f32>(r, g, 0, 4, 1, 5);
  const lowRest = v128.shuffle<f32>(b, rest, 0, 4, 1, 5);
  const high = v128.shuffle<f32>(r, g, 2, 6, 3, 7);
  const highRest = v128.shuffle<f32>(b, rest, 2, 6, 3, 7);
  v128.store(columns, v128.shuffle<f32>(low, lowRest, 0, 1, 4, 5));
  v128.store(columns, v128.shuffle<f32>(low, lowRest, 2, 3, 6, 7), 16);
  v128.store(columns, v128.shuffle<f32>(high, highRest, 0, 1, 4, 5), 32);
  v128.store(columns, v128.shuffle<f32>(high, highRest, 2, 3, 6, 7), 48);
}

/** Adds four fragments' light to the picture. */
function accumulate(i: usize, r: v128, g: v128, b: v128): void {
  const weight = v128.load(weights + i);
  transpose(mul(r, weight), mul(g, weight), mul(b, weight), all(0));
  for (let k: usize = 0; k < 16; k += 4) {
    const at = picture + ((<usize>load<i32>(pixels + i + k)) << 4);
    v128.store(at, add(v128.load(at), v128.load(columns + (k << 2))));
  }
}

/** Lays four fragments over the picture; `cover` is how much of it they hide. */
function blend(i: usize, r: v128, g: v128, b: v128, cover: v128): void {
  transpose(r, g, b, cover);
  for (let k: usize = 0; k < 16; k += 4) {
    const at = picture + ((<usize>load<i32>(pixels + i + k)) << 4);
    const color = v128.load(columns + (k << 2));
    const known = v128.load(at);
    v128.store(at, add(known, mul(v128.load32_splat(columns + (k << 2), 12), sub(color, known))));
  }
}
