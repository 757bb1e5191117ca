/** One picture of a data set and everything that is known about it, as files. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { writeWhole } from '../../protocol/whole-file.ts';
import { CLASSES, VOID } from '../streets/classes.ts';
import type { LabelledImage } from '../streets/labelled-image.ts';
import { isAlive } from '../is-alive.ts';
import { countCars, type Annotation } from '../simulators/traffic/annotations.ts';
import { CAR_TYPES } from '../simulators/traffic/parameters.ts';
import type { TrafficImage } from '../simulators/traffic/traffic.ts';
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
  /** Of all else in the record, and of the bytes of the pictures. */
  readonly hash: string;
}

/** `000012` */
export function frameName(index: number): string {
  return String(index).padStart(6, '0');
}

/** An image and its labels, as pictures. */
function labelledPictures({ width, height, rgb, classes }: LabelledImage) {
  const camvid = classes.map((id) => (id === VOID ? CAMVID_VOID : (CLASSES[id]?.camvid ?? CAMVID_VOID)));
  const gray8 = (values: Uint8Array) =>
    sharp(values, { raw: { width, height, channels: 1 } })
      .png({ palette: false })
      .toColourspace('b-w');
  const images = sharp(rgb, { raw: { width, height, channels: 3 } }).png();
  return { images, labels: gray8(classes), labels_camvid: gray8(camvid) };
}

/**
 * Writes image `index` with its labels, and nothing else, into `folder`.
 *
 * @param areStreets whether the classes are those of streets, so that they have CamVid's ids too
 */
export async function writeImage(
  folder: string,
  index: number,
  image: LabelledImage,
  { areStreets = true } = {},
): Promise<void> {
  for (const [kind, picture] of Object.entries(labelledPictures(image))) {
    if (kind === 'labels_camvid' && !areStreets) continue;
    writeWhole(join(folder, kind, `${frameName(index)}.png`), await picture.toBuffer());
  }
}

/**
 * Writes the files of picture `index` into `folder`. `frames/NNNNNN.json` comes last: if it exists, all files do, and it
 * tells whether they are as they were.
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
  const { width, height, instances, depth } = image;
  const name = `${frameName(index)}.png`;
  const gray16 = (values: Uint16Array) =>
    sharp(values, { raw: { width, height, channels: 1 } })
      .toColourspace('grey16')
      .png();
  const centimetres = Uint16Array.from(depth, (metres) =>
    Number.isFinite(metres) ? Math.min(65535, Math.max(1, Math.round(metres * DEPTH_STEPS))) : 0,
  );
  const pictures: Record<(typeof KINDS)[number], Sharp> = {
    ...labelledPictures(image),
    instances: gray16(instances),
    depth: gray16(centimetres),
  };
  const bytes = await Promise.all(KINDS.map((kind) => pictures[kind].toBuffer()));
  KINDS.forEach((kind, i) => writeWhole(join(folder, kind, name), bytes[i]!));
  const described = describe(index, image, annotations, known);
  const record: FrameRecord = { ...described, hash: frameHash(described, bytes) };
  writeWhole(frameFile(folder, index), `${JSON.stringify(record)}\n`);
}

/** @param pictures the bytes of each, in the order of {@link KINDS} */
export function frameHash({ metadata, objects }: Omit<FrameRecord, 'hash'>, pictures: readonly Uint8Array[]): string {
  const hash = createHash('sha256').update(JSON.stringify([metadata, objects]));
  for (const bytes of pictures) hash.update(bytes);
  return hash.digest('hex').slice(0, 32);
}

/** The number of the picture that a file in frames/ belongs to; undefined for other files. */
export function frameIndex(name: string): number | undefined {
  const [, digits] = /^(\d+)\.json$/.exec(name) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

export function frameFile(folder: string, index: number): string {
  return join(folder, 'frames', `${frameName(index)}.json`);
}

/** Whether all files of picture `index` exist and are as they were written. */
export function isWhole(folder: string, index: number): boolean {
  try {
    const record = JSON.parse(readFileSync(frameFile(folder, index), 'utf8')) as FrameRecord;
    const pictures = KINDS.map((kind) => readFileSync(join(folder, kind, `${frameName(index)}.png`)));
    return record.metadata['index'] === index && record.hash === frameHash(record, pictures);
  } catch {
    return false; // one is missing, or the record is no JSON
  }
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
): Omit<FrameRecord, 'hash'> {
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
