import { Vertices } from './vertices.ts';

/** A point or direction: x to the right, y up, z backwards, in metres. */
export type Point = readonly [x: number, y: number, z: number];
/** A linear colour: reflectance or radiance of red, green and blue. */
export type Rgb = readonly [red: number, green: number, blue: number];

export interface Coating {
  /** Position in the list of materials of the parts. */
  readonly material?: number;
  readonly colour?: Rgb;
  /** A colour for each corner, in place of `colour`. */
  readonly colours?: readonly Rgb[];
  /** Texture coordinates of the corners: u and v of each in turn. */
  readonly uv?: readonly number[];
  /** Turns the face away from this point, whatever the order of its corners. */
  readonly away?: Point;
  /** A normal for the light at each corner, in place of the face's own. */
  readonly normals?: readonly Point[];
}

const WHITE: Rgb = [1, 1, 1];
const NO_UV = [0, 0, 1, 0, 1, 1, 0, 1];

/** Collects flat faces, the vertices of each material in a part of their own. */
export class MeshBuilder {
  /** The vertices of each material; a material without faces may have no entry. */
  readonly parts: Vertices[] = [];

  /** A quadrilateral; seen from its front, its corners run counter-clockwise. */
  quad(a: Point, b: Point, c: Point, d: Point, surface: Coating = {}): this {
    return this.face([a, b, c, d], surface);
  }

  /** A convex polygon with its corners counter-clockwise. */
  face(
    corners: readonly Point[],
    { material = 0, colour = WHITE, colours, uv = NO_UV, away, normals }: Coating = {},
  ): this {
    const part = (this.parts[material] ??= new Vertices());
    const geometric = faceNormal(corners);
    const first = part.vertexCount;
    const corner = corners[0]!;
    const flip =
      away !== undefined &&
      geometric[0] * (corner[0] - away[0]) +
        geometric[1] * (corner[1] - away[1]) +
        geometric[2] * (corner[2] - away[2]) <
        0;
    const sign = flip ? -1 : 1;
    const facing: Point = [geometric[0] * sign, geometric[1] * sign, geometric[2] * sign];
    for (let i = 0; i < corners.length; i++) {
      const [x, y, z] = corners[i]!;
      const [red, green, blue] = colours?.[i] ?? colour;
      const [nx, ny, nz] = normals?.[i] ?? facing;
      part.vertex(x, y, z, nx, ny, nz);
      part.paint(red, green, blue, uv[2 * i] ?? 0, uv[2 * i + 1] ?? 0);
    }
    for (let i = 2; i < corners.length; i++) {
      if (flip) part.triangle(first, first + i, first + i - 1);
      else part.triangle(first, first + i - 1, first + i);
    }
    return this;
  }

  /** A box from one corner to the opposite one; its floor is left out unless asked for. */
  box([x0, y0, z0]: Point, [x1, y1, z1]: Point, surface: Coating = {}, floor = false): this {
    this.quad([x0, y0, z1], [x1, y0, z1], [x1, y1, z1], [x0, y1, z1], surface);
    this.quad([x1, y0, z0], [x0, y0, z0], [x0, y1, z0], [x1, y1, z0], surface);
    this.quad([x1, y0, z1], [x1, y0, z0], [x1, y1, z0], [x1, y1, z1], surface);
    this.quad([x0, y0, z0], [x0, y0, z1], [x0, y1, z1], [x0, y1, z0], surface);
    if (floor) this.quad([x0, y0, z0], [x1, y0, z0], [x1, y0, z1], [x0, y0, z1], surface);
    return this.quad([x0, y1, z1], [x1, y1, z1], [x1, y1, z0], [x0, y1, z0], surface);
  }

  /** A round column that narrows from `radius` below to `topRadius` above, without lids. */
  column([x, y, z]: Point, height: number, radius: number, topRadius: number, sides: number, surface: Coating = {}) {
    for (let i = 0; i < sides; i++) {
      const [c0, s0] = turn(i / sides);
      const [c1, s1] = turn((i + 1) / sides);
      this.quad(
        [x + radius * s0, y, z + radius * c0],
        [x + radius * s1, y, z + radius * c1],
        [x + topRadius * s1, y + height, z + topRadius * c1],
        [x + topRadius * s0, y + height, z + topRadius * c0],
        surface,
      );
    }
    return this;
  }
}

/** Cosine and sine of a share of a full turn. */
export function turn(share: number): [cosine: number, sine: number] {
  return [Math.cos(2 * Math.PI * share), Math.sin(2 * Math.PI * share)];
}

export function mix(a: Point, b: Point, share: number): Point {
  return [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share];
}

/** Newell's normal: correct for every planar polygon, also where corners coincide. */
function faceNormal(corners: readonly Point[]): Point {
  let x = 0;
  let y = 0;
  let z = 0;
  for (let i = 0; i < corners.length; i++) {
    const a = corners[i]!;
    const b = corners[(i + 1) % corners.length]!;
    x += (a[1] - b[1]) * (a[2] + b[2]);
    y += (a[2] - b[2]) * (a[0] + b[0]);
    z += (a[0] - b[0]) * (a[1] + b[1]);
  }
  const length = Math.sqrt(x * x + y * y + z * z) || 1;
  return [x / length, y / length, z / length];
}
