import type * as THREE from 'three';
import { complete, pyramidOf } from './mip-levels.ts';

/**
 * Light from far away in all directions, from an equirectangular texture: its middle column is towards +x, the column a
 * quarter further right towards +z; with flipY off its first row is the nadir. (three.js's
 * EquirectangularReflectionMapping.)
 */
interface Known {
  readonly version: number;
  readonly harmonics: Float64Array;
}

const known = new WeakMap<THREE.Texture, Known>();

/** The irradiance on surfaces as a function of their unit normals (x, y, z): nine spherical harmonics, [9, rgb]. */
export function irradianceOf(texture: THREE.Texture): Float64Array {
  const found = known.get(texture);
  if (found?.version === texture.version) return found.harmonics;
  const harmonics = irradianceHarmonics(texture);
  known.set(texture, { version: texture.version, harmonics });
  return harmonics;
}

// The nine real spherical harmonics' constants, squared (once for projecting, once for evaluating), times the cosine
// lobe's factor of their band: π, 2π/3, π/4. (Ramamoorthi and Hanrahan 2001, https://doi.org/10.1145/383259.383317)
const BAND_0 = Math.PI / (4 * Math.PI);
const BAND_1 = ((2 * Math.PI) / 3) * (3 / (4 * Math.PI));
const BAND_2 = (Math.PI / 4) * (15 / (4 * Math.PI));
/** The number of harmonics: 1, y, z, x, xy, yz, 3zz − 1, xz, xx − yy. */
export const HARMONICS = 9;
const FACTORS = [BAND_0, BAND_1, BAND_1, BAND_1, BAND_2, BAND_2, BAND_2 / 12, BAND_2, BAND_2 / 4];

/** The basis times FACTORS times the solid angle at each texel of a picture, [height, width, 9], by its size. */
const bases = new Map<string, Float64Array>();

function basisOf(width: number, height: number): Float64Array {
  const key = `${width}×${height}`;
  let basis = bases.get(key);
  if (basis === undefined) bases.set(key, (basis = tabulateBasis(width, height)));
  return basis;
}

/** Computes a basis. Sine and cosine are rounded to float32, in which machines agree. */
function tabulateBasis(width: number, height: number): Float64Array {
  const basis = new Float64Array(width * height * 9);
  for (let row = 0; row < height; row++) {
    const latitude = ((row + 0.5) / height - 0.5) * Math.PI;
    const y = Math.fround(Math.sin(latitude));
    const ring = Math.fround(Math.cos(latitude));
    const solidAngle = ring * (Math.PI / height) * ((2 * Math.PI) / width);
    for (let column = 0; column < width; column++) {
      const longitude = ((column + 0.5) / width - 0.5) * 2 * Math.PI;
      const x = ring * Math.fround(Math.cos(longitude));
      const z = ring * Math.fround(Math.sin(longitude));
      const values = [1, y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y];
      values.forEach((value, k) => (basis[(row * width + column) * 9 + k] = FACTORS[k]! * solidAngle * value));
    }
  }
  return basis;
}

/** The columns, and twice the rows, at which a picture is projected; its own, if it has more than half as many. */
const COLUMNS = 32;

/** How many times a picture is enlarged along a side, so that the sum over its texels is near enough to the integral. */
const enlargement = (side: number, wanted: number) => (2 * side > wanted ? 1 : Math.ceil(wanted / side));

/** Projects a picture onto the harmonics, at a size of about 32 columns. */
function irradianceHarmonics(texture: THREE.Texture): Float64Array {
  const pyramid = pyramidOf(texture);
  complete(pyramid);
  const { levels } = pyramid;
  const { width, height, texels } = levels.find((level) => level.width <= COLUMNS) ?? levels[0]!;
  const across = enlargement(width, COLUMNS);
  const down = enlargement(height, COLUMNS / 2);
  const columns = width * across;
  const basis = basisOf(columns, height * down);
  const harmonics = new Float64Array(27);
  for (let row = 0; row < height * down; row++) {
    const own = Math.floor(row / down);
    const from = (texture.flipY ? height - 1 - own : own) * width;
    for (let column = 0; column < columns; column++) {
      const texel = (from + Math.floor(column / across)) * 4;
      const place = (row * columns + column) * 9;
      for (let k = 0; k < 9; k++) {
        const weight = basis[place + k]!;
        harmonics[k * 3]! += weight * texels[texel]!;
        harmonics[k * 3 + 1]! += weight * texels[texel + 1]!;
        harmonics[k * 3 + 2]! += weight * texels[texel + 2]!;
      }
    }
  }
  return harmonics;
}
