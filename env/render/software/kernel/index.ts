/** The renderer's inner loops, compiled to WebAssembly: all work that is done for each pixel. */
import { reserveFragments } from './fragments';
import { tabulate } from './grid';
import { reserveHoles } from './holes';
import { lightBy } from './light';
import { reserveMarks } from './marks';
import { forgetBodies } from './normals';
import { project, projectTo, reserveVertices } from './project';
import { Draw, Surroundings, View } from './records';
import { coverView } from './scan';
import { shadeInto } from './shade';
import { clearTriangles } from './triangles';
import { findRuns, readLabels, reserveRuns, shadeRuns } from './visible';

/** Allocates memory that is never freed. */
export function allocate(size: i32): usize {
  return heap.alloc(size);
}

/** Makes room for pictures of one size. */
export function setUp(width: i32, height: i32, samples: i32): void {
  tabulate(samples);
  reserveMarks(width);
  reserveFragments(width, height);
  reserveRuns(width * height * samples);
}

/** Starts a frame: with room for this number of triangles, and of vertices in the largest mesh. */
export function begin(triangles: i32, vertices: i32): void {
  clearTriangles(triangles);
  reserveVertices(vertices);
  forgetBodies();
}

/** Starts a view, in which nothing is drawn yet: `n` is the nearness of every sample. */
export function turnTo(view: View, n: f32): void {
  projectTo(view, false);
  coverView(view, false);
  reserveHoles(view.width);
  const size = (<usize>(view.width * view.height * view.samples)) << 2;
  for (let i: usize = 0; i < size; i += 16) v128.store(view.nearness + i, f32x4.splat(n));
  if (view.seen != 0) memory.fill(view.seen, 0xff, size);
}

/** Draws into the view. */
export function enter(draw: Draw, side: i32): void {
  project(draw, side);
}

/** Shades what the view shows: writes linear light, f32 [height, width, 4], whose fourth number is not used. */
export function shade(view: View, surroundings: Surroundings, light: usize): void {
  memory.fill(light, 0, (<usize>(view.width * view.height)) << 4);
  lightBy(surroundings);
  shadeInto(light, view, surroundings);
  findRuns(view);
  shadeRuns();
  projectTo(view, true);
  coverView(view, true);
}

/** Copies four numbers per pixel to three: drops every fourth number. */
export function pack(from: usize, to: usize, count: i32): void {
  for (let i = 0; i < count; i++, from += 16, to += 12) v128.store(to, v128.load(from));
}

/** Looks up the bytes of linear light, in groups of 16: light i / steps has the byte table[i], uint8 [steps + 1]. */
export function encode(from: usize, to: usize, count: i32, table: usize, steps: i32): void {
  for (let i = 0; i < count; i += 16, from += 64, to += 16) {
    v128.store_lane<u32>(to, bytesOf(from, table, steps), 0);
    v128.store_lane<u32>(to, bytesOf(from + 16, table, steps), 0, 4);
    v128.store_lane<u32>(to, bytesOf(from + 32, table, steps), 0, 8);
    v128.store_lane<u32>(to, bytesOf(from + 48, table, steps), 0, 12);
  }
}

function bytesOf(from: usize, table: usize, steps: i32): v128 {
  const most = f32x4.splat(<f32>steps);
  const scaled = f32x4.add(f32x4.mul(v128.load(from), most), f32x4.splat(0.5));
  const step = i32x4.trunc_sat_f32x4_s(f32x4.pmin(most, f32x4.pmax(f32x4.splat(0), scaled))); // NaN becomes 0.
  let bytes = v128.load8_splat(table + <usize>i32x4.extract_lane(step, 0));
  bytes = v128.load_lane<u8>(table + <usize>i32x4.extract_lane(step, 1), bytes, 1);
  bytes = v128.load_lane<u8>(table + <usize>i32x4.extract_lane(step, 2), bytes, 2);
  return v128.load_lane<u8>(table + <usize>i32x4.extract_lane(step, 3), bytes, 3);
}

export { readLabels };
