/** Conversion between linear light and the bytes of a screen, sRGB (IEC 61966-2-1). */

function encode(linear: number): number {
  return linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
}

function decode(encoded: number): number {
  return encoded <= 0.04045 ? encoded / 12.92 : ((encoded + 0.055) / 1.055) ** 2.4;
}

/** Linear light of each sRGB byte, float32 [256], 0 to 1. */
export const LINEAR_OF_BYTE = Float32Array.from({ length: 256 }, (_, byte) => decode(byte / 255));

// The curve is steepest at black, 13 bytes in a 256th: 16,384 steps put at most every fifth onto a byte boundary there,
// so that the table differs from the exact rounding by one byte at worst.
const STEPS = 16384;
/** The sRGB byte of each linear light i / (SRGB_BYTES.length − 1), uint8. */
export const SRGB_BYTES = Uint8Array.from({ length: STEPS + 1 }, (_, i) => Math.round(255 * encode(i / STEPS)));

/**
 * Turns linear light into sRGB bytes.
 *
 * @param linear of any length; numbers outside 0..1 are clipped, NaN becomes 0
 * @param into   the array for the bytes, of the same length; a new one if left out
 * @returns      `into`
 * @throws {RangeError} when the lengths differ
 */
export function linearToSrgb(linear: Float32Array, into = new Uint8Array(linear.length)): Uint8Array {
  if (into.length !== linear.length) {
    throw new RangeError(`linearToSrgb: expected room for ${linear.length} bytes, got ${into.length}`);
  }
  for (let i = 0; i < linear.length; i++) {
    const value = linear[i]!;
    into[i] = value >= 1 ? 255 : value > 0 ? SRGB_BYTES[(value * STEPS + 0.5) | 0]! : 0;
  }
  return into;
}
