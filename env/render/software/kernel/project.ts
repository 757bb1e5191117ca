/** Projects draws, drops what can't be seen, clips at the near plane and scans what remains. */
import { handOverMarks } from './marks';
import { Draw, Vertex, View } from './records';
import { coverDraw, coverTriangle, isSeen, scan } from './scan';
import { Triangle, keepTriangle, triangleAt, triangleCount } from './triangles';
import { shadeTriangle } from './shade';

const SIZE = offsetof<Vertex>();
let vertices: usize = 0;
let room = 0;
let view: View = changetype<View>(0);
let blends = false;
/** The body whose vertices are in `vertices`. */
let body = -1;

/** Up to four corners of a clipped triangle. */
const polygon = memory.data(4 * 48, 16);
let polygonSize = 0;

export function reserveVertices(count: i32): void {
  if (count <= room) return;
  room = 2 * count;
  vertices = heap.alloc(<usize>room * SIZE);
}

/** Projects to `to` from now on. With `blending`, triangles change only the picture's colours. */
export function projectTo(to: View, blending: bool): void {
  view = to;
  blends = blending;
  body = -1;
}

function vertexAt(i: i32): Vertex {
  return changetype<Vertex>(vertices + <usize>i * SIZE);
}

/** Distance along the camera's axis. */
function depthOf(p: Vertex): f64 {
  return view.isParallel ? -p.n : p.w;
}

/** Scans every triangle of a draw that may be visible. It is fastest when draws of one body follow each other. */
export function project(draw: Draw, side: i32): void {
  if (draw.body != body) transform(draw);
  coverDraw(draw);
  const near = <f64>view.near;
  for (let i = draw.start; i + 2 < draw.end; i += 3) {
    const index = draw.index + ((<usize>i) << 2);
    const v0 = draw.index == 0 ? i : load<i32>(index);
    const v1 = draw.index == 0 ? i + 1 : load<i32>(index, 4);
    const v2 = draw.index == 0 ? i + 2 : load<i32>(index, 8);
    const p0 = vertexAt(v0);
    const p1 = vertexAt(v1);
    const p2 = vertexAt(v2);
    const hidden = <i32>(depthOf(p0) < near) + <i32>(depthOf(p1) < near) + <i32>(depthOf(p2) < near);
    if (hidden == 3 || (hidden == 0 && !mayShow(p0, p1, p2, side))) continue;
    const t = triangleAt(triangleCount);
    if (!setPlanes(t, p0, p1, p2, draw, side)) continue;
    t.v0 = v0;
    t.v1 = v1;
    t.v2 = v2;
    t.draw = draw;
    t.runs = 0;
    coverTriangle(triangleCount, t, draw, p0.n, p1.n, p2.n);
    if (hidden == 0) scan(p0, p1, p2);
    else coverClipped(p0, p1, p2, near);
    if (blends) {
      handOverMarks();
      shadeTriangle(t, true);
    } else if (isSeen && view.seen != 0) keepTriangle();
  }
}

function transform(draw: Draw): void {
  body = draw.body;
  const world = draw.world;
  const rows = view.rows;
  const m = memory.data(128, 16); // Rows of the matrix from object coordinates.
  for (let row: usize = 0; row < 4; row++) {
    for (let column: usize = 0; column < 4; column++) {
      let sum: f64 = column == 3 ? load<f64>(rows + row * 32, 24) : 0;
      for (let k: usize = 0; k < 3; k++)
        sum += load<f64>(rows + row * 32 + k * 8) * load<f64>(world + column * 32 + k * 8);
      store<f64>(m + row * 32 + column * 8, sum);
    }
  }
  let from = draw.positions;
  for (let i = 0; i < draw.vertexCount; i++, from += 12) {
    const p = vertexAt(i);
    const x = <f64>load<f32>(from);
    const y = <f64>load<f32>(from, 4);
    const z = <f64>load<f32>(from, 8);
    p.xw = load<f64>(m, 0) * x + load<f64>(m, 8) * y + load<f64>(m, 16) * z + load<f64>(m, 24);
    p.yw = load<f64>(m, 32) * x + load<f64>(m, 40) * y + load<f64>(m, 48) * z + load<f64>(m, 56);
    p.w = load<f64>(m, 64) * x + load<f64>(m, 72) * y + load<f64>(m, 80) * z + load<f64>(m, 88);
    p.n = load<f64>(m, 96) * x + load<f64>(m, 104) * y + load<f64>(m, 112) * z + load<f64>(m, 120);
    const inverse = 1 / p.w;
    p.x = p.xw * inverse;
    p.y = p.yw * inverse;
  }
}

/** Whether a triangle that needs no clipping touches the picture and shows the wanted side to the viewer. */
function mayShow(p0: Vertex, p1: Vertex, p2: Vertex, side: i32): bool {
  const width = <f64>view.width;
  const height = <f64>view.height;
  const area = (p1.x - p0.x) * (p2.y - p0.y) - (p2.x - p0.x) * (p1.y - p0.y);
  if (!(side == 0 ? area != 0 : area * <f64>side > 0)) return false;
  if (max(p0.x, max(p1.x, p2.x)) < 0 || min(p0.x, min(p1.x, p2.x)) > width) return false;
  return !(max(p0.y, max(p1.y, p2.y)) < 0 || min(p0.y, min(p1.y, p2.y)) > height);
}

/** Writes a triangle's weight planes. Returns false if it is not drawn. */
function setPlanes(t: Triangle, p0: Vertex, p1: Vertex, p2: Vertex, draw: Draw, side: i32): bool {
  const a0 = p1.yw * p2.w - p1.w * p2.yw;
  const b0 = p1.w * p2.xw - p1.xw * p2.w;
  const c0 = p1.xw * p2.yw - p1.yw * p2.xw;
  const determinant = p0.xw * a0 + p0.yw * b0 + p0.w * c0;
  if (!(abs(determinant) > 1e-30)) return false; // No area, or not a number.
  if (side != 0 && determinant > 0 != side > 0) return false;
  const scale = 1 / determinant;
  t.a0 = a0 * scale;
  t.b0 = b0 * scale;
  t.c0 = c0 * scale;
  t.a1 = (p2.yw * p0.w - p2.w * p0.yw) * scale;
  t.b1 = (p2.w * p0.xw - p2.xw * p0.w) * scale;
  t.c1 = (p2.xw * p0.yw - p2.yw * p0.xw) * scale;
  t.a2 = (p0.yw * p1.w - p0.w * p1.yw) * scale;
  t.b2 = (p0.w * p1.xw - p0.xw * p1.w) * scale;
  t.c2 = (p0.xw * p1.yw - p0.yw * p1.xw) * scale;
  t.isBack = <i32>(determinant > 0 != (draw.mirrored != 0)); // Fronts run counter-clockwise, and y points down here.
  return true;
}

/** Cuts off what is nearer than the near plane, and scans the polygon of three or four corners that remains. */
function coverClipped(p0: Vertex, p1: Vertex, p2: Vertex, near: f64): void {
  polygonSize = 0;
  clipEdge(p0, p1, near);
  clipEdge(p1, p2, near);
  clipEdge(p2, p0, near);
  scan(corner(0), corner(1), corner(2));
  if (polygonSize == 4) scan(corner(0), corner(2), corner(3));
}

function corner(i: i32): Vertex {
  return changetype<Vertex>(polygon + <usize>i * SIZE);
}

/** Adds an edge's first corner if it is beyond the near plane, and the point where the edge meets the plane. */
function clipEdge(from: Vertex, to: Vertex, near: f64): void {
  const fromIn = depthOf(from) >= near;
  if (fromIn) addCorner(from.x, from.y);
  if (fromIn == depthOf(to) >= near) return;
  const front = fromIn ? from : to; // Always from front to back: both triangles at an edge get the same point.
  const back = fromIn ? to : from;
  const share = (near - depthOf(front)) / (depthOf(back) - depthOf(front));
  const w = view.isParallel ? 1 : near;
  addCorner((front.xw + share * (back.xw - front.xw)) / w, (front.yw + share * (back.yw - front.yw)) / w);
}

function addCorner(x: f64, y: f64): void {
  const at = corner(polygonSize++);
  at.x = x;
  at.y = y;
}
