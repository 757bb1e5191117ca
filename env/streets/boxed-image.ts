/** What can be detected in our streets. */
export const DETECTED = ['car', 'person'] as const;

/** A rectangle, in pixels; the upper left pixel reaches from (0, 0) to (1, 1). */
export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The box of an object that is there. */
export interface TrueBox extends Rectangle {
  readonly category: string;
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

/**
 * The least height of a box that is to be found, as a share of the picture's height: KITTI asks for 25 of its 375 pixels.
 */
export const FOUND_HEIGHT = 25 / 375;

/** Whether a box is too small to be asked for, in a picture of this height. */
export function isTooSmall(box: Pick<Rectangle, 'width' | 'height'>, height: number): boolean {
  const least = FOUND_HEIGHT * height;
  return box.height < least || box.width < least / 2;
}
