import type * as THREE from 'three';
import { Background } from './background.ts';
import type { Draw, DrawList } from './draw-list.ts';
import { Fog } from './fog.ts';
import { Fragments } from './fragments.ts';
import { Illumination } from './illumination.ts';
import type { Lights } from './lights.ts';
import { Normals } from './normals.ts';
import type { SampleGrid } from './sample-grid.ts';
import type { Triangles } from './triangles.ts';
import { UvPlanes } from './uv-planes.ts';
import type { ViewRays } from './view-rays.ts';
import type { VisibleRuns } from './visible-runs.ts';

/** Gives the colours of what is seen: triangle by triangle, in batches of pieces of pixels. */
export class Shader {
  private readonly fog = new Fog();
  private readonly illumination: Illumination;
  private readonly background: Background;
  private readonly normals: Normals;
  private readonly uv = new UvPlanes();
  private readonly fragments = new Fragments();
  private draw!: Draw;
  private hasShadows = false;
  /** The triangle's plane of 1 / distance, and its weight planes' place in `triangles`. */
  private readonly plane = new Float64Array(3);
  private offset = 0;
  /** Colour all over the triangle, but for `cornerColors` where these differ, [3 corners, r g b alpha]. */
  private readonly color = new Float64Array(4);
  private readonly cornerColors = new Float64Array(12);
  private variesByCorner = false;
  private isFlat = false;

  constructor(
    private readonly triangles: Triangles,
    private readonly list: DrawList,
    private readonly grid: SampleGrid,
    private readonly rays: ViewRays,
    lights: Lights,
  ) {
    this.illumination = new Illumination(lights);
    this.background = new Background(rays);
    this.normals = new Normals(triangles, rays);
  }

  /** Reads the scene's fog, surroundings and background. */
  begin(scene: THREE.Scene): void {
    this.fog.read(scene.fog);
    this.illumination.read(scene);
    this.background.read(scene);
    this.hasShadows = this.illumination.hasShadows;
  }

  /**
   * Colours the whole picture.
   *
   * @param into linear light, float32 [height, width, 3], all 0
   */
  shadeAll(runs: VisibleRuns, into: Float32Array): void {
    const { count } = this.triangles;
    for (let t = -1, from = 0; t < count; t++) {
      const end = runs.starts[t + 1]!;
      if (from === end) continue;
      if (t >= 0) this.turnTo(t);
      const isPlain = t >= 0 ? this.isPlain() : this.background.isPlain;
      if (isPlain) this.addPlain(t, runs, from, end, into);
      else this.addShaded(t, runs, from, end, into);
      from = end;
    }
  }

  /** Adds the runs from place `from` to `end` of a triangle that has one colour all over; −1 is the background. */
  private addPlain(
    t: number,
    { pixel, length, mask }: VisibleRuns,
    from: number,
    end: number,
    into: Float32Array,
  ): void {
    const f = this.fragments;
    f.add(pixel[from]!, 1, mask[from]!, this.grid);
    this.shade(t);
    f.count = 0;
    const r = f.r[0]!;
    const g = f.g[0]!;
    const b = f.b[0]!;
    for (let i = from; i < end; i++) {
      const share = this.grid.coverage[mask[i]!]!;
      const first = pixel[i]! * 3;
      const stop = first + length[i]! * 3;
      if (share === 1) {
        for (let o = first; o < stop; o += 3) {
          into[o] = r; // Nothing else is added to these pixels.
          into[o + 1] = g;
          into[o + 2] = b;
        }
        continue;
      }
      for (let o = first; o < stop; o += 3) {
        into[o]! += share * r;
        into[o + 1]! += share * g;
        into[o + 2]! += share * b;
      }
    }
  }

  private addShaded(
    t: number,
    { pixel, length, mask }: VisibleRuns,
    from: number,
    end: number,
    into: Float32Array,
  ): void {
    const f = this.fragments;
    for (let i = from; i < end; i++) {
      for (let done = 0; done < length[i]!;) {
        done += f.add(pixel[i]! + done, length[i]! - done, mask[i]!, this.grid);
        if (f.isFull) this.addBatch(t, into);
      }
    }
    this.addBatch(t, into);
  }

  private addBatch(t: number, into: Float32Array): void {
    const f = this.fragments;
    const { pixel, weight, r, g, b } = f;
    this.shade(t);
    for (let i = 0; i < f.count; i++) {
      const share = weight[i]!;
      const o = pixel[i]! * 3;
      into[o]! += share * r[i]!;
      into[o + 1]! += share * g[i]!;
      into[o + 2]! += share * b[i]!;
    }
    f.count = 0;
  }

  /** Turns to triangle `t`: finds what is the same all over it. */
  turnTo(t: number): void {
    const draw = (this.draw = this.list.draws[this.triangles.draw[t]!]!);
    const { surface, body } = draw;
    const { planes } = this.triangles;
    const { color, plane } = this;
    const o = (this.offset = t * 9);
    for (let k = 0; k < 3; k++) plane[k] = planes[o + k]! + planes[o + 3 + k]! + planes[o + 6 + k]!;
    color[0] = surface.r * body.tint[0]!;
    color[1] = surface.g * body.tint[1]!;
    color[2] = surface.b * body.tint[2]!;
    color[3] = surface.opacity;
    this.variesByCorner = false;
    if (surface.vertexColors && body.colors !== null) this.loadColors(t, body.colors, body.colorSize);
    if (surface.map !== null) this.uv.load(this.triangles, t, draw);
    this.isFlat = surface.shading === 'basic' || this.normals.load(t, draw);
  }

  private loadColors(t: number, source: Float32Array, size: number): void {
    const { cornerColors: c, color } = this;
    const { corners } = this.triangles;
    for (let corner = 0; corner < 3; corner++) {
      const vertex = corners[t * 3 + corner]! * size;
      for (let k = 0; k < 4; k++) c[corner * 4 + k] = k < size ? source[vertex + k]! : 1;
    }
    for (let k = 0; k < 4; k++) this.variesByCorner ||= c[k] !== c[k + 4] || c[k] !== c[k + 8];
    if (!this.variesByCorner) for (let k = 0; k < 4; k++) color[k]! *= c[k]!;
  }

  /** Is the colour the same all over the triangle? */
  private isPlain(): boolean {
    const { surface, body } = this.draw;
    if (surface.map !== null || this.variesByCorner || (surface.fog && this.fog.isPresent)) return false;
    if (surface.shading === 'basic') return true;
    return surface.shading === 'lambert' && this.isFlat && !(body.receiveShadow && this.hasShadows);
  }

  /** The batch has no more room: it must be blended before `add`. */
  get isFull(): boolean {
    return this.fragments.isFull;
  }

  /** Adds a piece of a pixel that shows the triangle, to be blended. */
  add(pixel: number, mask: number): void {
    this.fragments.add(pixel, 1, mask, this.grid);
  }

  /** Lays the triangle over the pieces of pixels added since, as opaque as it is there. */
  blend(into: Float32Array): void {
    const f = this.fragments;
    const { alphaTest } = this.draw.surface;
    this.shadeTriangle();
    for (let i = 0; i < f.count; i++) {
      const alpha = f.alpha[i]!;
      if (alpha < alphaTest) continue;
      const cover = Math.min(1, Math.max(0, alpha)) * f.weight[i]!;
      const o = f.pixel[i]! * 3;
      into[o] = into[o]! + cover * (f.r[i]! - into[o]!);
      into[o + 1] = into[o + 1]! + cover * (f.g[i]! - into[o + 1]!);
      into[o + 2] = into[o + 2]! + cover * (f.b[i]! - into[o + 2]!);
    }
    f.count = 0;
  }

  /** Finds the colours of the pieces: of the triangle turned to, or for −1 of the background. */
  private shade(t: number): void {
    if (t >= 0) this.shadeTriangle();
    else this.background.shade(this.fragments);
  }

  private shadeTriangle(): void {
    const f = this.fragments;
    const { surface, body } = this.draw;
    const { color, plane, normals } = this;
    const { px, py, distance } = f;
    const a = plane[0]!;
    const b = plane[1]!;
    const c = plane[2]!;
    for (let i = 0; i < f.count; i++) distance[i] = 1 / (a * px[i]! + b * py[i]! + c);
    f.setColors(color[0]!, color[1]!, color[2]!, color[3]!);
    if (this.variesByCorner || !this.isFlat) this.weigh();
    if (this.variesByCorner) this.tintByCorners();
    if (surface.map !== null) this.tintByMap();
    if (surface.shading !== 'basic') {
      normals.apply(f);
      const isGlossy = surface.shading === 'standard';
      if (isGlossy || (body.receiveShadow && this.hasShadows)) this.rays.place(f);
      if (isGlossy) this.shineBack();
      else this.scatterBack();
      if (surface.isEmissive) this.addEmission();
    }
    if (surface.fog && this.fog.isPresent) this.fog.cover(f);
  }

  /** Finds the corners' weights. */
  private weigh(): void {
    const { px, py, distance, w0, w1, w2, count } = this.fragments;
    const { planes } = this.triangles;
    const o = this.offset;
    for (let i = 0; i < count; i++) {
      w0[i] = (planes[o]! * px[i]! + planes[o + 1]! * py[i]! + planes[o + 2]!) * distance[i]!;
      w1[i] = (planes[o + 3]! * px[i]! + planes[o + 4]! * py[i]! + planes[o + 5]!) * distance[i]!;
      w2[i] = (planes[o + 6]! * px[i]! + planes[o + 7]! * py[i]! + planes[o + 8]!) * distance[i]!;
    }
  }

  private tintByCorners(): void {
    const { w0, w1, w2, r, g, b, alpha, count } = this.fragments;
    const { cornerColors: c } = this;
    for (let i = 0; i < count; i++) {
      r[i]! *= w0[i]! * c[0]! + w1[i]! * c[4]! + w2[i]! * c[8]!;
      g[i]! *= w0[i]! * c[1]! + w1[i]! * c[5]! + w2[i]! * c[9]!;
      b[i]! *= w0[i]! * c[2]! + w1[i]! * c[6]! + w2[i]! * c[10]!;
      alpha[i]! *= w0[i]! * c[3]! + w1[i]! * c[7]! + w2[i]! * c[11]!;
    }
  }

  private tintByMap(): void {
    const f = this.fragments;
    const { r, g, b, alpha, readR, readG, readB, readA, count } = f;
    const { map, transparent } = this.draw.surface;
    map!.sample(f, this.uv.planes, transparent);
    for (let i = 0; i < count; i++) {
      r[i]! *= readR[i]!;
      g[i]! *= readG[i]!;
      b[i]! *= readB[i]!;
    }
    if (transparent) for (let i = 0; i < count; i++) alpha[i]! *= readA[i]!;
  }

  private shineBack(): void {
    const f = this.fragments;
    const { surface, body } = this.draw;
    f.spreadNormal();
    this.rays.face(f);
    this.illumination.glossy(f, surface, body.receiveShadow);
  }

  private scatterBack(): void {
    const f = this.fragments;
    const { r, g, b, lightR, lightG, lightB, count } = f;
    this.illumination.diffuse(f, this.draw.body.receiveShadow);
    for (let i = 0; i < count; i++) {
      r[i]! *= lightR[i]!;
      g[i]! *= lightG[i]!;
      b[i]! *= lightB[i]!;
    }
  }

  private addEmission(): void {
    const { r, g, b, count } = this.fragments;
    const { emissiveR, emissiveG, emissiveB } = this.draw.surface;
    for (let i = 0; i < count; i++) {
      r[i]! += emissiveR;
      g[i]! += emissiveG;
      b[i]! += emissiveB;
    }
  }
}
