import * as THREE from 'three';
import type { Body, Draw } from './draw-list.ts';
import type { Spans } from './spans.ts';

/**
 * The triangles of a frame, in the order drawn.
 *
 * Each keeps three *weight planes*: e_i(x, y) = a_i x + b_i y + c_i over pixel coordinates, such that e_0 + e_1 + e_2 is
 * 1 / distance along the camera's axis and e_i · distance is the weight of corner i, perspective included. They are the
 * columns of the inverse of the corners' homogeneous pixel coordinates, and need no clipping (Olano and Greer, "Triangle
 * scan conversion using 2D homogeneous coordinates", 1997, https://doi.org/10.1145/258694.258723).
 */
export class Triangles {
  count = 0;
  /** [count, 3 corners, (a, b, c)] */
  planes = new Float64Array(9 * 1024);
  /** Vertex of the draw's geometry at each corner, [count, 3]. */
  corners = new Int32Array(3 * 1024);
  /** Position in the draw list, [count]. */
  draw = new Int32Array(1024);
  /** 1 where the viewer sees the back, [count]. */
  isBack = new Uint8Array(1024);

  /** Makes room for one triangle more. */
  reserve(): void {
    if (this.count < this.draw.length) return;
    this.planes = doubled(this.planes);
    this.corners = doubled(this.corners);
    this.draw = doubled(this.draw);
    this.isBack = doubled(this.isBack);
  }
}

/** A copy of a typed array with room for as much again. */
export function doubled<A extends Float64Array | Int32Array | Uint8Array>(array: A): A {
  const copy = new (array.constructor as new (length: number) => A)(array.length * 2);
  copy.set(array);
  return copy;
}

/** Receives the triangles that a projector finds. */
export interface TriangleSink {
  /** Takes the spans just scanned: triangle `t`, or a part of it. */
  cover(t: number): void;
}

/** What turns object coordinates into homogeneous pixel coordinates, and where its near plane stands. */
export interface View {
  /** Rows of the matrix from world coordinates to (x w, y w, w), [3, 4]. */
  readonly rows: Float64Array;
  /** The least w that is drawn, above 0. */
  readonly near: number;
}

/** The view of a perspective camera onto a picture of width × height pixels; w is the distance along its axis. */
export function cameraView(camera: THREE.PerspectiveCamera, width: number, height: number): View {
  const m = new THREE.Matrix4().multiplyMatrices(camera.projectionMatrix, camera.matrixWorldInverse).elements;
  const rows = new Float64Array(12);
  for (let j = 0; j < 4; j++) {
    const w = m[j * 4 + 3]!;
    rows[j] = 0.5 * width * (m[j * 4]! + w);
    rows[4 + j] = 0.5 * height * (w - m[j * 4 + 1]!);
    rows[8 + j] = w;
  }
  return { rows, near: camera.near };
}

const PROJECTED = 5; // Numbers a projected vertex has: x w, y w, w, x, y.

/** Projects draws, drops what can't be seen, clips at the near plane and scans what remains. */
export class Projector {
  private readonly triangles: Triangles;
  private readonly spans: Spans;
  private vertices = new Float64Array(PROJECTED * 1024);
  private readonly matrix = new Float64Array(12); // (x w, y w, w) from object coordinates, [3, 4]
  private readonly polygon = new Float64Array(8); // Up to 4 corners of a clipped triangle: x, y.
  private view!: View;
  private body: Body | null = null; // Whose vertices stand in `vertices`.

  constructor(triangles: Triangles, spans: Spans) {
    this.triangles = triangles;
    this.spans = spans;
  }

  /** Starts a frame. */
  begin(view: View): void {
    this.view = view;
    this.body = null;
  }

  /**
   * Hands every triangle of a draw that may show to `sink`. Draws of one body do best to follow each other.
   *
   * @param index the draw's position in the draw list, noted with its triangles
   * @param side  which sides are drawn
   */
  project(draw: Draw, index: number, side: THREE.Side, sink: TriangleSink): void {
    const { body, start, end } = draw;
    if (this.body !== body) this.transform(body);
    const { triangles, vertices, spans } = this;
    const { near } = this.view;
    const { index: order, mirrored } = body;
    // Fronts run against the clock, and y points down here: 1 draws positive areas only, −1 negative ones, 0 both.
    const wanted = side === THREE.DoubleSide ? 0 : (side === THREE.BackSide) !== mirrored ? 1 : -1;
    for (let i = start; i + 2 < end; i += 3) {
      const v0 = order === null ? i : order[i]!;
      const v1 = order === null ? i + 1 : order[i + 1]!;
      const v2 = order === null ? i + 2 : order[i + 2]!;
      const p0 = v0 * PROJECTED;
      const p1 = v1 * PROJECTED;
      const p2 = v2 * PROJECTED;
      const hidden =
        (vertices[p0 + 2]! < near ? 1 : 0) + (vertices[p1 + 2]! < near ? 1 : 0) + (vertices[p2 + 2]! < near ? 1 : 0);
      if (hidden === 3) continue;
      if (hidden === 0 && !(this.mayShow(p0, p1, p2, wanted) && spans.scan(vertices, p0 + 3, p1 + 3, p2 + 3))) continue;
      triangles.reserve();
      const facing = this.setPlanes(p0, p1, p2, mirrored, side);
      if (facing === 0) continue;
      const t = triangles.count++;
      triangles.corners[t * 3] = v0;
      triangles.corners[t * 3 + 1] = v1;
      triangles.corners[t * 3 + 2] = v2;
      triangles.draw[t] = index;
      triangles.isBack[t] = facing < 0 ? 1 : 0;
      if (hidden === 0) sink.cover(t);
      else this.coverClipped(t, p0, p1, p2, near, sink);
    }
  }

  private transform(body: Body): void {
    this.body = body;
    this.setMatrix(body.world);
    const { matrix: m } = this;
    const { positions, vertexCount } = body;
    const { near } = this.view;
    while (this.vertices.length < vertexCount * PROJECTED) this.vertices = doubled(this.vertices);
    const { vertices } = this;
    const xx = m[0]!;
    const xy = m[1]!;
    const xz = m[2]!;
    const xt = m[3]!;
    const yx = m[4]!;
    const yy = m[5]!;
    const yz = m[6]!;
    const yt = m[7]!;
    const wx = m[8]!;
    const wy = m[9]!;
    const wz = m[10]!;
    const wt = m[11]!;
    for (let i = 0, o = 0; i < vertexCount * 3; i += 3, o += PROJECTED) {
      const x = positions[i]!;
      const y = positions[i + 1]!;
      const z = positions[i + 2]!;
      const screenX = xx * x + xy * y + xz * z + xt;
      const screenY = yx * x + yy * y + yz * z + yt;
      const w = wx * x + wy * y + wz * z + wt;
      vertices[o] = screenX;
      vertices[o + 1] = screenY;
      vertices[o + 2] = w;
      if (w < near) continue;
      vertices[o + 3] = screenX / w;
      vertices[o + 4] = screenY / w;
    }
  }

  private setMatrix(world: Float64Array): void {
    const { matrix } = this;
    const { rows } = this.view;
    for (let row = 0; row < 12; row += 4) {
      for (let column = 0; column < 4; column++) {
        let sum = column === 3 ? rows[row + 3]! : 0;
        for (let k = 0; k < 3; k++) sum += rows[row + k]! * world[column * 4 + k]!;
        matrix[row + column] = sum;
      }
    }
  }

  /** Does a triangle before the near plane touch the picture, and turn the wanted side to the viewer? */
  private mayShow(p0: number, p1: number, p2: number, wanted: number): boolean {
    const { vertices } = this;
    const { width, height } = this.spans.grid;
    const x0 = vertices[p0 + 3]!;
    const y0 = vertices[p0 + 4]!;
    const x1 = vertices[p1 + 3]!;
    const y1 = vertices[p1 + 4]!;
    const x2 = vertices[p2 + 3]!;
    const y2 = vertices[p2 + 4]!;
    const area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0);
    if (!(wanted === 0 ? area !== 0 : area * wanted > 0)) return false;
    if ((x0 < 0 && x1 < 0 && x2 < 0) || (x0 > width && x1 > width && x2 > width)) return false;
    return !((y0 < 0 && y1 < 0 && y2 < 0) || (y0 > height && y1 > height && y2 > height));
  }

  /** Writes the next triangle's weight planes. Returns 1 if its front is seen, −1 if its back, 0 if it is not drawn. */
  private setPlanes(p0: number, p1: number, p2: number, mirrored: boolean, side: THREE.Side): number {
    const { vertices } = this;
    const { planes, count } = this.triangles;
    const x0 = vertices[p0]!;
    const y0 = vertices[p0 + 1]!;
    const w0 = vertices[p0 + 2]!;
    const x1 = vertices[p1]!;
    const y1 = vertices[p1 + 1]!;
    const w1 = vertices[p1 + 2]!;
    const x2 = vertices[p2]!;
    const y2 = vertices[p2 + 1]!;
    const w2 = vertices[p2 + 2]!;
    const a0 = y1 * w2 - w1 * y2;
    const b0 = w1 * x2 - x1 * w2;
    const c0 = x1 * y2 - y1 * x2;
    const determinant = x0 * a0 + y0 * b0 + w0 * c0;
    if (!(Math.abs(determinant) > 1e-30)) return 0; // No area, or not a number.
    const isBack = determinant > 0 !== mirrored; // Fronts run against the clock, and y points down here.
    if (isBack ? side === THREE.FrontSide : side === THREE.BackSide) return 0;
    const scale = 1 / determinant;
    const o = count * 9;
    planes[o] = a0 * scale;
    planes[o + 1] = b0 * scale;
    planes[o + 2] = c0 * scale;
    planes[o + 3] = (y2 * w0 - w2 * y0) * scale;
    planes[o + 4] = (w2 * x0 - x2 * w0) * scale;
    planes[o + 5] = (x2 * y0 - y2 * x0) * scale;
    planes[o + 6] = (y0 * w1 - w0 * y1) * scale;
    planes[o + 7] = (w0 * x1 - x0 * w1) * scale;
    planes[o + 8] = (x0 * y1 - y0 * x1) * scale;
    return isBack ? -1 : 1;
  }

  /** Cuts off what is nearer than the near plane, and covers the remaining three or four corners. */
  private coverClipped(t: number, p0: number, p1: number, p2: number, near: number, sink: TriangleSink): void {
    const { polygon, spans } = this;
    let size = this.clipEdge(p0, p1, near, 0);
    size = this.clipEdge(p1, p2, near, size);
    size = this.clipEdge(p2, p0, near, size);
    if (spans.scan(polygon, 0, 2, 4)) sink.cover(t);
    if (size === 8 && spans.scan(polygon, 0, 4, 6)) sink.cover(t);
  }

  /** Adds an edge's first corner if it is in front, and where the edge meets the near plane. */
  private clipEdge(from: number, to: number, near: number, size: number): number {
    const { vertices, polygon } = this;
    const fromIn = vertices[from + 2]! >= near;
    const toIn = vertices[to + 2]! >= near;
    if (fromIn) {
      polygon[size++] = vertices[from + 3]!;
      polygon[size++] = vertices[from + 4]!;
    }
    if (fromIn === toIn) return size;
    const front = fromIn ? from : to; // Always from front to back: both triangles at an edge get the same point.
    const back = fromIn ? to : from;
    const w = vertices[front + 2]!;
    const share = (near - w) / (vertices[back + 2]! - w);
    polygon[size++] = (vertices[front]! + share * (vertices[back]! - vertices[front]!)) / near;
    polygon[size++] = (vertices[front + 1]! + share * (vertices[back + 1]! - vertices[front + 1]!)) / near;
    return size;
  }
}
