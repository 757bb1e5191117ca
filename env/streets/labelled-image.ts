/**
 * An image and what is known of each of its pixels. Row-major, top row first.
 */
export interface LabelledImage {
  readonly width: number;
  readonly height: number;
  /** Colours as a screen shows them (sRGB), uint8 [height, width, 3]. */
  readonly rgb: Uint8Array;
  /** Class ids of classes.ts, uint8 [height, width]; VOID where nothing is known. */
  readonly classes: Uint8Array;
}

/** What the renderer knows beyond the class. */
export interface RenderedImage extends LabelledImage {
  /** Which object a pixel shows, uint16 [height, width]; 0 for what is no countable object. */
  readonly instances: Uint16Array;
  /** Distance along the camera's axis in metres, float32 [height, width]; Infinity where only sky is. */
  readonly depth: Float32Array;
}
