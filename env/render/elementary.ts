/**
 * exp, log2 and atan2 from additions and multiplications only.
 *
 * The language leaves the last bits of Math.exp, Math.log2 and Math.atan2 to the engine. Pixels must be the same bytes
 * on every machine, and a picture needs fewer digits: these are also several times faster.
 */

const LOG2_E = 1.4426950408889634;
const LN_2_HIGH = 0.69314718036912381649; // Its last 32 bits are zero, so k · LN_2_HIGH is exact.
const LN_2_LOW = 1.90821492927058770002e-10;

/** 2^−k, exact. */
const negativePowers = new Float64Array(1024);
for (let k = 0, power = 1; k < negativePowers.length; k++, power /= 2) negativePowers[k] = power;

/** e^x for x ≤ 0, to a relative 1e-8; 0 below −700. */
export function expNegative(x: number): number {
  if (!(x > -700)) return 0;
  const k = Math.round(-x * LOG2_E);
  const r = x + k * LN_2_HIGH + k * LN_2_LOW; // |r| ≤ ln 2 / 2
  const series =
    1 + r * (1 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r * (1 / 720 + r * (1 / 5040)))))));
  return series * negativePowers[k]!;
}

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** log2 of a positive number, to ±0.05: straight between the powers of two, then bent. For choosing mip levels. */
export function log2Roughly(x: number): number {
  float[0] = x;
  const word = bits[0]!;
  const fraction = (word & 0x7fffff) / 0x800000;
  return (word >> 23) - 127 + fraction + 0.343 * fraction * (1 - fraction);
}

/** The arc tangent of 0 to 1, to 2e-6: the minimax polynomial of degree 11. */
function atanOfUnit(t: number): number {
  const s = t * t;
  return t * (0.99997726 + s * (-0.33262347 + s * (0.19354346 + s * (-0.11643287 + s * (0.05265332 - s * 0.0117212)))));
}

/** The angle of the vector (x, y) in radians, −π to π, to 2e-6; 0 for the null vector. */
export function atan2(y: number, x: number): number {
  const ax = Math.abs(x);
  const ay = Math.abs(y);
  if (ax === 0 && ay === 0) return 0;
  let angle = ax >= ay ? atanOfUnit(ay / ax) : Math.PI / 2 - atanOfUnit(ax / ay);
  if (x < 0) angle = Math.PI - angle;
  return y < 0 ? -angle : angle;
}
