/** Street images with boxes, for people. */
import type { ColourKey, RgbPicture, SamplePictures, Strip } from '../pictures.ts';
import type { BoxedImage, Rectangle } from './boxed-image.ts';
import { SCENES, seen } from './pictures.ts';

/** Bright colours, which are seen on a street. */
const BOX_COLOURS = [
  [255, 220, 0],
  [0, 230, 255],
  [255, 80, 220],
  [120, 255, 60],
  [255, 140, 40],
] as const;
const IGNORED_COLOUR = [160, 160, 160] as const;

/** Pictures are enlarged to at least this width, so that lines stay thin. */
const LEAST_WIDTH = 240;

interface ColouredBox extends Rectangle {
  readonly colour: readonly [red: number, green: number, blue: number];
  /** 0 to 1; 1 if left out. */
  readonly opacity?: number;
}

/** The colour of the boxes of a class, by its number; of more classes than there are colours, these come again. */
export const boxColour = (number: number) => BOX_COLOURS[number % BOX_COLOURS.length]!;

/** An image, enlarged without smoothing, with the outlines of boxes on it. */
export function outlined({ width, height, rgb }: BoxedImage, boxes: readonly ColouredBox[]): RgbPicture {
  const scale = Math.max(1, Math.ceil(LEAST_WIDTH / width));
  const size = { width: width * scale, height: height * scale };
  const large = new Uint8Array(size.width * size.height * 3);
  for (let y = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++) {
      const from = (Math.floor(y / scale) * width + Math.floor(x / scale)) * 3;
      large.set(rgb.subarray(from, from + 3), (y * size.width + x) * 3);
    }
  }
  for (const { colour, opacity = 1, ...box } of boxes) {
    const [left, top, right, bottom] = [box.x, box.y, box.x + box.width, box.y + box.height].map((edge) =>
      Math.round(edge * scale),
    ) as [number, number, number, number];
    const draw = (x: number, y: number) => {
      if (x < 0 || y < 0 || x >= size.width || y >= size.height) return;
      for (let c = 0; c < 3; c++) {
        const at = (y * size.width + x) * 3 + c;
        large[at] = Math.round(large[at]! * (1 - opacity) + colour[c]! * opacity);
      }
    };
    for (let x = left; x < right; x++) {
      draw(x, top);
      draw(x, bottom - 1);
    }
    for (let y = top + 1; y < bottom - 1; y++) {
      draw(left, y);
      draw(right - 1, y);
    }
  }
  return { ...size, rgb: large };
}

/** The boxes of these classes that are there: those that nobody is asked to find are grey. */
export const trueBoxes = ({ boxes }: BoxedImage, classes: readonly string[]): ColouredBox[] =>
  boxes
    .filter(({ category }) => classes.includes(category))
    .map((box) => ({ ...box, colour: box.ignored ? IGNORED_COLOUR : boxColour(classes.indexOf(box.category)) }));

export const boxKey = (classes: readonly string[]): ColourKey['entries'] => [
  ...classes.map((name, number) => ({ name, colour: boxColour(number) })),
  { name: 'too small to be asked for', colour: IGNORED_COLOUR },
];

/** How images with boxes are shown: without and with those of these classes. */
export const boxedPictures = (classes: readonly string[]): SamplePictures<BoxedImage> => ({
  samples: SCENES,
  draw: (images): readonly Strip[] => [
    seen(images),
    {
      name: 'boxes',
      meaning: 'what is to be found',
      pictures: images.map((image) => outlined(image, trueBoxes(image, classes))),
      key: boxKey(classes),
    },
  ],
});
