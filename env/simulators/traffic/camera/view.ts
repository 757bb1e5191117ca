import * as THREE from 'three';
import type { Point } from '../meshes/mesh-builder.ts';

/** The camera's view, for builders: what can be left out of a scene, and how finely to build the rest. */
export class View {
  private readonly frustum = new THREE.Frustum();
  private readonly matrix = new THREE.Matrix4();
  private pixelsAtOneMetre = 0;
  private x = 0;
  private y = 0;
  private z = 0;
  private shadow: Point | null = null;

  /**
   * @param height of the picture, pixels
   * @param sun    the unit vector towards the sun; null when there is none
   */
  look(camera: THREE.PerspectiveCamera, height: number, sun: Point | null): void {
    this.matrix.multiplyMatrices(camera.projectionMatrix, camera.matrixWorldInverse);
    this.frustum.setFromProjectionMatrix(this.matrix);
    this.pixelsAtOneMetre = (height * camera.projectionMatrix.elements[5]) / 2;
    ({ x: this.x, y: this.y, z: this.z } = camera.position);
    this.shadow = sun;
  }

  /** The number of pixels that a metre at (x, z) spans; what is within 1 m counts as 1 m away. */
  pixelsPerMetre(x: number, z: number): number {
    return this.pixelsAtOneMetre / Math.max(1, Math.sqrt((x - this.x) ** 2 + this.y ** 2 + (z - this.z) ** 2));
  }

  /** Whether a ball of this radius may be in view, or its shadow on the ground. */
  shows(x: number, y: number, z: number, radius: number): boolean {
    // Its shadow reaches from the ball to the ground below (y = 0), along the light.
    const reach = this.shadow === null ? 0 : Math.min(SHADOW_REACH, (y + radius) / this.shadow[1]);
    const [sx, sy, sz] = this.shadow ?? NOWHERE;
    for (const { normal, constant } of this.frustum.planes) {
      const ball = normal.x * x + normal.y * y + normal.z * z + constant;
      const end = ball - reach * (normal.x * sx + normal.y * sy + normal.z * sz);
      if (ball < -radius && end < -radius) return false;
    }
    return true;
  }
}

const NOWHERE: Point = [0, 0, 0];

/** Shadows longer than this are cut off, since they leave the shadow map, m. */
const SHADOW_REACH = 60;
