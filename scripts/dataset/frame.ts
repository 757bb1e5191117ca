/** One picture of a data set and everything that is known about it, as files. */
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { writeWhole } from '../../protocol/whole-file.ts';
import { CLASSES, VOID } from '../../env/streets/classes.ts';
import { isAlive } from '../../env/is-alive.ts';
import { countCars, type Annotation } from '../../env/simulators/traffic/annotations.ts';
import { CAR_TYPES } from '../../env/simulators/traffic/parameters.ts';
import type { TrafficImage } from '../../env/simulators/traffic/traffic.ts';
import { cocoObjects, rounded, type CocoObject } from './coco.ts';

/** Depth pictures are in centimetres, and 0 is sky. */
const DEPTH_STEPS = 100;
/** The id of void beside CamVid's 11 classes. */
const CAMVID_VOID = 11;
/** The folders with one file per picture. */
const KINDS = ['images', 'labels', 'labels_camvid', 'instances', 'depth'] as const;

/** The content of `frames/NNNNNN.json`; `metadata` is a line of `metadata.jsonl`. */
export interface FrameRecord {
  readonly metadata: Record<string, unknown>;
  readonly objects: readonly CocoObject[];
}

/** `000012` */
export function frameName(index: number): string {
  return String(index).padStart(6, '0');
}

/**
 * Writes the files of picture `index` into `folder`. `frames/NNNNNN.json` comes last: if it exists, all files do.
 *
 * @param annotations the image's annotations, from `annotator`
 * @param known       fields that the whole data set has in common; each line of metadata repeats them
 */
export async function writeFrame(
  folder: string,
  index: number,
  image: TrafficImage,
  annotations: readonly Annotation[],
  known: Record<string, unknown>,
): Promise<void> {
  const { width, height, rgb, classes, instances, depth } = image;
  const name = `${frameName(index)}.png`;
  const gray8 = (values: Uint8Array) => sharp(values, { raw: { width, height, channels: 1 } }).png({ palette: false });
  const gray16 = (values: Uint16Array) =>
    sharp(values, { raw: { width, height, channels: 1 } })
      .toColourspace('grey16')
      .png();
  const camvid = classes.map((id) => (id === VOID ? CAMVID_VOID : CLASSES[id]!.camvid));
  const centimetres = Uint16Array.from(depth, (metres) =>
    Number.isFinite(metres) ? Math.min(65535, Math.max(1, Math.round(metres * DEPTH_STEPS))) : 0,
  );
  const pictures: Record<(typeof KINDS)[number], Sharp> = {
    images: sharp(rgb, { raw: { width, height, channels: 3 } }).png(),
    labels: gray8(classes).toColourspace('b-w'),
    labels_camvid: gray8(camvid).toColourspace('b-w'),
    instances: gray16(instances),
    depth: gray16(centimetres),
  };
  await Promise.all(KINDS.map(async (kind) => writeWhole(join(folder, kind, name), await pictures[kind].toBuffer())));
  writeWhole(frameFile(folder, index), `${JSON.stringify(describe(index, image, annotations, known))}\n`);
}

/** The number of the picture that a file in frames/ belongs to; undefined for other files. */
export function frameIndex(name: string): number | undefined {
  const [, digits] = /^(\d+)\.json$/.exec(name) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

export function frameFile(folder: string, index: number): string {
  return join(folder, 'frames', `${frameName(index)}.json`);
}

/** The last chunk of every PNG: no data, the name IEND, a check sum. https://www.w3.org/TR/png-3/#11IEND */
const PNG_END = Buffer.from([0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82]);
const RECORD_END = Buffer.from('}\n');

function endsWith(path: string, end: Buffer): boolean {
  if (!existsSync(path)) return false;
  const file = openSync(path, 'r');
  try {
    const found = fstatSync(file);
    if (!found.isFile() || found.size < end.length) return false;
    const last = Buffer.alloc(end.length);
    readSync(file, last, 0, end.length, found.size - end.length);
    return last.equals(end);
  } finally {
    closeSync(file);
  }
}

/** Whether all files of picture `index` exist, and each has its end: a file that was cut short has not. */
export function isWhole(folder: string, index: number): boolean {
  const pictures = KINDS.map((kind) => join(folder, kind, `${frameName(index)}.png`));
  return endsWith(frameFile(folder, index), RECORD_END) && pictures.every((path) => endsWith(path, PNG_END));
}

/** Removes unfinished files of processes that have ended. */
export function removeParts(folder: string): void {
  for (const place of ['.', 'frames', ...KINDS].map((kind) => join(folder, kind))) {
    if (!existsSync(place)) continue;
    for (const name of readdirSync(place)) {
      const [, pid] = /\.(\d+)\.part$/.exec(name) ?? [];
      if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(place, name), { force: true });
    }
  }
}

function describe(
  index: number,
  image: TrafficImage,
  annotations: readonly Annotation[],
  known: Record<string, unknown>,
): FrameRecord {
  const { width, height, instances, weather, junction, camera, cars, people } = image;
  const seen = new Map(annotations.map((annotation) => [annotation.instance, annotation]));
  const views = (instance: number) => {
    const annotation = seen.get(instance);
    if (annotation === undefined) return { visible: false };
    const { box, area, visibility, truncation, distance } = annotation;
    return {
      visible: true,
      box,
      area,
      visibility: rounded(visibility),
      truncation: rounded(truncation),
      distance: rounded(distance),
    };
  };
  const counts = countCars(image);
  return {
    metadata: {
      index,
      file: `images/${frameName(index)}.png`,
      width,
      height,
      ...known,
      weather,
      junction,
      drawn: image.drawn,
      counts: Object.fromEntries(CAR_TYPES.map((type, i) => [type, counts[i]])),
      camera,
      cars: cars.map((car) => ({ ...car, ...views(car.instance) })),
      people: people.map((person) => ({ ...person, ...views(person.instance) })),
    },
    objects: cocoObjects(index, instances, width, annotations),
  };
}
