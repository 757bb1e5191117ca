/** A folder of real street images as a target: which of its frames validate, which test, and what must be in them. */
import { contentOf } from '../streets/content.ts';
import type { LabelledImage } from '../streets/labelled-image.ts';
import { readFrames, streetFrames, type StreetFrames } from '../streets/street-images.ts';
import { MERGED_CAR, MERGED_ID } from '../tasks/segmentation/merged-classes.ts';
import { spread } from './spread.ts';
import type { Target } from './target.ts';

export interface StreetFolder {
  readonly target: Target<LabelledImage>;
  /** Real images to train on: the score of that network is the ceiling of a search. */
  readonly training: () => Promise<LabelledImage[]>;
  /** Reads every image, so that a broken file is named before any evaluation starts. */
  readonly prepare: () => Promise<void>;
}

/**
 * The frames of a data set in a known layout, read when they are first needed.
 *
 * @param size   of the images, in pixels
 * @param counts the number of frames of the validation set, and of each test set, at most
 * @throws {Error} in a sentence, when the layout is none of the known ones, or there are too few frames
 */
export function streetFolder(
  data: string,
  size: { readonly width: number; readonly height: number },
  counts: { readonly validation: number; readonly test: number },
): StreetFolder {
  const { layout, frames } = streetFrames(data);
  let hash: string | undefined;
  const content = () => (hash ??= contentOf(frames));
  const read = (role: keyof StreetFrames, count = Infinity) => {
    let images: Promise<LabelledImage[]> | undefined;
    return () => {
      content(); // of the files as they are read
      return (images ??= readFrames(spread(frames[role], count), size));
    };
  };
  /** A set that scores are taken on. */
  const scored = (role: keyof StreetFrames, count: number) => {
    const images = read(role, count);
    return async () => withCar(await images(), `${data}: ${role}`);
  };
  const validation = scored('validation', counts.validation);
  const official = frames.test.length > 0 ? scored('test', counts.test) : undefined;
  // A small data set may have no held-out block, or no car there, and one without public test labels is tested on those
  // blocks alone.
  const further = read('heldOut', counts.test);
  const heldOutOrNone = async () => ((await further()).some(hasCar) ? further() : []);
  const heldOut = frames.heldOut.length === 0 ? undefined : official ? heldOutOrNone : scored('heldOut', counts.test);
  const training = read('training');
  return {
    target: {
      name: `${layout.name}, ${frames.validation.length} validation frames`,
      validation,
      test: (official ?? heldOut)!,
      ...(official && heldOut && { alsoTest: { heldOut } }),
      content,
    },
    training,
    async prepare() {
      for (const set of [validation, heldOut, official, training]) await set?.();
    },
  };
}

const hasCar = ({ classes }: LabelledImage) => classes.some((id) => MERGED_ID[id] === MERGED_CAR);

/** The images. @throws {Error} naming the set when no pixel of them is a car: nothing could be scored then */
export function withCar(images: readonly LabelledImage[], set: string): readonly LabelledImage[] {
  if (images.some(hasCar)) return images;
  throw new Error(
    `${set}: expected a car in at least one image, found none in ${images.length}, and the score is about cars. ` +
      'More images, or larger ones, would do; or labels whose cars have the data set’s own id or colour',
  );
}
