/** What is seen, by triangle: so the normals, texture coordinates and light of each one are computed once. */
import { depthA, depthB, depthC, loadDepth } from './depth-plane';
import { View } from './records';
import { addPixels, clearFragments } from './fragments';
import { fillRun, shadeBackground, shadeTriangle, turnToTriangle } from './shade';
import { triangleAt, triangleCount } from './triangles';

/** Neighbouring pixels of a row that show one triangle with the same samples. */
@unmanaged
class Run {
  /** The triangle's next run; 0 for none. */
  next: usize;
  /** Row · width + column of the first pixel. */
  pixel: i32;
  length: i32;
  /** Which samples, as bits. */
  mask: i32;
}

const SIZE = offsetof<Run>();
const NOTHING = -1; // The background.
let runs: usize = 0;
let free: usize = 0;
let backgroundRuns: usize = 0;

export function reserveRuns(samples: i32): void {
  runs = heap.alloc(<usize>samples * SIZE);
}

function addRun(t: i32, pixel: i32, length: i32, mask: i32): void {
  const run = changetype<Run>(free);
  run.pixel = pixel;
  run.length = length;
  run.mask = mask;
  if (t == NOTHING) {
    run.next = backgroundRuns;
    backgroundRuns = free;
  } else {
    const triangle = triangleAt(t);
    run.next = triangle.runs;
    triangle.runs = free;
  }
  free += SIZE;
}

/** Lists each triangle's runs, and the background's. */
export function findRuns(view: View): void {
  const width = view.width;
  const samples = view.samples;
  const full = (1 << samples) - 1;
  free = runs;
  backgroundRuns = 0;
  for (let row = 0; row < view.height; row++) {
    const base = view.seen + ((<usize>(row * samples * width)) << 2);
    for (let x = 0; x < width;) {
      const end = uniformEnd(base, x, width, samples);
      const t = load<i32>(base + ((<usize>x) << 2));
      if (end > x) addRun(t, row * width + x, end - x, full);
      else addMixed(base + ((<usize>x) << 2), row * width + x, width, samples);
      x = max(end, x + 1);
    }
  }
}

/** The end of the run of pixels whose samples all see what the first sample of pixel x sees; x when that is mixed. */
function uniformEnd(base: usize, x: i32, width: i32, samples: i32): i32 {
  const t = i32x4.splat(load<i32>(base + ((<usize>x) << 2)));
  const step = (<usize>width) << 2;
  for (; x < width; x += 4) {
    let at = base + ((<usize>x) << 2);
    let same = i32x4.eq(v128.load(at), t);
    for (let k = 1; k < samples; k++) {
      at += step;
      same = v128.and(same, i32x4.eq(v128.load(at), t));
    }
    const others = ~i32x4.bitmask(same) & 15;
    if (others != 0) return min(width, x + ctz(others));
  }
  return width;
}

/** Adds a pixel whose samples, the first at `first`, do not all see the same: a run for each triangle. */
function addMixed(first: usize, pixel: i32, width: i32, samples: i32): void {
  const full = (1 << samples) - 1;
  for (let k = 0, done = 0; done != full; k++) {
    if ((done & (1 << k)) != 0) continue;
    const t = load<i32>(first + ((<usize>(k * width)) << 2));
    let mask = 1 << k;
    for (let l = k + 1; l < samples; l++) {
      if (load<i32>(first + ((<usize>(l * width)) << 2)) == t) mask |= 1 << l;
    }
    addRun(t, pixel, 1, mask);
    done |= mask;
  }
}

/** Shades the whole picture. */
export function shadeRuns(): void {
  addRuns(backgroundRuns);
  shadeBackground();
  for (let t = 0; t < triangleCount; t++) {
    const triangle = triangleAt(t);
    if (triangle.runs == 0) continue;
    const run = changetype<Run>(triangle.runs);
    addPixels(run.pixel, 1, run.mask);
    if (turnToTriangle(triangle)) {
      shadeTriangle(triangle, false);
      fillRuns(triangle.runs);
      continue;
    }
    clearFragments();
    addRuns(triangle.runs);
    shadeTriangle(triangle, false);
  }
}

function fillRuns(first: usize): void {
  for (let at = first; at != 0; at = changetype<Run>(at).next) {
    const run = changetype<Run>(at);
    fillRun(run.pixel, run.length, run.mask);
  }
}

function addRuns(first: usize): void {
  for (let at = first; at != 0; at = changetype<Run>(at).next) {
    const run = changetype<Run>(at);
    addPixels(run.pixel, run.length, run.mask);
  }
}

/** The ids of the triangle that was read last, and its plane of 1 / distance (of the depth in a parallel view). */
let classId = 0;
let instanceId = 0;
let a: f64 = 0;
let b: f64 = 0;
let c: f64 = 0;

function turnToLabels(t: i32, view: View, backgroundClass: i32): void {
  const isBackground = t == NOTHING;
  const triangle = triangleAt(max(0, t));
  classId = isBackground ? backgroundClass : triangle.draw.classId;
  instanceId = isBackground ? 0 : triangle.draw.instanceId;
  a = isBackground ? 0 : triangle.a0 + triangle.a1 + triangle.a2;
  b = isBackground ? 0 : triangle.b0 + triangle.b1 + triangle.b2;
  c = isBackground ? 0 : triangle.c0 + triangle.c1 + triangle.c2 + 0.5 * a; // 1 / 0 is infinite.
  if (!view.isParallel) return;
  if (!isBackground) loadDepth(triangle, view);
  a = isBackground ? 0 : depthA;
  b = isBackground ? 0 : depthB;
  c = isBackground ? Infinity : depthC + 0.5 * a;
}

/** Reads ids and depth at the centre samples; writes up to three pixels beyond the end. */
export function readLabels(view: View, backgroundClass: i32, classes: usize, instances: usize, depth: usize): void {
  const width = view.width;
  const samples = view.samples;
  for (let row = 0; row < view.height; row++) {
    const centres = view.seen + ((<usize>((row * samples + (samples >> 1)) * width)) << 2);
    for (let x = 0; x < width;) {
      const t = load<i32>(centres + ((<usize>x) << 2));
      turnToLabels(t, view, backgroundClass);
      const end = uniformEnd(centres, x, width, 1);
      const slope = f64x2.splat(a);
      const atLeft = f64x2.splat(b * (<f64>row + 0.5) + c);
      let place = f64x2.add(f64x2.splat(<f64>x), f64x2(0, 1));
      for (let at = <usize>(row * width + x); x < end; x += 4, at += 4) {
        let two = f64x2.add(f64x2.mul(slope, place), atLeft);
        place = f64x2.add(place, f64x2.splat(2));
        let next = f64x2.add(f64x2.mul(slope, place), atLeft);
        if (!view.isParallel) {
          two = f64x2.div(f64x2.splat(1), two);
          next = f64x2.div(f64x2.splat(1), next);
        }
        place = f64x2.add(place, f64x2.splat(2));
        const four = v128.shuffle<f32>(f32x4.demote_f64x2_zero(two), f32x4.demote_f64x2_zero(next), 0, 1, 4, 5);
        v128.store(depth + (at << 2), four);
        store<u32>(classes + at, classId * 0x01010101);
        store<u64>(instances + (at << 1), <u64>instanceId * 0x0001000100010001);
      }
      x = end; // What was written beyond is written again.
    }
  }
}
