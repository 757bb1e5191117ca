/** Real street images with labels, from a folder that the user names: the sim-to-real target. */
import { isTooSmall, type BoxedImage, type TrueBox } from './boxed-image.ts';
import { VOID } from './classes.ts';
import type { LabelledImage } from './labelled-image.ts';
import { paintedLabels } from './coco-file.ts';
import { readLayout, type BoxFrame, type FolderLayout, type FrameFiles, type FramePair } from './folder-layouts.ts';
import { readLabels } from './labels.ts';
import { readPhotograph, scaled, type Photograph } from './photograph.ts';

/**
 * What the frames of a data set are used for. `test` is the data set's own test split. The others are blocks of
 * neighbouring frames, cut from its training sequences, so that frames which look alike mostly have the same use.
 */
export interface StreetFrames<Found extends FrameFiles = FramePair> {
  /** The reward is the score on these. */
  readonly validation: readonly Found[];
  /** Other blocks of the same streets. Their scores are only reported. */
  readonly heldOut: readonly Found[];
  /** The remaining blocks: a network trained on these is the ceiling of a search. */
  readonly training: readonly Found[];
  /** Other streets, which are harder; their scores are only reported. Empty where there are no public test labels. */
  readonly test: readonly Found[];
}

/** A quarter of the blocks is for validation, a quarter is held out, half is for training. */
const BLOCK_ROLES = ['training', 'validation', 'training', 'heldOut'] as const;

/** Images that are read at once. */
const AT_ONCE = 8;

/** How many neighbours of one sequence are a block. */
const BLOCK_FRAMES = 15;

/**
 * Cuts the sequences of a data set into blocks and gives each a role.
 *
 * @param blockFrames the number of frames in a block
 */
export function assignFrames<Found extends FrameFiles>(
  { pool, test }: Pick<FolderLayout<Found>, 'pool' | 'test'>,
  blockFrames = BLOCK_FRAMES,
): StreetFrames<Found> {
  const frames = { training: [] as Found[], validation: [] as Found[], heldOut: [] as Found[] };
  let block = -1;
  let position = 0;
  let sequence: string | undefined;
  for (const pair of pool) {
    if (pair.sequence !== sequence || position === blockFrames) {
      block++;
      position = 0;
      sequence = pair.sequence;
    }
    position++;
    frames[BLOCK_ROLES[block % BLOCK_ROLES.length]!].push(pair);
  }
  return { ...frames, test };
}

/**
 * Refuses a folder whose frames cannot validate or test.
 *
 * @throws {Error} naming the folder, what it has, and what would do
 */
function refuseTooFew<Found extends FrameFiles>(
  folder: string,
  { pool, test }: FolderLayout<Found>,
  { validation, heldOut }: StreetFrames<Found>,
): void {
  if (validation.length > 0 && heldOut.length + test.length > 0) return;
  const what = validation.length === 0 ? 'frames to validate on' : 'frames to test on';
  const sequences = new Set(pool.map(({ sequence }) => sequence)).size;
  const splits = test.length === 0 ? 'no test split' : `a test split of ${test.length}`;
  const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;
  const wouldDo = (blocks: number) =>
    `${(blocks - 1) * BLOCK_FRAMES + 1} frames of one sequence, or ${blocks} sequences`;
  throw new Error(
    `${folder}: expected ${what}, got ${counted(pool.length, 'frame')} of ` +
      `${counted(sequences, 'sequence')} and ${splits}. Sequences are ` +
      `cut into blocks of up to ${BLOCK_FRAMES} neighbours: of each four, the second validates and the fourth is for ` +
      `the test. What would do: ${test.length > 0 ? wouldDo(2) : `${wouldDo(4)}; with a test split, ${wouldDo(2)}`}`,
  );
}

/** The largest centred rectangle of this aspect (width / height) in an image. */
function centreCrop(width: number, height: number, aspect: number) {
  const cropWidth = Math.min(width, Math.round(height * aspect));
  const cropHeight = Math.min(height, Math.round(width / aspect));
  return {
    left: (width - cropWidth) >> 1,
    top: (height - cropHeight) >> 1,
    width: cropWidth,
    height: cropHeight,
  };
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Which pixels of an image remain when it is cropped around its centre to the aspect of `size` and then resized.
 *
 * @returns the position in the image of the pixel that is nearest to each pixel of `size`, [height, width]
 */
export function nearestPixels(image: Size, size: Size): Uint32Array {
  const crop = centreCrop(image.width, image.height, size.width / size.height);
  const positions = new Uint32Array(size.width * size.height);
  for (let y = 0; y < size.height; y++) {
    const row = crop.top + Math.floor(((y + 0.5) * crop.height) / size.height);
    for (let x = 0; x < size.width; x++) {
      const column = crop.left + Math.floor(((x + 0.5) * crop.width) / size.width);
      positions[y * size.width + x] = row * image.width + column;
    }
  }
  return positions;
}

/** A photograph, cropped around its centre to the aspect of `size` and resized: sRGB, uint8 [height, width, 3]. */
export function fitted(photograph: Photograph, size: Size): Promise<Uint8Array> {
  return scaled(photograph, centreCrop(photograph.width, photograph.height, size.width / size.height), size);
}

/**
 * Reads a frame: cropped around its centre to the aspect of `size`, then resized; colours filtered, labels by the
 * nearest pixel.
 *
 * @throws {Error} naming the file that cannot be read, or whose size is wrong
 */
export async function readFrame(
  { image, labels, maps, painted }: Omit<FramePair, 'sequence'>,
  { width, height }: Size,
): Promise<LabelledImage> {
  const truth = painted ? paintedLabels(painted.picture, painted.names) : await readLabels(labels, maps);
  const photograph = await readPhotograph(image);
  if (photograph.width !== truth.width || photograph.height !== truth.height) {
    const [ofImage, ofLabels] = [photograph, truth].map((one) => `${one.width}×${one.height}`);
    // Painted labels have the size that the data set's list gives the image.
    if (painted) throw new Error(`${image}: expected ${ofLabels} as its labels, got ${ofImage}`);
    throw new Error(`${labels}: expected ${ofImage} as its image, got ${ofLabels}`);
  }
  const rgb = await fitted(photograph, { width, height });
  const nearest = nearestPixels(truth, { width, height });
  return { width, height, rgb, classes: Uint8Array.from(nearest, (position) => truth.classes[position]!) };
}

/**
 * Reads photographs, a few at a time: cropped around their centre to the aspect of `size`, then resized.
 *
 * @throws {Error} naming the file that cannot be read
 */
export function readPictures(frames: readonly Pick<FrameFiles, 'image'>[], size: Size): Promise<Photograph[]> {
  const { width, height } = size;
  return fewAtOnce(frames, async ({ image }) => ({
    width,
    height,
    rgb: await fitted(await readPhotograph(image), size),
  }));
}

/** Reads images, a few at a time: they are large until they are resized. */
export async function fewAtOnce<Frame, Image>(
  frames: readonly Frame[],
  read: (frame: Frame) => Promise<Image>,
): Promise<Image[]> {
  const images: Image[] = [];
  for (let i = 0; i < frames.length; i += AT_ONCE) {
    images.push(...(await Promise.all(frames.slice(i, i + AT_ONCE).map(read))));
  }
  return images;
}

/** The largest share of label images that may be void everywhere; of few, one may be. */
const VOID_SHARE = 0.1;

/**
 * Reads frames, a few at a time. Those whose labels are void everywhere are left out: nothing is learned from them, and
 * nothing scored.
 *
 * @throws {Error} naming the file that is broken, or the first labels that are void where many are
 */
export async function readFrames(frames: readonly FramePair[], size: Size): Promise<LabelledImage[]> {
  const images = await fewAtOnce(frames, (frame) => readFrame(frame, size));
  const hasClasses = images.map(({ classes }) => classes.some((id) => id !== VOID));
  const voids = frames.filter((_, i) => !hasClasses[i]);
  if (voids.length > Math.max(1, VOID_SHARE * frames.length) || (voids.length > 0 && voids.length === frames.length)) {
    throw new Error(
      `${voids[0]!.labels}: expected labels of known classes, got void everywhere (${voids.length} of ${frames.length} label images)`,
    );
  }
  return images.filter((_, i) => hasClasses[i]);
}

/** A box of which less than this remains after cropping is ignored. */
const LEAST_LEFT = 0.3;

/**
 * Reads an image with its boxes: cropped around its centre to the aspect of `size`, then resized. Boxes that are cut off
 * for the most part, or are small then, are ignored.
 *
 * @throws {Error} naming the file that cannot be read, or what in it breaks a rule
 */
export async function readBoxFrame(
  { image, labels, boxes, size: said }: Omit<BoxFrame, 'maps' | 'sequence'>,
  size: Size,
): Promise<BoxedImage> {
  const truth = boxes();
  const photograph = await readPhotograph(image);
  if (said && (said.width !== photograph.width || said.height !== photograph.height)) {
    const sizes = `${said.width}×${said.height}, as ${labels} says, got ${photograph.width}×${photograph.height}`;
    throw new Error(`${image}: expected ${sizes}`);
  }
  const crop = centreCrop(photograph.width, photograph.height, size.width / size.height);
  const scale = { x: size.width / crop.width, y: size.height / crop.height };
  const seen = truth.flatMap((box): TrueBox[] => {
    const [left, top] = [Math.max(box.x, crop.left), Math.max(box.y, crop.top)];
    const width = Math.min(box.x + box.width, crop.left + crop.width) - left;
    const height = Math.min(box.y + box.height, crop.top + crop.height) - top;
    if (width <= 0 || height <= 0) return [];
    const isCut = width * height < LEAST_LEFT * box.width * box.height;
    const place = { x: (left - crop.left) * scale.x, y: (top - crop.top) * scale.y };
    const within = { ...place, width: width * scale.x, height: height * scale.y };
    return [{ ...box, ...within, ignored: box.ignored || isCut || isTooSmall(within, size.height) }];
  });
  return { width: size.width, height: size.height, rgb: await fitted(photograph, size), boxes: seen };
}

/** Reads images with their boxes, a few at a time. @throws as {@link readBoxFrame} does */
export function readBoxFrames(frames: readonly BoxFrame[], size: Size): Promise<BoxedImage[]> {
  return fewAtOnce(frames, (frame) => readBoxFrame(frame, size));
}

/**
 * The roles of a layout's frames.
 *
 * @param blockFrames the number of frames in a block, at most
 * @throws {Error} where the folder has too few frames to validate or to test on
 */
export function framesOf<Found extends FrameFiles>(
  folder: string,
  layout: FolderLayout<Found>,
  blockFrames = BLOCK_FRAMES,
): StreetFrames<Found> {
  const frames = assignFrames(layout, Math.min(BLOCK_FRAMES, blockFrames));
  refuseTooFew(folder, layout, frames);
  return frames;
}

/**
 * The layout of a folder and the role of each of its frames.
 *
 * @throws {Error} as readLayout and {@link framesOf} do
 */
export function streetFrames(folder: string): { layout: FolderLayout; frames: StreetFrames } {
  const layout = readLayout(folder);
  return { layout, frames: framesOf(folder, layout) };
}
