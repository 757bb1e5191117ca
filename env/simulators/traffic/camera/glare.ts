/** A low sun in or near the view: its dazzling disc, the bloom around it, and the veil that it lays over the picture. */
import type { Frame } from '../../../render/renderer.ts';
import type { Point, Rgb } from '../meshes/mesh-builder.ts';
import type { CameraMatrices } from './camera.ts';

/** A sun further than this beyond the edge of the picture, over its height, no longer shines into the lens. */
const OUT_OF_LENS = 0.3;
/** The radii of the disc and of the bloom, over the picture's height, and how bright they are beside the sun's light. */
const DISC = { radius: 0.035, light: 6 };
const BLOOM = { radius: 0.12, light: 0.7 };
/** The same of the veil, at the sun itself. */
const VEIL = { radius: 0.7, light: 0.07 };

/**
 * Adds the glare of the sun to a picture, in place.
 *
 * @param frame        its `linear` is changed
 * @param sunDirection towards the sun, length 1
 * @param sun          its light
 */
export function addGlare(
  { linear, depth, width, height }: Frame,
  { matrixWorld, projectionMatrix }: CameraMatrices,
  sunDirection: Point,
  sun: Rgb,
): void {
  // The sun's direction along the camera's axes: to the right, up and backwards.
  const along = (axis: number) => sunDirection.reduce((sum, part, i) => sum + part * matrixWorld[4 * axis + i]!, 0);
  const ahead = -along(2);
  if (ahead <= 0) return;
  const x = ((1 + (projectionMatrix[0]! * along(0)) / ahead) / 2) * width;
  const y = ((1 - (projectionMatrix[5]! * along(1)) / ahead) / 2) * height;
  const beyond = Math.max(-x, x - width, -y, y - height, 0) / height;
  if (beyond >= OUT_OF_LENS) return;
  const strength = visibleShare(depth, width, height, x, y) * (1 - beyond / OUT_OF_LENS);
  if (strength === 0) return;
  const squared = ({ radius }: typeof DISC) => (radius * height) ** 2;
  const [disc, bloom, veil] = [squared(DISC), squared(BLOOM), squared(VEIL)];
  for (let row = 0, i = 0; row < height; row++) {
    for (let column = 0; column < width; column++, i += 3) {
      const distance = (column + 0.5 - x) ** 2 + (row + 0.5 - y) ** 2;
      const light =
        strength *
        (DISC.light * Math.exp(-distance / disc) +
          BLOOM.light / (1 + distance / bloom) ** 2 +
          VEIL.light / (1 + distance / veil));
      linear[i]! += sun[0] * light;
      linear[i + 1]! += sun[1] * light;
      linear[i + 2]! += sun[2] * light;
    }
  }
}

/** The share of the sun's disc that nothing hides. Beyond the edge of the picture, it is what the edge there shows. */
function visibleShare(depth: Float32Array, width: number, height: number, x: number, y: number): number {
  const radius = DISC.radius * height;
  const within = (value: number, size: number) => Math.min(size - 1, Math.max(0, Math.floor(value)));
  let seen = 0;
  for (let i = -1; i <= 1; i++) {
    for (let j = -1; j <= 1; j++) {
      if (depth[within(y + i * radius, height) * width + within(x + j * radius, width)] === Infinity) seen++;
    }
  }
  return seen / 9;
}
