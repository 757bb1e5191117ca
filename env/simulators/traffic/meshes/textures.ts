/** Small generated pictures: value noise, and the functions that turn it into textures. */
import * as THREE from 'three';
import { deriveSeed, Random } from '../../../../protocol/random.ts';
import { linearToSrgb } from '../../../render/srgb.ts';
import type { Rgb } from './mesh-builder.ts';

/** The colour of a texel: linear red, green, blue, and alpha where it is not 1. */
export type Texel = readonly [red: number, green: number, blue: number, alpha?: number];

/**
 * Makes a mip-mapped, repeating texture; `paint` is called with the middle of each texel, v = 0 at the bottom.
 *
 * @param paint of u and v, 0 to 1
 */
export function paintTexture(width: number, height: number, paint: (u: number, v: number) => Texel) {
  const linear = new Float32Array(width * height * 3);
  const data = new Uint8Array(width * height * 4);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const texel = paint((x + 0.5) / width, (y + 0.5) / height);
      linear[3 * i] = texel[0];
      linear[3 * i + 1] = texel[1];
      linear[3 * i + 2] = texel[2];
      data[4 * i + 3] = texel[3] === undefined ? 255 : Math.round(255 * texel[3]);
    }
  }
  const bytes = linearToSrgb(linear);
  for (let i = 0; i < width * height; i++) {
    data[4 * i] = bytes[3 * i]!;
    data[4 * i + 1] = bytes[3 * i + 1]!;
    data[4 * i + 2] = bytes[3 * i + 2]!;
  }
  const texture = new THREE.DataTexture(data, width, height, THREE.RGBAFormat, THREE.UnsignedByteType);
  texture.colorSpace = THREE.SRGBColorSpace;
  texture.anisotropy = 2; // ground and facades are seen at low angles
  texture.wrapS = texture.wrapT = THREE.RepeatWrapping;
  texture.magFilter = THREE.LinearFilter;
  texture.minFilter = THREE.LinearMipmapLinearFilter;
  texture.generateMipmaps = true;
  texture.needsUpdate = true;
  return texture;
}

/** A smooth random function of the plane that repeats after 1 in both directions; mean .5, from 0 to 1. */
export type Noise = (u: number, v: number) => number;

/** Value noise on a lattice of `across` × `up` random values; exact, to be read at a few points. */
export function valueNoise(seed: number, across: number, up = across): Noise {
  const lattice = drawLattice(seed, across, up);
  return (u, v) => {
    const x = u * across;
    const y = v * up;
    const left = Math.floor(x);
    const low = Math.floor(y);
    const fx = smooth(x - left);
    const fy = smooth(y - low);
    const x0 = modulo(left, across);
    const x1 = modulo(left + 1, across);
    const y0 = modulo(low, up) * across;
    const y1 = modulo(low + 1, up) * across;
    const lower = lattice[y0 + x0]! * (1 - fx) + lattice[y0 + x1]! * fx;
    const upper = lattice[y1 + x0]! * (1 - fx) + lattice[y1 + x1]! * fx;
    return lower * (1 - fy) + upper * fy;
  };
}

function drawLattice(seed: number, across: number, up: number): Float32Array {
  const random = new Random(deriveSeed(seed, 'value noise', across, up));
  const lattice = new Float32Array(across * up);
  for (let i = 0; i < lattice.length; i++) lattice[i] = random.uniform();
  return lattice;
}

function modulo(i: number, n: number): number {
  const rest = i % n;
  return rest < 0 ? rest + n : rest;
}

/** The number of values of a noise field in each direction, a power of two. */
const FIELD = 128;

/**
 * Octaves of value noise, each twice as fine and half as strong as the one before.
 *
 * They are computed once, for FIELD × FIELD points; the function reads the point at (u, v). It is for painting.
 */
export function fractalNoise(seed: number, across: number, octaves: number, up = across): Noise {
  const field = new Float32Array(FIELD * FIELD);
  const total = 2 - 2 ** (1 - octaves);
  for (let i = 0; i < octaves; i++) addOctave(field, deriveSeed(seed, i), across << i, up << i, 0.5 ** i / total);
  return (u, v) => field[((v * FIELD) & (FIELD - 1)) * FIELD + ((u * FIELD) & (FIELD - 1))]!;
}

function addOctave(field: Float32Array, seed: number, across: number, up: number, weight: number): void {
  const lattice = drawLattice(seed, across, up);
  const row = new Float32Array(across);
  for (let y = 0; y < FIELD; y++) {
    const v = ((y + 0.5) * up) / FIELD;
    const low = Math.floor(v);
    const fy = smooth(v - low);
    const y0 = low * across;
    const y1 = ((low + 1) % up) * across;
    for (let x = 0; x < across; x++) row[x] = weight * (lattice[y0 + x]! * (1 - fy) + lattice[y1 + x]! * fy);
    for (let x = 0; x < FIELD; x++) {
      const u = ((x + 0.5) * across) / FIELD;
      const left = Math.floor(u);
      const fx = smooth(u - left);
      const next = left + 1 === across ? 0 : left + 1;
      field[y * FIELD + x]! += row[left]! * (1 - fx) + row[next]! * fx;
    }
  }
}

function smooth(t: number): number {
  return t * t * (3 - 2 * t);
}

/** 0 below `low`, 1 above `high`, smooth in between. */
export function smoothstep(low: number, high: number, value: number): number {
  return smooth(Math.min(1, Math.max(0, (value - low) / (high - low))));
}

export function scaled([red, green, blue]: Rgb, factor: number): Rgb {
  return [red * factor, green * factor, blue * factor];
}

export function blend(a: Rgb, b: Rgb, share: number): Rgb {
  return [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share];
}

/** A linear colour from hue in turns, saturation and lightness. */
export function colourOf(hue: number, saturation: number, lightness: number): Rgb {
  return [
    channel(hue, saturation, lightness),
    channel(hue + 2 / 3, saturation, lightness),
    channel(hue + 1 / 3, saturation, lightness),
  ];
}

function channel(turn: number, saturation: number, lightness: number): number {
  const wave = Math.abs((turn - Math.floor(turn)) * 6 - 3) - 1;
  const pure = Math.min(1, Math.max(0, wave));
  return lightness * (1 + saturation * (2 * pure - 1) * 0.9);
}

/** Remembers the value that was made for each key; it must depend on the key alone. */
export function cached<Key extends string | number, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const known = new Map<Key, Value>();
  return (key) => {
    const found = known.get(key);
    if (found !== undefined) return found;
    const made = make(key);
    known.set(key, made);
    return made;
  };
}
