/** Street images with boxes, for people. */
import type { ColourKey, RgbPicture, SamplePictures, Strip } from '../pictures.ts';
import { DETECTED, type BoxedImage, type Rectangle } from './boxed-image.ts';

/** Bright colours, which are seen on a street, in the order of {@link DETECTED}. */
export const BOX_COLOURS = [
  [255, 220, 0],
  [0, 230, 255],
] as const;
export const IGNORED_COLOUR = [160, 160, 160] as const;

/** Pictures are enlarged to at least this width, so that lines stay thin. */
const LEAST_WIDTH = 240;

interface ColouredBox extends Rectangle {
  readonly colour: readonly [red: number, green: number, blue: number];
  /** 0 to 1; 1 if left out. */
  readonly opacity?: number;
}

/** The colour of a box of a class; other classes than ours have the first one. */
export const boxColour = (category: string) =>
  BOX_COLOURS[(DETECTED as readonly string[]).indexOf(category)] ?? BOX_COLOURS[0];

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

/** The boxes that are there: those that nobody is asked to find are grey. */
export const trueBoxes = ({ boxes }: BoxedImage): ColouredBox[] =>
  boxes.map((box) => ({ ...box, colour: box.ignored ? IGNORED_COLOUR : boxColour(box.category) }));

export const BOX_KEY: ColourKey['entries'] = [
  { name: 'car', colour: BOX_COLOURS[0] },
  { name: 'person', colour: BOX_COLOURS[1] },
  { name: 'too small to be asked for', colour: IGNORED_COLOUR },
];

/** How the images of a street simulator with boxes are shown: four scenes, without and with their boxes. */
export const BOXED_PICTURES: SamplePictures<BoxedImage> = {
  samples: 4,
  draw: (images): readonly Strip[] => [
    {
      name: 'image',
      meaning: 'what the network sees',
      pictures: images.map(({ width, height, rgb }) => ({ width, height, rgb })),
    },
    {
      name: 'boxes',
      meaning: 'what is to be found',
      pictures: images.map((image) => outlined(image, trueBoxes(image))),
      key: BOX_KEY,
    },
  ],
};
