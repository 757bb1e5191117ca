/** From light to picture: what the camera's sensor and its processing do to linear radiance. */
import type { Random } from '../../../../protocol/random.ts';
import type { TrafficTheta } from '../parameters.ts';
import { Darkroom, MOST_RADIUS, NOISE_SIZE } from './darkroom.ts';
import { valueNoise } from '../meshes/textures.ts';

/** Standard deviation of value noise. */
const VALUE_NOISE_SD = 0.22;

/**
 * Develops a picture.
 *
 * @param linear radiance, float32 [height, width, 3]; rain is drawn into it
 * @param rain   how much rain falls before and on the lens, 0 to 1
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
  if (rain > 0) {
    addStreaks(linear, width, height, rain, random);
    addDrops(linear, width, height, rain, random);
  }
  const room = roomFor(width, height);
  room.put(linear);
  expose(room, linear, theta, random);
  const sigma = theta.blur * width * random.uniform(0.5, 1.5);
  if (sigma >= LEAST_BLUR) room.blur(gaussian(sigma), WHITE);
  grade(room, theta, random);
  const strength = theta.compression * random.uniform(0.5, 1.5);
  if (strength >= LEAST_COMPRESSION) room.compress(coarseness(strength));
  return room.take();
}

/** A darkroom for each size of picture. */
const rooms = new Map<string, Darkroom>();

function roomFor(width: number, height: number): Darkroom {
  const key = `${width}×${height}`;
  let room = rooms.get(key);
  if (room === undefined) rooms.set(key, (room = new Darkroom(width, height)));
  return room;
}

/** The light varies softly between the corners of coarse cells: [ROWS + 1, COLUMNS + 1] of them. */
const COLUMNS = 12;
const ROWS = 9;
const corners = new Float64Array((ROWS + 1) * (COLUMNS + 1));

/** Brightness, colour of the light, and its slow variation over the picture. */
function expose(room: Darkroom, linear: Float32Array, theta: TrafficTheta, random: Random): void {
  const { width, height } = room;
  const brightness = metered(linear, 2 ** (theta.exposure + random.normal(0, theta.exposureSpread)));
  const red = Math.exp(random.normal(0, theta.whiteBalanceSpread));
  const blue = Math.exp(random.normal(0, theta.whiteBalanceSpread));
  const soft = valueNoise(random.uint32(), 3, 3);
  const stops = theta.lightNoise / VALUE_NOISE_SD;
  for (let i = 0; i < corners.length; i++) {
    const [column, row] = [i % (COLUMNS + 1), Math.floor(i / (COLUMNS + 1))];
    corners[i] = brightness * 2 ** (stops * (soft(column / (COLUMNS + 1), row / (ROWS + 1)) - 0.5));
  }
  const gains = room.gains();
  for (let y = 0, i = 0; y < height; y++) {
    const down = (y / height) * ROWS;
    const row = Math.floor(down);
    for (let column = 0; column < COLUMNS; column++) {
      const cell = row * (COLUMNS + 1) + column;
      const left = corners[cell]! + (corners[cell + COLUMNS + 1]! - corners[cell]!) * (down - row);
      const right = corners[cell + 1]! + (corners[cell + COLUMNS + 2]! - corners[cell + 1]!) * (down - row);
      const start = Math.ceil((column * width) / COLUMNS);
      const end = Math.ceil(((column + 1) * width) / COLUMNS);
      const slope = ((right - left) * COLUMNS) / width;
      let local = left + slope * (start - (column * width) / COLUMNS);
      for (let x = start; x < end; x++, i++, local += slope) gains[i] = local;
    }
  }
  room.expose(red, blue);
}

/** The camera corrects an exposure that makes the mean of a picture darker or brighter than this, of white. */
const DARKEST = 0.03;
const BRIGHTEST = 0.5;
/** Each round of the correction can take almost a stop from a picture that is white all over. */
const METERING_ROUNDS = 8;
/** One in so many numbers is measured: of each colour, in pixels all over the picture. */
const METERED = 7;

/** The factor of a picture's light: `wanted`, unless nothing could be seen then. */
function metered(linear: Float32Array, wanted: number): number {
  let factor = wanted;
  for (let round = 0; round < METERING_ROUNDS; round++) {
    let [sum, count] = [0, 0];
    for (let i = 0; i < linear.length; i += METERED, count++) sum += Math.min(1, linear[i]! * factor);
    const mean = sum / count;
    if (mean === 0 || (mean >= DARKEST && mean <= BRIGHTEST)) break;
    factor *= Math.min(BRIGHTEST, Math.max(DARKEST, mean)) / mean;
  }
  return factor;
}

/** Pixels. A blur with a smaller standard deviation moves less than a hundredth of a pixel's light: it is left out. */
const LEAST_BLUR = 0.3;
/** A sensor saturates: light beyond this does not spread. */
const WHITE = 1.5;

/** The weights of a Gaussian blur with standard deviation `sigma`, in pixels: of the middle, then at distance 1, 2 … */
function gaussian(sigma: number): Float64Array {
  const radius = Math.min(MOST_RADIUS, Math.ceil(2 * sigma));
  const kernel = Float64Array.from({ length: radius + 1 }, (_, i) => Math.exp(-0.5 * (i / sigma) ** 2));
  const total = kernel.reduce((sum, weight) => sum + 2 * weight, -1);
  return kernel.map((weight) => weight / total);
}

/** Contrast, saturation and noise, in the picture's own (sRGB) values. */
function grade(room: Darkroom, theta: TrafficTheta, random: Random): void {
  const { contrast, saturation } = theta;
  const sd = theta.pixelNoise * random.uniform(0.5, 1.5) * 255;
  const start = random.integer(NOISE_SIZE);
  room.grade({ contrast, colour: contrast * saturation, grayNoise: sd * 0.8, colourNoise: sd * 0.6, start });
}

/** A weaker compression is left out. */
const LEAST_COMPRESSION = 0.02;

/** The rounding step of each coefficient, in 255 levels: 24 × strength (lowest frequencies) to 141 × (highest). */
function coarseness(strength: number): Float64Array {
  return Float64Array.from({ length: 64 }, (_, i) => strength * 60 * (0.25 + 0.15 * ((i >> 3) + (i & 7))));
}

/** Falling drops: short bright slanted lines, brighter than what is behind them. */
function addStreaks(linear: Float32Array, width: number, height: number, rain: number, random: Random): void {
  const count = Math.round(rain * 90);
  const slant = random.normal(0, 0.15);
  const light = 0.35;
  const across = Math.max(1, Math.round(height / 120));
  for (let i = 0; i < count; i++) {
    const length = random.uniform(0.03, 0.12) * height;
    const opacity = random.uniform(0.08, 0.32) * rain;
    let x = random.uniform(0, width);
    const top = Math.floor(random.uniform(-0.1, 1) * height);
    for (let y = Math.max(0, top); y < Math.min(height, top + length); y++, x += slant) {
      const from = Math.max(0, Math.floor(x));
      const to = Math.min(width, Math.floor(x) + across);
      for (let c = (y * width + from) * 3; c < (y * width + to) * 3; c++) {
        linear[c]! += (light - Math.min(light, linear[c]!)) * opacity;
      }
    }
  }
}

/** Drops on the lens: each shows the street behind it upside down and small, with a dark rim. */
function addDrops(linear: Float32Array, width: number, height: number, rain: number, random: Random): void {
  const behind = linear.slice();
  const within = (value: number, size: number) => Math.min(size - 1, Math.max(0, Math.round(value)));
  for (let i = Math.round(rain * DROPS); i > 0; i--) {
    const radius = height * random.uniform(0.012, 0.045);
    const [middleX, middleY] = [random.uniform(0, width), random.uniform(0, height)];
    const [top, bottom] = [Math.max(0, Math.ceil(middleY - radius)), Math.min(height - 1, middleY + radius)];
    const [left, right] = [Math.max(0, Math.ceil(middleX - radius)), Math.min(width - 1, middleX + radius)];
    for (let y = top; y <= bottom; y++) {
      for (let x = left; x <= right; x++) {
        const [dx, dy] = [x - middleX, y - middleY];
        const edge = (dx * dx + dy * dy) / (radius * radius);
        if (edge >= 1) continue;
        const from = within(middleY - dy * REFRACTION, height) * width + within(middleX - dx * REFRACTION, width);
        const [to, light] = [(y * width + x) * 3, 1.1 - 0.5 * edge * edge];
        const opacity = 0.85 * (1 - edge ** 3);
        for (let c = 0; c < 3; c++) linear[to + c]! += (behind[from * 3 + c]! * light - linear[to + c]!) * opacity;
      }
    }
  }
}

/** The number of drops in the strongest rain. */
const DROPS = 45;
/** How many times smaller the street is in a drop. */
const REFRACTION = 6;
