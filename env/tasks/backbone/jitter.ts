/**
 * A picture in other colours: a network that is trained on drawn pictures and used on photographs must not rely on
 * exact colours.
 */
import type { Random } from '../../../protocol/random.ts';
import type { Picture } from '../training/augmentation.ts';

/** Another gamma, another gain of each channel, contrast, brightness, saturation, and in half of the cases noise. */
export function jittered({ width, height, rgb }: Picture, random: Random): Picture {
  const gamma = Math.exp(random.normal(0, 0.25));
  const gains = [0, 1, 2].map(() => Math.exp(random.normal(0, 0.2)));
  const contrast = Math.exp(random.normal(0, 0.2));
  const brightness = random.normal(0, 0.08);
  const saturation = random.uniform(0.4, 1.4);
  const deviation = random.chance(0.5) ? random.uniform(0, 0.03) : 0;
  const shades = gains.map((gain) => Float32Array.from({ length: 256 }, (_, byte) => gain * (byte / 255) ** gamma));
  let sum = 0;
  for (let i = 0; i < rgb.length; i++) sum += shades[i % 3]![rgb[i]!]!;
  const mean = sum / rgb.length;
  const [reds, greens, blues] = shades.map((shade) =>
    shade.map((value) => (value - mean) * contrast + mean + brightness),
  ) as [Float32Array, Float32Array, Float32Array];
  const changed = new Uint8Array(rgb.length);
  const colour = new Float32Array(3);
  for (let i = 0; i < rgb.length; i += 3) {
    colour[0] = reds[rgb[i]!]!;
    colour[1] = greens[rgb[i + 1]!]!;
    colour[2] = blues[rgb[i + 2]!]!;
    const gray = colour[0] / 3 + colour[1] / 3 + colour[2] / 3;
    for (let c = 0; c < 3; c++) {
      const noise = deviation > 0 ? random.normal(0, deviation) : 0;
      const value = gray + (colour[c]! - gray) * saturation + noise;
      changed[i + c] = Math.round(255 * Math.min(1, Math.max(0, value)));
    }
  }
  return { width, height, rgb: changed };
}
