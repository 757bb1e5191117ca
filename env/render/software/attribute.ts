import type * as THREE from 'three';

export type Attribute = THREE.BufferAttribute | THREE.InterleavedBufferAttribute;

interface Unpacked {
  readonly version: number;
  readonly floats: Float32Array;
}

/** Attributes that are not plain floats, unpacked. */
const unpacked = new WeakMap<Attribute, Unpacked>();

function isInterleaved(attribute: Attribute): attribute is THREE.InterleavedBufferAttribute {
  return (attribute as Partial<THREE.InterleavedBufferAttribute>).isInterleavedBufferAttribute === true;
}

export function versionOf(attribute: Attribute): number {
  return isInterleaved(attribute) ? attribute.data.version : attribute.version;
}

/**
 * A vertex attribute as floats, vertex after vertex: its own array where that is a Float32Array, else an unpacked copy,
 * which is made again when the attribute's version rises (`needsUpdate`).
 *
 * @throws {RangeError} when a vertex does not have `size` numbers
 */
export function floatsOf(attribute: Attribute, size: number): Float32Array {
  if (attribute.itemSize !== size) {
    const { name, itemSize } = attribute;
    throw new RangeError(`attribute "${name}": expected ${size} numbers a vertex, got ${itemSize}`);
  }
  if (!isInterleaved(attribute) && attribute.array instanceof Float32Array) return attribute.array;
  const known = unpacked.get(attribute);
  if (known?.version === versionOf(attribute)) return known.floats;
  const floats = new Float32Array(attribute.count * size);
  for (let i = 0; i < floats.length; i++) floats[i] = attribute.getComponent(Math.floor(i / size), i % size);
  unpacked.set(attribute, { version: versionOf(attribute), floats });
  return floats;
}
