/**
 * Reads images with labels from a folder as `npm run dataset` writes it, whoever has written it:
 *
 *     images/000000.png     or .jpg
 *     labels/000000.png     ids or colours of Cityscapes' classes
 *     instances/000000.png  ids of objects; where cars are counted or detected
 *     metadata.jsonl        a line for each image: {"index": 0, "cars": [{"instance": 1, "type": "van"}]}; likewise
 *     annotations.json      in the format of COCO, in the place of labels, or of instances and metadata
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { shown, valueAt } from '../../protocol/errors.ts';
import { isRegularFile } from '../../protocol/regular-file.ts';
import { boxesOf } from '../simulators/traffic/boxed.ts';
import { CAR_TYPES } from '../simulators/traffic/parameters.ts';
import type { PictureSize } from '../simulators/traffic/scene.ts';
import { cocoBoxes, paintedFrames, type FramePair } from '../streets/folder-layouts.ts';
import type { BoxedImage } from '../streets/boxed-image.ts';
import { VOID } from '../streets/classes.ts';
import { cocoPaths, readCoco, type CocoFile } from '../streets/coco-file.ts';
import { decodedFile } from '../streets/image-file.ts';
import { CITYSCAPES_TRAIN } from '../streets/label-maps.ts';
import type { LabelledImage } from '../streets/labelled-image.ts';
import { readPhotograph } from '../streets/photograph.ts';
import { storedSamples } from '../streets/stored-samples.ts';
import type { NamedClasses } from '../streets/named-classes.ts';
import { fewAtOnce, fitted, nearestPixels, readBoxFrame, readFrame } from '../streets/street-images.ts';
import type { CountableImage } from '../tasks/counting/counts.ts';
import { frameName } from './frame.ts';

const EXTENSIONS = ['.png', '.jpg', '.jpeg'];

/** The numbers of the images in a folder, ascending. @throws {Error} naming the folder, where it has none */
export function pictureIndices(folder: string): number[] {
  const images = join(folder, 'images');
  const names = existsSync(images) ? readdirSync(images) : [];
  const indices = names.flatMap((name) => {
    const [, digits] = /^(\d{6,})\.(png|jpe?g)$/.exec(name) ?? [];
    return digits === undefined ? [] : [Number(digits)];
  });
  if (indices.length === 0) throw new Error(`${images}: expected images named 000000.png, 000001.png, …, found none`);
  return indices.sort((a, b) => a - b);
}

/** The file of an image. @throws {Error} naming the file that is missing */
export function imageFile(folder: string, index: number): string {
  const stem = join(folder, 'images', frameName(index));
  const found = EXTENSIONS.map((end) => `${stem}${end}`).find((path) => isRegularFile(path));
  if (found !== undefined) return found;
  throw new Error(`${stem}.png: expected an image, or ${frameName(index)}.jpg, found none`);
}

/** The files of images alone. @throws {Error} naming the file that is missing */
export const imagesOf = (folder: string, indices: readonly number[]) =>
  indices.map((index) => ({ image: imageFile(folder, index) }));

/** The file with a number for each pixel of an image. @throws {Error} naming the file that is missing */
function numbersFile(folder: string, kind: 'labels' | 'instances', index: number): string {
  const path = join(folder, kind, `${frameName(index)}.png`);
  if (isRegularFile(path)) return path;
  throw new Error(`${path}: expected the ${kind} of image ${index}, found none`);
}

/**
 * The files of an image with its labels.
 *
 * @param named the classes of the labels, where they are not Cityscapes'
 * @throws {Error} naming the file that is missing
 */
export function pictureFiles(folder: string, index: number, named?: NamedClasses): FramePair {
  const image = imageFile(folder, index);
  const labels = numbersFile(folder, 'labels', index);
  return { image, labels, maps: named?.maps ?? CITYSCAPES_TRAIN, sequence: '' };
}

/** The file of COCO's annotations in a folder that has no other truth; undefined where there is none. */
function annotationsOf(folder: string, other: string): CocoFile | undefined {
  const [path] = existsSync(join(folder, other)) ? [] : cocoPaths(folder);
  return path === undefined ? undefined : readCoco(path);
}

/** Of the frames of a file of annotations, those with these numbers. @throws {Error} naming the image that it lacks */
function numbered<Found extends { readonly image: string }>(
  frames: readonly Found[],
  folder: string,
  indices: readonly number[],
  { path }: CocoFile,
): Found[] {
  const byImage = new Map(frames.map((frame) => [frame.image, frame]));
  return indices.map((index) => {
    const image = imageFile(folder, index);
    const frame = byImage.get(image);
    if (frame) return frame;
    throw new Error(`${path}: images: expected one with "file_name": "images/${basename(image)}", found none`);
  });
}

/** The frames of images in a folder that a simulator has written, as {@link pictureFiles} or by COCO's annotations. */
export function writtenFrames(folder: string, indices: readonly number[], named?: NamedClasses): FramePair[] {
  const file = named && annotationsOf(folder, 'labels');
  if (!file) return indices.map((index) => pictureFiles(folder, index, named));
  return numbered(paintedFrames(file, named), folder, indices, file);
}

/**
 * Reads images with their labels, cropped and resized to `size` where they have another one.
 *
 * @param named the classes, where they are not Cityscapes'
 * @throws {Error} naming the file that is missing or broken, or whose size is not that of its labels; or the first
 *   labels, where all are void
 */
export async function readLabelled(
  folder: string,
  indices: readonly number[],
  size: PictureSize,
  named?: NamedClasses,
): Promise<LabelledImage[]> {
  const frames = writtenFrames(folder, indices, named);
  const images = await fewAtOnce(frames, (frame) => readFrame(frame, size));
  if (images.some(({ classes }) => classes.some((id) => id !== VOID))) return images;
  const expected = named ? named.names.join(', ') : 'Cityscapes’ classes';
  throw new Error(
    `${frames[0]!.labels}: expected ids or colours of ${expected}, got void everywhere, as in all label images`,
  );
}

const id = z.int().min(1).max(65_535);
/** A line of metadata.jsonl; what is not needed is not looked at. */
const metadata = z.object({
  index: z.int().min(0),
  cars: z.array(z.object({ instance: id, type: z.enum(CAR_TYPES) })),
  people: z.array(z.object({ instance: id })).default([]),
});
type Metadata = z.infer<typeof metadata>;

/** The objects of each image in a folder, by its number. @throws {Error} naming the line that breaks a rule */
function readMetadata(folder: string): ReadonlyMap<number, Metadata> {
  const path = join(folder, 'metadata.jsonl');
  if (!isRegularFile(path)) throw new Error(`${path}: expected the cars of each image, found nothing`);
  const lines = readFileSync(path, 'utf8').split('\n');
  return new Map(
    lines.flatMap((line, i) => {
      if (line.trim() === '') return [];
      const parsed = metadataIn(line, `${path}:${i + 1}`);
      return [[parsed.index, parsed] as const];
    }),
  );
}

function metadataIn(line: string, place: string): Metadata {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Error(`${place}: expected JSON, got ${shown(line)}`);
  }
  const parsed = metadata.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw new Error(`${place}: ${path.join('.') || 'line'}: ${message}, got ${shown(valueAt(value, path))}`);
}

/**
 * Reads images with their instances and cars, cropped and resized to `size` where they have another one.
 *
 * @throws {Error} naming the file that is missing or broken, or whose size is not that of its image
 */
export async function readCountable(
  folder: string,
  indices: readonly number[],
  size: PictureSize,
): Promise<(CountableImage & Pick<Metadata, 'people'>)[]> {
  const known = readMetadata(folder);
  return fewAtOnce(indices, (index) => readInstances(folder, index, size, known.get(index)));
}

/** Whether a folder has the objects of its images as {@link readCountable} reads them. */
export const hasMetadata = (folder: string): boolean => isRegularFile(join(folder, 'metadata.jsonl'));

/**
 * Reads images with the boxes of their cars and people, as {@link readCountable} reads them; or of COCO's annotations,
 * where there is no metadata.
 *
 * @param classes that are wanted
 */
export async function readBoxed(
  folder: string,
  indices: readonly number[],
  size: PictureSize,
  classes: readonly string[],
): Promise<BoxedImage[]> {
  const file = annotationsOf(folder, 'metadata.jsonl');
  if (file) {
    const frames = numbered(cocoBoxes(file, { classes }), folder, indices, file);
    return fewAtOnce(frames, (frame) => readBoxFrame(frame, size));
  }
  const images = await readCountable(folder, indices, size);
  return images.map((image) => ({ width: image.width, height: image.height, rgb: image.rgb, boxes: boxesOf(image) }));
}

async function readInstances(folder: string, index: number, size: PictureSize, known: Metadata | undefined) {
  if (!known) throw new Error(`${join(folder, 'metadata.jsonl')}: expected a line with index ${index}, found none`);
  const photograph = await readPhotograph(imageFile(folder, index));
  const path = numbersFile(folder, 'instances', index);
  const { width, height, channels, samples } = await decodedFile(path, storedSamples);
  if (channels !== 1) throw new Error(`${path}: expected one number for each pixel, got colours`);
  if (width !== photograph.width || height !== photograph.height) {
    const sizes = `${photograph.width}×${photograph.height} as its image, got ${width}×${height}`;
    throw new Error(`${path}: expected ${sizes}`);
  }
  const nearest = nearestPixels(photograph, size);
  const instances = Uint16Array.from(nearest, (position) => samples[position]!);
  const { cars, people } = known;
  return { width: size.width, height: size.height, rgb: await fitted(photograph, size), instances, cars, people };
}
