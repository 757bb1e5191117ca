import type * as THREE from 'three';
import type { Random } from '../../../../protocol/random.ts';
import { laneMiddle, type Layout } from '../street/layout.ts';
import type { TrafficTheta } from '../parameters.ts';

/** What is nearer or further than this is not drawn, m. */
export const NEAR = 0.25;
const FAR = 600;

/** The camera of a picture, as three.js writes it: column-major 4 × 4 matrices. */
export interface CameraMatrices {
  readonly matrixWorld: readonly number[];
  readonly projectionMatrix: readonly number[];
}

/** Places the camera as in a car that drives along its lane; `aspect` is width over height of the picture. */
export function drawCamera(
  theta: TrafficTheta,
  layout: Layout,
  aspect: number,
  random: Random,
  camera: THREE.PerspectiveCamera,
): void {
  const degrees = Math.PI / 180;
  const horizontal = Math.min(110, Math.max(25, theta.fieldOfView * random.uniform(0.93, 1.07))) * degrees;
  const vertical = 2 * Math.atan(Math.tan(horizontal / 2) / aspect);
  camera.fov = vertical / degrees;
  camera.aspect = aspect;
  camera.near = NEAR;
  camera.far = FAR;
  camera.updateProjectionMatrix();
  const shift = Math.min(1.6, Math.max(-1.6, random.normal(0, theta.lanePositionSpread)));
  const height = Math.max(0.5, theta.cameraHeight * random.uniform(0.93, 1.07));
  camera.position.set(laneMiddle(layout, layout.ownLane, true) + shift, height, 0);
  // The direction of the road stays in view, however narrow the view is.
  const within = (angle: number, view: number) => Math.min(0.4 * view, Math.max(-0.4 * view, angle));
  const pitch = within((theta.cameraPitch + random.normal(0, 0.7)) * degrees, vertical);
  const yaw = within(random.normal(0, theta.cameraYawSpread) * degrees, horizontal);
  const roll = random.normal(0, 0.5);
  camera.rotation.set(pitch, yaw, roll * degrees, 'YXZ');
  camera.updateMatrixWorld();
}

/** Sets a camera to the matrices of a picture. */
export function setCamera(camera: THREE.PerspectiveCamera, { matrixWorld, projectionMatrix }: CameraMatrices): void {
  camera.matrixAutoUpdate = false;
  camera.matrix.fromArray(matrixWorld);
  camera.position.setFromMatrixPosition(camera.matrix);
  camera.updateMatrixWorld(true);
  camera.projectionMatrix.fromArray(projectionMatrix);
  camera.projectionMatrixInverse.copy(camera.projectionMatrix).invert();
  camera.near = NEAR;
  camera.far = FAR;
}
