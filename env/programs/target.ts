/** What the models of `Program-v0` are scored on: the folder that the server was started with. */
import { createHash } from 'node:crypto';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from '../../protocol/whole-file.ts';
import { writeImage } from '../dataset/frame.ts';
import { hasMetadata, pictureFiles, pictureIndices, readBoxed, readCountable } from '../dataset/read.ts';
import type { PictureSize } from '../simulators/traffic/scene.ts';
import type { BoxedImage } from '../streets/boxed-image.ts';
import { cocoClasses, cocoPaths, readCoco } from '../streets/coco-file.ts';
import { fileHash } from '../streets/content.ts';
import {
  cocoBoxes,
  kittiBoxes,
  namedFrames,
  paintedFrames,
  readPhotographs,
  type BoxFrame,
  type FramePair,
  type WantedBoxes,
} from '../streets/folder-layouts.ts';
import { VOID } from '../streets/classes.ts';
import { isHidden } from '../streets/hidden-files.ts';
import { IGNORED } from '../streets/label-maps.ts';
import type { LabelledImage } from '../streets/labelled-image.ts';
import { classesIn, type NamedClasses } from '../streets/named-classes.ts';
import type { Photograph } from '../streets/photograph.ts';
import { readBoxFrames, readFrames, readPictures } from '../streets/street-images.ts';
import { spread } from '../targets/spread.ts';
import {
  boxFolder,
  hasScored,
  photographFolder,
  streetFolder,
  withScored,
  type StreetFolder,
} from '../targets/street-folder.ts';
import type { SampleSet, Target } from '../targets/target.ts';
import type { CountableImage } from '../tasks/counting/counts.ts';
import { namedClasses, streetClasses, type ClassSet } from '../tasks/segmentation/merged-classes.ts';
import type { StoredImage } from './simulator.ts';
import { workerFolder } from './working-folder.ts';

/** A target, and what reads all of it, so that a broken file is named before any evaluation starts. */
export interface FolderTarget<Sample> {
  readonly target: Target<Sample> & { content(): string };
  readonly prepare: () => Promise<void>;
  /** Removes what it has written. */
  readonly dispose?: () => void;
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
 * @param read  a set, from its folder; it is called once
 * @param stays whether what was read is scored on from then on, whatever becomes of the files
 */
function setsOf<Sample>(
  data: string,
  read: (folder: string, set: (typeof SETS)[number]) => Promise<readonly Sample[]>,
  { stays = true } = {},
) {
  let hash: string | undefined;
  const content = () => (stays ? (hash ??= contentOfSets(data)) : contentOfSets(data));
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
    for (const file of filesBelow(join(data, set)))
      hash.update(JSON.stringify([file.slice(data.length), fileHash(file)]));
  }
  return hash.digest('hex').slice(0, 16);
}

/** Every file below a folder that is not hidden, in order; symbolic links are followed, as readers do. */
function filesBelow(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => !isHidden(name));
  return names.sort().flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesBelow(path) : [path];
  });
}

/** What labels mean: the classes that a data set names, if it does, and what of them is told apart and scored. */
export interface LabelClasses {
  readonly named: NamedClasses | undefined;
  readonly classes: ClassSet;
}

/**
 * For our segmentation: the two sets, or images in a known layout. Classes are those of `classes.json`, of COCO's
 * categories, or of streets.
 *
 * @param scoreClass the class that the scores are of; empty: `car`, or what takes its place
 * @throws {Error} in a sentence
 */
export function labelledTarget(
  data: string,
  size: TargetSize,
  scoreClass: string,
): FolderTarget<LabelledImage> & LabelClasses {
  if (!hasSets(data)) {
    let named: NamedClasses | undefined;
    const folder = streetFolder(data, size, size, (own) => classSet((named = own), scoreClass));
    return { ...inFolder(folder), named, classes: folder.classes };
  }
  const named = classesOfSets(data);
  const classes = classSet(named, scoreClass);
  const sets = setsOf(data, async (folder, set) => {
    const files = spread(labelledFrames(folder, named), size[set]);
    const images = await readFrames(files, size);
    return withScored(images, folder, hasScored(classes), `a ${classes.names[classes.scored]}`);
  });
  return { ...withFile(sets, named?.path), named, classes };
}

function classSet(named: NamedClasses | undefined, scoreClass: string): ClassSet {
  return named ? namedClasses(named.names, scoreClass) : streetClasses(scoreClass || 'car');
}

/** The classes that the sets' labels have: of `classes.json`, or the categories of the validation set. */
function classesOfSets(data: string): NamedClasses | undefined {
  const [named, validation] = [classesIn(data), join(data, 'validation')];
  if (named) return named;
  const [path] = hasLabels(validation) ? [] : cocoPaths(validation);
  return path === undefined ? undefined : cocoClasses(readCoco(path));
}

const hasLabels = (folder: string) => statSync(join(folder, 'labels'), { throwIfNoEntry: false })?.isDirectory();

/** The frames of a set. */
function labelledFrames(folder: string, named: NamedClasses | undefined): FramePair[] {
  if (!named) return pictureIndices(folder).map((index) => pictureFiles(folder, index));
  const [path] = hasLabels(folder) ? [] : cocoPaths(folder);
  return path === undefined ? namedFrames(folder, named) : paintedFrames(readCoco(path), named);
}

/** The sets, of whose content a file beside them is a part. */
function withFile<Sample>({ target, prepare }: FolderTarget<Sample>, path: string | undefined): FolderTarget<Sample> {
  if (path === undefined) return { target, prepare };
  const own = fileHash(path); // as it has just been read
  return { target: { ...target, content: () => `${target.content()} ${own}` }, prepare };
}

/** For our counting: the two sets, with their objects. @throws {Error} in a sentence, where the sets are not there */
export function countedTarget(
  data: string,
  size: TargetSize,
  isScored: (image: CountableImage) => boolean,
): FolderTarget<CountableImage> {
  if (hasSets(data)) {
    return objectSets(data, isScored, (folder, set) =>
      readCountable(folder, spread(pictureIndices(folder), size[set]), size),
    );
  }
  throw new Error(
    `${data}: expected validation/ and test/ as \`npm run dataset\` writes them, since the score is about objects, found none`,
  );
}

/** For our detection: the two sets, or images with boxes in a known layout. @throws {Error} in a sentence */
export function boxedTarget(data: string, size: TargetSize, wanted: WantedBoxes): FolderTarget<BoxedImage> {
  if (!hasSets(data)) return inFolder(boxFolder(data, size, size, wanted));
  const isScored = ({ boxes }: BoxedImage) =>
    boxes.some(({ ignored, category }) => !ignored && wanted.classes.includes(category));
  return objectSets(data, isScored, (folder, set) => {
    const frames = hasMetadata(folder) ? undefined : boxFrames(folder, wanted);
    if (frames) return readBoxFrames(spread(frames, size[set]), size);
    return readBoxed(folder, spread(pictureIndices(folder), size[set]), size, wanted.classes);
  });
}

/** For a match of distributions: photographs, in the two sets or below the folder. @throws {Error} in a sentence */
export function photographTarget(
  data: string,
  size: TargetSize,
): FolderTarget<Photograph> & Pick<StreetFolder<Photograph>, 'about'> {
  if (!hasSets(data)) {
    const folder = photographFolder(data, size, size);
    return { ...inFolder(folder), about: folder.about };
  }
  const read = (folder: string, set: (typeof SETS)[number]) =>
    readPictures(spread(readPhotographs(folder).pool, size[set]), size);
  return { ...setsOf(data, read), about: () => `photographs in validation and test of ${data}` };
}

/** The frames of a set in KITTI's or COCO's layout. */
function boxFrames(folder: string, wanted: WantedBoxes): BoxFrame[] | undefined {
  const [path] = cocoPaths(folder);
  return kittiBoxes(folder, wanted) ?? (path === undefined ? undefined : cocoBoxes(readCoco(path), wanted));
}

/** @param isScored whether there is something to count or to find in an image */
function objectSets<Image>(
  data: string,
  isScored: (image: Image) => boolean,
  read: Parameters<typeof setsOf<Image>>[1],
): FolderTarget<Image> {
  return setsOf(data, async (folder, set) => {
    const images = await read(folder, set);
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
    const read = async (folder: string) => {
      if (readdirSync(folder).some((name) => !isHidden(name))) return [{ folder, index: 0 }];
      throw new Error(`${folder}: expected files to score on, found none`);
    };
    return setsOf(data, read, { stays: false }); // the program reads them at each call
  }
  let named: NamedClasses | undefined;
  const folder = streetFolder(data, size, size, (own) => classSet((named = own), ''));
  const { target, prepare } = inFolder(folder);
  const own: string[] = [];
  const written = (set: (typeof SETS)[number]) =>
    once(() => {
      const into = join(workerFolder(work), `${set}-${sets++}`);
      own.push(into);
      return writeImages(into, target[set], named);
    });
  return {
    target: {
      name: target.name,
      content: () => target.content(),
      validation: written('validation'),
      test: written('test'),
    },
    prepare,
    dispose() {
      for (const folder of own) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The number of sets that this process has written. */
let sets = 0;

/**
 * The data set's own id of each class, by its position: a trainer's data have them too ([G7]).
 *
 * @throws {Error} naming a class whose id is no byte
 */
function ownIds({ names, maps, path }: NamedClasses): number[] {
  const entries = [...maps.ids];
  return names.map((name, position) => {
    const [id = VOID] = entries.find(([id, of]) => of === position && !IGNORED.includes(id)) ?? [];
    if (id < VOID) return id;
    throw new Error(`${path}: expected ids of 0 to ${VOID - 1} where a program trains, got ${id} for ${name}`);
  });
}

/** @param named the classes, where the data set names them: they are written too, by their ids */
async function writeImages(
  folder: string,
  set: SampleSet<LabelledImage>,
  named: NamedClasses | undefined,
): Promise<readonly StoredImage[]> {
  const images = await set();
  const ids = named && ownIds(named);
  for (const [index, image] of images.entries()) {
    const classes = ids ? image.classes.map((position) => ids[position] ?? VOID) : image.classes;
    await writeImage(folder, index, { ...image, classes }, { areStreets: !named });
  }
  if (named) {
    const byId = Object.fromEntries(named.names.map((name, position) => [ids![position]!, name]));
    writeWhole(join(folder, 'classes.json'), JSON.stringify(byId));
  }
  return images.map((_, index) => ({ folder, index }));
}

function inFolder<Sample>({ target, prepare }: StreetFolder<Sample>): FolderTarget<Sample> {
  return { target: { ...target, content: () => target.content!() }, prepare };
}
