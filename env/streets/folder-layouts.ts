/** Where the public street data sets keep their images and labels. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { isHidden } from './hidden-files.ts';
import { CAMVID, CITYSCAPES, CITYSCAPES_TRAIN, type LabelMaps } from './label-maps.ts';

/** The paths of an image and of its labels. */
export interface FramePair {
  readonly image: string;
  readonly labels: string;
  /** What the labels may hold. */
  readonly maps: LabelMaps;
  /** The sequence that the frame belongs to. Neighbouring frames of a sequence look alike. */
  readonly sequence: string;
}

/** The frames of a folder, and how to read their labels. */
export interface FolderLayout {
  readonly name: 'camvid' | 'kitti' | 'cityscapes';
  /** Frames for validation and training, in the order of their sequences. */
  readonly pool: readonly FramePair[];
  /** The data set's own test frames that have public labels (of Cityscapes, its `val`; of KITTI, none). */
  readonly test: readonly FramePair[];
}

/** Where images have their labels: in the same place below `folder`, with another end of the name. */
interface LabelFiles {
  readonly folder: string;
  readonly end: string;
  readonly maps: LabelMaps;
}

/** The largest share of label files that may have no image. */
const LONELY_SHARE = 0.01;

/** Image files below `folder`, none of them hidden. */
function imageFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(png|jpe?g)$/i.test(path) && !path.split(/[\\/]/).some(isHidden))
    .map((path) => join(folder, path));
}

/** What lies in a folder and is not hidden. */
const namesIn = (folder: string) => readdirSync(folder).filter((name) => !isHidden(name));

/** The items in the order of their names and numbers: 9 before 10. */
function inOrder<Item>(items: readonly Item[], nameOf: (item: Item) => string): Item[] {
  const keyed = items.map((item) => {
    const key = nameOf(item).replace(/\d+/g, (number) => number.padStart(20, '0'));
    return { item, key };
  });
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ item }) => item);
}

/** In a folder with fewer images, each may be of a sequence of its own. */
const MANY = 16;

/**
 * The sequence of each image: its name before the last number, so that `0016E5_00390.png` is of `0016E5_`. Where most
 * images had a sequence of their own by that, as `frame0001_v2.png`, and all names are alike but for their numbers, it is
 * an earlier number that counts the frames. KITTI's `000001_10.png` are the frames of one sequence.
 */
function sequencesOf(images: readonly string[]): string[] {
  const names = images.map((image) =>
    basename(image)
      .replace(/\.\w+$/, '')
      .replace(/^(\d{6})_\d\d$/, '$1'),
  );
  const [pattern = '', another] = new Set(names.map((name) => name.replace(/\d+/g, '#')));
  const numbers = another === undefined && names.length >= MANY ? pattern.split('#').length - 1 : 1;
  const before = Array.from({ length: Math.max(1, numbers) }, (_, later) =>
    names.map((name) => name.replace(new RegExp(`(\\d+\\D*)(\\d+\\D*){${later}}$`), '')),
  );
  return before.find((sequences) => 2 * new Set(sequences).size <= sequences.length) ?? before[0]!;
}

/**
 * Pairs each image below `folder` with the first of its label files that is there.
 *
 * @param end what images' names have before their extension, and labels' names have not
 * @throws {Error} naming an image without labels; or labels without an image, where they are more than a few or all
 */
function pairs(folder: string, end: string, places: readonly LabelFiles[]): FramePair[] {
  const images = inOrder(imageFiles(folder), (image) => image);
  const sequences = sequencesOf(images);
  const expected = new Set<string>();
  const candidatesOf = (image: string) => {
    const stem = relative(folder, image).replace(new RegExp(`(${end})?\\.\\w+$`), '');
    return places.map(({ folder, end, maps }) => ({ labels: join(folder, `${stem}${end}`), maps }));
  };
  const frames = images.map((image, i) => {
    const candidates = candidatesOf(image);
    for (const { labels } of candidates) expected.add(labels);
    const found = candidates.find(({ labels }) => existsSync(labels));
    if (found) return { image, ...found, sequence: sequences[i]! };
    const paths = candidates.map(({ labels }) => labels).join(' or ');
    const missing = images.filter((other) => !candidatesOf(other).some(({ labels }) => existsSync(labels))).length;
    const count = images.length === 1 ? '' : ` (${missing} of ${images.length} images have none)`;
    throw new Error(`${image}: expected its labels at ${paths}, found none${count}`);
  });
  const labels = places.flatMap(({ folder, end }) => imageFiles(folder).filter((path) => path.endsWith(end)));
  if (images.length === 0 && labels.length > 0) {
    throw new Error(
      `${folder}: expected the images of ${labels.length} label images, such as ${labels[0]}, found none`,
    );
  }
  refuseLonely(labels, expected);
  return frames;
}

/** @param expected where the labels of the images may be; of a folder without images, such as a city, none are missed */
function refuseLonely(labels: readonly string[], expected: ReadonlySet<string>): void {
  const folders = new Set([...expected].map(dirname));
  const lonely = labels.filter((path) => !expected.has(path) && folders.has(dirname(path)));
  if (lonely.length <= LONELY_SHARE * labels.length) return;
  const count = `${lonely.length} of ${labels.length} label images have none`;
  throw new Error(`${lonely[0]}: expected an image that these labels belong to, found none (${count})`);
}

/** `{train,val,test}/{images,labels}/NAME.png`, or `{train,val,test}` beside `{train,val,test}annot`. */
function camvid(folder: string): FolderLayout | undefined {
  const split = (name: string): FramePair[] | undefined => {
    const nested = ['images', 'labels'].some((kind) => existsSync(join(folder, name, kind)));
    const labels = nested ? join(folder, name, 'labels') : join(folder, `${name}annot`);
    if (!nested && !existsSync(labels)) return undefined;
    const places = ['.png', '_L.png'].map((end) => ({ folder: labels, end, maps: CAMVID }));
    return pairs(nested ? join(folder, name, 'images') : join(folder, name), '', places);
  };
  const [train, val] = [split('train'), split('val')];
  if (!train && !val) return undefined;
  const pool = inOrder([...(train ?? []), ...(val ?? [])], ({ image }) => basename(image));
  return { name: 'camvid', pool, test: split('test') ?? [] };
}

/** `training/image_2/NAME.png` and `training/semantic/NAME.png` or `semantic_rgb`, of KITTI's semantic benchmark. */
function kitti(folder: string): FolderLayout | undefined {
  const root = existsSync(join(folder, 'training')) ? join(folder, 'training') : folder;
  const places = ['semantic', 'semantic_rgb'].map((name) => ({
    folder: join(root, name),
    end: '.png',
    maps: CITYSCAPES,
  }));
  if (!existsSync(join(root, 'image_2')) || !places.some((place) => existsSync(place.folder))) return undefined;
  return { name: 'kitti', pool: pairs(join(root, 'image_2'), '', places), test: [] };
}

/** `leftImg8bit/SPLIT/CITY/…_leftImg8bit.png` and `gtFine/SPLIT/CITY/…_gtFine_{labelIds,labelTrainIds,color}.png`. */
function cityscapes(folder: string): FolderLayout | undefined {
  const split = (name: string): FramePair[] | undefined => {
    const images = join(folder, 'leftImg8bit', name);
    if (!existsSync(images) && !existsSync(join(folder, 'gtFine', name))) return undefined;
    const place = (end: string, maps: LabelMaps) => ({ folder: join(folder, 'gtFine', name), end, maps });
    const places = [
      place('_gtFine_labelIds.png', CITYSCAPES),
      place('_gtFine_labelTrainIds.png', CITYSCAPES_TRAIN),
      place('_gtFine_color.png', CITYSCAPES),
    ];
    const frames = pairs(images, '_leftImg8bit', places);
    return frames.map((frame) => ({ ...frame, sequence: basename(dirname(frame.image)) }));
  };
  const pool = split('train');
  return pool && { name: 'cityscapes', pool, test: split('val') ?? [] };
}

/** Where each layout has the images of its pool. */
const POOLS: Readonly<Record<FolderLayout['name'], string>> = {
  camvid: 'train/images or train',
  kitti: 'training/image_2',
  cityscapes: 'leftImg8bit/train',
};

/**
 * Recognises the layout of a folder and lists its frames.
 *
 * @throws {Error} naming the folder and the known layouts, or the file without its image or labels
 */
export function readLayout(folder: string): FolderLayout {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new Error(
      `${folder}: expected a folder of street images, found ${existsSync(folder) ? 'a file' : 'nothing'}`,
    );
  }
  const layout = camvid(folder) ?? kitti(folder) ?? cityscapes(folder);
  if (layout === undefined) {
    const names = namesIn(folder).flatMap((name) => {
      if (!statSync(join(folder, name), { throwIfNoEntry: false })?.isDirectory()) return name;
      const inner = namesIn(join(folder, name)).map((each) => `${name}/${each}`);
      return inner.length > 0 ? inner : `${name}, which is empty`;
    });
    throw new Error(
      `${folder}: expected CamVid (train/images, train/labels), KITTI (training/image_2, training/semantic) or ` +
        `Cityscapes (leftImg8bit/train, gtFine/train), found ${names.slice(0, 8).join(', ') || 'nothing'}`,
    );
  }
  if (layout.pool.length === 0) {
    throw new Error(`${folder}: expected images (.png, .jpg or .jpeg) in ${POOLS[layout.name]}, found none`);
  }
  return layout;
}
