import { BufferAttribute, BufferGeometry, Sphere } from 'three';

/** How a part is placed: scaled along its own axes, turned about the vertical one, moved. */
export interface Placement {
  readonly x: number;
  readonly y?: number;
  readonly z: number;
  /** Radians; at 0 its −z stays −z. */
  readonly rotation: number;
  /** Factors along its own x, y and z; 1 if left out. */
  readonly scaleX?: number;
  readonly scaleY?: number;
  readonly scaleZ?: number;
  /** Multiplies its colours; white if left out. */
  readonly colour?: readonly [red: number, green: number, blue: number];
}

const WHITE = [1, 1, 1] as const;

/** Never out of view: the code that fills a mesh leaves out what can't be seen. */
const EVERYWHERE = new Sphere(undefined, Infinity);

/**
 * The triangles of one material: arrays that grow, are emptied and filled again, so that a new scene needs no new
 * memory.
 *
 * Of each array only the part up to `vertexCount` or `indexCount` counts.
 */
export class Vertices {
  vertexCount = 0;
  indexCount = 0;
  positions = new Float32Array(3 * 64); // [vertexCount, 3], m
  normals = new Float32Array(3 * 64); // [vertexCount, 3], of any length
  colours = new Float32Array(3 * 64); // [vertexCount, 3], linear
  uvs = new Float32Array(2 * 64); // [vertexCount, 2]
  indices = new Uint32Array(3 * 64); // [indexCount], three to a triangle

  clear(): void {
    this.vertexCount = this.indexCount = 0;
    this.isShown = false;
  }

  /** Makes room for `vertices` more vertices and `indices` more indices. */
  reserve(vertices: number, indices: number): void {
    this.isShown = false;
    const wanted = this.vertexCount + vertices;
    if (wanted * 3 > this.positions.length) {
      const room = Math.max(wanted, (this.positions.length / 3) * 2);
      this.positions = grown(this.positions, room * 3);
      this.normals = grown(this.normals, room * 3);
      this.colours = grown(this.colours, room * 3);
      this.uvs = grown(this.uvs, room * 2);
    }
    if (this.indexCount + indices > this.indices.length) {
      const larger = new Uint32Array(Math.max(this.indexCount + indices, this.indices.length * 2));
      larger.set(this.indices);
      this.indices = larger;
    }
  }

  /** Adds a vertex with the colour `red` = `green` = `blue` = 1 and texture coordinates 0; returns its number. */
  vertex(x: number, y: number, z: number, nx: number, ny: number, nz: number): number {
    this.reserve(1, 0);
    const number = this.vertexCount++;
    const i = number * 3;
    this.positions[i] = x;
    this.positions[i + 1] = y;
    this.positions[i + 2] = z;
    this.normals[i] = nx;
    this.normals[i + 1] = ny;
    this.normals[i + 2] = nz;
    this.colours[i] = this.colours[i + 1] = this.colours[i + 2] = 1;
    this.uvs[number * 2] = this.uvs[number * 2 + 1] = 0;
    return number;
  }

  /** Gives the vertex added last its colour and texture coordinates. */
  paint(red: number, green: number, blue: number, u: number, v: number): void {
    const number = this.vertexCount - 1;
    this.colours[number * 3] = red;
    this.colours[number * 3 + 1] = green;
    this.colours[number * 3 + 2] = blue;
    this.uvs[number * 2] = u;
    this.uvs[number * 2 + 1] = v;
  }

  /** Adds a triangle; seen from its front, its corners run counter-clockwise. */
  triangle(a: number, b: number, c: number): void {
    this.reserve(0, 3);
    this.indices[this.indexCount] = a;
    this.indices[this.indexCount + 1] = b;
    this.indices[this.indexCount + 2] = c;
    this.indexCount += 3;
  }

  /** Adds a copy of `part`, scaled, turned and moved. */
  place(part: Vertices, placement: Placement): void {
    const { x, y = 0, z, rotation, scaleX = 1, scaleY = 1, scaleZ = 1, colour = WHITE } = placement;
    const { vertexCount: count, indexCount } = part;
    this.reserve(count, indexCount);
    const [red, green, blue] = colour;
    const cos = Math.cos(rotation);
    const sin = Math.sin(rotation);
    const { positions, normals, colours, uvs, indices, vertexCount: first } = this;
    const { positions: fromPositions, normals: fromNormals, colours: fromColours } = part;
    for (let i = 0, o = first * 3; i < count * 3; i += 3, o += 3) {
      const px = fromPositions[i]! * scaleX;
      const pz = fromPositions[i + 2]! * scaleZ;
      positions[o] = x + cos * px + sin * pz;
      positions[o + 1] = y + fromPositions[i + 1]! * scaleY;
      positions[o + 2] = z - sin * px + cos * pz;
      // Normals are scaled by the inverse, up to a common factor; only their direction counts.
      const nx = fromNormals[i]! * scaleY * scaleZ;
      const nz = fromNormals[i + 2]! * scaleX * scaleY;
      normals[o] = cos * nx + sin * nz;
      normals[o + 1] = fromNormals[i + 1]! * scaleX * scaleZ;
      normals[o + 2] = cos * nz - sin * nx;
      colours[o] = fromColours[i]! * red;
      colours[o + 1] = fromColours[i + 1]! * green;
      colours[o + 2] = fromColours[i + 2]! * blue;
    }
    const { uvs: fromUvs, indices: fromIndices } = part;
    for (let i = 0, o = first * 2; i < count * 2; i++, o++) uvs[o] = fromUvs[i]!;
    for (let i = 0, o = this.indexCount; i < indexCount; i++, o++) indices[o] = first + fromIndices[i]!;
    this.vertexCount += count;
    this.indexCount += indexCount;
  }

  /** Adds a copy of `part` as it is. */
  append(part: Vertices): void {
    const { vertexCount: count, indexCount } = part;
    this.reserve(count, indexCount);
    const { vertexCount: first, indices } = this;
    this.positions.set(part.positions.subarray(0, count * 3), first * 3);
    this.normals.set(part.normals.subarray(0, count * 3), first * 3);
    this.colours.set(part.colours.subarray(0, count * 3), first * 3);
    this.uvs.set(part.uvs.subarray(0, count * 2), first * 2);
    const from = part.indices;
    for (let i = 0, o = this.indexCount; i < indexCount; i++, o++) indices[o] = first + from[i]!;
    this.vertexCount += count;
    this.indexCount += indexCount;
  }

  private geometry: BufferGeometry | null = null;
  private isShown = false;

  /** The present vertices and triangles as a geometry: the same object at every call. */
  toGeometry(): BufferGeometry {
    const geometry = (this.geometry ??= new BufferGeometry());
    if (this.isShown) return geometry;
    this.isShown = true;
    geometry.boundingSphere ??= EVERYWHERE;
    const { vertexCount, indexCount } = this;
    this.show(geometry, 'position', this.positions, 3);
    this.show(geometry, 'normal', this.normals, 3);
    this.show(geometry, 'color', this.colours, 3);
    this.show(geometry, 'uv', this.uvs, 2);
    if (geometry.index?.array !== this.indices) geometry.setIndex(new BufferAttribute(this.indices, 1));
    else geometry.index.needsUpdate = true;
    geometry.setDrawRange(0, indexCount);
    for (const attribute of Object.values(geometry.attributes)) setCount(attribute as BufferAttribute, vertexCount);
    setCount(geometry.index!, indexCount);
    return geometry;
  }

  private show(geometry: BufferGeometry, name: string, array: Float32Array, size: number): void {
    const known = geometry.attributes[name];
    if (known?.array !== array) geometry.setAttribute(name, new BufferAttribute(array, size));
    else (known as BufferAttribute).needsUpdate = true;
  }
}

/** Sets how many of an attribute's items count; three.js sets it once, to the whole array. */
function setCount(attribute: BufferAttribute, count: number): void {
  (attribute as { count: number }).count = count;
}

function grown(array: Float32Array, length: number): Float32Array<ArrayBuffer> {
  const larger = new Float32Array(length);
  larger.set(array);
  return larger;
}
