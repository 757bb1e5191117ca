import { Draw, View } from './records';

/**
 * A triangle on the screen.
 *
 * It keeps three *weight planes*: e_i(x, y) = a_i x + b_i y + c_i over pixel coordinates, such that e_0 + e_1 + e_2 is
 * 1 / distance along the camera's axis and e_i · distance is the weight of corner i, perspective included. They are the
 * columns of the inverse of the corners' homogeneous pixel coordinates, and need no clipping (Olano and Greer,
 * "Triangle scan conversion using 2D homogeneous coordinates", 1997, https://doi.org/10.1145/258694.258723).
 */
@unmanaged
export class Triangle {
  a0: f64;
  b0: f64;
  c0: f64;
  a1: f64;
  b1: f64;
  c1: f64;
  a2: f64;
  b2: f64;
  c2: f64;
  /** Vertices of the draw at the corners. */
  v0: i32;
  v1: i32;
  v2: i32;
  isBack: i32;
  draw: Draw;
  /** The last of its runs of visible pixels; 0 for none. */
  runs: usize;
}

/** A triangle's plane of n, which the depth test compares: larger is nearer. */
export class Plane {
  a: f64 = 0;
  b: f64 = 0;
  c: f64 = 0;
}

const SIZE = offsetof<Triangle>();
let triangles: usize = 0;
let room = 0;
export let triangleCount = 0;

export function triangleAt(t: i32): Triangle {
  return changetype<Triangle>(triangles + <usize>t * SIZE);
}

/** Forgets all triangles and makes room for `count`. */
export function clearTriangles(count: i32): void {
  triangleCount = 0;
  if (count + 1 <= room) return;
  room = 2 * count + 1;
  triangles = heap.alloc(<usize>room * SIZE);
}

/** Keeps the triangle that was written after the last one. */
export function keepTriangle(): void {
  triangleCount++;
}
