/** Reads label images, which say of each pixel what it shows. */
import { VOID } from './classes.ts';
import type { LabelMaps } from './label-maps.ts';
import { decodedFile } from './image-file.ts';
import { storedSamples, type StoredSamples } from './stored-samples.ts';

export interface Labels {
  readonly width: number;
  readonly height: number;
  /** Class ids of classes.ts, uint8 [height, width]; VOID where nothing is known. */
  readonly classes: Uint8Array;
}

/** The largest share of pixels that may be none of the data set's: labels that were scaled smoothly have more. */
const UNKNOWN_SHARE = 0.005;
/** With more values than these, labels were scaled smoothly, or compressed. */
const MANY_VALUES = 64;

/**
 * The classes of a label image: ids or colours of the data set, however they are written.
 *
 * @throws {Error} naming the file, when it is no whole PNG, or when too many of its values are none of the data set's
 */
export async function readLabels(path: string, maps: LabelMaps): Promise<Labels> {
  const stored = await decodedFile(path, storedSamples);
  const values = valuesOf(stored);
  const counts = countsOf(values);
  const classOf = meaning(stored, [...counts.keys()], maps);
  const unknown = [...counts].filter(([value]) => classOf(value) === undefined);
  refuseUnknown(path, unknown, stored);
  const known = new Map([...counts.keys()].map((value) => [value, classOf(value) ?? VOID]));
  const classes = new Uint8Array(values.length);
  for (const { value, start, end } of runs(values)) classes.fill(known.get(value)!, start, end);
  const { width, height } = stored;
  return { width, height, classes };
}

/** Stands for a colour of more than 8 bits a channel: it is in no palette. */
const WIDE_COLOUR = 2 ** 32 - 1;

/** A number for each pixel: gray, index, or colour as red · 65536 + green · 256 + blue; [height, width]. */
type Values = Uint8Array | Uint16Array | Uint32Array;

function valuesOf({ channels, samples }: StoredSamples): Values {
  if (channels === 1) return samples;
  const values = new Uint32Array(samples.length / 3);
  for (let i = 0; i < values.length; i++) {
    const [red, green, blue] = [samples[3 * i]!, samples[3 * i + 1]!, samples[3 * i + 2]!];
    values[i] = Math.max(red, green, blue) > 255 ? WIDE_COLOUR : (red << 16) | (green << 8) | blue;
  }
  return values;
}

/** Neighbours of one value: labels are mostly such. */
function* runs(values: Values): Generator<{ value: number; start: number; end: number }> {
  let start = 0;
  for (let end = 1; end <= values.length; end++) {
    if (end < values.length && values[end] === values[start]) continue;
    yield { value: values[start]!, start, end };
    start = end;
  }
}

/** How many pixels have each value. */
function countsOf(values: Values): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { value, start, end } of runs(values)) counts.set(value, (counts.get(value) ?? 0) + end - start);
  return counts;
}

type Meaning = (value: number) => number | undefined;

/** What the values stand for: a class, VOID, or undefined where they are none of the data set's. */
function meaning({ channels, palette }: StoredSamples, values: readonly number[], maps: LabelMaps): Meaning {
  const byId = (value: number) => maps.ids.get(value);
  if (channels === 1 && !palette) return byId;
  const byColour = meaningOfColours(palette ?? values, maps);
  if (!palette) return byColour ?? ((colour) => maps.palette.get(colour));
  if (!byColour || isVoc(palette)) return byId;
  return (index) => (index < palette.length ? byColour(palette[index]!) : undefined);
}

/**
 * What colours stand for: the data set's own; ids, each as red, green and blue alike (optimisers write gray so); or ids
 * in Pascal VOC's palette (optimisers change its order). Undefined for another palette, which only makes ids visible.
 *
 * Strays do not change the answer, and gray does not where there are colours: unused entries of a palette are often gray.
 */
function meaningOfColours(colours: readonly number[], { ids, palette }: LabelMaps): Meaning | undefined {
  const most = (some: readonly number[], is: (colour: number) => boolean) => some.filter(is).length > some.length / 2;
  const own = (colour: number) => palette.get(colour);
  const isOwn = (colour: number) => palette.has(colour);
  const bright = colours.filter((colour) => !isGray(colour));
  if (bright.length > 0) {
    if (most(bright, isOwn)) return own;
    return bright.every((colour) => VOC_IDS.has(colour)) ? (colour) => ids.get(VOC_IDS.get(colour) ?? NaN) : undefined;
  }
  const lit = colours.filter((gray) => gray !== 0);
  if (most(lit, (gray) => ids.has(gray & 255))) return (gray) => ids.get(gray & 255);
  return most(colours, isOwn) ? own : undefined;
}

function isGray(colour: number): boolean {
  return colour === (colour & 255) * 0x010101;
}

/** Whether these are the first colours of Pascal VOC's palette, some of which CamVid has too, for other classes. */
function isVoc(palette: readonly number[]): boolean {
  return !palette.every(isGray) && palette.every((colour, id) => isGray(colour) || VOC_IDS.get(colour) === id);
}

/** The ids of Pascal VOC's colours: bits of the id go to red, green and blue in turn, from their highest bit down. */
const VOC_IDS: ReadonlyMap<number, number> = new Map(
  Array.from({ length: 256 }, (_, id) => {
    let colour = 0;
    for (let bit = 0; bit < 8; bit++) {
      if (id & (1 << bit)) colour |= 1 << (8 * (2 - (bit % 3)) + 7 - Math.floor(bit / 3));
    }
    return [colour, id];
  }),
);

/** @throws {Error} when more pixels than a few strays are none of the data set's */
function refuseUnknown(
  path: string,
  unknown: readonly (readonly [value: number, pixels: number])[],
  { width, height, channels }: StoredSamples,
): void {
  const share = unknown.reduce((sum, [, pixels]) => sum + pixels, 0) / (width * height);
  if (share <= UNKNOWN_SHARE) return;
  const [value] = unknown[0]!;
  const such = channels === 1 ? `${value}` : `#${value.toString(16).padStart(6, '0')}`;
  const hint = unknown.length > MANY_VALUES ? '; they look scaled smoothly, or compressed' : '';
  throw new Error(
    `${path}: expected ids or colours of the data set, got ${unknown.length} others in ${(100 * share).toFixed(1)} % ` +
      `of the pixels, such as ${such}${hint}`,
  );
}
