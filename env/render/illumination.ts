import * as THREE from 'three';
import { expNegative } from './elementary.ts';
import { EnvironmentMap } from './environment-map.ts';
import type { Fragments } from './fragments.ts';
import type { Lights, Sun } from './lights.ts';
import type { Surface } from './surface.ts';

const INVERSE_PI = 1 / Math.PI;

/** All light in a scene: lamps, sky domes and surroundings. */
export class Illumination {
  private surroundings: EnvironmentMap | null = null;
  private surroundingsIntensity = 1;
  private readonly lights: Lights;
  // Light from no single direction on one fragment.
  private ambientR = 0.5;
  private ambientG = 0.5;
  private ambientB = 0.5;

  constructor(lights: Lights) {
    this.lights = lights;
  }

  read(scene: THREE.Scene): void {
    const { environment } = scene;
    if (environment !== null && environment.mapping !== THREE.EquirectangularReflectionMapping) {
      throw new TypeError('scene.environment: expected a texture with EquirectangularReflectionMapping, got another');
    }
    this.surroundings = environment === null ? null : EnvironmentMap.of(environment);
    this.surroundingsIntensity = scene.environmentIntensity;
  }

  /** Does any lamp cast shadows? */
  get hasShadows(): boolean {
    return this.lights.suns.some((sun) => sun.shadow !== null);
  }

  /** Finds the light on surfaces without shine: reads the normals, and for shadows the positions. */
  diffuse(f: Fragments, receiveShadow: boolean): void {
    this.lightFromAround(f);
    const { nx, ny, nz, lightR, lightG, lightB, reached, count } = f;
    for (const sun of this.lights.suns) {
      if (f.isFlat && !(nx[0]! * sun.x + ny[0]! * sun.y + nz[0]! * sun.z > 0)) continue;
      findReached(f, sun, receiveShadow);
      for (let i = 0; i < count; i++) {
        const n = f.isFlat ? 0 : i;
        const facing = nx[n]! * sun.x + ny[n]! * sun.y + nz[n]! * sun.z;
        const share = facing > 0 ? facing * reached[i]! * INVERSE_PI : 0;
        lightR[i]! += share * sun.r;
        lightG[i]! += share * sun.g;
        lightB[i]! += share * sun.b;
      }
    }
  }

  /**
   * Turns the colours of surfaces that shine into the light they send back: Lambert's law under a GGX gloss, as
   * three.js's standard material has it (without the light that the gloss scatters twice).
   */
  glossy(f: Fragments, surface: Surface, receiveShadow: boolean): void {
    this.lightFromAround(f);
    this.reflect(f, surface.roughness);
    this.sendFromAround(f, surface);
    const { nx, ny, nz, r, g, b, sentR, sentG, sentB, count } = f;
    for (const sun of this.lights.suns) {
      if (f.isFlat && !(nx[0]! * sun.x + ny[0]! * sun.y + nz[0]! * sun.z > 0)) continue;
      findReached(f, sun, receiveShadow);
      sendFromSun(f, surface, sun);
    }
    for (let i = 0; i < count; i++) {
      r[i] = sentR[i]!;
      g[i] = sentG[i]!;
      b[i] = sentB[i]!;
    }
  }

  /** Finds the light from no single direction: reads the normals. */
  private lightFromAround(f: Fragments): void {
    const { nx, ny, nz, lightR, lightG, lightB, count } = f;
    if (f.isFlat) {
      this.gatherAround(nx[0]!, ny[0]!, nz[0]!);
      for (let i = 0; i < count; i++) {
        lightR[i] = this.ambientR;
        lightG[i] = this.ambientG;
        lightB[i] = this.ambientB;
      }
      return;
    }
    for (let i = 0; i < count; i++) {
      this.gatherAround(nx[i]!, ny[i]!, nz[i]!);
      lightR[i] = this.ambientR;
      lightG[i] = this.ambientG;
      lightB[i] = this.ambientB;
    }
  }

  private gatherAround(nx: number, ny: number, nz: number): void {
    const { ambient, domes } = this.lights;
    let r = ambient.r;
    let g = ambient.g;
    let b = ambient.b;
    for (const { x, y, z, sky, ground } of domes) {
      const up = 0.5 + 0.5 * (nx * x + ny * y + nz * z);
      r += ground.r + up * (sky.r - ground.r);
      g += ground.g + up * (sky.g - ground.g);
      b += ground.b + up * (sky.b - ground.b);
    }
    const { surroundings, surroundingsIntensity } = this;
    if (surroundings !== null) {
      surroundings.x = nx;
      surroundings.y = ny;
      surroundings.z = nz;
      surroundings.lookUpIrradiance();
      r += surroundings.r * surroundingsIntensity;
      g += surroundings.g * surroundingsIntensity;
      b += surroundings.b * surroundingsIntensity;
    }
    this.ambientR = r * INVERSE_PI;
    this.ambientG = g * INVERSE_PI;
    this.ambientB = b * INVERSE_PI;
  }

  /** Reads what surfaces mirror; rough ones look towards their normal, as three.js does. */
  private reflect(f: Fragments, roughness: number): void {
    const { nx, ny, nz, vx, vy, vz, lookX, lookY, lookZ, readR, readG, readB, count } = f;
    if (this.surroundings === null) {
      for (let i = 0; i < count; i++) readR[i] = readG[i] = readB[i] = 0;
      return;
    }
    const bend = roughness * roughness * roughness * roughness;
    const keep = 1 - bend;
    for (let i = 0; i < count; i++) {
      const twice = 2 * Math.max(0, nx[i]! * vx[i]! + ny[i]! * vy[i]! + nz[i]! * vz[i]!) * keep + bend;
      lookX[i] = twice * nx[i]! - keep * vx[i]!;
      lookY[i] = twice * ny[i]! - keep * vy[i]!;
      lookZ[i] = twice * nz[i]! - keep * vz[i]!;
    }
    this.surroundings.lookUp(f, roughness);
  }

  /** Starts what is sent with the light from no single direction, scattered and mirrored. */
  private sendFromAround(f: Fragments, { roughness, metalness }: Surface): void {
    const { nx, ny, nz, vx, vy, vz, r, g, b, lightR, lightG, lightB, readR, readG, readB, sentR, sentG, sentB } = f;
    const { surroundingsIntensity } = this;
    const matt = 1 - metalness;
    const dark = 0.04 * matt; // Reflectance at normal incidence, but for the metal's colour.
    for (let i = 0; i < f.count; i++) {
      const toViewer = Math.max(1e-4, nx[i]! * vx[i]! + ny[i]! * vy[i]! + nz[i]! * vz[i]!);
      // The reflection of a uniform surrounding, mirror · scale + bias: B. Karis's fit for mobile (2014).
      const smooth = 1 - roughness;
      const fade = Math.min(smooth * smooth, expNegative(-6.433 * toViewer)) * smooth + 0.0425 - 0.0275 * roughness;
      const scale = -1.04 * fade + 1.04 - 0.572 * roughness;
      const bias = 1.04 * fade - 0.04 + 0.022 * roughness;
      const ownR = (dark + metalness * r[i]!) * scale + bias;
      const ownG = (dark + metalness * g[i]!) * scale + bias;
      const ownB = (dark + metalness * b[i]!) * scale + bias;
      sentR[i] = matt * r[i]! * lightR[i]! * (1 - ownR) + ownR * readR[i]! * surroundingsIntensity;
      sentG[i] = matt * g[i]! * lightG[i]! * (1 - ownG) + ownG * readG[i]! * surroundingsIntensity;
      sentB[i] = matt * b[i]! * lightB[i]! * (1 - ownB) + ownB * readB[i]! * surroundingsIntensity;
    }
  }
}

/** Sets what share of a lamp's light reaches fragments: reads the positions, and the normals for the shadow's bias. */
function findReached(f: Fragments, { shadow }: Sun, receiveShadow: boolean): void {
  if (receiveShadow && shadow !== null) shadow.findReached(f);
  else for (let i = 0; i < f.count; i++) f.reached[i] = 1;
}

/** Adds to what is sent a lamp's light, scattered and mirrored. */
function sendFromSun(f: Fragments, { roughness, metalness }: Surface, sun: Sun): void {
  const { nx, ny, nz, vx, vy, vz, r, g, b, sentR, sentG, sentB, reached } = f;
  const matt = 1 - metalness;
  const dark = 0.04 * matt;
  const alpha = roughness * roughness;
  for (let i = 0; i < f.count; i++) {
    const facing = nx[i]! * sun.x + ny[i]! * sun.y + nz[i]! * sun.z;
    const share = facing * reached[i]!;
    if (!(share > 0)) continue;
    const toViewer = Math.max(1e-4, nx[i]! * vx[i]! + ny[i]! * vy[i]! + nz[i]! * vz[i]!);
    const hx = sun.x + vx[i]!;
    const hy = sun.y + vy[i]!;
    const hz = sun.z + vz[i]!;
    const inverse = 1 / Math.sqrt(Math.max(1e-12, hx * hx + hy * hy + hz * hz));
    const toHalf = Math.min(1, Math.max(0, (nx[i]! * hx + ny[i]! * hy + nz[i]! * hz) * inverse));
    const away = 1 - Math.min(1, Math.max(0, (vx[i]! * hx + vy[i]! * hy + vz[i]! * hz) * inverse));
    const fresnel = away * away * away * away * away;
    const gloss = ggx(alpha, facing, toViewer, toHalf);
    const mirrorR = dark + metalness * r[i]!;
    const mirrorG = dark + metalness * g[i]!;
    const mirrorB = dark + metalness * b[i]!;
    const fresnelR = mirrorR + (1 - mirrorR) * fresnel;
    const fresnelG = mirrorG + (1 - mirrorG) * fresnel;
    const fresnelB = mirrorB + (1 - mirrorB) * fresnel;
    const scattered = matt * INVERSE_PI;
    sentR[i]! += share * sun.r * (fresnelR * gloss + scattered * r[i]! * (1 - fresnelR));
    sentG[i]! += share * sun.g * (fresnelG * gloss + scattered * g[i]! * (1 - fresnelG));
    sentB[i]! += share * sun.b * (fresnelB * gloss + scattered * b[i]! * (1 - fresnelB));
  }
}

/** Distribution and masking of GGX facets (Walter et al. 2007) with Heitz's height correlation, over 4 facing · toViewer. */
function ggx(alpha: number, facing: number, toViewer: number, toHalf: number): number {
  const a2 = alpha * alpha;
  const spread = toHalf * toHalf * (a2 - 1) + 1;
  const distribution = (INVERSE_PI * a2) / (spread * spread);
  const masked =
    facing * Math.sqrt(a2 + (1 - a2) * toViewer * toViewer) + toViewer * Math.sqrt(a2 + (1 - a2) * facing * facing);
  return (distribution * 0.5) / Math.max(1e-6, masked);
}
