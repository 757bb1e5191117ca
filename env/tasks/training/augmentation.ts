/**
 * Turns an image into the input of a network: resampled, jittered, standardised, cut into patches.
 *
 * An image is seen through a *view*: which part is seen, whether it is mirrored, and how its colours change. Scoring
 * uses the plain view; training draws a view for each image and step.
 */
import type { Random } from '../../../protocol/random.ts';
import { PATCH, SIGHT } from './resolution.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** What a network sees of an image. */
export interface Picture extends Size {
  /** Colours as a screen shows them (sRGB), uint8 [height, width, 3]. */
  readonly rgb: Uint8Array;
}

/**
 * How the brightness of an image is normalised. `own`: each image to mean 0 and standard deviation 1, so that a network
 * trained in simulated light works in real light. `fixed`: all images with the same numbers, so that the network sees
 * the light, and with it the weather.
 */
export type Levels = 'own' | 'fixed';

export interface ImageView {
  /** The part that is seen, in pixels of the image. */
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly mirrored: boolean;
  /** What each byte of red, green and blue becomes, 0 to 1, float32 [3, 256]. */
  readonly tone: Float32Array;
  /** Standard deviation of the noise added to every value. */
  readonly noise: number;
  readonly levels: Levels;
}

const plainTone = Float32Array.from({ length: 3 * 256 }, (_, i) => (i % 256) / 255);

/** The whole image as it is. */
export function plainView({ width, height }: Size, levels: Levels = 'own'): ImageView {
  return { left: 0, top: 0, width, height, mirrored: false, tone: plainTone, noise: 0, levels };
}

/**
 * A random view: a crop of `smallest` to 1 of each side, mirrored half of the time, gamma and brightness up to a factor
 * of 1.5, each channel up to 1.1, and slight noise. Without the colour jitter, a network trained on simulated images
 * does worse on real ones.
 */
export function randomView(
  { width, height }: Size,
  smallest: number,
  random: Random,
  levels: Levels = 'own',
): ImageView {
  const zoom = random.uniform(smallest, 1);
  const factor = (most: number) => Math.exp(random.uniform(-1, 1) * Math.log(most));
  const gamma = factor(1.5);
  const brightness = factor(1.5);
  const gains = [1, 2, 3].map(() => brightness * factor(1.1));
  const tone = new Float32Array(3 * 256);
  for (let byte = 0; byte < 256; byte++) {
    const shade = Math.pow(byte / 255, gamma);
    for (let channel = 0; channel < 3; channel++) tone[channel * 256 + byte] = Math.min(1, gains[channel]! * shade);
  }
  return {
    left: random.uniform(0, width * (1 - zoom)),
    top: random.uniform(0, height * (1 - zoom)),
    width: width * zoom,
    height: height * zoom,
    mirrored: random.chance(0.5),
    tone,
    noise: random.uniform(0, 0.03),
    levels,
  };
}

/** Standard normal numbers to draw noise from: looking one up is much faster than drawing it. */
export function noiseTable(random: Random): Float32Array {
  return Float32Array.from({ length: 1 << 16 }, () => random.normal());
}

/** Where each position of the network's grid is on one axis of the image. */
export interface Axis {
  /** The two neighbours and the weight of the second, for colours. */
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly weight: Float32Array;
  /** The pixel that it is in, for labels. */
  readonly nearest: Int32Array;
}

function axis(start: number, extent: number, pixels: number, size: number, mirrored: boolean): Axis {
  const result: Axis = {
    low: new Int32Array(size),
    high: new Int32Array(size),
    weight: new Float32Array(size),
    nearest: new Int32Array(size),
  };
  for (let i = 0; i < size; i++) {
    const position = start + (((mirrored ? size - 1 - i : i) + 0.5) * extent) / size; // pixel edges at whole numbers
    const centre = Math.min(pixels - 1, Math.max(0, position - 0.5));
    const low = Math.min(Math.floor(centre), Math.max(0, pixels - 2));
    result.low[i] = low;
    result.high[i] = Math.min(low + 1, pixels - 1);
    result.weight[i] = centre - low;
    result.nearest[i] = Math.min(pixels - 1, Math.max(0, Math.floor(position)));
  }
  return result;
}

/** Where the network's columns and rows are in an image of this size, seen through the view. */
export function axes(image: Size, view: ImageView, size: Size): { readonly columns: Axis; readonly rows: Axis } {
  return {
    columns: axis(view.left, view.width, image.width, size.width, view.mirrored),
    rows: axis(view.top, view.height, image.height, size.height, false),
  };
}

/**
 * Writes the image, seen through the view, as overlapping patches: resampled bilinearly, minus a mean, divided by a
 * standard deviation. Both are the image's own or fixed ones, as `view.levels` says.
 *
 * A patch is what a convolution of SIGHT × SIGHT pixels with stride PATCH sees at one position, so that this
 * convolution is a plain matrix product. Pixels beyond the image's edge are 0, the mean.
 *
 * @param size    of the network's input, in pixels, multiples of PATCH
 * @param patches is overwritten, [height / PATCH, width / PATCH, SIGHT · SIGHT · 3]
 * @param noise   of {@link noiseTable}, read from position `noiseStart` on
 */
export function writePatches(
  image: Picture,
  view: ImageView,
  size: Size,
  patches: Float32Array,
  noise: Float32Array,
  noiseStart: number,
): void {
  const pixels = resample(image, view, size, noise, noiseStart);
  if (view.levels === 'own') standardise(pixels, size);
  else shift(pixels, size, FIXED_MEAN, 1 / FIXED_DEVIATION);
  const rowLength = (size.width + 2 * MARGIN) * 3;
  let to = 0;
  for (let top = 0; top < size.height; top += PATCH) {
    for (let left = 0; left < size.width * 3; left += PATCH * 3) {
      for (let y = top; y < top + SIGHT; y++) {
        const from = y * rowLength + left;
        for (let i = from; i < from + SIGHT * 3; i++) patches[to++] = pixels[i]!;
      }
    }
  }
}

/** How far the first and the last patch of a row or column reach beyond the edge, in pixels. */
const MARGIN = (SIGHT - PATCH) / 2;

/** Normalises the pixels to mean 0 and standard deviation 1, in place; the margin around them stays as it is. */
function standardise(pixels: Float32Array, { width, height }: Size): void {
  const rowLength = (width + 2 * MARGIN) * 3;
  const start = MARGIN * (rowLength + 3);
  const count = width * height * 3;
  let sum = 0;
  let sumOfSquares = 0;
  for (let y = 0, from = start; y < height; y++, from += rowLength) {
    for (let i = from; i < from + width * 3; i++) {
      sum += pixels[i]!;
      sumOfSquares += pixels[i]! * pixels[i]!;
    }
  }
  const mean = sum / count;
  const deviation = Math.sqrt(Math.max(0, sumOfSquares / count - mean * mean));
  shift(pixels, { width, height }, mean, 1 / Math.max(deviation, 1e-3));
}

/** About the mean and standard deviation of all the simulator's images together. */
const FIXED_MEAN = 0.4;
const FIXED_DEVIATION = 0.25;

function shift(pixels: Float32Array, { width, height }: Size, mean: number, scale: number): void {
  const rowLength = (width + 2 * MARGIN) * 3;
  for (let y = 0, from = MARGIN * (rowLength + 3); y < height; y++, from += rowLength) {
    for (let i = from; i < from + width * 3; i++) pixels[i] = (pixels[i]! - mean) * scale;
  }
}

/** The image as it appears through the view, in a margin of zeros: [MARGIN + height + MARGIN, …width…, 3]. */
function resample(image: Picture, view: ImageView, size: Size, noise: Float32Array, noiseStart: number): Float32Array {
  const { columns, rows } = axes(image, view, size);
  const rowLength = size.width * 3;
  const pixels = new Float32Array((size.height + 2 * MARGIN) * (rowLength + 2 * MARGIN * 3));
  // The two rows of the image above and below the present row; the next row is mostly between the same two.
  let [upper, lower] = [new Float32Array(rowLength), new Float32Array(rowLength)];
  let [upperRow, lowerRow] = [-1, -1];
  const noiseMask = noise.length - 1;
  const deviation = view.noise;
  let noiseAt = noiseStart;
  for (let y = 0; y < size.height; y++) {
    const [low, high] = [rows.low[y]!, rows.high[y]!];
    if (low === lowerRow) [upper, lower, upperRow, lowerRow] = [lower, upper, lowerRow, upperRow];
    if (low !== upperRow) writeRow(image, (upperRow = low), columns, view.tone, upper);
    if (high !== lowerRow) writeRow(image, (lowerRow = high), columns, view.tone, lower);
    const down = rows.weight[y]!;
    const to = (y + MARGIN) * (rowLength + 2 * MARGIN * 3) + MARGIN * 3;
    for (let i = 0; i < rowLength; i++, noiseAt++) {
      const above = upper[i]!;
      pixels[to + i] = above + (lower[i]! - above) * down + deviation * noise[noiseAt & noiseMask]!;
    }
  }
  return pixels;
}

/** Writes a row of the image as it appears at the network's columns, [width, 3]. */
function writeRow({ rgb, width }: Picture, row: number, columns: Axis, tone: Float32Array, line: Float32Array): void {
  const start = row * width;
  for (let x = 0, to = 0; x < columns.low.length; x++, to += 3) {
    const left = (start + columns.low[x]!) * 3;
    const right = (start + columns.high[x]!) * 3;
    const across = columns.weight[x]!;
    const red = tone[rgb[left]!]!;
    const green = tone[256 + rgb[left + 1]!]!;
    const blue = tone[512 + rgb[left + 2]!]!;
    line[to] = red + (tone[rgb[right]!]! - red) * across;
    line[to + 1] = green + (tone[256 + rgb[right + 1]!]! - green) * across;
    line[to + 2] = blue + (tone[512 + rgb[right + 2]!]! - blue) * across;
  }
}
