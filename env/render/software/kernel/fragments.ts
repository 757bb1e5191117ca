/** Pieces of pixels that show one triangle, to be shaded four at once. */
import { coverage, shadeX, shadeY } from './grid';

/** Which pixel (row · width + column), what share of it, and where to shade it, [count]. */
export let pixels: usize = 0;
export let weights: usize = 0;
export let xs: usize = 0;
export let ys: usize = 0;
export let fragmentCount = 0;
let width = 0;

export function reserveFragments(pictureWidth: i32, height: i32): void {
  width = pictureWidth;
  const size = (<usize>(2 * width * height + 4)) << 2; // A triangle cut in two may meet a pixel twice.
  pixels = heap.alloc(size);
  weights = heap.alloc(size);
  xs = heap.alloc(size);
  ys = heap.alloc(size);
}

/** Adds pixels of a row from `pixel` on that show the triangle with the samples of `mask`. */
export function addPixels(pixel: i32, length: i32, mask: i32): void {
  const row = pixel / width;
  const x = <f32>(pixel - row * width) + unchecked(shadeX[mask]);
  const y = <f32>row + unchecked(shadeY[mask]);
  const share = unchecked(coverage[mask]);
  let at: usize = (<usize>fragmentCount) << 2;
  for (let i = 0; i < length; i++, at += 4) {
    store<i32>(pixels + at, pixel + i);
    store<f32>(weights + at, share);
    store<f32>(xs + at, x + <f32>i);
    store<f32>(ys + at, y);
  }
  fragmentCount += length;
}

/** Fills the last four with copies of no weight. */
export function padFragments(): void {
  const last = (<usize>(fragmentCount - 1)) << 2;
  for (let at = last + 4; (at & 15) != 0; at += 4) {
    store<i32>(pixels + at, load<i32>(pixels + last));
    store<f32>(weights + at, 0);
    store<f32>(xs + at, load<f32>(xs + last));
    store<f32>(ys + at, load<f32>(ys + last));
  }
}

export function clearFragments(): void {
  fragmentCount = 0;
}
