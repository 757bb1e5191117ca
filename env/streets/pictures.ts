/** Street images for people: the image, the class of each pixel, the distance of each pixel. */
import type { SamplePictures, Strip } from '../pictures.ts';
import { classColours, classKey, DEPTH_KEY, depthColours } from './colours.ts';
import type { LabelledImage, RenderedImage } from './labelled-image.ts';
import type { Photograph } from './photograph.ts';

/** How many scenes give an impression of θ. */
export const SCENES = 4;

/** A picture of each image. */
const stripOf = <Image extends Photograph>(
  images: readonly Image[],
  rgbOf: (image: Image) => Uint8Array = ({ rgb }) => rgb,
) => images.map((image) => ({ width: image.width, height: image.height, rgb: rgbOf(image) }));

export const seen = (images: readonly Photograph[]): Strip => {
  return { name: 'image', meaning: 'what the network sees', pictures: stripOf(images) };
};
const labelled = (images: readonly LabelledImage[], names?: readonly (string | undefined)[]): Strip => ({
  name: 'labels',
  meaning: 'the class of each pixel',
  pictures: stripOf(images, ({ classes }) => classColours(classes)),
  key: classKey(
    images.map(({ classes }) => classes),
    names,
  ).entries,
});

/** Images alone. */
export const IMAGE_PICTURES: SamplePictures<Photograph> = { samples: SCENES, draw: (images) => [seen(images)] };

/** Images with their labels. @param names of the classes by id, if other than Cityscapes' */
export const labelledPictures = (names?: readonly (string | undefined)[]): SamplePictures<LabelledImage> => ({
  samples: SCENES,
  draw: (images) => [seen(images), labelled(images, names)],
});

/** How the images of a street simulator are shown. */
export const STREET_PICTURES: SamplePictures<RenderedImage> = {
  samples: SCENES,
  draw: (images) => [
    seen(images),
    labelled(images),
    {
      name: 'depth',
      meaning: 'the distance of each pixel',
      pictures: stripOf(images, ({ depth }) => depthColours(depth)),
      key: DEPTH_KEY.entries,
    },
  ],
};
