/**
 * What a renderer makes of a scene. All arrays are row-major, top row first.
 *
 * The arrays belong to the renderer and hold until its next `render`: copy what must outlive it.
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
