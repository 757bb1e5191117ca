import * as THREE from 'three';
import { type Kernel, RecordWriter } from './kernel.ts';
import { type MipLevel, type Pyramid, complete, pyramidOf } from './mip-levels.ts';
import { checkTexture } from '../refusals.ts';

/** The largest number of readings along a pixel's longer direction. */
const MOST_TAPS = 16;
/** The largest number of levels in a texture's tables. */
const MOST_LEVELS = 20;

/** How a picture continues beyond its borders. */
function wrapOf(wrapping: THREE.Wrapping): number {
  if (wrapping === THREE.RepeatWrapping) return 1;
  return wrapping === THREE.MirroredRepeatWrapping ? 2 : 0;
}

/** A picture in a kernel's memory: the addresses of its table of levels and of its texels, and their state. */
interface Known {
  readonly levels: number;
  readonly texels: number;
  revision: number;
  filled: number;
}

/**
 * A byte for a texel and its neighbours to the right and below. Between them the alpha is below the threshold (HOLE),
 * at least the threshold (SOLID), or it depends on the place (MIXED).
 */
const HOLE = 0;
const SOLID = 1;
const MIXED = 2;
/** Rounding error of an alpha that is read between texels. */
const ROUNDING = 1e-5;

/** Where a picture has holes at a threshold. */
interface Holes {
  readonly address: number;
  revision: number;
  filled: number;
}

/**
 * Copies textures into a kernel's memory. The kernel reads them as WebGL would: wrapping, filters, mip levels,
 * anisotropy and flipY.
 *
 * A DataTexture's own defaults are nearest texels and no mip levels; a texture that is seen from afar needs
 * `generateMipmaps`, `minFilter = LinearMipmapLinearFilter` and `magFilter = LinearFilter`.
 */
export class Textures {
  private readonly pyramids = new WeakMap<Pyramid, Known>();
  private readonly holes = new WeakMap<Pyramid, Map<number, Holes>>();
  /** The record of each texture in this frame. */
  private readonly records = new Map<THREE.Texture, number>();

  constructor(private readonly kernel: Kernel) {}

  beginFrame(): void {
    this.records.clear();
  }

  /** The address of a texture's record, as the texture is now. */
  of(texture: THREE.Texture): number {
    const known = this.records.get(texture);
    if (known !== undefined) return known;
    const filter = texture.minFilter;
    const hasMips = texture.generateMipmaps && filter !== THREE.LinearFilter && filter !== THREE.NearestFilter;
    const address = this.write(texture, {
      smoothNear: texture.magFilter === THREE.LinearFilter,
      smoothFar:
        filter === THREE.LinearFilter ||
        filter === THREE.LinearMipmapNearestFilter ||
        filter === THREE.LinearMipmapLinearFilter,
      hasMips,
      blendsMips: filter === THREE.LinearMipmapLinearFilter || filter === THREE.NearestMipmapLinearFilter,
    });
    this.records.set(texture, address);
    return address;
  }

  /** The same, but read between texels and between mip levels, whatever the texture's own filters are. */
  smooth(texture: THREE.Texture): number {
    return this.write(texture, { smoothNear: true, smoothFar: true, hasMips: true, blendsMips: true });
  }

  /** The address of a texture's holes at a material's alphaTest: HOLE, SOLID or MIXED for each texel of all levels. */
  holesOf(texture: THREE.Texture, { alphaTest, opacity }: { alphaTest: number; opacity: number }): number {
    const pyramid = pyramidOf(texture);
    const threshold = alphaTest / opacity;
    let byThreshold = this.holes.get(pyramid);
    if (!byThreshold) this.holes.set(pyramid, (byThreshold = new Map<number, Holes>()));
    let known = byThreshold.get(threshold);
    if (!known) {
      const address = this.kernel.allocate(pyramid.texels.length / 4 + 4);
      byThreshold.set(threshold, (known = { address, revision: -1, filled: 0 }));
    }
    if (known.revision !== pyramid.revision || known.filled < pyramid.filled) {
      pyramid.levels
        .slice(0, pyramid.filled)
        .forEach((level, i) =>
          writeHoles(level, threshold, this.kernel.bytes, known.address + pyramid.offsets[i]! / 4),
        );
      known.revision = pyramid.revision;
      known.filled = pyramid.filled;
    }
    return known.address;
  }

  private write(
    texture: THREE.Texture,
    filters: { smoothNear: boolean; smoothFar: boolean; hasMips: boolean; blendsMips: boolean },
  ): number {
    checkTexture(texture);
    const pyramid = pyramidOf(texture);
    if (filters.hasMips) complete(pyramid);
    return new RecordWriter(this.kernel, 9)
      .int(this.handOver(pyramid))
      .int(pyramid.levels.length)
      .int(wrapOf(texture.wrapS))
      .int(wrapOf(texture.wrapT))
      .int(+filters.smoothNear)
      .int(+filters.smoothFar)
      .int(+filters.hasMips)
      .int(+filters.blendsMips)
      .int(+texture.flipY)
      .float(Math.min(MOST_TAPS, Math.max(1, texture.anisotropy))).address;
  }

  private handOver(pyramid: Pyramid): number {
    const { kernel } = this;
    let known = this.pyramids.get(pyramid);
    if (known === undefined) {
      const { levels } = pyramid;
      const texels = kernel.allocate(pyramid.texels.byteLength);
      const table = kernel.allocate(MOST_LEVELS * 12);
      levels.forEach(({ width, height }, i) => {
        const at = table / 4 + i;
        kernel.ints[at] = texels + pyramid.offsets[i]! * 4;
        kernel.ints[at + MOST_LEVELS] = width;
        kernel.ints[at + 2 * MOST_LEVELS] = height;
      });
      this.pyramids.set(pyramid, (known = { levels: table, texels, revision: -1, filled: 0 }));
    }
    if (known.revision !== pyramid.revision || known.filled < pyramid.filled) {
      kernel.floats.set(pyramid.texels, known.texels / 4);
      known.revision = pyramid.revision;
      known.filled = pyramid.filled;
    }
    return known.levels;
  }
}

/** Writes a byte for each texel: HOLE, SOLID or MIXED. Beyond its border the picture is taken to repeat. */
function writeHoles({ width, height, texels }: MipLevel, threshold: number, bytes: Uint8Array, at: number): void {
  const alpha = (x: number, y: number) => texels[((y % height) * width + (x % width)) * 4 + 3]!;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [a, b, c, d] = [alpha(x, y), alpha(x + 1, y), alpha(x, y + 1), alpha(x + 1, y + 1)];
      const isHole = Math.max(a, b, c, d) < threshold - ROUNDING;
      const isSolid = Math.min(a, b, c, d) > threshold + ROUNDING;
      bytes[at + y * width + x] = isHole ? HOLE : isSolid ? SOLID : MIXED;
    }
  }
}

/** Writes a texture's transform of the mesh's uv into `m`, column by column. */
export function readUvMatrix(texture: THREE.Texture, m: Float64Array): void {
  const { offset, repeat, center, rotation, matrixAutoUpdate } = texture;
  if (matrixAutoUpdate && rotation === 0) {
    m[0] = repeat.x; // What updateMatrix gives, without its sine and cosine.
    m[4] = repeat.y;
    m[6] = offset.x + center.x - repeat.x * center.x;
    m[7] = offset.y + center.y - repeat.y * center.y;
    m[8] = 1;
    m[1] = m[2] = m[3] = m[5] = 0;
    return;
  }
  if (matrixAutoUpdate) texture.updateMatrix();
  const { elements } = texture.matrix;
  for (let i = 0; i < 9; i++) m[i] = elements[i]!;
}
