/** Where data sets keep their images and labels: the public ones of streets, COCO, and any with a `classes.json`. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { TrueBox } from './boxed-image.ts';
import { cocoClasses, cocoImage, cocoPaths, readCoco, type CocoFile, type CocoPicture } from './coco-file.ts';
import { isHidden } from './hidden-files.ts';
import { kittiTypes, readKittiBoxes, type KittiDifficulty } from './kitti-boxes.ts';
import { CAMVID, CITYSCAPES, CITYSCAPES_TRAIN, type LabelMaps } from './label-maps.ts';
import { classesIn, type NamedClasses } from './named-classes.ts';

/** An image, and the file in which its truth stands. */
export interface FrameFiles {
  readonly image: string;
  readonly labels: string;
  /** How that file is read. */
  readonly maps: { readonly name: string };
  /** The sequence that the frame belongs to. Neighbouring frames of a sequence look alike. */
  readonly sequence: string;
}

/** An image and its labels. */
export interface FramePair extends FrameFiles {
  /** What the labels may hold. */
  readonly maps: LabelMaps;
  /** Of a file of annotations, the objects that are painted as labels, for the classes of these names. */
  readonly painted?: { readonly picture: CocoPicture; readonly names: readonly string[] };
}

/** An image and its boxes, in pixels of the file. */
export interface BoxFrame extends FrameFiles {
  /** Of the image, where the data set says it. */
  readonly size?: { readonly width: number; readonly height: number };
  /** @throws {Error} naming what breaks a rule */
  boxes(): readonly TrueBox[];
}

/** What is to be found: classes, and how hard it may be where the data set is KITTI. */
export interface WantedBoxes {
  readonly classes: readonly string[];
  readonly difficulty: KittiDifficulty;
}

/** The frames of a folder. */
export interface FolderLayout<Found extends FrameFiles = FramePair> {
  readonly name: 'camvid' | 'kitti' | 'cityscapes' | 'coco' | 'images and labels' | 'photographs';
  /** Frames for validation and training, in the order of their sequences. */
  readonly pool: readonly Found[];
  /** The data set's own test frames that have public labels (of Cityscapes and COCO, its `val`; of KITTI, none). */
  readonly test: readonly Found[];
  /** The classes, where the data set names them itself. */
  readonly classes?: NamedClasses | undefined;
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

/** What Roboflow writes behind the name of an image: each of its changed copies has another hash. */
const ROBOFLOW = /_(png|jpe?g)\.rf\.\w+$/i;

/** The path of an image below its split: sequences may go on from `train` into `val`. */
const belowSplit = (folder: string, image: string) =>
  relative(folder, image).replace(/^(train|val|test)[\\/](images[\\/])?/, '');

/** In a folder with fewer images, each may be of a sequence of its own. */
const MANY = 16;

/**
 * The sequence of each image: its name before the last number, so that `0016E5_00390.png` is of `0016E5_`. Where most
 * images had a sequence of their own by that, as `frame0001_v2.png`, and all names are alike but for their numbers, it is
 * an earlier number that counts the frames. KITTI's `000001_10.png` are the frames of one sequence. Images in different
 * folders are of different sequences.
 *
 * @param images their paths below the folder of all
 */
function sequencesOf(images: readonly string[]): string[] {
  const names = images.map((image) =>
    basename(image)
      .replace(/\.\w+$/, '')
      .replace(ROBOFLOW, '')
      .replace(/^(\d{6})_\d\d$/, '$1'),
  );
  const [pattern = '', another] = new Set(names.map((name) => name.replace(/\d+/g, '#')));
  const numbers = another === undefined && names.length >= MANY ? pattern.split('#').length - 1 : 1;
  const folders = images.map((image) => (dirname(image) === '.' ? '' : `${dirname(image)}/`));
  const before = Array.from({ length: Math.max(1, numbers) }, (_, later) =>
    names.map((name, i) => `${folders[i]}${name.replace(new RegExp(`(\\d+\\D*)(\\d+\\D*){${later}}$`), '')}`),
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
  const sequences = sequencesOf(images.map((image) => relative(folder, image)));
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

/**
 * `{train,val,test}/{images,labels}/NAME.png`, or `{train,val,test}` beside `{train,val,test}annot`.
 *
 * @param classes that the labels have, instead of CamVid's
 */
function camvid(folder: string, classes?: NamedClasses): FolderLayout | undefined {
  const split = (name: string): FramePair[] | undefined => {
    const nested = ['images', 'labels'].some((kind) => existsSync(join(folder, name, kind)));
    const labels = nested ? join(folder, name, 'labels') : join(folder, `${name}annot`);
    if (!nested && !existsSync(labels)) return undefined;
    const places = ['.png', '_L.png'].map((end) => ({ folder: labels, end, maps: classes?.maps ?? CAMVID }));
    return pairs(nested ? join(folder, name, 'images') : join(folder, name), '', places);
  };
  const [train, val] = [split('train'), split('val')];
  if (!train && !val) return undefined;
  const pool = inOrder([...(train ?? []), ...(val ?? [])], ({ image }) => belowSplit(folder, image));
  return { name: classes ? 'images and labels' : 'camvid', pool, test: split('test') ?? [], classes };
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

/** `images/NAME.jpg` and `labels/NAME.png`, with classes that the folder names. */
function named(folder: string, classes: NamedClasses): FolderLayout | undefined {
  const splits = camvid(folder, classes);
  if (splits || !existsSync(join(folder, 'images'))) return splits;
  return { name: 'images and labels', pool: namedFrames(folder, classes), test: [], classes };
}

/** The frames of one folder with `images/` and `labels/`. @throws {Error} naming an image without labels */
export function namedFrames(folder: string, { maps }: NamedClasses): FramePair[] {
  return pairs(join(folder, 'images'), '', [{ folder: join(folder, 'labels'), end: '.png', maps }]);
}

/** A file of COCO's annotations, or `annotations/instances_{train,val}….json`: then `val` is the test. */
function coco(folder: string): { readonly pool: CocoFile; readonly test?: CocoFile } | undefined {
  const paths = cocoPaths(folder);
  const [first] = paths;
  if (first === undefined) return undefined;
  const of = (set: string) => paths.find((path) => basename(path).startsWith(`instances_${set}`));
  const [pool, test] = paths.length === 1 ? [first] : [of('train'), of('val')];
  if (pool === undefined || (paths.length > 1 && test === undefined)) {
    const names = paths.map((path) => basename(path)).join(', ');
    throw new Error(
      `${dirname(first)}: expected one file, or instances_train….json and instances_val….json, got ${names}`,
    );
  }
  return { pool: readCoco(pool), ...(test !== undefined && { test: readCoco(test) }) };
}

/** The pictures of a file of annotations, in the order of their names, each with what `of` makes of it. */
function cocoFrames<Own>(file: CocoFile, of: (picture: CocoPicture) => Own): (Own & Omit<FrameFiles, 'maps'>)[] {
  const pictures = inOrder(file.pictures, ({ name }) => name);
  const sequences = sequencesOf(pictures.map(({ name }) => name));
  return pictures.map((picture, i) => {
    return { ...of(picture), image: cocoImage(file.path, picture), labels: file.path, sequence: sequences[i]! };
  });
}

/** The frames of a file of annotations, whose objects are painted. @param names of the classes */
export function paintedFrames(file: CocoFile, { names, maps }: Pick<NamedClasses, 'names' | 'maps'>): FramePair[] {
  return cocoFrames(file, (picture) => ({ maps, painted: { picture, names } }));
}

function cocoMasks(folder: string): FolderLayout | undefined {
  const files = coco(folder);
  if (!files) return undefined;
  const classes = cocoClasses(files.pool);
  const test = files.test ? paintedFrames(files.test, classes) : [];
  return { name: 'coco', pool: paintedFrames(files.pool, classes), test, classes };
}

/** The frames of a file of annotations, with the boxes of the classes that are wanted. */
export function cocoBoxes(file: CocoFile, { classes }: Pick<WantedBoxes, 'classes'>): BoxFrame[] {
  const known = file.categories.map(({ name }) => name);
  const missing = classes.find((name) => !known.includes(name));
  if (missing !== undefined) {
    throw new RangeError(`classes: expected categories of ${file.path} (${known.join(', ')}), got ${missing}`);
  }
  return cocoFrames(file, ({ objects, width, height }) => ({
    size: { width, height },
    maps: { name: `boxes of ${classes.join()}` },
    boxes: () =>
      objects.flatMap(({ place, category, isCrowd, bbox }): TrueBox[] => {
        if (!classes.includes(category)) return [];
        if (!bbox) throw new Error(`${place}: expected a box (bbox), got none`);
        const [x, y, width, height] = bbox;
        return [{ category, ignored: isCrowd, x, y, width, height }];
      }),
  }));
}

/** `image_2/NAME.png` and `label_2/NAME.txt`, of KITTI's object benchmark; undefined where they are not there. */
export function kittiBoxes(folder: string, { classes, difficulty }: WantedBoxes): BoxFrame[] | undefined {
  const root = existsSync(join(folder, 'training')) ? join(folder, 'training') : folder;
  const [photographs, labels] = [join(root, 'image_2'), join(root, 'label_2')];
  if (!existsSync(photographs) || !existsSync(labels)) return undefined;
  classes.forEach(kittiTypes); // an unknown one is named before any file is read
  const images = inOrder(imageFiles(photographs), (image) => image);
  const sequences = sequencesOf(images.map((image) => relative(photographs, image)));
  return images.map((image, i) => {
    const file = join(labels, relative(photographs, image).replace(/\.\w+$/, '.txt'));
    if (!existsSync(file)) throw new Error(`${image}: expected its boxes at ${file}, found none`);
    return {
      ...{ image, labels: file, maps: { name: `KITTI ${difficulty} ${classes.join()}` }, sequence: sequences[i]! },
      boxes: () => readKittiBoxes(file, classes, difficulty),
    };
  });
}

/**
 * Recognises the layout of a folder of images with boxes, and lists its frames.
 *
 * @throws {Error} naming the folder and the known layouts, or what is missing or breaks a rule
 */
export function readBoxLayout(folder: string, wanted: WantedBoxes): FolderLayout<BoxFrame> {
  refuseNoFolder(folder);
  const boxes = kittiBoxes(folder, wanted);
  if (boxes && boxes.length === 0) throw new Error(`${folder}: expected images in image_2, found none`);
  if (boxes) return { name: 'kitti', pool: boxes, test: [] };
  const files = coco(folder);
  if (!files) {
    const found = foundIn(folder);
    throw new Error(
      `${folder}: expected KITTI (training/image_2, training/label_2) or COCO (annotations.json, ` +
        `_annotations.coco.json or annotations/instances_….json), found ${found}`,
    );
  }
  return { name: 'coco', pool: cocoBoxes(files.pool, wanted), test: files.test ? cocoBoxes(files.test, wanted) : [] };
}

/** Where each layout has the images of its pool. */
const POOLS: Readonly<Record<FolderLayout['name'], string>> = {
  camvid: 'train/images or train',
  kitti: 'training/image_2',
  cityscapes: 'leftImg8bit/train',
  coco: 'the list of images',
  'images and labels': 'images, or train/images',
  photographs: 'the folder or below it',
};

/**
 * Recognises the layout of a folder and lists its frames.
 *
 * @throws {Error} naming the folder and the known layouts, or the file without its image or labels
 */
export function readLayout(folder: string): FolderLayout {
  refuseNoFolder(folder);
  const classes = classesIn(folder);
  const layout = classes
    ? named(folder, classes)
    : (camvid(folder) ?? kitti(folder) ?? cityscapes(folder) ?? cocoMasks(folder));
  if (layout === undefined) {
    const known = classes
      ? 'images/ and labels/ beside classes.json, or in train/, val/ and test/'
      : 'CamVid (train/images, train/labels), KITTI (training/image_2, training/semantic), ' +
        'Cityscapes (leftImg8bit/train, gtFine/train), COCO (annotations.json) or classes.json with images/ and labels/';
    throw new Error(`${folder}: expected ${known}, found ${foundIn(folder)}`);
  }
  refuseNone(folder, layout);
  return layout;
}

/** Folders and files below a data set that are labels, depth and the like, and no photographs. */
const NO_PHOTOGRAPH =
  /(^|[\\/])(labels?|label_\d|instances?|depths?|masks?|annotations?|\w*annot|gt\w*|semantic\w*|segmentation\w*)[\\/]|_(gt\w+|labelIds|labelTrainIds|instanceIds|depth)\.png$/i;

/** Whether it is the labels of a photograph beside it, as CamVid has them: `a_L.png` of `a.png`. */
function isLabelOf(path: string): boolean {
  const stem = /^(.*)_L\.png$/.exec(path)?.[1];
  return stem !== undefined && ['.png', '.jpg', '.jpeg'].some((end) => existsSync(`${stem}${end}`));
}

/**
 * Photographs, whose labels nobody reads, if there are any: those of `train` and `val`, with a test split in `test`
 * (Cityscapes: `train`, with `val` as the test split), of KITTI's `training/image_2`, or else all images below the folder.
 * What lies in folders of labels is none.
 *
 * @throws {Error} naming the folder without images
 */
export function readPhotographs(folder: string): FolderLayout<FrameFiles> {
  refuseNoFolder(folder);
  const [cities, kitti] = [join(folder, 'leftImg8bit'), join(folder, 'training', 'image_2')];
  const root = [cities, kitti].find(existsSync) ?? folder;
  const below = (name: string) =>
    imageFiles(join(root, name)).filter((path) => !NO_PHOTOGRAPH.test(relative(folder, path)) && !isLabelOf(path));
  const [train, val, test] = ['train', 'val', 'test'].map(below) as [string[], string[], string[]];
  const splits = root === cities ? { pool: train, test: val } : { pool: [...train, ...val], test };
  const frames = (images: readonly string[]) => {
    const nameOf = (image: string) => (root === cities ? image : belowSplit(root, image));
    const ordered = inOrder(images, nameOf);
    const sequences =
      root === cities ? ordered.map((image) => basename(dirname(image))) : sequencesOf(ordered.map(nameOf));
    return ordered.map((image, i) => ({ image, labels: image, maps: { name: 'none' }, sequence: sequences[i]! }));
  };
  const hasSplits = splits.pool.length > 0;
  const pool = frames(hasSplits ? splits.pool : below('.'));
  const layout = { name: 'photographs' as const, pool, test: hasSplits ? frames(splits.test) : [] };
  refuseNone(folder, layout);
  return layout;
}

function refuseNone(folder: string, { name, pool }: FolderLayout<FrameFiles>): void {
  if (pool.length > 0) return;
  throw new Error(`${folder}: expected images (.png, .jpg or .jpeg) in ${POOLS[name]}, found none`);
}

/** What is in a folder, for an error. */
function foundIn(folder: string): string {
  const names = namesIn(folder).flatMap((name) => {
    if (!statSync(join(folder, name), { throwIfNoEntry: false })?.isDirectory()) return name;
    const inner = namesIn(join(folder, name)).map((each) => `${name}/${each}`);
    return inner.length > 0 ? inner : `${name}, which is empty`;
  });
  return names.slice(0, 8).join(', ') || 'nothing';
}

function refuseNoFolder(folder: string): void {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new Error(
      `${folder}: expected a folder of street images, found ${existsSync(folder) ? 'a file' : 'nothing'}`,
    );
  }
}
