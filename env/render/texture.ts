import * as THREE from 'three';
import { log2Roughly } from './elementary.ts';
import { BATCH, type Fragments } from './fragments.ts';
import { type Pyramid, complete, pyramidOf } from './mip-levels.ts';

/** Most readings along a pixel's longer direction. */
const MOST_TAPS = 16;

/** How a picture goes on beyond its borders. */
const CLAMP = 0;
const REPEAT = 1;
const MIRROR = 2;

function wrapOf(wrapping: THREE.Wrapping): number {
  if (wrapping === THREE.RepeatWrapping) return REPEAT;
  return wrapping === THREE.MirroredRepeatWrapping ? MIRROR : CLAMP;
}

/** Where a picture is to be read: the taps of a batch of fragments, the first `count`. All samplers share it. */
const taps = {
  count: 0,
  fragment: new Int32Array(BATCH * MOST_TAPS),
  level: new Int32Array(BATCH * MOST_TAPS),
  u: new Float64Array(BATCH * MOST_TAPS),
  v: new Float64Array(BATCH * MOST_TAPS),
  weight: new Float64Array(BATCH * MOST_TAPS),
  /** 1: the mean of the four texels around, 0: the nearest one. */
  isSmooth: new Uint8Array(BATCH * MOST_TAPS),
};

/** Puts a texture coordinate inside the picture, 0 to 1. */
function wrap(u: number, mode: number): number {
  if (mode === REPEAT) return u - Math.floor(u);
  if (mode === CLAMP) return u > 0 ? (u < 1 ? u : 1) : 0;
  return 1 - Math.abs(u - 2 * Math.floor(u / 2) - 1);
}

/**
 * Reads a texture as WebGL would: wrapping, filters, mip levels, anisotropy and flipY of the three.js texture.
 *
 * A DataTexture's own defaults are nearest texels and no mip levels; a texture that is seen from afar wants
 * `generateMipmaps`, `minFilter = LinearMipmapLinearFilter` and `magFilter = LinearFilter`.
 */
export class TextureSampler {
  /** Size of the full picture in texels, and in how many sizes it is there. */
  width = 1;
  height = 1;
  levelCount = 1;
  /** The texture's transform of the mesh's uv, column by column. */
  readonly uvMatrix = new Float64Array(9);
  /** For `cutRow`: the row's y, how far right of pixels' left borders to look, the least alpha. */
  y = 0.5; // Fields, since arguments would cost memory.
  xOffset = 0.5;
  threshold = 0.5;
  private pyramid!: Pyramid;
  private wrapS = CLAMP;
  private wrapT = CLAMP;
  private smoothNear = 1;
  private smoothFar = 1;
  private hasMips = true;
  private blendsMips = true;
  private flipY = false;
  private anisotropy = 1;

  private version = -1;
  private colorSpace = '';
  private source: object | null = null;

  private static readonly known = new WeakMap<THREE.Texture, TextureSampler>();

  /** The sampler of a texture, as the texture is now. */
  static of(texture: THREE.Texture): TextureSampler {
    let sampler = TextureSampler.known.get(texture);
    if (sampler === undefined) TextureSampler.known.set(texture, (sampler = new TextureSampler()));
    return sampler.load(texture);
  }

  /** Takes over the texture's present state; it must be the same texture each time. */
  load(texture: THREE.Texture): this {
    const { version, colorSpace, source } = texture;
    if (this.version !== version || this.colorSpace !== colorSpace || this.source !== source) {
      this.pyramid = pyramidOf(texture);
      this.source = source;
      this.version = version;
      this.colorSpace = colorSpace;
      this.width = this.pyramid.widths[0]!;
      this.height = this.pyramid.heights[0]!;
      this.levelCount = this.pyramid.levels.length;
    }
    this.setMatrix(texture);
    this.wrapS = wrapOf(texture.wrapS);
    this.wrapT = wrapOf(texture.wrapT);
    this.smoothNear = texture.magFilter === THREE.LinearFilter ? 1 : 0;
    const filter = texture.minFilter;
    const smoothFar =
      filter === THREE.LinearFilter ||
      filter === THREE.LinearMipmapNearestFilter ||
      filter === THREE.LinearMipmapLinearFilter;
    this.smoothFar = smoothFar ? 1 : 0;
    this.hasMips = texture.generateMipmaps && filter !== THREE.LinearFilter && filter !== THREE.NearestFilter;
    if (this.hasMips) complete(this.pyramid);
    this.blendsMips = filter === THREE.LinearMipmapLinearFilter || filter === THREE.NearestMipmapLinearFilter;
    this.flipY = texture.flipY;
    this.anisotropy = Math.min(MOST_TAPS, Math.max(1, texture.anisotropy));
    return this;
  }

  private setMatrix(texture: THREE.Texture): void {
    const { uvMatrix: m } = this;
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

  /** Reads between texels and between mip levels whatever the texture's own filters say. */
  smooth(): void {
    this.smoothNear = this.smoothFar = 1;
    this.hasMips = this.blendsMips = true;
  }

  /**
   * Reads the texture where fragments see it, into their readR, readG, readB and, if asked, readA.
   *
   * @param p planes of u / distance, v / distance and 1 / distance
   */
  sample(f: Fragments, p: Float64Array, withAlpha: boolean): void {
    this.layTaps(f, p);
    this.read(f, withAlpha);
  }

  /** Reads mip level `level` (0 is the full size; between levels when not whole) at fragment i's (us[i], vs[i]). */
  sampleLevel(f: Fragments, us: Float64Array, vs: Float64Array, level: number): void {
    taps.count = 0;
    if (level > 0) complete(this.pyramid);
    for (let i = 0; i < f.count; i++) this.addLevels(i, us[i]!, vs[i]!, level);
    this.read(f, false);
  }

  private layTaps(f: Fragments, p: Float64Array): void {
    const { px, py, distance, count } = f;
    const { width, height, smoothNear, smoothFar, hasMips, anisotropy } = this;
    const ua = p[0]!;
    const ub = p[1]!;
    const uc = p[2]!;
    const va = p[3]!;
    const vb = p[4]!;
    const vc = p[5]!;
    const da = p[6]!;
    const db = p[7]!;
    taps.count = 0;
    for (let i = 0; i < count; i++) {
      const d = distance[i]!;
      const u = (ua * px[i]! + ub * py[i]! + uc) * d;
      const v = (va * px[i]! + vb * py[i]! + vc) * d;
      const dudx = (ua - u * da) * d;
      const dudy = (ub - u * db) * d;
      const dvdx = (va - v * da) * d;
      const dvdy = (vb - v * db) * d;
      // How many texels the pixel spans in its two directions, squared.
      const x2 = dudx * dudx * width * width + dvdx * dvdx * height * height;
      const y2 = dudy * dudy * width * width + dvdy * dvdy * height * height;
      const longest = x2 > y2 ? x2 : y2;
      if (!(longest > 1)) addTap(i, u, v, 0, 1, smoothNear);
      else if (!hasMips) addTap(i, u, v, 0, 1, smoothFar);
      else if (anisotropy === 1) this.addLevels(i, u, v, 0.5 * log2Roughly(longest));
      else if (x2 > y2) this.addRow(i, u, v, dudx, dvdx, x2, y2);
      else this.addRow(i, u, v, dudy, dvdy, y2, x2);
    }
  }

  /**
   * Adds several taps along the pixel's longer direction, each in the level that suits their distance; where they are
   * many, in the nearest level alone, since among them the step between levels does not show.
   */
  private addRow(i: number, u: number, v: number, du: number, dv: number, longest: number, shortest: number): void {
    const count = Math.ceil(Math.min(this.anisotropy, Math.sqrt(longest / Math.max(1e-12, shortest))));
    const level = 0.5 * log2Roughly(Math.max(1, longest / (count * count)));
    if (count === 1) {
      this.addLevels(i, u, v, level);
      return;
    }
    const nearest = Math.min(Math.round(level), this.levelCount - 1);
    const share = 1 / count;
    for (let tap = 0; tap < count; tap++) {
      const along = (tap + 0.5) * share - 0.5;
      addTap(i, u + along * du, v + along * dv, nearest, share, this.smoothFar);
    }
  }

  /** Adds taps in the one or two mip levels around `level`. */
  private addLevels(i: number, u: number, v: number, level: number): void {
    const { smoothFar } = this;
    const last = this.levelCount - 1;
    const lower = Math.floor(level);
    if (lower >= last) addTap(i, u, v, last, 1, smoothFar);
    else if (!this.blendsMips) addTap(i, u, v, level - lower < 0.5 ? lower : lower + 1, 1, smoothFar);
    else {
      addTap(i, u, v, lower, 1 - (level - lower), smoothFar);
      if (level > lower) addTap(i, u, v, lower + 1, level - lower, smoothFar);
    }
  }

  /** Reads all taps. */
  private read(f: Fragments, withAlpha: boolean): void {
    const { readR, readG, readB, readA } = f;
    const { wrapS, wrapT, flipY } = this;
    const { texels, offsets, widths, heights } = this.pyramid;
    const { count, fragment, level: levels, u, v, weight: weights, isSmooth } = taps;
    for (let i = 0; i < f.count; i++) readR[i] = readG[i] = readB[i] = readA[i] = 0;
    for (let tap = 0; tap < count; tap++) {
      const level = levels[tap]!;
      const width = widths[level]!;
      const height = heights[level]!;
      const offset = offsets[level]!;
      const half = 0.5 * isSmooth[tap]!;
      const down = wrap(v[tap]!, wrapT);
      const x = wrap(u[tap]!, wrapS) * width - half;
      const y = (flipY ? 1 - down : down) * height - half;
      const left = ((x + 1) | 0) - 1; // Math.floor, since x is above −1; NaN becomes −1.
      const top = ((y + 1) | 0) - 1;
      const x0 = left < 0 ? (wrapS === REPEAT ? width - 1 : 0) : left < width ? left : width - 1;
      const y0 = top < 0 ? (wrapT === REPEAT ? height - 1 : 0) : top < height ? top : height - 1;
      const i = (offset + (Math.imul(y0, width) + x0) * 4) | 0;
      const to = fragment[tap]!;
      const weight = weights[tap]!;
      if (half === 0) {
        readR[to]! += weight * texels[i]!;
        readG[to]! += weight * texels[i + 1]!;
        readB[to]! += weight * texels[i + 2]!;
        if (withAlpha) readA[to]! += weight * texels[i + 3]!;
        continue;
      }
      const x1 = left + 1 < width ? left + 1 : wrapS === REPEAT ? 0 : width - 1;
      const y1 = top + 1 < height ? top + 1 : wrapT === REPEAT ? 0 : height - 1;
      const j = (offset + (Math.imul(y0, width) + x1) * 4) | 0;
      const k = (offset + (Math.imul(y1, width) + x0) * 4) | 0;
      const l = (offset + (Math.imul(y1, width) + x1) * 4) | 0;
      const below = (y - top) * weight;
      const above = weight - below;
      const wj = above * (x - left);
      const wi = above - wj;
      const wl = below * (x - left);
      const wk = below - wl;
      readR[to]! += wi * texels[i]! + wj * texels[j]! + wk * texels[k]! + wl * texels[l]!;
      readG[to]! += wi * texels[i + 1]! + wj * texels[j + 1]! + wk * texels[k + 1]! + wl * texels[l + 1]!;
      readB[to]! += wi * texels[i + 2]! + wj * texels[j + 2]! + wk * texels[k + 2]! + wl * texels[l + 2]!;
      if (!withAlpha) continue;
      readA[to]! += wi * texels[i + 3]! + wj * texels[j + 3]! + wk * texels[k + 3]! + wl * texels[l + 3]!;
    }
  }

  /**
   * Cuts holes: of a row's pixels from `start` to `end` that are marked in `seen`, unmarks those where the texture's
   * alpha is below `threshold` in the nearest mip level.
   *
   * @param p planes of u / distance, v / distance and 1 / distance
   */
  cutRow(p: Float64Array, start: number, end: number, seen: Uint8Array): void {
    const { y: py, xOffset, threshold, width: fullWidth, height: fullHeight } = this;
    const { wrapS, wrapT, flipY, hasMips, smoothNear, smoothFar } = this;
    const { texels, offsets, widths, heights } = this.pyramid;
    const last = this.levelCount - 1;
    const ua = p[0]!;
    const va = p[3]!;
    const da = p[6]!;
    const ub = p[1]! * fullWidth;
    const vb = p[4]! * fullHeight;
    const dbU = p[7]! * fullWidth;
    const dbV = p[7]! * fullHeight;
    const uRow = p[1]! * py + p[2]!;
    const vRow = p[4]! * py + p[5]!;
    const dRow = p[7]! * py + p[8]!;
    // By the quotient rule u and v change along the row by a constant over the square of 1 / distance.
    const uChange = (ua * dRow - da * uRow) * fullWidth;
    const vChange = (va * dRow - da * vRow) * fullHeight;
    const change2 = uChange * uChange + vChange * vChange;
    for (let column = start; column < end; column++) {
      if (seen[column] === 0) continue;
      const px = column + xOffset;
      const d = 1 / (da * px + dRow);
      const u = (ua * px + uRow) * d;
      const v = (va * px + vRow) * d;
      const dudy = ub - u * dbU;
      const dvdy = vb - v * dbV;
      const x2 = change2 * d * d;
      const y2 = dudy * dudy + dvdy * dvdy;
      const longest = (x2 > y2 ? x2 : y2) * d * d;
      const isFar = longest > 1;
      const level = isFar && hasMips ? Math.min(Math.round(0.5 * log2Roughly(longest)), last) : 0;
      const half = 0.5 * (isFar ? smoothFar : smoothNear);
      const width = widths[level]!;
      const height = heights[level]!;
      const offset = offsets[level]! + 3;
      const down = wrap(v, wrapT);
      const x = wrap(u, wrapS) * width - half;
      const y = (flipY ? 1 - down : down) * height - half;
      const left = ((x + 1) | 0) - 1;
      const top = ((y + 1) | 0) - 1;
      const x0 = left < 0 ? (wrapS === REPEAT ? width - 1 : 0) : left < width ? left : width - 1;
      const y0 = top < 0 ? (wrapT === REPEAT ? height - 1 : 0) : top < height ? top : height - 1;
      let alpha = texels[(offset + (Math.imul(y0, width) + x0) * 4) | 0]!;
      if (half > 0) {
        const x1 = left + 1 < width ? left + 1 : wrapS === REPEAT ? 0 : width - 1;
        const y1 = top + 1 < height ? top + 1 : wrapT === REPEAT ? 0 : height - 1;
        const b = texels[(offset + (Math.imul(y0, width) + x1) * 4) | 0]!;
        const c = texels[(offset + (Math.imul(y1, width) + x0) * 4) | 0]!;
        const e = texels[(offset + (Math.imul(y1, width) + x1) * 4) | 0]!;
        const fx = x - left;
        const above = alpha + fx * (b - alpha);
        alpha = above + (y - top) * (c + fx * (e - c) - above);
      }
      if (!(alpha >= threshold)) seen[column] = 0;
    }
  }
}

function addTap(fragment: number, u: number, v: number, level: number, weight: number, isSmooth: number): void {
  const i = taps.count++;
  taps.fragment[i] = fragment;
  taps.u[i] = u;
  taps.v[i] = v;
  taps.level[i] = level;
  taps.weight[i] = weight;
  taps.isSmooth[i] = isSmooth;
}
