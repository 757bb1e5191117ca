import type { Body, Draw } from './draw-list.ts';
import type { Fragments } from './fragments.ts';
import type { Triangles } from './triangles.ts';
import type { ViewRays } from './view-rays.ts';

/** The unit normals at a triangle's corners, on the viewer's side, in world coordinates. */
export class Normals {
  /** Corner after corner. */
  private readonly n = new Float64Array(9);
  private readonly positions = new Float64Array(9); // Of the corners, world coordinates.
  private isFlat = false;

  constructor(
    private readonly triangles: Triangles,
    private readonly rays: ViewRays,
  ) {}

  /** Turns to triangle `t`. Returns whether its normal is the same all over it. */
  load(t: number, { body, surface }: Draw): boolean {
    if (surface.flatShading || body.normals === null) this.useFace(t, body);
    else this.useVertices(t, body, body.normals);
    return this.isFlat;
  }

  /** Sets the normals of fragments of the triangle; where it is not flat they need their corner weights. */
  apply(f: Fragments): void {
    const { n } = this;
    const { nx, ny, nz, w0, w1, w2, count } = f;
    f.isFlat = this.isFlat;
    if (this.isFlat) {
      nx[0] = n[0]!;
      ny[0] = n[1]!;
      nz[0] = n[2]!;
      return;
    }
    for (let i = 0; i < count; i++) {
      const x = w0[i]! * n[0]! + w1[i]! * n[3]! + w2[i]! * n[6]!;
      const y = w0[i]! * n[1]! + w1[i]! * n[4]! + w2[i]! * n[7]!;
      const z = w0[i]! * n[2]! + w1[i]! * n[5]! + w2[i]! * n[8]!;
      const scale = 1 / Math.sqrt(Math.max(1e-300, x * x + y * y + z * z));
      nx[i] = x * scale;
      ny[i] = y * scale;
      nz[i] = z * scale;
    }
  }

  private useVertices(t: number, body: Body, source: Float32Array): void {
    const { n } = this;
    if (!body.normalsReady) prepareNormals(body);
    const { corners, isBack } = this.triangles;
    const sign = isBack[t] === 1 ? -1 : 1;
    const m = body.normalMatrix;
    const v0 = corners[t * 3]! * 3;
    const v1 = corners[t * 3 + 1]! * 3;
    const v2 = corners[t * 3 + 2]! * 3;
    this.isFlat = areEqual(source, v0, v1) && areEqual(source, v0, v2);
    for (let corner = 0; corner < (this.isFlat ? 1 : 3); corner++) {
      const v = corner === 0 ? v0 : corner === 1 ? v1 : v2;
      const x = source[v]!;
      const y = source[v + 1]!;
      const z = source[v + 2]!;
      const nx = m[0]! * x + m[3]! * y + m[6]! * z;
      const ny = m[1]! * x + m[4]! * y + m[7]! * z;
      const nz = m[2]! * x + m[5]! * y + m[8]! * z;
      const scale = sign / Math.sqrt(Math.max(1e-300, nx * nx + ny * ny + nz * nz));
      n[corner * 3] = nx * scale;
      n[corner * 3 + 1] = ny * scale;
      n[corner * 3 + 2] = nz * scale;
    }
  }

  /** The normal of the triangle's own plane, on the viewer's side. */
  private useFace(t: number, { world: m, positions }: Body): void {
    const { corners } = this.triangles;
    const { n, positions: p } = this;
    for (let corner = 0; corner < 3; corner++) {
      const v = corners[t * 3 + corner]! * 3;
      for (let k = 0; k < 3; k++) {
        p[corner * 3 + k] =
          m[k]! * positions[v]! + m[4 + k]! * positions[v + 1]! + m[8 + k]! * positions[v + 2]! + m[12 + k]!;
      }
    }
    const ax = p[3]! - p[0]!;
    const ay = p[4]! - p[1]!;
    const az = p[5]! - p[2]!;
    const bx = p[6]! - p[0]!;
    const by = p[7]! - p[1]!;
    const bz = p[8]! - p[2]!;
    const nx = ay * bz - az * by;
    const ny = az * bx - ax * bz;
    const nz = ax * by - ay * bx;
    const { x, y, z } = this.rays;
    const towards = nx * (x - p[0]!) + ny * (y - p[1]!) + nz * (z - p[2]!);
    const scale = (towards < 0 ? -1 : 1) / Math.sqrt(Math.max(1e-300, nx * nx + ny * ny + nz * nz));
    n[0] = nx * scale;
    n[1] = ny * scale;
    n[2] = nz * scale;
    this.isFlat = true;
  }
}

function areEqual(vectors: Float32Array, i: number, j: number): boolean {
  return vectors[i] === vectors[j] && vectors[i + 1] === vectors[j + 1] && vectors[i + 2] === vectors[j + 2];
}

/** Fills `body.normalMatrix`: the cofactors of the world matrix, which are its inverse transpose up to a factor. */
function prepareNormals(body: Body): void {
  const { world: m, normalMatrix: n } = body;
  const sign = body.mirrored ? -1 : 1;
  for (let column = 0; column < 3; column++) {
    const p = ((column + 1) % 3) * 4;
    const q = ((column + 2) % 3) * 4;
    n[column * 3] = sign * (m[p + 1]! * m[q + 2]! - m[p + 2]! * m[q + 1]!);
    n[column * 3 + 1] = sign * (m[p + 2]! * m[q]! - m[p]! * m[q + 2]!);
    n[column * 3 + 2] = sign * (m[p]! * m[q + 1]! - m[p + 1]! * m[q]!);
  }
  body.normalsReady = true;
}
