import type * as THREE from 'three';
import { atan2 } from './elementary.ts';
import type { Fragments } from './fragments.ts';
import { complete, pyramidOf } from './mip-levels.ts';
import { TextureSampler } from './texture.ts';

const INVERSE_2_PI = 1 / (2 * Math.PI);
const INVERSE_PI = 1 / Math.PI;

/**
 * Light from far away in all directions, from an equirectangular texture: its middle column lies towards +x, a quarter
 * to the right of it towards +z; with flipY off its first row is the nadir. (three.js's EquirectangularReflectionMapping.)
 */
export class EnvironmentMap {
  /** Which way a surface looks for its irradiance: a unit vector. (Fields, since arguments would cost memory.) */
  x = 0.5;
  y = 0.5;
  z = 0.5;
  /** The irradiance found. */
  r = 0.5;
  g = 0.5;
  b = 0.5;
  private readonly sampler = new TextureSampler();
  private readonly texture: THREE.Texture;
  private readonly version: number;
  /** Irradiance in nine spherical harmonics, [9, 3]; null until it is asked for. */
  private harmonics: Float64Array | null = null;

  private constructor(texture: THREE.Texture) {
    this.texture = texture;
    this.version = texture.version;
  }

  private static readonly known = new WeakMap<THREE.Texture, EnvironmentMap>();

  /** The environment of a texture, as the texture is now. */
  static of(texture: THREE.Texture): EnvironmentMap {
    let map = EnvironmentMap.known.get(texture);
    if (map?.version !== texture.version) EnvironmentMap.known.set(texture, (map = new EnvironmentMap(texture)));
    map.sampler.load(texture);
    map.sampler.smooth();
    return map;
  }

  /**
   * Finds the radiance along fragments' look, into their read.
   *
   * @param blur 0 (sharp) to 1 (the mean of about a hemisphere)
   */
  lookUp(f: Fragments, blur: number): void {
    const { lookX, lookY, lookZ, u, v, count } = f;
    for (let i = 0; i < count; i++) {
      const x = lookX[i]!;
      const z = lookZ[i]!;
      u[i] = atan2(z, x) * INVERSE_2_PI + 0.5;
      v[i] = atan2(lookY[i]!, Math.sqrt(x * x + z * z)) * INVERSE_PI + 0.5;
    }
    this.sampler.sampleLevel(f, u, v, blur * Math.max(0, this.sampler.levelCount - 2));
  }

  /** Finds the irradiance on a surface with the unit normal x, y, z, into r, g, b. */
  lookUpIrradiance(): void {
    const { x, y, z } = this;
    const h = (this.harmonics ??= irradianceHarmonics(this.texture));
    const xy = x * y;
    const yz = y * z;
    const zz = 3 * z * z - 1;
    const xz = x * z;
    const xx = x * x - y * y;
    const linearR = h[0]! + h[3]! * y + h[6]! * z + h[9]! * x;
    const linearG = h[1]! + h[4]! * y + h[7]! * z + h[10]! * x;
    const linearB = h[2]! + h[5]! * y + h[8]! * z + h[11]! * x;
    const r = linearR + h[12]! * xy + h[15]! * yz + h[18]! * zz + h[21]! * xz + h[24]! * xx;
    const g = linearG + h[13]! * xy + h[16]! * yz + h[19]! * zz + h[22]! * xz + h[25]! * xx;
    const b = linearB + h[14]! * xy + h[17]! * yz + h[20]! * zz + h[23]! * xz + h[26]! * xx;
    this.r = r > 0 ? r : 0;
    this.g = g > 0 ? g : 0;
    this.b = b > 0 ? b : 0;
  }
}

// The nine real spherical harmonics' constants, squared (once for projecting, once for evaluating), times the cosine
// lobe's factor of their band: π, 2π/3, π/4. (Ramamoorthi and Hanrahan 2001, https://doi.org/10.1145/383259.383317)
const BAND_0 = Math.PI / (4 * Math.PI);
const BAND_1 = ((2 * Math.PI) / 3) * (3 / (4 * Math.PI));
const BAND_2 = (Math.PI / 4) * (15 / (4 * Math.PI));
const FACTORS = [BAND_0, BAND_1, BAND_1, BAND_1, BAND_2, BAND_2, BAND_2 / 12, BAND_2, BAND_2 / 4];

/** The basis times FACTORS times the solid angle at each texel of a small picture, [height, width, 9], by its size. */
const bases = new Map<string, Float64Array>();

function basisOf(width: number, height: number): Float64Array {
  const key = `${width}×${height}`;
  let basis = bases.get(key);
  if (basis === undefined) bases.set(key, (basis = tabulateBasis(width, height)));
  return basis;
}

/** Sine and cosine are rounded to float32, where machines agree. */
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

/** Projects a picture, in a size of at most 32 columns. */
function irradianceHarmonics(texture: THREE.Texture): Float64Array {
  const pyramid = pyramidOf(texture);
  complete(pyramid);
  const { levels } = pyramid;
  const { width, height, texels } = levels.find((level) => level.width <= 32) ?? levels[0]!;
  const basis = basisOf(width, height);
  const harmonics = new Float64Array(27);
  for (let row = 0; row < height; row++) {
    const from = (texture.flipY ? height - 1 - row : row) * width;
    for (let column = 0; column < width; column++) {
      const texel = (from + column) * 4;
      const place = (row * width + column) * 9;
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
