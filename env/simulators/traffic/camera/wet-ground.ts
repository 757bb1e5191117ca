/** What wet ground mirrors: cars, houses, lights and the sky, as streaks towards the camera. */
import { CLASS_ID } from '../../../streets/classes.ts';
import type { Frame } from '../../../render/renderer.ts';
import type { CameraMatrices } from './camera.ts';

/** How much of a calm film of water lies on each kind of ground, 0 to 1. */
const FILM: Readonly<Record<number, number>> = { [CLASS_ID.road]: 1, [CLASS_ID.sidewalk]: 0.6 };
const filmOf = Float32Array.from({ length: 256 }, (_, classId) => FILM[classId] ?? 0);

/** The ripples of the water spread a mirrored point over this share of the picture's height, downwards. */
const SMEAR = 0.05;
/** The share of light that water mirrors when one looks straight down at it. */
const LEAST_MIRRORED = 0.02;

/**
 * Mirrors in the wet ground what the picture shows above it, in place.
 *
 * Every pixel's point is mirrored at the ground, y = 0, and shows in its own column. A near point hides a far one. Where
 * the mirrored point is not in the picture, the last one above it goes on.
 *
 * @param frame   its `linear` is changed
 * @param wetness 0 dry to 1 streaming wet
 */
export function mirrorInWetGround(
  { linear, depth, classes, width, height }: Frame,
  { matrixWorld, projectionMatrix }: CameraMatrices,
  wetness: number,
): void {
  // In the camera's coordinates: the direction upwards, and the height of the camera above the ground.
  const [upX, upY, upZ] = [1, 5, 9].map((i) => matrixWorld[i]!) as [number, number, number];
  const above = matrixWorld[13]!;
  const [scaleX, scaleY] = [projectionMatrix[0]!, projectionMatrix[5]!];
  const keep = Math.exp(-1 / (SMEAR * height));
  const source = new Int32Array(height);
  for (let x = 0; x < width; x++) {
    const a = (((x + 0.5) / width) * 2 - 1) / scaleX;
    source.fill(-1);
    for (let y = 0; y < height; y++) {
      const b = (1 - ((y + 0.5) / height) * 2) / scaleY;
      const far = depth[y * width + x]!;
      const isSky = far === Infinity;
      const risen = upX * a + upY * b - upZ + (isSky ? 0 : above / far); // over the ground, at depth 1
      if (risen <= 0.002) continue;
      const towards = 1 + 2 * risen * upZ;
      const row = Math.floor(((1 - ((b - 2 * risen * upY) / towards) * scaleY) / 2) * height);
      if (row > y && row < height) source[row] = y;
    }
    let [red, green, blue] = [0, 0, 0];
    let last = -1;
    for (let y = 0; y < height; y++) {
      const own = y * width + x;
      const kept = last < 0 ? 0 : keep; // of what is mirrored above: nothing yet, at first
      if (source[y]! >= 0) last = source[y]!;
      if (last < 0) continue;
      const from = (last * width + x) * 3;
      red = linear[from]! + (red - linear[from]!) * kept;
      green = linear[from + 1]! + (green - linear[from + 1]!) * kept;
      blue = linear[from + 2]! + (blue - linear[from + 2]!) * kept;
      const film = filmOf[classes[own]!]!;
      if (film === 0) continue;
      const b = (1 - ((y + 0.5) / height) * 2) / scaleY;
      const down = Math.max(0, upZ - upX * a - upY * b) / Math.sqrt(1 + a * a + b * b); // cosine to the vertical
      const grazing = (1 - down) ** 2;
      const share = film * wetness * (LEAST_MIRRORED + (1 - LEAST_MIRRORED) * grazing * grazing * (1 - down));
      const to = own * 3;
      linear[to]! += (red - linear[to]!) * share;
      linear[to + 1]! += (green - linear[to + 1]!) * share;
      linear[to + 2]! += (blue - linear[to + 2]!) * share;
    }
  }
}
