/** The factors of the transform: Ck = cos(π k / 16) / 2. */
const C1: f32 = 0.4903926402;
const C2: f32 = 0.4619397663;
const C3: f32 = 0.4157348062;
const C4: f32 = 0.3535533906;
const C5: f32 = 0.2777851165;
const C6: f32 = 0.1913417162;
const C7: f32 = 0.097545161;

/** Rounds a block's coefficients, f32 [8, 8] in place. The step of each is its coarseness; the mean is not rounded. */
export function compressBlock(block: usize, coarseness: usize): void {
  transform(block);
  transform(block + 16);
  transpose(block);
  transform(block);
  transform(block + 16);
  const mean = load<f32>(block);
  for (let i: usize = 0; i < 256; i += 16) {
    const step = v128.load(coarseness + i);
    const level = f32x4.floor(f32x4.add(f32x4.div(v128.load(block + i), step), f32x4.splat(0.5)));
    v128.store(block + i, f32x4.mul(level, step));
  }
  store<f32>(block, mean);
  transformBack(block);
  transformBack(block + 16);
  transpose(block);
  transformBack(block);
  transformBack(block + 16);
}

function times(factor: f32, value: v128): v128 {
  return f32x4.mul(f32x4.splat(factor), value);
}
function sum(a: v128, b: v128): v128 {
  return f32x4.add(a, b);
}
function difference(a: v128, b: v128): v128 {
  return f32x4.sub(a, b);
}

/** The orthonormal cosine transform (DCT-II) of four columns, by sums and differences of mirrored pairs. */
function transform(at: usize): void {
  const s0 = sum(v128.load(at), v128.load(at, 224));
  const s1 = sum(v128.load(at, 32), v128.load(at, 192));
  const s2 = sum(v128.load(at, 64), v128.load(at, 160));
  const s3 = sum(v128.load(at, 96), v128.load(at, 128));
  const d0 = difference(v128.load(at), v128.load(at, 224));
  const d1 = difference(v128.load(at, 32), v128.load(at, 192));
  const d2 = difference(v128.load(at, 64), v128.load(at, 160));
  const d3 = difference(v128.load(at, 96), v128.load(at, 128));
  const outer = sum(s0, s3);
  const inner = sum(s1, s2);
  v128.store(at, times(C4, sum(outer, inner)));
  v128.store(at, times(C4, difference(outer, inner)), 128);
  v128.store(at, sum(times(C2, difference(s0, s3)), times(C6, difference(s1, s2))), 64);
  v128.store(at, difference(times(C6, difference(s0, s3)), times(C2, difference(s1, s2))), 192);
  v128.store(at, sum(sum(times(C1, d0), times(C3, d1)), sum(times(C5, d2), times(C7, d3))), 32);
  v128.store(at, difference(difference(times(C3, d0), times(C7, d1)), sum(times(C1, d2), times(C5, d3))), 96);
  v128.store(at, sum(difference(times(C5, d0), times(C1, d1)), sum(times(C7, d2), times(C3, d3))), 160);
  v128.store(at, sum(difference(times(C7, d0), times(C5, d1)), difference(times(C3, d2), times(C1, d3))), 224);
}

/** The inverse of {@link transform}. */
function transformBack(at: usize): void {
  const upper = times(C4, sum(v128.load(at), v128.load(at, 128)));
  const lower = times(C4, difference(v128.load(at), v128.load(at, 128)));
  const outer = sum(times(C2, v128.load(at, 64)), times(C6, v128.load(at, 192)));
  const inner = difference(times(C6, v128.load(at, 64)), times(C2, v128.load(at, 192)));
  const x1 = v128.load(at, 32);
  const x3 = v128.load(at, 96);
  const x5 = v128.load(at, 160);
  const x7 = v128.load(at, 224);
  const o0 = sum(sum(times(C1, x1), times(C3, x3)), sum(times(C5, x5), times(C7, x7)));
  const o1 = difference(difference(times(C3, x1), times(C7, x3)), sum(times(C1, x5), times(C5, x7)));
  const o2 = sum(difference(times(C5, x1), times(C1, x3)), sum(times(C7, x5), times(C3, x7)));
  const o3 = sum(difference(times(C7, x1), times(C5, x3)), difference(times(C3, x5), times(C1, x7)));
  v128.store(at, sum(sum(upper, outer), o0));
  v128.store(at, difference(sum(upper, outer), o0), 224);
  v128.store(at, sum(sum(lower, inner), o1), 32);
  v128.store(at, difference(sum(lower, inner), o1), 192);
  v128.store(at, sum(difference(lower, inner), o2), 64);
  v128.store(at, difference(difference(lower, inner), o2), 160);
  v128.store(at, sum(difference(upper, outer), o3), 96);
  v128.store(at, difference(difference(upper, outer), o3), 128);
}

/** Swaps a block's rows and columns. */
function transpose(block: usize): void {
  turnQuarter(block, block);
  turnQuarter(block + 144, block + 144);
  turnQuarter(block + 16, block + 128);
}

/** Swaps two quarters of a block and their rows and columns. */
function turnQuarter(a: usize, b: usize): void {
  const a0 = v128.load(a);
  const a1 = v128.load(a, 32);
  const a2 = v128.load(a, 64);
  const a3 = v128.load(a, 96);
  writeTurned(a, v128.load(b), v128.load(b, 32), v128.load(b, 64), v128.load(b, 96));
  writeTurned(b, a0, a1, a2, a3);
}

function writeTurned(to: usize, p: v128, q: v128, r: v128, s: v128): void {
  const lowP = v128.shuffle<f32>(p, q, 0, 4, 1, 5);
  const lowR = v128.shuffle<f32>(r, s, 0, 4, 1, 5);
  const highP = v128.shuffle<f32>(p, q, 2, 6, 3, 7);
  const highR = v128.shuffle<f32>(r, s, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(lowP, lowR, 0, 1, 4, 5));
  v128.store(to, v128.shuffle<f32>(lowP, lowR, 2, 3, 6, 7), 32);
  v128.store(to, v128.shuffle<f32>(highP, highR, 0, 1, 4, 5), 64);
  v128.store(to, v128.shuffle<f32>(highP, highR, 2, 3, 6, 7), 96);
}
