/** Street images for people: the image, the class of each pixel, the distance of each pixel. */
import type { SamplePictures, Strip } from '../pictures.ts';
import { classColours, classKey, DEPTH_KEY, depthColours } from './colours.ts';
import type { RenderedImage } from './labelled-image.ts';

/** How the images of a street simulator are shown: four scenes. */
export const STREET_PICTURES: SamplePictures<RenderedImage> = {
  samples: 4,
  draw(images): readonly Strip[] {
    const strip = (rgbOf: (image: RenderedImage) => Uint8Array) =>
      images.map((image) => ({ width: image.width, height: image.height, rgb: rgbOf(image) }));
    return [
      { name: 'image', meaning: 'what the network sees', pictures: strip(({ rgb }) => rgb) },
      {
        name: 'labels',
        meaning: 'the class of each pixel',
        pictures: strip(({ classes }) => classColours(classes)),
        key: classKey(images.map(({ classes }) => classes)).entries,
      },
      {
        name: 'depth',
        meaning: 'the distance of each pixel',
        pictures: strip(({ depth }) => depthColours(depth)),
        key: DEPTH_KEY.entries,
      },
    ];
  },
};
