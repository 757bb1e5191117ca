/** From light to picture: what the camera's sensor and its processing do to linear radiance. */
import { deriveSeed, Random } from '../../../protocol/random.ts';
import { linearToSrgb } from '../../render/srgb.ts';
import type { TrafficTheta } from './parameters.ts';
import { compress } from './compression.ts';
import { valueNoise } from './textures.ts';

/** Deviation of value noise. */
const VALUE_NOISE_SD = 0.22;

/**
 * Develops a picture.
 *
 * @param linear radiance, float32 [height, width, 3]; is changed
 * @param rain   strength of rain streaks, 0 to 1
 * @returns      sRGB bytes, a new uint8 [height, width, 3]
 */
export function develop(
  linear: Float32Array,
  width: number,
  height: number,
  theta: TrafficTheta,
  rain: number,
  random: Random,
): Uint8Array {
  if (rain > 0) addStreaks(linear, width, height, rain, random);
  expose(linear, width, height, theta, random);
  blur(linear, width, height, theta.blur * width * random.uniform(0.5, 1.5));
  const rgb = linearToSrgb(linear);
  grade(rgb, theta, random);
  compress(rgb, width, height, theta.compression * random.uniform(0.5, 1.5));
  return rgb;
}

/** The light varies softly between the corners of coarse cells: [ROWS + 1, COLUMNS + 1] of them. */
const COLUMNS = 12;
const ROWS = 9;
const gains = new Float64Array((ROWS + 1) * (COLUMNS + 1));

/** Brightness, colour of the light, and its slow variation over the picture. */
function expose(linear: Float32Array, width: number, height: number, theta: TrafficTheta, random: Random): void {
  const gain = 2 ** (theta.exposure + random.normal(0, theta.exposureSpread));
  const red = Math.exp(random.normal(0, theta.whiteBalanceSpread));
  const blue = Math.exp(random.normal(0, theta.whiteBalanceSpread));
  const soft = valueNoise(random.uint32(), 3, 3);
  const stops = theta.lightNoise / VALUE_NOISE_SD;
  for (let i = 0; i < gains.length; i++) {
    const [column, row] = [i % (COLUMNS + 1), Math.floor(i / (COLUMNS + 1))];
    gains[i] = gain * 2 ** (stops * (soft(column / (COLUMNS + 1), row / (ROWS + 1)) - 0.5));
  }
  for (let y = 0, i = 0; y < height; y++) {
    const down = (y / height) * ROWS;
    const row = Math.floor(down);
    for (let column = 0; column < COLUMNS; column++) {
      const cell = row * (COLUMNS + 1) + column;
      const left = gains[cell]! + (gains[cell + COLUMNS + 1]! - gains[cell]!) * (down - row);
      const right = gains[cell + 1]! + (gains[cell + COLUMNS + 2]! - gains[cell + 1]!) * (down - row);
      const start = Math.ceil((column * width) / COLUMNS);
      const end = Math.ceil(((column + 1) * width) / COLUMNS);
      const slope = ((right - left) * COLUMNS) / width;
      let local = left + slope * (start - (column * width) / COLUMNS);
      for (let x = start; x < end; x++, i += 3, local += slope) {
        linear[i]! *= local * red;
        linear[i + 1]! *= local;
        linear[i + 2]! *= local * blue;
      }
    }
  }
}

/** A picture, and a row of one with a margin. */
let scratch = new Float32Array(0);
let line = new Float32Array(0);

/** A blur of a smaller deviation than this moves less than a hundredth of a pixel's light, pixels. */
const LEAST_BLUR = 0.3;
/** A sensor saturates: light beyond this does not spread. */
const WHITE = 1.5;

/** A Gaussian blur of deviation `sigma` pixels: rows, then columns. */
function blur(linear: Float32Array, width: number, height: number, sigma: number): void {
  if (sigma < LEAST_BLUR) return;
  const radius = Math.min(6, Math.ceil(2 * sigma));
  const kernel = Float64Array.from({ length: radius + 1 }, (_, i) => Math.exp(-0.5 * (i / sigma) ** 2));
  const total = kernel.reduce((sum, weight) => sum + 2 * weight, -1);
  kernel.forEach((weight, i) => (kernel[i] = weight / total));
  if (scratch.length !== linear.length) scratch = new Float32Array(linear.length);
  const row = width * 3;
  const pad = radius * 3;
  if (line.length < row + 2 * pad) line = new Float32Array(row + 2 * pad);
  for (let at = 0; at < linear.length; at += row) {
    for (let i = 0; i < row; i++) {
      const value = linear[at + i]!;
      line[pad + i] = value < WHITE ? value : WHITE;
    }
    for (let i = 0; i < pad; i++) {
      line[i] = line[pad + (i % 3)]!;
      line[pad + row + i] = line[pad + row - 3 + (i % 3)]!;
    }
    firstTaps(scratch, at, row, line, pad, pad - 3, pad + 3, kernel[0]!, kernel[1]!);
    for (let k = 2; k <= radius; k++) moreTaps(scratch, at, row, line, pad - 3 * k, pad + 3 * k, kernel[k]!);
  }
  for (let y = 0; y < height; y++) {
    const at = y * row;
    const above = (k: number) => Math.max(0, y - k) * row;
    const below = (k: number) => Math.min(height - 1, y + k) * row;
    firstTaps(linear, at, row, scratch, at, above(1), below(1), kernel[0]!, kernel[1]!);
    for (let k = 2; k <= radius; k++) moreTaps(linear, at, row, scratch, above(k), below(k), kernel[k]!);
  }
}

/** to[at …] = w0 · from[middle …] + w1 · (from[a …] + from[b …]), `length` numbers. */
function firstTaps(
  to: Float32Array,
  at: number,
  length: number,
  from: Float32Array,
  middle: number,
  a: number,
  b: number,
  w0: number,
  w1: number,
): void {
  for (let i = 0; i < length; i++) to[at + i] = w0 * from[middle + i]! + w1 * (from[a + i]! + from[b + i]!);
}

/** to[at …] += weight · (from[a …] + from[b …]), `length` numbers. */
function moreTaps(
  to: Float32Array,
  at: number,
  length: number,
  from: Float32Array,
  a: number,
  b: number,
  weight: number,
): void {
  for (let i = 0; i < length; i++) to[at + i]! += weight * (from[a + i]! + from[b + i]!);
}

/** Normal noise, drawn once: each picture reads it from another place on. */
const NOISE_SIZE = 1 << 16;
const LAST = NOISE_SIZE - 1;
const noise = (() => {
  const random = new Random(deriveSeed(1, 'sensor noise'));
  return Float32Array.from({ length: NOISE_SIZE }, () => random.normal());
})();

/** Contrast, saturation and noise, in the picture's own (sRGB) values. */
function grade(rgb: Uint8Array, theta: TrafficTheta, random: Random): void {
  const { contrast, saturation } = theta;
  const sd = theta.pixelNoise * random.uniform(0.5, 1.5) * 255;
  // Noise of brightness and of each colour: the same numbers, read from places that never meet.
  const start = random.integer(NOISE_SIZE);
  const colour = contrast * saturation;
  const ofGray = sd * 0.8;
  const ofColour = sd * 0.6;
  // No function is made within the loop: it runs once for every pixel.
  for (let i = 0, at = start; i < rgb.length; i += 3, at++) {
    const red = rgb[i]!;
    const green = rgb[i + 1]!;
    const blue = rgb[i + 2]!;
    const gray = 0.299 * red + 0.587 * green + 0.114 * blue;
    const base = 118.5 + contrast * (gray - 118) + noise[at & LAST]! * ofGray;
    rgb[i] = clampByte(base + colour * (red - gray) + noise[(at + 7919) & LAST]! * ofColour);
    rgb[i + 1] = clampByte(base + colour * (green - gray) + noise[(at + 27644) & LAST]! * ofColour);
    rgb[i + 2] = clampByte(base + colour * (blue - gray) + noise[(at + 48611) & LAST]! * ofColour);
  }
}

function clampByte(value: number): number {
  return value <= 0 ? 0 : value >= 255 ? 255 : value | 0;
}

/** Falling drops: short bright slanted lines, brighter than what is behind them. */
function addStreaks(linear: Float32Array, width: number, height: number, rain: number, random: Random): void {
  const count = Math.round(rain * 90);
  const slant = random.normal(0, 0.15);
  const light = 0.35;
  for (let i = 0; i < count; i++) {
    const length = random.uniform(0.03, 0.12) * height;
    const opacity = random.uniform(0.05, 0.22) * rain;
    let x = random.uniform(0, width);
    const top = Math.floor(random.uniform(-0.1, 1) * height);
    for (let y = Math.max(0, top); y < Math.min(height, top + length); y++, x += slant) {
      const column = Math.floor(x);
      if (column < 0 || column >= width) continue;
      const p = (y * width + column) * 3;
      for (let c = p; c < p + 3; c++) linear[c]! += (light - Math.min(light, linear[c]!)) * opacity;
    }
  }
}
