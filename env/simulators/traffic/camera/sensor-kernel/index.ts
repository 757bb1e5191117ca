/** The sensor's inner loops, compiled to WebAssembly (see ../sensor.ts): pixels are developed four at a time. */
import { compressBlock } from './compression';

export function allocate(size: i32): usize {
  return heap.alloc(size);
}

/** Multiplies pixels by their gains, and their red and blue by factors of their own. */
export function expose(light: usize, gains: usize, count: i32, red: f32, blue: f32): void {
  // Four pixels are twelve numbers: r g b r, g b r g, b r g b.
  const one = f32x4.splat(1);
  const tintA = f32x4.replace_lane(f32x4.replace_lane(f32x4.replace_lane(one, 0, red), 2, blue), 3, red);
  const tintB = f32x4.replace_lane(f32x4.replace_lane(one, 1, blue), 2, red);
  const tintC = f32x4.replace_lane(f32x4.replace_lane(f32x4.replace_lane(one, 0, blue), 1, red), 3, blue);
  for (let i = 0; i < count; i += 4, light += 48, gains += 16) {
    const gain = v128.load(gains);
    const a = f32x4.mul(tintA, v128.shuffle<f32>(gain, gain, 0, 0, 0, 1));
    const b = f32x4.mul(tintB, v128.shuffle<f32>(gain, gain, 1, 1, 2, 2));
    const c = f32x4.mul(tintC, v128.shuffle<f32>(gain, gain, 2, 3, 3, 3));
    v128.store(light, f32x4.mul(v128.load(light), a));
    v128.store(light, f32x4.mul(v128.load(light, 16), b), 16);
    v128.store(light, f32x4.mul(v128.load(light, 32), c), 32);
  }
}

/** to[i] = the weighted sum of from[i − radius · step] to from[i + radius · step], `length` numbers. */
function weigh(to: usize, from: usize, length: i32, step: i32, kernel: usize, radius: i32): void {
  for (let i = 0; i < length; i += 4, to += 16, from += 16) {
    let sum = f32x4.mul(v128.load32_splat(kernel), v128.load(from));
    for (let k = 1; k <= radius; k++) {
      const away = (<usize>(k * step)) << 2;
      const both = f32x4.add(v128.load(from - away), v128.load(from + away));
      sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(kernel + ((<usize>k) << 2)), both));
    }
    v128.store(to, sum);
  }
}

/**
 * A symmetric blur: rows, then columns. Light beyond `white` does not spread.
 *
 * @param light   f32 [height, row]
 * @param padded  room for a picture with `radius` pixels more on each side and `radius` rows more above and below
 * @param kernel  weights, f32 [radius + 1]
 */
export function blur(light: usize, padded: usize, row: i32, height: i32, kernel: usize, radius: i32, white: f32): void {
  const pad = radius * 3;
  const rowSize = (<usize>row) << 2;
  const line = padded + ((<usize>((height + 2 * radius) * row)) << 2); // One row with its margins.
  const middle = line + ((<usize>pad) << 2);
  for (let y = 0; y < height; y++) {
    const from = light + <usize>y * rowSize;
    for (let i: usize = 0; i < rowSize; i += 16) {
      v128.store(middle + i, f32x4.pmin(f32x4.splat(white), v128.load(from + i)));
    }
    for (let i = 0; i < pad; i++) {
      store<f32>(line + ((<usize>i) << 2), load<f32>(middle + ((<usize>(i % 3)) << 2)));
      store<f32>(middle + rowSize + ((<usize>i) << 2), load<f32>(middle + rowSize - 12 + ((<usize>(i % 3)) << 2)));
    }
    weigh(padded + <usize>(y + radius) * rowSize, middle, row, 3, kernel, radius);
  }
  for (let k = 0; k < radius; k++) {
    memory.copy(padded + <usize>k * rowSize, padded + <usize>radius * rowSize, rowSize);
    const last = padded + <usize>(radius + height - 1) * rowSize;
    memory.copy(last + <usize>(k + 1) * rowSize, last, rowSize);
  }
  for (let y = 0; y < height; y++) {
    weigh(light + <usize>y * rowSize, padded + <usize>(y + radius) * rowSize, row, row, kernel, radius);
  }
}

/** The table's numbers at four indices. */
function gather(table: usize, a: i32, b: i32, c: i32, d: i32): v128 {
  let four = v128.load32_splat(table + ((<usize>a) << 2));
  four = v128.load_lane<f32>(table + ((<usize>b) << 2), four, 1);
  four = v128.load_lane<f32>(table + ((<usize>c) << 2), four, 2);
  return v128.load_lane<f32>(table + ((<usize>d) << 2), four, 3);
}

/** Rounds down to a byte. */
function toByte(value: v128): v128 {
  return f32x4.floor(f32x4.min(f32x4.splat(255), f32x4.max(f32x4.splat(0), value)));
}

/**
 * Turns linear light into sRGB values, changes their contrast and saturation, and adds noise.
 *
 * @param light   f32 [count, 3]
 * @param planes  whole numbers from 0 to 255, f32 [3, size]; size is a multiple of 4
 * @param bytes   the sRGB value of light i / steps, f32 [steps + 1]
 * @param noise   normal numbers, f32 [noiseSize + 4], the last four the same as the first; noiseSize is a power of two
 * @param at      where to read the noise from
 * @param colour  factor of the difference between a colour and gray
 */
export function grade(
  light: usize,
  planes: usize,
  count: i32,
  size: i32,
  bytes: usize,
  steps: i32,
  noise: usize,
  noiseSize: i32,
  at: i32,
  contrast: f32,
  colour: f32,
  ofGray: f32,
  ofColour: f32,
): void {
  const last = noiseSize - 1;
  const green = planes + ((<usize>size) << 2);
  const blue = green + ((<usize>size) << 2);
  for (let i = 0; i < count; i += 4, light += 48, at += 4) {
    const p = stepOf(v128.load(light), steps);
    const q = stepOf(v128.load(light, 16), steps);
    const s = stepOf(v128.load(light, 32), steps);
    const r = gather(
      bytes,
      i32x4.extract_lane(p, 0),
      i32x4.extract_lane(p, 3),
      i32x4.extract_lane(q, 2),
      i32x4.extract_lane(s, 1),
    );
    const g = gather(
      bytes,
      i32x4.extract_lane(p, 1),
      i32x4.extract_lane(q, 0),
      i32x4.extract_lane(q, 3),
      i32x4.extract_lane(s, 2),
    );
    const b = gather(
      bytes,
      i32x4.extract_lane(p, 2),
      i32x4.extract_lane(q, 1),
      i32x4.extract_lane(s, 0),
      i32x4.extract_lane(s, 3),
    );
    const gray = luma(r, g, b);
    // Noise of brightness and of each colour: the same numbers, read from places that never meet.
    const change = f32x4.mul(f32x4.splat(contrast), f32x4.sub(gray, f32x4.splat(118)));
    const grain = f32x4.mul(f32x4.splat(ofGray), noiseAt(noise, at & last));
    const base = f32x4.add(f32x4.add(f32x4.splat(118.5), change), grain);
    const place = (<usize>i) << 2;
    v128.store(planes + place, graded(base, r, gray, colour, ofColour, noiseAt(noise, (at + 7919) & last)));
    v128.store(green + place, graded(base, g, gray, colour, ofColour, noiseAt(noise, (at + 27644) & last)));
    v128.store(blue + place, graded(base, b, gray, colour, ofColour, noiseAt(noise, (at + 48611) & last)));
  }
}

function stepOf(light: v128, steps: i32): v128 {
  const most = f32x4.splat(<f32>steps);
  const scaled = f32x4.add(f32x4.mul(light, most), f32x4.splat(0.5));
  return i32x4.trunc_sat_f32x4_s(f32x4.pmin(most, f32x4.pmax(f32x4.splat(0), scaled))); // NaN becomes 0.
}

function noiseAt(noise: usize, i: i32): v128 {
  return v128.load(noise + ((<usize>i) << 2));
}

function graded(base: v128, value: v128, gray: v128, colour: f32, ofColour: f32, noise: v128): v128 {
  const own = f32x4.mul(f32x4.splat(colour), f32x4.sub(value, gray));
  return toByte(f32x4.add(f32x4.add(base, own), f32x4.mul(f32x4.splat(ofColour), noise)));
}

function luma(r: v128, g: v128, b: v128): v128 {
  const redGreen = f32x4.add(f32x4.mul(r, f32x4.splat(0.299)), f32x4.mul(g, f32x4.splat(0.587)));
  return f32x4.add(redGreen, f32x4.mul(b, f32x4.splat(0.114)));
}

/**
 * Compresses and decompresses a picture as JPEG does: the cosine transform of blocks of 8 × 8 pixels, coarsely rounded.
 *
 * Only brightness is rounded, and the colours of a pixel change by the same amount. A last row or column of blocks with
 * less than 8 pixels is left unchanged.
 *
 * @param coarseness of a coefficient's rounding, f32 [8, 8], symmetric
 */
export function compress(planes: usize, width: i32, height: i32, size: i32, coarseness: usize): void {
  const plane = (<usize>size) << 2;
  const row = (<usize>width) << 2;
  for (let y = 0; y + 8 <= height; y += 8) {
    for (let x = 0; x + 8 <= width; x += 8) {
      const first = planes + ((<usize>(y * width + x)) << 2);
      for (let i: usize = 0; i < 16; i++) {
        const at = first + (i >> 1) * row + (i & 1) * 16;
        v128.store(block + i * 16, luma(v128.load(at), v128.load(at + plane), v128.load(at + 2 * plane)));
      }
      memory.copy(before, block, 256);
      compressBlock(block, coarseness);
      for (let i: usize = 0; i < 16; i++) {
        const at = first + (i >> 1) * row + (i & 1) * 16;
        const moved = f32x4.sub(v128.load(block + i * 16), v128.load(before + i * 16));
        const change = f32x4.add(moved, f32x4.splat(0.5));
        v128.store(at, toByte(f32x4.add(v128.load(at), change)));
        v128.store(at + plane, toByte(f32x4.add(v128.load(at + plane), change)));
        v128.store(at + 2 * plane, toByte(f32x4.add(v128.load(at + 2 * plane), change)));
      }
    }
  }
}

/** A block's brightness, f32 [8, 8]. */
const block = memory.data(256, 16);
const before = memory.data(256, 16);

/** Copies the planes into bytes, uint8 [count, 3]; writes up to 12 bytes beyond the end. */
export function pack(planes: usize, bytes: usize, count: i32, size: i32): void {
  const plane = (<usize>size) << 2;
  for (let i = 0; i < count; i += 4, planes += 16, bytes += 12) {
    const r = i32x4.trunc_sat_f32x4_s(v128.load(planes));
    const g = i32x4.trunc_sat_f32x4_s(v128.load(planes + plane));
    const b = i32x4.trunc_sat_f32x4_s(v128.load(planes + 2 * plane));
    const rgb = v128.or(v128.or(r, i32x4.shl(g, 8)), i32x4.shl(b, 16));
    v128.store(bytes, v128.shuffle<u8>(rgb, rgb, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 3, 3, 3, 3));
  }
}
