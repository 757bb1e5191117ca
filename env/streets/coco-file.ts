/** Reads annotations in the format of COCO: https://cocodataset.org/#format-data */
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { shown } from '../../protocol/errors.ts';
import { isRegularFile } from '../../protocol/regular-file.ts';
import { VOID } from './classes.ts';
import type { Labels } from './labels.ts';
import { checked, parsedFile, type NamedClasses } from './named-classes.ts';
import { IGNORED } from './label-maps.ts';

/** The class of pixels that no annotation covers. */
const BACKGROUND = 'background';

const key = z.union([z.int(), z.string()]);
const side = z.int().min(1).max(100_000);
const category = z.object({ id: z.int().min(0), name: z.string().min(1) });
const picture = z.object({ id: key, file_name: z.string().min(1), width: side, height: side });
const polygon = z.array(z.number()).min(6, 'expected a polygon of at least 3 points, x and y in turn');
const size = z.tuple([side, side]);
const mask = z.union(
  [z.array(polygon), z.object({ size, counts: z.union([z.string(), z.array(z.int().min(0))]) })],
  'expected polygons, or run lengths as {"size": [height, width], "counts": …}',
);
const annotation = z.object({
  image_id: key,
  category_id: z.int(),
  bbox: z.tuple([z.number(), z.number(), z.number().min(0), z.number().min(0)]).optional(),
  segmentation: mask.optional(),
  iscrowd: z.union([z.literal([0, 1]), z.boolean()]).default(0),
});
const file = z.object({
  images: z.array(picture),
  annotations: z.array(annotation),
  categories: z.array(category).min(1),
});

/** An object in a picture. */
interface CocoAnnotation extends Pick<z.infer<typeof annotation>, 'bbox' | 'segmentation'> {
  /** Where it stands, for errors. */
  readonly place: string;
  readonly category: string;
  /** Whether it stands for many objects. */
  readonly isCrowd: boolean;
}

export interface CocoPicture {
  /** As the file names it. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly objects: readonly CocoAnnotation[];
}

export interface CocoFile {
  readonly path: string;
  readonly categories: readonly z.infer<typeof category>[];
  readonly pictures: readonly CocoPicture[];
}

/** The files of annotations in a folder, as COCO and the usual tools for annotation name them. */
export function cocoPaths(folder: string): string[] {
  const single = ['annotations.json', '_annotations.coco.json'].map((name) => join(folder, name));
  const found = single.find((path) => isRegularFile(path));
  if (found !== undefined) return [found];
  const inner = join(folder, 'annotations');
  const names = existsSync(inner) ? readdirSync(inner) : [];
  return names
    .filter((name) => /^instances_.*\.json$/.test(name))
    .sort()
    .map((name) => join(inner, name));
}

/** @throws {Error} naming the file, the place in it, the rule and the value */
export function readCoco(path: string): CocoFile {
  const { images, annotations, categories } = parsedFile(path, file);
  const names = new Map(categories.map(({ id, name }) => [id, name]));
  const objects = new Map(images.map(({ id }) => [id, [] as CocoAnnotation[]]));
  if (objects.size < images.length) throw new Error(`${path}: images: expected an id of its own for each image`);
  for (const [i, { image_id, category_id, bbox, segmentation, iscrowd }] of annotations.entries()) {
    const place = `${path}: annotations.${i}`;
    const category = names.get(category_id);
    if (category === undefined) {
      throw new Error(`${place}.category_id: expected the id of one of the categories, got ${category_id}`);
    }
    const all = objects.get(image_id);
    if (!all) throw new Error(`${place}.image_id: expected the id of one of the images, got ${shown(image_id)}`);
    all.push({ place, category, isCrowd: iscrowd === true || iscrowd === 1, bbox, segmentation });
  }
  const pictures = images.map(({ id, file_name, width, height }) => {
    return { name: file_name, width, height, objects: objects.get(id)! };
  });
  return { path, categories, pictures };
}

/**
 * The image of a picture: beside the file of annotations, or where COCO and the usual tools put it.
 *
 * @throws {Error} naming the file that is missing
 */
export function cocoImage(path: string, { name }: CocoPicture): string {
  const [, set] = /^instances_(.*)\.json$/.exec(basename(path)) ?? [];
  const folder = set === undefined ? dirname(path) : dirname(dirname(path));
  const places = [
    name,
    join('images', name),
    ...(set === undefined ? [] : [join(set, name), join('images', set, name)]),
  ];
  const found = places.map((place) => join(folder, place)).find((place) => isRegularFile(place));
  if (found !== undefined) return found;
  throw new Error(`${join(folder, name)}: expected an image, since ${path} names it, found none`);
}

/** The categories as classes, after the background. In label images, they have the ids of the categories. */
export function cocoClasses({ path, categories }: CocoFile): NamedClasses {
  const names = [...new Set([BACKGROUND, ...categories.map(({ name }) => name)])];
  const ids = new Map<number, number>([...IGNORED.map((value) => [value, VOID] as const), [0, 0]]);
  for (const { id, name } of categories) ids.set(id, names.indexOf(name));
  return { path, names: checked(names, path), maps: { name: `classes ${names.join()}`, ids, palette: new Map() } };
}

/**
 * Paints the objects of a picture: the larger ones first, so that none hides a smaller one. Where only a crowd is, the
 * class is unknown.
 *
 * @param names of the classes; where no object is, the class is the background, if there is such a class
 * @throws {Error} naming the object whose category is none of the classes, or which has no mask
 */
export function paintedLabels({ width, height, objects }: CocoPicture, names: readonly string[]): Labels {
  const background = names.indexOf(BACKGROUND);
  const classes = new Uint8Array(width * height).fill(background < 0 ? VOID : background);
  const masks = objects.map((object) => {
    const id = names.indexOf(object.category);
    if (id < 0) throw new Error(`${object.place}: expected a category of ${names.join(', ')}, got ${object.category}`);
    const mask = maskOf(object, width, height);
    return { mask, id: object.isCrowd ? VOID : id, rank: object.isCrowd ? Infinity : area(mask) };
  });
  masks.sort((a, b) => b.rank - a.rank);
  for (const { mask, id } of masks) mask.forEach((inside, at) => inside && (classes[at] = id));
  return { width, height, classes };
}

const area = (mask: Uint8Array) => mask.reduce((sum, inside) => sum + inside, 0);

/** The mask of an object, 0 or 1, uint8 [height, width]. */
function maskOf({ place, segmentation }: CocoAnnotation, width: number, height: number): Uint8Array {
  if (segmentation === undefined || (Array.isArray(segmentation) && segmentation.length === 0)) {
    throw new Error(`${place}: expected a mask (segmentation), got none`);
  }
  if (Array.isArray(segmentation)) return filled(segmentation, width, height);
  const [rows, columns] = segmentation.size;
  if (rows !== height || columns !== width) {
    throw new Error(
      `${place}.segmentation.size: expected [${height},${width}], as its image, got [${rows},${columns}]`,
    );
  }
  const { counts } = segmentation;
  const runs = typeof counts === 'string' ? runLengthsIn(counts) : counts;
  const total = runs.reduce((sum, run) => sum + run, 0);
  if (total !== width * height || runs.some((run) => run < 0)) {
    throw new Error(`${place}.segmentation.counts: expected runs of ${width * height} pixels, got ${total}`);
  }
  const mask = new Uint8Array(width * height);
  let at = 0; // column by column
  for (const [i, run] of runs.entries()) {
    if (i % 2 === 1) for (let k = at; k < at + run; k++) mask[(k % height) * width + Math.floor(k / height)] = 1;
    at += run;
  }
  return mask;
}

/**
 * Run lengths from COCO's short form: each number is written in pieces of 5 bits, the lowest first, as characters from
 * '0' on with a bit that says whether more follow; from the third run on it is the difference to the last but one.
 */
function runLengthsIn(text: string): number[] {
  const runs: number[] = [];
  for (let at = 0; at < text.length;) {
    let value = 0;
    let piece: number;
    let shift = 0;
    do {
      piece = text.charCodeAt(at++) - 48;
      value += (piece & 31) * 2 ** shift;
      shift += 5;
    } while (piece & 32 && at < text.length);
    if (piece & 16) value -= 2 ** shift;
    runs.push(runs.length > 2 ? value + runs.at(-2)! : value);
  }
  return runs;
}

/** The pixels whose centres are within a polygon. @param polygons x and y in turn, each */
function filled(polygons: readonly (readonly number[])[], width: number, height: number): Uint8Array {
  const mask = new Uint8Array(width * height);
  for (const points of polygons) {
    for (let row = 0; row < height; row++) {
      const crossings = crossingsAt(points, row + 0.5);
      for (let i = 0; i + 1 < crossings.length; i += 2) {
        const from = Math.max(0, Math.ceil(crossings[i]! - 0.5));
        const to = Math.min(width, Math.ceil(crossings[i + 1]! - 0.5));
        if (from < to) mask.fill(1, row * width + from, row * width + to);
      }
    }
  }
  return mask;
}

/** Where the edges of a polygon cross a height, ascending. */
function crossingsAt(points: readonly number[], y: number): number[] {
  const count = points.length >> 1;
  const crossings: number[] = [];
  for (let i = 0; i < count; i++) {
    const next = (i + 1) % count;
    const [x0, y0, x1, y1] = [points[2 * i]!, points[2 * i + 1]!, points[2 * next]!, points[2 * next + 1]!];
    if (y0 <= y !== y1 <= y) crossings.push(x0 + ((y - y0) * (x1 - x0)) / (y1 - y0));
  }
  return crossings.sort((a, b) => a - b);
}
