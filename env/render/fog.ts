import * as THREE from 'three';
import { expNegative } from './elementary.ts';
import type { Fragments } from './fragments.ts';

/** A scene's fog: how much of it stands between the viewer and a distance along the camera's axis. */
export class Fog {
  r = 0.5;
  g = 0.5;
  b = 0.5;
  private kind: 'none' | 'linear' | 'exponential' = 'none';
  private near = 0.5;
  private far = 0.5;
  private density = 0.5;

  get isPresent(): boolean {
    return this.kind !== 'none';
  }

  read(fog: THREE.Fog | THREE.FogExp2 | null): void {
    this.kind = 'none';
    if (fog === null) return;
    this.r = fog.color.r;
    this.g = fog.color.g;
    this.b = fog.color.b;
    if (fog instanceof THREE.FogExp2) {
      this.kind = 'exponential';
      this.density = fog.density;
    } else {
      this.kind = 'linear';
      this.near = fog.near;
      this.far = fog.far;
    }
  }

  /** Lays the fog over fragments' colours. */
  cover({ count, distance, r, g, b }: Fragments): void {
    for (let i = 0; i < count; i++) {
      const share = this.shareAt(distance[i]!);
      r[i]! += share * (this.r - r[i]!);
      g[i]! += share * (this.g - g[i]!);
      b[i]! += share * (this.b - b[i]!);
    }
  }

  /** Share of the fog's colour at `distance` metres, 0 to 1. */
  private shareAt(distance: number): number {
    if (this.kind === 'exponential') {
      const depth = this.density * distance;
      return 1 - expNegative(-depth * depth);
    }
    const t = Math.min(1, Math.max(0, (distance - this.near) / (this.far - this.near)));
    return t * t * (3 - 2 * t);
  }
}
