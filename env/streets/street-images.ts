/** Real street images with labels, from a folder that the user names: the sim-to-real target. */
import sharp from 'sharp';
import { VOID } from './classes.ts';
import type { LabelledImage } from './labelled-image.ts';
import { readLayout, type FolderLayout, type FramePair } from './folder-layouts.ts';

/**
 * What the frames of a data set are used for. `test` is the data set's own test split. The others are blocks of
 * neighbouring frames, cut from its training sequences, so that frames which look alike mostly have the same use.
 */
export interface StreetFrames {
  /** The reward is the score on these. */
  readonly validation: readonly FramePair[];
  /** Other blocks of the same streets. Their scores are only reported. */
  readonly heldOut: readonly FramePair[];
  /** The remaining blocks: a network trained on these is the ceiling of a search. */
  readonly training: readonly FramePair[];
  /** Other streets, which are harder; their scores are only reported. Empty where there are no public test labels. */
  readonly test: readonly FramePair[];
}

/** A quarter of the blocks is for validation, a quarter is held out, half is for training. */
const BLOCK_ROLES = ['training', 'validation', 'training', 'heldOut'] as const;

/**
 * Cuts the sequences of a data set into blocks and gives each a role.
 *
 * @param blockFrames the number of frames in a block
 */
export function assignFrames({ pool, test }: FolderLayout, blockFrames = 15): StreetFrames {
  const frames = { training: [] as FramePair[], validation: [] as FramePair[], heldOut: [] as FramePair[] };
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

/**
 * Reads a frame: cropped around its centre to the aspect of `size`, then resized; colours filtered, labels by the
 * nearest pixel.
 *
 * @throws {Error} naming the file that cannot be read, whose size is wrong, or whose labels have no known class
 */
async function readFrame(
  { image, labels }: FramePair,
  { ids, palette }: FolderLayout,
  size: { readonly width: number; readonly height: number },
): Promise<LabelledImage> {
  const { width, height } = size;
  const reading = async <T>(path: string, read: Promise<T>): Promise<T> => {
    try {
      return await read;
    } catch (error) {
      throw new Error(`${path}: expected a readable image (${(error as Error).message})`, { cause: error });
    }
  };
  const gray = (await reading(labels, sharp(labels).metadata())).space === 'b-w'; // raw() makes three channels of it
  const labelled = await reading(labels, sharp(labels).raw().toBuffer({ resolveWithObject: true }));
  const { width: fullWidth, height: fullHeight, channels } = labelled.info;
  const photo = sharp(image);
  const about = await reading(image, photo.metadata());
  if (about.width !== fullWidth || about.height !== fullHeight) {
    const sizes = `${fullWidth}×${fullHeight} as its labels, got ${about.width}×${about.height}`;
    throw new Error(`${image}: expected ${sizes}`);
  }
  const crop = centreCrop(fullWidth, fullHeight, width / height);
  const rgb = await reading(
    image,
    photo.extract(crop).resize(width, height, { fit: 'fill' }).removeAlpha().toColourspace('srgb').raw().toBuffer(),
  );
  const classes = new Uint8Array(width * height);
  let known = 0;
  for (let y = 0; y < height; y++) {
    const row = crop.top + Math.floor(((y + 0.5) * crop.height) / height);
    for (let x = 0; x < width; x++) {
      const at = (row * fullWidth + crop.left + Math.floor(((x + 0.5) * crop.width) / width)) * channels;
      const red = labelled.data[at]!;
      const colour = (red << 16) | (labelled.data[at + 1]! << 8) | labelled.data[at + 2]!;
      const id = gray ? ids[red]! : (palette.get(colour) ?? VOID);
      classes[y * width + x] = id;
      if (id !== VOID) known++;
    }
  }
  if (known === 0) throw new Error(`${labels}: expected labels of known classes, got void everywhere`);
  return { width, height, rgb: new Uint8Array(rgb), classes };
}

/** Reads frames, a few at a time. @throws {Error} naming the file that is broken */
export async function readFrames(
  frames: readonly FramePair[],
  layout: FolderLayout,
  size: { readonly width: number; readonly height: number },
): Promise<LabelledImage[]> {
  const images: LabelledImage[] = [];
  for (let i = 0; i < frames.length; i += 8) {
    images.push(...(await Promise.all(frames.slice(i, i + 8).map((frame) => readFrame(frame, layout, size)))));
  }
  return images;
}

/** The layout of a folder and the role of each of its frames. @throws {Error} as readLayout does */
export function streetFrames(folder: string): { layout: FolderLayout; frames: StreetFrames } {
  const layout = readLayout(folder);
  return { layout, frames: assignFrames(layout) };
}
