import type * as THREE from 'three';
import type { RendererIdentity } from './renderer-identity.ts';

/** A camera as three.js makes them, with a projectionMatrix of its own making. */
export type Camera = THREE.PerspectiveCamera | THREE.OrthographicCamera;

/** The format of a picture. */
export interface PictureFormat {
  /** Pixels, whole numbers from 1. */
  readonly width: number;
  readonly height: number;
  /** Whether the colours of a pixel come from several samples instead of one; true when left out. */
  readonly antialias?: boolean;
  /** Whether colours are needed; true when left out. Otherwise a frame's `linear` may be anything. */
  readonly colours?: boolean;
}

/**
 * Draws three.js scenes: colours, class ids, instance ids and depth in one pass.
 *
 * Ids come from `userData.classId` (0 to 255) and `userData.instanceId` (0 to 65,535), inherited from the nearest
 * ancestor that has one; a material's `userData.classId` overrides its object's, `userData.instanceIds` numbers an
 * InstancedMesh's instances, and `scene.userData.backgroundClassId` names the background (sky if absent). Ids and depth
 * are those of what is seen at a pixel's centre, the same with and without antialiasing. Transparent materials change
 * colours only.
 *
 * Opaque surfaces are drawn in the scene's order, transparent ones from back to front; `renderOrder` comes first. The
 * order decides where surfaces coincide, and what is seen of a surface whose material has `depthWrite` off: what is
 * drawn after it covers it, also from further away. Of a LOD, drawing makes the level visible that three.js's `update`
 * chooses, and hides the others.
 */
export interface Renderer extends RendererIdentity {
  /**
   * Draws a scene. When the call returns, scene and camera have been read: the caller may change both, also where the
   * frame comes later. Frames come in the order of the calls.
   *
   * @returns a frame of the renderer's own arrays, see {@link Frame} and {@link withFrame}
   * @throws {RangeError} when width or height is not a whole number from 1, or an id is out of its range
   * @throws {TypeError} when the scene has something visible that the renderer can't draw
   */
  draw(scene: THREE.Scene, camera: Camera, format: PictureFormat): Frame | Promise<Frame>;
}

/**
 * A rendered scene. All arrays are row-major, top row first.
 *
 * The arrays belong to the renderer and are valid until its next frame: copy at once what is needed longer.
 */
export interface Frame {
  readonly width: number;
  readonly height: number;
  /** Linear-light radiance, float32 [height, width, 3], not clamped. */
  readonly linear: Float32Array;
  /** Class ids, uint8 [height, width]; VOID where the object has none. */
  readonly classes: Uint8Array;
  /** Instance ids, uint16 [height, width]; 0 for none. */
  readonly instances: Uint16Array;
  /** Metres along the camera's axis, float32 [height, width]; Infinity where only the background is. */
  readonly depth: Float32Array;
}

/**
 * Uses a frame before the renderer draws another one: a frame that is returned at once is used at once. With an `await`
 * instead, another draw could come in between.
 */
export function withFrame<T>(frame: Frame | Promise<Frame>, use: (frame: Frame) => T): T | Promise<T> {
  return frame instanceof Promise ? frame.then(use) : use(frame);
}
