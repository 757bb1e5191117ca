import type * as THREE from 'three';
import { type Attribute, floatsOf, versionOf } from './attribute.ts';
import type { Kernel } from './kernel.ts';

/** A vertex attribute or an index that a kernel has. */
interface Upload {
  /** In bytes; 0 when there is none. */
  address: number;
  /** For how many numbers there is room. */
  room: number;
  /** What was handed over last, and in which state. */
  source: object | null;
  version: number;
  count: number;
}

/** A geometry that a kernel has. */
export interface Geometry {
  readonly positions: Upload;
  readonly normals: Upload;
  readonly uvs: Upload;
  readonly colors: Upload;
  readonly index: Upload;
}

function nothing(): Upload {
  return { address: 0, room: 0, source: null, version: -1, count: 0 };
}

/** Hands geometries to a kernel: each once, and again what changed by its version (`needsUpdate`). */
export class Geometries {
  private readonly known = new WeakMap<THREE.BufferGeometry, Geometry>();

  constructor(private readonly kernel: Kernel) {}

  /** The addresses of a geometry's arrays, as they are now. */
  of(geometry: THREE.BufferGeometry): Geometry {
    let known = this.known.get(geometry);
    if (known === undefined) {
      known = { positions: nothing(), normals: nothing(), uvs: nothing(), colors: nothing(), index: nothing() };
      this.known.set(geometry, known);
    }
    const { position, normal, uv, color } = geometry.attributes;
    this.update(known.positions, position, 3);
    this.update(known.normals, normal, 3);
    this.update(known.uvs, uv, 2);
    this.update(known.colors, color, color?.itemSize ?? 3);
    this.updateIndex(known.index, geometry.index);
    return known;
  }

  private update(upload: Upload, attribute: Attribute | undefined, size: number): void {
    if (attribute === undefined) {
      upload.address = upload.room = 0;
      upload.source = null;
      return;
    }
    const version = versionOf(attribute);
    if (upload.source === attribute && upload.version === version && upload.count === attribute.count) return;
    const length = attribute.count * size;
    const floats = floatsOf(attribute, size);
    this.makeRoom(upload, length);
    this.kernel.floats.set(length < floats.length ? floats.subarray(0, length) : floats, upload.address / 4);
    upload.source = attribute;
    upload.version = version;
    upload.count = attribute.count;
  }

  private updateIndex(upload: Upload, index: THREE.BufferAttribute | null): void {
    if (index === null) {
      upload.address = upload.room = 0;
      upload.source = null;
      return;
    }
    if (upload.source === index && upload.version === index.version && upload.count === index.count) return;
    const { array, count } = index;
    this.makeRoom(upload, count);
    const to = upload.address / 4;
    const { ints } = this.kernel;
    if (array instanceof Uint32Array) ints.set(count < array.length ? array.subarray(0, count) : array, to);
    else for (let i = 0; i < count; i++) ints[to + i] = array[i]!;
    upload.source = index;
    upload.version = index.version;
    upload.count = count;
  }

  private makeRoom(upload: Upload, length: number): void {
    if (length <= upload.room) return;
    upload.room = upload.room === 0 ? length : length * 2; // What grew once will grow again.
    upload.address = this.kernel.allocate(upload.room * 4);
  }
}
