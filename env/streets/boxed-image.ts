/** What can be detected, in the order of a network's outputs. */
export const DETECTED = ['car', 'person'] as const;
export type Detected = (typeof DETECTED)[number];

/** A rectangle, in pixels; the upper left pixel reaches from (0, 0) to (1, 1). */
export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The box of an object that is there. */
export interface TrueBox extends Rectangle {
  readonly category: Detected;
  /**
   * Whether nobody is asked to find it, because it is small or stands for a crowd: what is detected there is neither
   * right nor wrong. COCO calls it `iscrowd`.
   */
  readonly ignored: boolean;
}

/** An image and the boxes of its objects. */
export interface BoxedImage {
  readonly width: number;
  readonly height: number;
  /** Colours as a screen shows them (sRGB), uint8 [height, width, 3], row-major, top row first. */
  readonly rgb: Uint8Array;
  readonly boxes: readonly TrueBox[];
}
