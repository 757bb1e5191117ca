/** Pieces of pixels that show one triangle, which are shaded four at a time. */
import { coverage, shadeX, shadeY } from './grid';

/** Of each fragment: its pixel (row · width + column), its share of the pixel, and where to shade it, [count]. */
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

/** Adds `length` pixels of a row, from `pixel` on, in which the samples of `mask` show the triangle. */
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

/** Fills up the last group of four with copies of weight 0. */
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
