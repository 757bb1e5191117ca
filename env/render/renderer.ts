import type * as THREE from 'three';

/** How a picture of a scene is to be made. */
export interface PictureFormat {
  /** Pixels, whole numbers from 1. */
  readonly width: number;
  readonly height: number;
  /** Several samples a pixel for the colours in place of one. On unless false. */
  readonly antialias?: boolean;
}

/**
 * Draws three.js scenes: colours, class ids, instance ids and depth in one pass.
 *
 * Ids come from `userData.classId` and `userData.instanceId`, inherited from the nearest ancestor that has one; a
 * material's `userData.classId` overrides its object's, `userData.instanceIds` numbers an InstancedMesh's instances, and
 * `scene.userData.backgroundClassId` names the background (sky if absent). Ids and depth are those at a pixel's centre,
 * the same with and without antialiasing. Transparent materials change colours only.
 */
export interface Renderer {
  readonly name: string;
  /** Part of an environment's version: raise it when the same scene gives another frame. */
  readonly version: number;
  /**
   * Draws a scene. When it returns, it has read scene and camera: the caller may change both, also where the frame comes
   * later. Frames come in the order in which they were asked for.
   *
   * @returns a frame of the renderer's own arrays, see {@link Frame} and {@link withFrame}
   */
  draw(scene: THREE.Scene, camera: THREE.PerspectiveCamera, format: PictureFormat): Frame | Promise<Frame>;
}

/**
 * What a renderer makes of a scene. All arrays are row-major, top row first.
 *
 * The arrays belong to the renderer and hold until its next frame: copy at once what must outlive it.
 */
export interface Frame {
  readonly width: number;
  readonly height: number;
  /** Linear-light radiance, float32 [height, width, 3], not clamped. */
  readonly linear: Float32Array;
  /** Class ids, uint8 [height, width]; VOID where nothing says what is there. */
  readonly classes: Uint8Array;
  /** Instance ids, uint16 [height, width]; 0 for none. */
  readonly instances: Uint16Array;
  /** Metres along the camera's axis, float32 [height, width]; Infinity where only the background is. */
  readonly depth: Float32Array;
}

/**
 * Uses a frame as soon as it is there, before the renderer makes another: a frame that is there at once is used at once.
 * An `await` in its place would let another draw come between.
 */
export function withFrame<T>(frame: Frame | Promise<Frame>, use: (frame: Frame) => T): T | Promise<T> {
  return frame instanceof Promise ? frame.then(use) : use(frame);
}
