import { Draw } from './records';
import { Triangle } from './triangles';

/**
 * Texture coordinates over a triangle: u / distance and v / distance are planes on the screen, and so is 1 / distance;
 * their quotients give u, v and, by the quotient rule, the change from pixel to pixel. Each is a x + b y + c.
 */
export let ua: f64 = 0;
export let ub: f64 = 0;
export let uc: f64 = 0;
export let va: f64 = 0;
export let vb: f64 = 0;
export let vc: f64 = 0;
export let da: f64 = 0;
export let db: f64 = 0;
export let dc: f64 = 0;

/** Starts a triangle of `draw`. Its coordinates are after the texture's transform; (0, 0) without a uv attribute. */
export function loadUv(t: Triangle, draw: Draw): void {
  ua = ub = uc = va = vb = vc = da = db = dc = 0;
  addCorner(draw, t.v0, t.a0, t.b0, t.c0);
  addCorner(draw, t.v1, t.a1, t.b1, t.c1);
  addCorner(draw, t.v2, t.a2, t.b2, t.c2);
}

function addCorner(draw: Draw, vertex: i32, a: f64, b: f64, c: f64): void {
  const at = draw.uvs + ((<usize>vertex) << 3);
  const s: f64 = draw.uvs == 0 ? 0 : load<f32>(at);
  const r: f64 = draw.uvs == 0 ? 0 : load<f32>(at, 4);
  const u = <f64>draw.m0 * s + <f64>draw.m1 * r + <f64>draw.m2;
  const v = <f64>draw.m3 * s + <f64>draw.m4 * r + <f64>draw.m5;
  ua += u * a;
  ub += u * b;
  uc += u * c;
  va += v * a;
  vb += v * b;
  vc += v * c;
  da += a;
  db += b;
  dc += c;
}
