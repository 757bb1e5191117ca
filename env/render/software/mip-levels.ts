import * as THREE from 'three';
import { LINEAR_OF_BYTE } from '../srgb.ts';

/** One size of a picture: linear light and alpha, float32 [height, width, 4]. */
export interface MipLevel {
  readonly width: number;
  readonly height: number;
  readonly texels: Float32Array;
}

/** A picture in all sizes: the full one first, each half of the one before, the last 1 × 1. */
export interface Pyramid {
  /** The full size is filled in; the others are after `complete`. */
  readonly levels: readonly MipLevel[];
  /** The texels of all levels, one after the other. */
  readonly texels: Float32Array;
  /** Where each level starts in `texels`. */
  readonly offsets: Int32Array;
  /** The number of levels that are filled in. */
  filled: number;
  /** Rises when the texels change. */
  revision: number;
}

interface Known {
  readonly version: number;
  readonly colorSpace: string;
  readonly pyramid: Pyramid;
}

/** The pyramids of pictures seen before; a picture's textures (clones with another repeat) share one. */
const pyramids = new WeakMap<object, Known>();

/** Fills in the smaller sizes. */
export function complete(pyramid: Pyramid): void {
  const { levels } = pyramid;
  for (let i = pyramid.filled; i < levels.length; i++) halve(levels[i - 1]!, levels[i]!);
  pyramid.filled = levels.length;
}

/**
 * A texture's mip levels in linear light; the smaller ones are not filled in yet.
 *
 * @throws {TypeError} when the texture is not a DataTexture of RGBA bytes or floats
 */
export function pyramidOf(texture: THREE.Texture): Pyramid {
  const { version, colorSpace, source } = texture;
  const known = pyramids.get(source);
  if (known?.version === version && known.colorSpace === colorSpace) return known.pyramid;
  const pyramid = build(texture, known?.pyramid);
  pyramids.set(source, { version, colorSpace, pyramid });
  return pyramid;
}

/** @param former the same picture's pyramid, which is filled again if it has the right size */
function build(texture: THREE.Texture, former: Pyramid | undefined): Pyramid {
  const picture = (texture.image ?? {}) as { data?: ArrayLike<number>; width?: number; height?: number };
  const { data, width = 0, height = 0 } = picture;
  const isBytes = data instanceof Uint8Array || data instanceof Uint8ClampedArray;
  const isOfType = texture.type === (isBytes ? THREE.UnsignedByteType : THREE.FloatType);
  const isWhole = data?.length === width * height * 4 && texture.format === THREE.RGBAFormat;
  if (!(isBytes || data instanceof Float32Array) || !isWhole || !isOfType) {
    const got = `${data?.constructor.name ?? 'no data'}, ${width}×${height}, format ${texture.format}, type ${texture.type}`;
    throw new TypeError(`texture "${texture.name}": expected a DataTexture of RGBA bytes or floats, got ${got}`);
  }
  const first = former?.levels[0];
  const pyramid = first?.width === width && first.height === height ? former! : emptyPyramid(width, height);
  const { texels } = pyramid;
  pyramid.filled = 1;
  pyramid.revision++;
  if (data instanceof Float32Array) texels.set(data);
  else decode(data, texture.colorSpace === THREE.SRGBColorSpace, texels);
  return pyramid;
}

function emptyPyramid(width: number, height: number): Pyramid {
  const sizes = [{ width, height, start: 0 }];
  let total = width * height * 4;
  for (let last = sizes[0]!; last.width > 1 || last.height > 1;) {
    last = { width: Math.max(1, last.width >> 1), height: Math.max(1, last.height >> 1), start: total };
    total += last.width * last.height * 4;
    sizes.push(last);
  }
  const texels = new Float32Array(total);
  const levels = sizes.map((size) => {
    const end = size.start + size.width * size.height * 4;
    return { width: size.width, height: size.height, texels: texels.subarray(size.start, end) };
  });
  return { levels, texels, offsets: Int32Array.from(sizes, ({ start }) => start), filled: 0, revision: 0 };
}

function decode(bytes: Uint8Array | Uint8ClampedArray, isSrgb: boolean, into: Float32Array): void {
  for (let i = 0; i < bytes.length; i++) {
    const value = bytes[i]!;
    into[i] = isSrgb && (i & 3) !== 3 ? LINEAR_OF_BYTE[value]! : value / 255;
  }
}

/** The mean of every 2 × 2 texels; an odd last row or column counts for two. */
function halve({ width, height, texels }: MipLevel, half: MipLevel): void {
  const into = half.texels;
  const right = width > 1 ? 4 : 0;
  const down = height > 1 ? width * 4 : 0;
  for (let y = 0, o = 0; y < half.height; y++) {
    for (let x = 0; x < half.width; x++) {
      const i = (2 * y * width + 2 * x) * 4;
      for (let c = i; c < i + 4; c++, o++) {
        into[o] = (texels[c]! + texels[c + right]! + texels[c + down]! + texels[c + right + down]!) / 4;
      }
    }
  }
}
