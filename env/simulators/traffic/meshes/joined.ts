import type { BufferGeometry } from 'three';
import { Vertices } from './vertices.ts';

/** Parts in several materials as one geometry, with a group for each part. */
export class Joined {
  private readonly vertices = new Vertices();
  private readonly groups: { readonly start: number; readonly count: number; readonly material: number }[] = [];

  clear(): void {
    this.vertices.clear();
    this.groups.length = 0;
  }

  /** Adds a copy of a part in the material at this position of a mesh's list. */
  add(part: Vertices, material: number): void {
    this.groups.push({ start: this.vertices.indexCount, count: part.indexCount, material });
    this.vertices.append(part);
  }

  /** The parts since `clear`: the same object at every call. */
  toGeometry(): BufferGeometry {
    const geometry = this.vertices.toGeometry();
    geometry.clearGroups();
    for (const { start, count, material } of this.groups) geometry.addGroup(start, count, material);
    return geometry;
  }
}
