import type * as THREE from 'three';
import { type Attribute, floatsOf, versionOf } from './attribute.ts';
import type { Kernel } from './kernel.ts';
import { checkAttribute, checkIndex } from '../refusals.ts';

/** A vertex attribute or an index in a kernel's memory. */
interface Upload {
  /** In bytes; 0 when there is none. */
  address: number;
  /** The number of numbers that there is room for. */
  room: number;
  /** What was copied last, and in which version. */
  source: object | null;
  version: number;
  count: number;
}

/** A geometry in a kernel's memory. */
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

/** Copies geometries into a kernel's memory: once, and an attribute again when its version rises (`needsUpdate`). */
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
    this.update(known.positions, geometry, 'position', 3);
    this.update(known.normals, geometry, 'normal', 3);
    this.update(known.uvs, geometry, 'uv', 2);
    this.update(known.colors, geometry, 'color', geometry.attributes['color']?.itemSize === 4 ? 4 : 3);
    this.updateIndex(known.index, geometry);
    return known;
  }

  private update(upload: Upload, geometry: THREE.BufferGeometry, name: string, size: number): void {
    const attribute: Attribute | undefined = geometry.attributes[name];
    if (attribute === undefined) {
      upload.address = upload.room = 0;
      upload.source = null;
      return;
    }
    const version = versionOf(attribute);
    if (upload.source === attribute && upload.version === version && upload.count === attribute.count) return;
    checkAttribute(geometry, name, size);
    const length = attribute.count * size;
    const floats = floatsOf(attribute, size);
    this.makeRoom(upload, length);
    this.kernel.floats.set(length < floats.length ? floats.subarray(0, length) : floats, upload.address / 4);
    upload.source = attribute;
    upload.version = version;
    upload.count = attribute.count;
  }

  private updateIndex(upload: Upload, geometry: THREE.BufferGeometry): void {
    const { index } = geometry;
    if (index === null) {
      upload.address = upload.room = 0;
      upload.source = null;
      return;
    }
    if (upload.source === index && upload.version === index.version && upload.count === index.count) return;
    checkIndex(geometry, index);
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
    upload.room = upload.room === 0 ? length : length * 2; // What has grown once will grow again.
    upload.address = this.kernel.allocate(upload.room * 4);
  }
}
