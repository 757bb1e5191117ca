/** A folder of images with their truth as a target: which of its frames validate, which test, and what must be in them. */
import type { BoxedImage } from '../streets/boxed-image.ts';
import { CLASS_ID, VOID } from '../streets/classes.ts';
import { contentOf, fileHash } from '../streets/content.ts';
import {
  readBoxLayout,
  readPhotographs,
  type BoxFrame,
  type FolderLayout,
  type FrameFiles,
  type FramePair,
  type WantedBoxes,
} from '../streets/folder-layouts.ts';
import type { LabelledImage } from '../streets/labelled-image.ts';
import type { NamedClasses } from '../streets/named-classes.ts';
import type { Photograph } from '../streets/photograph.ts';
import {
  fewAtOnce,
  framesOf,
  readBoxFrame,
  readBoxFrames,
  readFrame,
  readFrames,
  readPictures,
  streetFrames,
  type StreetFrames,
} from '../streets/street-images.ts';
import type { ClassSet } from '../tasks/segmentation/merged-classes.ts';
import { spread } from './spread.ts';
import type { Target } from './target.ts';

/** With fewer frames to validate on, chance decides which θ is better. */
const FEW = 20;

export interface StreetFolder<Image> {
  readonly target: Target<Image>;
  /** Real images to train on: the score of that network is the ceiling of a search. */
  readonly training: () => Promise<Image[]>;
  /** The numbers of its frames, in a line. */
  readonly about: () => string;
  /** Reads every image, so that a broken file is named before any evaluation starts. */
  readonly prepare: () => Promise<void>;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** The number of frames of the validation set, and of each test set, at most. */
interface Counts {
  readonly validation: number;
  readonly test: number;
}

/** What differs between labels and boxes. */
interface FolderParts<Found extends FrameFiles, Image> {
  readonly data: string;
  readonly layout: FolderLayout<Found>;
  readonly frames: StreetFrames<Found>;
  readonly read: (frames: readonly Found[]) => Promise<Image[]>;
  readonly readOne: (frame: Found) => Promise<Image>;
  /** Whether there is something in an image that scores are about. */
  readonly isScored: (image: Image) => boolean;
  /** What the scores are about, as in 'a car'. */
  readonly what: string;
}

/** The frames of a data set, read when they are first needed. */
function folderTarget<Found extends FrameFiles, Image>(
  { data, layout, frames, read, readOne, isScored, what }: FolderParts<Found, Image>,
  counts: Counts,
): StreetFolder<Image> {
  let hash: string | undefined;
  const { classes } = layout;
  const content = () => (hash ??= [contentOf(frames), ...(classes ? [fileHash(classes.path)] : [])].join(' '));
  const images = (role: keyof StreetFrames, count = Infinity) => {
    let images: Promise<Image[]> | undefined;
    return () => {
      content(); // of the files as they are read
      return (images ??= read(spread(frames[role], count)));
    };
  };
  /** A set that scores are taken on. */
  const scored = (role: keyof StreetFrames, count: number) => {
    const set = images(role, count);
    return async () => withScored(await set(), `${data}: ${role}`, isScored, what);
  };
  const validation = scored('validation', counts.validation);
  const official = frames.test.length > 0 ? scored('test', counts.test) : undefined;
  // A small data set may have no held-out block, or nothing to score there, and one without public test labels is tested
  // on those blocks alone.
  const further = images('heldOut', counts.test);
  const heldOutOrNone = async () => ((await further()).some(isScored) ? further() : []);
  const heldOut = frames.heldOut.length === 0 ? undefined : official ? heldOutOrNone : scored('heldOut', counts.test);
  const training = images('training');
  return {
    target: {
      name: `${layout.name}, ${frames.validation.length} validation frames`,
      validation,
      test: (official ?? heldOut)!,
      ...(official && heldOut && { alsoTest: { heldOut } }),
      content,
    },
    training,
    about() {
      const { training, validation, heldOut, test } = frames;
      const counted =
        training.length > 0
          ? `${training.length} frames to train on, ${validation.length} validate`
          : `${validation.length} of ${validation.length + heldOut.length} validate`;
      const tested = test.length > 0 ? `, ${test.length} test` : ', no official test split';
      const few = validation.length < FEW ? '; so few of them say little about a θ' : '';
      return `${layout.name} in ${data}: ${counted}, ${heldOut.length} are held out${tested}${few}`;
    },
    async prepare() {
      for (const set of [validation, heldOut, official]) await set?.();
      // Nobody needs them yet: they are not kept.
      await fewAtOnce(frames.training, async (frame) => void (await readOne(frame)));
    },
  };
}

/**
 * The labelled frames of a data set in a known layout.
 *
 * @param size      of the images, in pixels
 * @param classesOf what is told apart, where the data set names its classes itself, and where it does not; if it is left
 *   out, those that are named must be Cityscapes', and are read as such
 * @throws {Error} in a sentence, when the layout is none of the known ones, or there are too few frames
 */
export function streetFolder(
  data: string,
  size: Size,
  counts: Counts,
  classesOf: (named: NamedClasses | undefined) => ClassSet,
  { asStreets = false } = {},
): StreetFolder<LabelledImage> & { readonly classes: ClassSet } {
  const { layout, frames } = streetFrames(data);
  const ids = asStreets && layout.classes ? streetIds(layout.classes) : undefined;
  const classes = classesOf(ids ? undefined : layout.classes);
  const read = async (frames: Parameters<typeof readFrames>[0]) => {
    const images = await readFrames(frames, size);
    return ids ? images.map((image) => ({ ...image, classes: image.classes.map((id) => ids[id]!) })) : images;
  };
  const parts = {
    data,
    layout,
    frames,
    read,
    readOne: (frame: FramePair) => readFrame(frame, size),
    isScored: hasScored(classes),
    what: `a ${classes.names[classes.scored]}`,
  };
  return { ...folderTarget(parts, counts), classes };
}

/** Cityscapes' id of each named class, uint8 [256]. @throws {Error} naming a class that Cityscapes does not have */
function streetIds({ names, path }: NamedClasses): Uint8Array {
  const table = new Uint8Array(256).fill(VOID);
  names.forEach((name, position) => {
    const id = CLASS_ID[name as keyof typeof CLASS_ID] as number | undefined;
    if (id === undefined && name !== 'background') {
      const known = Object.keys(CLASS_ID).join(', ');
      throw new Error(`${path}: expected classes of streets (${known}; null or background for void), got ${name}`);
    }
    table[position] = id ?? VOID;
  });
  return table;
}

/**
 * The frames of KITTI's object benchmark, or of annotations in COCO's format, with their boxes.
 *
 * @throws {Error} as {@link streetFolder} does, or naming a class that the data set does not have
 */
export function boxFolder(data: string, size: Size, counts: Counts, wanted: WantedBoxes): StreetFolder<BoxedImage> {
  const layout = readBoxLayout(data, wanted);
  const frames = framesOf(data, layout);
  const isScored = ({ boxes }: BoxedImage) => boxes.some(({ ignored }) => !ignored);
  const what = `a ${wanted.classes.join(' or a ')} to be found`;
  const read = (some: readonly BoxFrame[]) => readBoxFrames(some, size);
  const readOne = (frame: BoxFrame) => readBoxFrame(frame, size);
  return folderTarget({ data, layout, frames, read, readOne, isScored, what }, counts);
}

/**
 * Photographs, with labels or without. Nothing is trained on them, so three quarters validate. Of few, blocks are smaller,
 * so that four are enough.
 *
 * @throws {Error} in a sentence, when there are none, or fewer
 */
export function photographFolder(data: string, size: Size, counts: Counts): StreetFolder<Photograph> {
  const layout = readPhotographs(data);
  const { heldOut, ...frames } = framesOf(data, layout, Math.max(1, Math.floor(layout.pool.length / 4)));
  const isHeldOut = new Set(heldOut);
  const validation = layout.pool.filter((frame) => !isHeldOut.has(frame));
  const roles = { ...frames, training: [], validation, heldOut };
  const read = (some: readonly FrameFiles[]) => readPictures(some, size);
  const readOne = async (frame: FrameFiles) => (await read([frame]))[0]!;
  return folderTarget({ data, layout, frames: roles, read, readOne, isScored: () => true, what: 'an image' }, counts);
}

/** Whether the class that is scored is in an image. */
export const hasScored =
  ({ outputOf, scored }: ClassSet) =>
  ({ classes }: LabelledImage): boolean =>
    classes.some((id) => outputOf[id] === scored);

/**
 * The images.
 *
 * @param what the scores are about, as in 'a car'
 * @throws {Error} naming the set when it is in none of them: nothing could be scored then
 */
export function withScored<Image>(
  images: readonly Image[],
  set: string,
  isScored: (image: Image) => boolean,
  what: string,
): readonly Image[] {
  if (images.some(isScored)) return images;
  throw new Error(
    `${set}: expected ${what} in at least one image, found none in ${images.length}, and the score is about it. ` +
      'More images, or larger ones, would do; or labels in which it has the data set’s own id or colour',
  );
}
