import type * as THREE from 'three';

export type Attribute = THREE.BufferAttribute | THREE.InterleavedBufferAttribute;

interface Unpacked {
  readonly version: number;
  readonly floats: Float32Array;
}

const GETTERS = ['getX', 'getY', 'getZ', 'getW'] as const;

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
 */
export function floatsOf(attribute: Attribute, size: number): Float32Array {
  if (!isInterleaved(attribute) && attribute.array instanceof Float32Array) return attribute.array;
  const known = unpacked.get(attribute);
  if (known?.version === versionOf(attribute)) return known.floats;
  const floats = new Float32Array(attribute.count * size);
  for (let i = 0; i < attribute.count; i++) {
    // Not getComponent, which does not decode half floats.
    for (let k = 0; k < size; k++) floats[i * size + k] = attribute[GETTERS[k]!](i);
  }
  unpacked.set(attribute, { version: versionOf(attribute), floats });
  return floats;
}
