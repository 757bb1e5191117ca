/** The sky as an all-round picture: clouds, the brighter horizon, the glow of the sun. */
import * as THREE from 'three';
import type { Random } from '../../../../protocol/random.ts';
import type { Point, Rgb } from '../meshes/mesh-builder.ts';
import { blend, cached, fractalNoise, scaled, smoothstep } from '../meshes/textures.ts';
import type { WeatherState } from './weather.ts';

const WIDTH = 96;
const HEIGHT = 48;
const CLOUD_VARIANTS = 8;

/** Noise of the clouds in each texel above the horizon, in perspective on a flat layer; float32 [HEIGHT, WIDTH]. */
const clouds = cached((variant: number) => {
  const noise = fractalNoise(variant + 1, 5, 4);
  return Float32Array.from({ length: WIDTH * HEIGHT }, (_, i) => {
    const [x, y, z] = directionOfTexel(i, WIDTH, HEIGHT);
    const reach = 0.14 / (Math.max(0, y) + 0.12);
    return noise(x * reach + 0.5, z * reach + 0.5);
  });
});

/** The direction that a texel of an all-round (equirectangular) picture shows. */
function directionOfTexel(i: number, width: number, height: number): Point {
  const azimuth = (((i % width) + 0.5) / width - 0.5) * 2 * Math.PI;
  const elevation = ((Math.floor(i / width) + 0.5) / height - 0.5) * Math.PI;
  return [Math.cos(elevation) * Math.cos(azimuth), Math.sin(elevation), Math.cos(elevation) * Math.sin(azimuth)];
}

/** The direction of each texel, float64 [HEIGHT, WIDTH, 3]. */
const directions = Float64Array.from(
  Array.from({ length: WIDTH * HEIGHT }, (_, i) => directionOfTexel(i, WIDTH, HEIGHT)).flat(),
);

/** An empty picture for {@link paintSky}. */
export function skyTexture(): THREE.DataTexture {
  return allRound(WIDTH, HEIGHT);
}

/** Paints the visible sky: linear radiance. */
export function paintSky(texture: THREE.DataTexture, weather: WeatherState, random: Random): void {
  const { skyRadiance: mean, sunDirection, cloudiness, cloudDarkness } = weather;
  const noise = clouds(random.integer(CLOUD_VARIANTS));
  const level = (mean[0] + mean[1] + mean[2]) / 3;
  const peak = Math.max(...weather.sun);
  const glowColour = peak > 0 ? scaled(weather.sun, (level * (weather.kind === 'lowSun' ? 2.2 : 0.6)) / peak) : BLACK;
  // Clouds are white where the sky is blue; where they cover the sky, they have its mean colour.
  const cloudTint = blend(CLOUD_TINT, scaled(mean, 1 / level), cloudiness ** 2);
  const data = texture.image.data as Float32Array;
  const firstRow = HEIGHT / 2 - 2; // what lies further down is never seen
  const [low, high] = [0.72 - 0.6 * cloudiness, 1 - 0.6 * cloudiness];
  const mist = fogColour(weather);
  const fogOfRow = metresOfFog.map((metres) => 1 - Math.exp(-((weather.fog * metres) ** 2)));
  for (let i = firstRow * WIDTH; i < WIDTH * HEIGHT; i++) {
    // Blue grows deeper upwards; haze whitens the horizon.
    const row = Math.floor(i / WIDTH);
    const haze = hazeOfRow[row]!;
    const cloud = noise[i]!;
    const cover = smoothstep(low, high, cloud);
    const shade = level * (1.25 - cloudDarkness * (0.3 + 1.4 * smoothstep(0.3, 0.7, cloud)));
    const glow = peak > 0 ? sunGlow(i, sunDirection) : 0;
    for (let c = 0; c < 3; c++) {
      const air = 0.85 * mean[c]! + (1.15 * level - 0.85 * mean[c]!) * haze;
      const sky = air + (shade * cloudTint[c]! - air) * cover + glow * glowColour[c]!;
      data[i * 4 + c] = sky + (mist[c]! - sky) * fogOfRow[row]!;
    }
    data[i * 4 + 3] = 1;
  }
  texture.needsUpdate = true;
}

const hazeOfRow = Float64Array.from({ length: HEIGHT }, (_, row) =>
  Math.exp(-4 * Math.max(0, directions[3 * row * WIDTH + 1]!)),
);
/** The light that fog adds to what is behind it: linear radiance. */
export const fogColour = ({ skyRadiance }: WeatherState): Rgb => scaled(skyRadiance, 0.92);

/** Fog lies on the ground: this high, and this far to the horizon, m. */
const FOG_HEIGHT = 60;
const FOG_REACH = 600;

/** How much fog is before the sky in each row, m. */
const metresOfFog = Float64Array.from({ length: HEIGHT }, (_, row) => {
  const sine = Math.max(0, directions[3 * row * WIDTH + 1]!);
  return FOG_HEIGHT / (sine + FOG_HEIGHT / FOG_REACH);
});

const BLACK: Rgb = [0, 0, 0];
const CLOUD_TINT: Rgb = [0.98, 1, 1.03];

/** How bright the glow around the sun is in texel `i`: wide and faint, and narrow and strong. */
function sunGlow(i: number, [x, y, z]: Point): number {
  const near = directions[3 * i]! * x + directions[3 * i + 1]! * y + directions[3 * i + 2]! * z;
  if (near <= 0) return 0;
  const wide = near * near * near * near * near * near;
  const narrow = wide * wide * wide * wide * wide;
  return 0.5 * wide + 2.5 * narrow * narrow;
}

const REFLECTION_WIDTH = 32;
const REFLECTION_HEIGHT = 16;

/** An empty picture for {@link paintReflection}. */
export function reflectionTexture(): THREE.DataTexture {
  return allRound(REFLECTION_WIDTH, REFLECTION_HEIGHT);
}

/** Share of the open sky in each texel: the street is open ahead and behind and walled in on both sides. */
const openSky = Float64Array.from({ length: REFLECTION_WIDTH * REFLECTION_HEIGHT }, (_, i) => {
  const [x, y, z] = directionOfTexel(i, REFLECTION_WIDTH, REFLECTION_HEIGHT);
  const skyline = 0.03 + (0.55 * Math.abs(x)) / Math.sqrt(x * x + z * z);
  return smoothstep(skyline - 0.06, skyline + 0.12, y);
});

/** Paints what paint, glass and wet asphalt reflect: the sky between the dark houses of a street, and the ground. */
export function paintReflection(texture: THREE.DataTexture, weather: WeatherState): void {
  const data = texture.image.data as Float32Array;
  const { skyLight, skyRadiance: sky } = weather;
  for (let i = 0; i < REFLECTION_WIDTH * REFLECTION_HEIGHT; i++) {
    const open = openSky[i]!;
    const wall = i < (REFLECTION_WIDTH * REFLECTION_HEIGHT) / 2 ? 0.1 : 0.17; // the lower half looks down
    for (let c = 0; c < 3; c++) data[i * 4 + c] = wall * skyLight[c]! * (1 - open) + sky[c]! * open;
    data[i * 4 + 3] = 1;
  }
  texture.needsUpdate = true;
}

function allRound(width: number, height: number): THREE.DataTexture {
  const data = new Float32Array(width * height * 4);
  const texture = new THREE.DataTexture(data, width, height, THREE.RGBAFormat, THREE.FloatType);
  texture.mapping = THREE.EquirectangularReflectionMapping;
  texture.wrapS = THREE.RepeatWrapping;
  texture.magFilter = THREE.LinearFilter;
  texture.minFilter = THREE.LinearMipmapLinearFilter;
  texture.generateMipmaps = true;
  texture.needsUpdate = true;
  return texture;
}
