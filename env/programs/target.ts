/** What the models of `Program-v0` are scored on: the folder that the server was started with. */
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { writeImage } from '../dataset/frame.ts';
import { pictureFiles, pictureIndices } from '../dataset/read.ts';
import type { PictureSize } from '../simulators/traffic/scene.ts';
import { fileHash } from '../streets/content.ts';
import { isHidden } from '../streets/hidden-files.ts';
import type { LabelledImage } from '../streets/labelled-image.ts';
import { readFrames } from '../streets/street-images.ts';
import { spread } from '../targets/spread.ts';
import { streetFolder, withCar } from '../targets/street-folder.ts';
import type { SampleSet, Target } from '../targets/target.ts';
import type { StoredImage } from './simulator.ts';
import { workerFolder } from './working-folder.ts';

/** A target, and what reads all of it, so that a broken file is named before any evaluation starts. */
export interface FolderTarget<Sample> {
  readonly target: Target<Sample> & { content(): string };
  readonly prepare: () => Promise<void>;
}

export interface TargetSize extends PictureSize {
  /** The most images of each set, evenly spread, where we read them ourselves. */
  readonly validation: number;
  readonly test: number;
}

const SETS = ['validation', 'test'] as const;

/** Whether a folder has its two sets apart, as `validation/` and `test/`. */
function hasSets(data: string): boolean {
  return SETS.every((set) => statSync(join(data, set), { throwIfNoEntry: false })?.isDirectory());
}

/**
 * Two sets that lie in `validation/` and `test/` of a folder.
 *
 * @param read a set, from its folder; it is called once
 */
function setsOf<Sample>(
  data: string,
  read: (folder: string, set: (typeof SETS)[number]) => Promise<readonly Sample[]>,
) {
  let hash: string | undefined;
  const content = () => (hash ??= contentOfSets(data));
  const [validation, test] = SETS.map((set) =>
    once(async () => {
      content(); // of the files as they are read
      return read(join(data, set), set);
    }),
  );
  return {
    target: { name: 'validation and test', validation: validation!, test: test!, content },
    async prepare() {
      await validation!();
      await test!();
    },
  };
}

/** What the first call gives; after an error, the next call tries again. */
function once<Result>(work: () => Promise<Result>): () => Promise<Result> {
  let result: Promise<Result> | undefined;
  return () =>
    (result ??= work().catch((error: unknown) => {
      result = undefined;
      throw error;
    }));
}

/** A hash of every file of both sets, and of its name below them. */
function contentOfSets(data: string): string {
  const hash = createHash('sha256');
  for (const set of SETS) {
    const files = readdirSync(join(data, set), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !isHidden(entry.name))
      .map((entry) => join(entry.parentPath, entry.name));
    for (const file of files.sort()) hash.update(JSON.stringify([file.slice(data.length), fileHash(file)]));
  }
  return hash.digest('hex').slice(0, 16);
}

/** For our segmentation: the two sets, or street images in a known layout. @throws {Error} in a sentence */
export function labelledTarget(data: string, size: TargetSize): FolderTarget<LabelledImage> {
  if (!hasSets(data)) return streets(data, size);
  return setsOf(data, async (folder, set) => {
    const files = spread(pictureIndices(folder), size[set]).map((index) => pictureFiles(folder, index));
    return withCar(await readFrames(files, size), folder);
  });
}

/**
 * For our counting and our detection: the two sets, with their objects.
 *
 * @param read      makes images of a set's files
 * @param isScored  whether there is something to count or to find in an image
 * @throws {Error} in a sentence, where the sets are not there
 */
export function objectTarget<Image>(
  data: string,
  size: TargetSize,
  read: (folder: string, indices: readonly number[], size: PictureSize) => Promise<Image[]>,
  isScored: (image: Image) => boolean,
): FolderTarget<Image> {
  if (!hasSets(data)) {
    throw new Error(
      `${data}: expected validation/ and test/ as \`npm run dataset\` writes them, since the score is about objects, found none`,
    );
  }
  return setsOf(data, async (folder, set) => {
    const images = await read(folder, spread(pictureIndices(folder), size[set]), size);
    if (images.some(isScored)) return images;
    throw new Error(`${folder}: expected something to count or to find in ${images.length} images, found nothing`);
  });
}

/**
 * For a trainer that is a program: the two sets as they are, whatever is in them; or street images in a known layout,
 * which are written as a simulator writes them.
 *
 * @param work the folder of all working folders
 * @throws {Error} in a sentence
 */
export function storedTarget(data: string, size: TargetSize, work: string): FolderTarget<StoredImage> {
  if (hasSets(data)) {
    return setsOf(data, async (folder) => {
      if (readdirSync(folder).some((name) => !isHidden(name))) return [{ folder, index: 0 }];
      throw new Error(`${folder}: expected files to score on, found none`);
    });
  }
  const { target, prepare } = streets(data, size);
  const written = (set: (typeof SETS)[number]) =>
    once(() => writeImages(join(workerFolder(work), `${set}-${sets++}`), target[set]));
  return {
    target: {
      name: target.name,
      content: () => target.content(),
      validation: written('validation'),
      test: written('test'),
    },
    prepare,
  };
}

/** The number of sets that this process has written. */
let sets = 0;

async function writeImages(folder: string, set: SampleSet<LabelledImage>): Promise<readonly StoredImage[]> {
  const images = await set();
  for (const [index, image] of images.entries()) await writeImage(folder, index, image);
  return images.map((_, index) => ({ folder, index }));
}

function streets(data: string, size: TargetSize): FolderTarget<LabelledImage> {
  const { target, prepare } = streetFolder(data, size, size);
  return { target: { ...target, content: () => target.content!() }, prepare };
}
