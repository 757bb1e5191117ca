/**
 * An image and the class of each of its pixels. The arrays are row-major, top row first.
 */
export interface LabelledImage {
  readonly width: number;
  readonly height: number;
  /** Colours as a screen shows them (sRGB), uint8 [height, width, 3]. */
  readonly rgb: Uint8Array;
  /** Class ids of classes.ts, uint8 [height, width]; VOID where nothing is known. */
  readonly classes: Uint8Array;
}

/** A rendered image: the renderer knows more than the class. */
export interface RenderedImage extends LabelledImage {
  /** The object that a pixel shows, uint16 [height, width]; 0 where there is no countable object. */
  readonly instances: Uint16Array;
  /** Distance along the camera's axis in metres, float32 [height, width]; Infinity where only sky is. */
  readonly depth: Float32Array;
}
