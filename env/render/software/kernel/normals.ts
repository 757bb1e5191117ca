import { Draw, Surroundings } from './records';
import { Triangle } from './triangles';

/** Writes the unit normals at a triangle's corners, on the viewer's side, in world coordinates, f32 [3, 4]. */
export function setCorners(into: usize, t: Triangle, draw: Draw, around: Surroundings): void {
  if (draw.normals == 0) {
    setFaceNormal(into, t, draw, around);
    return;
  }
  const sign: f64 = t.isBack != 0 ? -1 : 1;
  turnToBody(draw);
  setVertexNormal(into, draw.normals + <usize>t.v0 * 12, sign);
  setVertexNormal(into + 16, draw.normals + <usize>t.v1 * 12, sign);
  setVertexNormal(into + 32, draw.normals + <usize>t.v2 * 12, sign);
}

/** The cofactors of the body's world matrix, which are its inverse transpose up to a factor, f64 [3 columns, 3]. */
const cofactors = memory.data(72, 16);
let body = -1;

export function forgetBodies(): void {
  body = -1;
}

function turnToBody(draw: Draw): void {
  if (body == draw.body) return;
  body = draw.body;
  const m = draw.world;
  const sign: f64 = draw.mirrored != 0 ? -1 : 1;
  for (let column = 0; column < 3; column++) {
    const p = m + <usize>((column + 1) % 3) * 32;
    const q = m + <usize>((column + 2) % 3) * 32;
    const to = cofactors + <usize>column * 24;
    store<f64>(to, sign * (load<f64>(p, 8) * load<f64>(q, 16) - load<f64>(p, 16) * load<f64>(q, 8)));
    store<f64>(to, sign * (load<f64>(p, 16) * load<f64>(q) - load<f64>(p) * load<f64>(q, 16)), 8);
    store<f64>(to, sign * (load<f64>(p) * load<f64>(q, 8) - load<f64>(p, 8) * load<f64>(q)), 16);
  }
}

function setVertexNormal(into: usize, from: usize, sign: f64): void {
  const x = <f64>load<f32>(from);
  const y = <f64>load<f32>(from, 4);
  const z = <f64>load<f32>(from, 8);
  const m = cofactors;
  setUnit(
    into,
    sign * (load<f64>(m) * x + load<f64>(m, 24) * y + load<f64>(m, 48) * z),
    sign * (load<f64>(m, 8) * x + load<f64>(m, 32) * y + load<f64>(m, 56) * z),
    sign * (load<f64>(m, 16) * x + load<f64>(m, 40) * y + load<f64>(m, 64) * z),
  );
}

function setUnit(into: usize, x: f64, y: f64, z: f64): void {
  const scale = 1 / sqrt<f64>(max<f64>(1e-300, x * x + y * y + z * z));
  store<f32>(into, <f32>(x * scale));
  store<f32>(into, <f32>(y * scale), 4);
  store<f32>(into, <f32>(z * scale), 8);
}

/** The corners' positions, f64 [3, 3]. */
const places = memory.data(72, 16);

/** The normal of the triangle's own plane, on the viewer's side. */
function setFaceNormal(into: usize, t: Triangle, draw: Draw, around: Surroundings): void {
  setPlace(places, draw, t.v0);
  setPlace(places + 24, draw, t.v1);
  setPlace(places + 48, draw, t.v2);
  const px = load<f64>(places);
  const py = load<f64>(places, 8);
  const pz = load<f64>(places, 16);
  const ax = load<f64>(places, 24) - px;
  const ay = load<f64>(places, 32) - py;
  const az = load<f64>(places, 40) - pz;
  const bx = load<f64>(places, 48) - px;
  const by = load<f64>(places, 56) - py;
  const bz = load<f64>(places, 64) - pz;
  const nx = ay * bz - az * by;
  const ny = az * bx - ax * bz;
  const nz = ax * by - ay * bx;
  const towards = around.isParallel
    ? -(nx * <f64>around.forwardX + ny * <f64>around.forwardY + nz * <f64>around.forwardZ)
    : nx * (<f64>around.eyeX - px) + ny * (<f64>around.eyeY - py) + nz * (<f64>around.eyeZ - pz);
  const sign: f64 = towards < 0 ? -1 : 1;
  for (let corner: usize = 0; corner < 48; corner += 16) setUnit(into + corner, sign * nx, sign * ny, sign * nz);
}

function setPlace(to: usize, draw: Draw, vertex: i32): void {
  const from = draw.positions + <usize>vertex * 12;
  const m = draw.world;
  for (let k: usize = 0; k < 24; k += 8) {
    const turned =
      load<f64>(m + k) * load<f32>(from) +
      load<f64>(m + k, 32) * load<f32>(from, 4) +
      load<f64>(m + k, 64) * load<f32>(from, 8);
    store<f64>(to + k, turned + load<f64>(m + k, 96));
  }
}
