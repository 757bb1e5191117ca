/** Where the public street data sets keep their images and labels. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import {
  CAMVID_11,
  CAMVID_PALETTE,
  CITYSCAPES_LABEL_IDS,
  CITYSCAPES_PALETTE,
  type IdMap,
  type Palette,
} from './label-maps.ts';

/** The paths of an image and of its labels. */
export interface FramePair {
  readonly image: string;
  readonly labels: string;
  /** The sequence that the frame belongs to. Neighbouring frames of a sequence look alike. */
  readonly sequence: string;
}

/** The frames of a folder, and how to read their labels. */
export interface FolderLayout {
  readonly name: 'camvid' | 'kitti' | 'cityscapes';
  readonly ids: IdMap;
  readonly palette: Palette;
  /** Frames for validation and training, in the order of their sequences. */
  readonly pool: readonly FramePair[];
  /** The data set's own test frames that have public labels (of Cityscapes, its `val`; of KITTI, none). */
  readonly test: readonly FramePair[];
}

/** Files below `folder`, sorted by name. */
function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => /\.(png|jpe?g)$/i.test(path))
    .sort();
}

/** `0016E5_00390.png` belongs to sequence `0016E5`. */
const sequenceOf = (path: string) => basename(path).replace(/_[^_]*$/, '');

/**
 * Pairs each image with its labels.
 *
 * @throws {Error} naming the image whose labels are missing
 */
function pairs(images: readonly string[], labelsOf: (image: string) => string[]): FramePair[] {
  return images.map((image) => {
    const candidates = labelsOf(image);
    const labels = candidates.find((path) => existsSync(path));
    if (labels === undefined)
      throw new Error(`${image}: expected its labels at ${candidates.join(' or ')}, found none`);
    return { image, labels, sequence: sequenceOf(image) };
  });
}

/** `{train,val,test}/{images,labels}/NAME.png`, or `{train,val,test}` beside `{train,val,test}annot`. */
function camvid(folder: string): FolderLayout | undefined {
  const split = (name: string): FramePair[] => {
    const images = join(folder, name, 'images');
    const nested = existsSync(images);
    if (!nested && !existsSync(join(folder, `${name}annot`))) return [];
    return pairs(files(nested ? images : join(folder, name)), (image) => {
      const stem = basename(image).replace(/\.\w+$/, '');
      const labels = nested ? join(folder, name, 'labels') : join(folder, `${name}annot`);
      return [join(labels, `${stem}.png`), join(labels, `${stem}_L.png`)];
    });
  };
  const pool = [...split('train'), ...split('val')].sort((a, b) => (basename(a.image) < basename(b.image) ? -1 : 1));
  if (pool.length === 0) return undefined;
  return { name: 'camvid', ids: CAMVID_11, palette: CAMVID_PALETTE, pool, test: split('test') };
}

/** `training/image_2/NAME.png` and `training/semantic/NAME.png`, of KITTI's semantic benchmark. */
function kitti(folder: string): FolderLayout | undefined {
  const root = existsSync(join(folder, 'training')) ? join(folder, 'training') : folder;
  const images = join(root, 'image_2');
  if (!existsSync(images) || !existsSync(join(root, 'semantic'))) return undefined;
  const pool = pairs(files(images), (image) => [join(root, 'semantic', basename(image))]);
  return { name: 'kitti', ids: CITYSCAPES_LABEL_IDS, palette: CITYSCAPES_PALETTE, pool, test: [] };
}

/** `leftImg8bit/SPLIT/CITY/…_leftImg8bit.png` and `gtFine/SPLIT/CITY/…_gtFine_labelIds.png` or `_color.png`. */
function cityscapes(folder: string): FolderLayout | undefined {
  const images = join(folder, 'leftImg8bit');
  const split = (name: string): FramePair[] => {
    if (!existsSync(join(images, name))) return [];
    return pairs(files(join(images, name)), (image) => {
      const stem = join(folder, 'gtFine', relative(images, image)).replace('_leftImg8bit.png', '_gtFine');
      return [`${stem}_labelIds.png`, `${stem}_color.png`];
    }).map((pair) => ({ ...pair, sequence: basename(dirname(pair.image)) }));
  };
  const pool = split('train');
  if (pool.length === 0) return undefined;
  return { name: 'cityscapes', ids: CITYSCAPES_LABEL_IDS, palette: CITYSCAPES_PALETTE, pool, test: split('val') };
}

/**
 * Recognises the layout of a folder and lists its frames.
 *
 * @throws {Error} naming the folder and the known layouts, or the image without labels
 */
export function readLayout(folder: string): FolderLayout {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new Error(
      `${folder}: expected a folder of street images, found ${existsSync(folder) ? 'a file' : 'nothing'}`,
    );
  }
  const layout = camvid(folder) ?? kitti(folder) ?? cityscapes(folder);
  if (layout === undefined) {
    throw new Error(
      `${folder}: expected CamVid (train/images, train/labels), KITTI (training/image_2, training/semantic) or ` +
        `Cityscapes (leftImg8bit/train, gtFine/train), found ${readdirSync(folder).slice(0, 8).join(', ') || 'nothing'}`,
    );
  }
  return layout;
}
