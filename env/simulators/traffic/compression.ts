/** Lossy compression as JPEG does it: the cosine transform of blocks of 8 × 8 pixels, coarsely rounded. */

const SIZE = 8;

/** Half the cosine of k/16 of half a turn: what the transform multiplies with. */
const half = (k: number) => 0.5 * Math.cos((k * Math.PI) / 16);
const [C1, C2, C3, C4, C5, C6, C7] = [half(1), half(2), half(3), half(4), half(5), half(6), half(7)];

const block = new Float64Array(SIZE * SIZE);
const luma = new Float64Array(SIZE * SIZE);
/** By how much the step of a coefficient exceeds that of the mean. */
const coarsenessOf = Float64Array.from({ length: SIZE * SIZE }, (_, i) => 0.25 + 0.15 * ((i >> 3) + (i & 7)));
const steps = new Float64Array(SIZE * SIZE);

/**
 * Compresses and decompresses a picture in place.
 *
 * Only brightness is rounded, and the colour of a pixel moves with it. The step grows with frequency: 24 × strength of
 * 255 levels for the lowest, 141 × strength for the highest.
 *
 * @param rgb      uint8 [height, width, 3]; a last row or column of less than 8 pixels is left as it is
 * @param strength 0 leaves the picture alone
 */
export function compress(rgb: Uint8Array, width: number, height: number, strength: number): void {
  if (strength < 0.02) return;
  for (let i = 0; i < steps.length; i++) steps[i] = strength * 60 * coarsenessOf[i]!;
  for (let y = 0; y + SIZE <= height; y += SIZE) {
    for (let x = 0; x + SIZE <= width; x += SIZE) compressBlock(rgb, (y * width + x) * 3, width * 3);
  }
}

function compressBlock(rgb: Uint8Array, first: number, rowStep: number): void {
  for (let i = 0; i < SIZE * SIZE; i++) {
    const p = first + (i >> 3) * rowStep + (i & 7) * 3;
    block[i] = luma[i] = 0.299 * rgb[p]! + 0.587 * rgb[p + 1]! + 0.114 * rgb[p + 2]!;
  }
  for (let row = 0; row < SIZE; row++) transform(row * SIZE, 1);
  for (let column = 0; column < SIZE; column++) transform(column, SIZE);
  const rowsLeft = round();
  // Rows first: those that rounding left nothing of are done already.
  for (let row = 0; row < SIZE; row++) if ((rowsLeft & (1 << row)) !== 0) transformBack(row * SIZE, 1);
  for (let column = 0; column < SIZE; column++) transformBack(column, SIZE);
  for (let i = 0; i < SIZE * SIZE; i++) {
    const p = first + (i >> 3) * rowStep + (i & 7) * 3;
    const change = block[i]! - luma[i]! + 0.5;
    rgb[p] = clampByte(rgb[p]! + change);
    rgb[p + 1] = clampByte(rgb[p + 1]! + change);
    rgb[p + 2] = clampByte(rgb[p + 2]! + change);
  }
}

/** Rounds all coefficients but the mean; returns a bit for each row that has any left. */
function round(): number {
  let rowsLeft = 1;
  for (let i = 1; i < SIZE * SIZE; i++) {
    const step = steps[i]!;
    const level = Math.floor(block[i]! / step + 0.5);
    block[i] = level * step;
    if (level !== 0) rowsLeft |= 1 << (i >> 3);
  }
  return rowsLeft;
}

/** The orthonormal cosine transform (DCT-II) of 8 numbers `step` apart, by sums and differences of mirrored pairs. */
function transform(at: number, step: number): void {
  const i1 = at + 1 * step;
  const i2 = at + 2 * step;
  const i3 = at + 3 * step;
  const i4 = at + 4 * step;
  const i5 = at + 5 * step;
  const i6 = at + 6 * step;
  const i7 = at + 7 * step;
  const s0 = block[at]! + block[i7]!;
  const s1 = block[i1]! + block[i6]!;
  const s2 = block[i2]! + block[i5]!;
  const s3 = block[i3]! + block[i4]!;
  const d0 = block[at]! - block[i7]!;
  const d1 = block[i1]! - block[i6]!;
  const d2 = block[i2]! - block[i5]!;
  const d3 = block[i3]! - block[i4]!;
  block[at] = C4 * (s0 + s3 + s1 + s2);
  block[i4] = C4 * (s0 + s3 - s1 - s2);
  block[i2] = C2 * (s0 - s3) + C6 * (s1 - s2);
  block[i6] = C6 * (s0 - s3) - C2 * (s1 - s2);
  block[i1] = C1 * d0 + C3 * d1 + C5 * d2 + C7 * d3;
  block[i3] = C3 * d0 - C7 * d1 - C1 * d2 - C5 * d3;
  block[i5] = C5 * d0 - C1 * d1 + C7 * d2 + C3 * d3;
  block[i7] = C7 * d0 - C5 * d1 + C3 * d2 - C1 * d3;
}

/** The inverse of {@link transform}. */
function transformBack(at: number, step: number): void {
  const i1 = at + 1 * step;
  const i2 = at + 2 * step;
  const i3 = at + 3 * step;
  const i4 = at + 4 * step;
  const i5 = at + 5 * step;
  const i6 = at + 6 * step;
  const i7 = at + 7 * step;
  const upper = C4 * (block[at]! + block[i4]!);
  const lower = C4 * (block[at]! - block[i4]!);
  const outer = C2 * block[i2]! + C6 * block[i6]!;
  const inner = C6 * block[i2]! - C2 * block[i6]!;
  const x1 = block[i1]!;
  const x3 = block[i3]!;
  const x5 = block[i5]!;
  const x7 = block[i7]!;
  const o0 = C1 * x1 + C3 * x3 + C5 * x5 + C7 * x7;
  const o1 = C3 * x1 - C7 * x3 - C1 * x5 - C5 * x7;
  const o2 = C5 * x1 - C1 * x3 + C7 * x5 + C3 * x7;
  const o3 = C7 * x1 - C5 * x3 + C3 * x5 - C1 * x7;
  block[at] = upper + outer + o0;
  block[i7] = upper + outer - o0;
  block[i1] = lower + inner + o1;
  block[i6] = lower + inner - o1;
  block[i2] = lower - inner + o2;
  block[i5] = lower - inner - o2;
  block[i3] = upper - outer + o3;
  block[i4] = upper - outer - o3;
}

function clampByte(value: number): number {
  return value <= 0 ? 0 : value >= 255 ? 255 : value | 0;
}
