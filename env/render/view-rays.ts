import type * as THREE from 'three';
import type { Fragments } from './fragments.ts';

/** From places of the picture to places of the world. */
export class ViewRays {
  /** The camera's place in the world. */
  x = 0.5;
  y = 0.5;
  z = 0.5;
  /** The ray through pixel coordinates (x, y), one metre along the camera's axis: x · right + y · down + corner. */
  private readonly right = new Float64Array(3);
  private readonly down = new Float64Array(3);
  private readonly corner = new Float64Array(3);

  read(camera: THREE.PerspectiveCamera, width: number, height: number): void {
    const p = camera.projectionMatrix.elements;
    const m = camera.matrixWorld.elements;
    this.x = m[12]!;
    this.y = m[13]!;
    this.z = m[14]!;
    const left = (-1 + p[8]) / p[0];
    const top = (1 + p[9]) / p[5];
    for (let k = 0; k < 3; k++) {
      this.right[k] = (m[k]! * 2) / (width * p[0]);
      this.down[k] = (m[4 + k]! * -2) / (height * p[5]);
      this.corner[k] = m[k]! * left + m[4 + k]! * top - m[8 + k]!;
    }
  }

  /** Sets fragments' positions from their pixel coordinates and distances. */
  place(f: Fragments): void {
    const { px, py, distance, x, y, z, count } = f;
    const { right, down, corner } = this;
    for (let i = 0; i < count; i++) {
      x[i] = this.x + distance[i]! * (px[i]! * right[0]! + py[i]! * down[0]! + corner[0]!);
      y[i] = this.y + distance[i]! * (px[i]! * right[1]! + py[i]! * down[1]! + corner[1]!);
      z[i] = this.z + distance[i]! * (px[i]! * right[2]! + py[i]! * down[2]! + corner[2]!);
    }
  }

  /** Sets fragments' unit vectors to the viewer from their positions. */
  face(f: Fragments): void {
    const { x, y, z, vx, vy, vz, count } = f;
    for (let i = 0; i < count; i++) {
      const dx = this.x - x[i]!;
      const dy = this.y - y[i]!;
      const dz = this.z - z[i]!;
      const scale = 1 / Math.sqrt(dx * dx + dy * dy + dz * dz);
      vx[i] = dx * scale;
      vy[i] = dy * scale;
      vz[i] = dz * scale;
    }
  }

  /** Turns fragments' look away from the camera, through their pixel coordinates. */
  look(f: Fragments): void {
    const { px, py, lookX, lookY, lookZ, count } = f;
    const { right, down, corner } = this;
    for (let i = 0; i < count; i++) {
      const dx = px[i]! * right[0]! + py[i]! * down[0]! + corner[0]!;
      const dy = px[i]! * right[1]! + py[i]! * down[1]! + corner[1]!;
      const dz = px[i]! * right[2]! + py[i]! * down[2]! + corner[2]!;
      const scale = 1 / Math.sqrt(dx * dx + dy * dy + dz * dz);
      lookX[i] = dx * scale;
      lookY[i] = dy * scale;
      lookZ[i] = dz * scale;
    }
  }
}
