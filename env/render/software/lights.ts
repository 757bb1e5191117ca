import * as THREE from 'three';
import type { Draw } from '../draw-list.ts';
import { HARMONICS, irradianceOf } from './environment-map.ts';
import { type Kernel, RecordWriter } from './kernel.ts';
import { checkShadow, refuse } from '../refusals.ts';
import { ShadowMap } from './shadow-map.ts';

const INVERSE_PI = 1 / Math.PI;
const SUN_NUMBERS = 11;

const direction = new THREE.Vector3();
const target = new THREE.Vector3();

/** A scene's lights, in three.js's units: a colour times an intensity, to be divided by π. */
export class Lights {
  /** Light from no single direction, divided by π, as nine spherical harmonics, [9, rgb]. */
  readonly harmonics = new Float64Array(HARMONICS * 3);
  /** Address and number of the records of directional lights. */
  suns = 0;
  sunCount = 0;
  private readonly shadows: ShadowMap[] = [];

  constructor(private readonly kernel: Kernel) {}

  /**
   * Reads the lights and draws their shadow maps.
   *
   * @param records the draws' addresses
   * @throws {TypeError} when a light is of another kind than ambient, hemisphere or directional, or casts its shadow in
   *   another way
   */
  read(lights: readonly THREE.Light[], draws: readonly Draw[], records: readonly number[], drawCount: number): void {
    this.harmonics.fill(0);
    this.sunCount = 0;
    const suns: THREE.DirectionalLight[] = [];
    for (const light of lights) {
      if (isDirectional(light)) suns.push(light);
      else if (isHemisphere(light)) this.addDome(light);
      else if ((light as Partial<THREE.AmbientLight>).isAmbientLight) this.add(0, light.color, light.intensity);
      else {
        refuse('light', light, 'an AmbientLight, HemisphereLight or DirectionalLight', light.type);
      }
    }
    const views = suns.map((light, i) => {
      if (!light.castShadow || light.intensity === 0 || light.shadow.intensity === 0) return 0;
      checkShadow(light);
      return (this.shadows[i] ??= new ShadowMap(this.kernel)).draw(light, draws, records, drawCount);
    });
    this.sunCount = suns.length;
    this.suns = this.kernel.take(suns.length * SUN_NUMBERS * 4);
    suns.forEach((light, i) => this.writeSun(light, views[i]!, this.suns + i * SUN_NUMBERS * 4));
  }

  /** Adds the light of an environment map. */
  surroundBy(environment: THREE.Texture, intensity: number): void {
    const irradiance = irradianceOf(environment);
    for (let i = 0; i < irradiance.length; i++) this.harmonics[i]! += irradiance[i]! * intensity * INVERSE_PI;
  }

  private add(harmonic: number, { r, g, b }: THREE.Color, intensity: number): void {
    this.harmonics[harmonic * 3]! += r * intensity * INVERSE_PI;
    this.harmonics[harmonic * 3 + 1]! += g * intensity * INVERSE_PI;
    this.harmonics[harmonic * 3 + 2]! += b * intensity * INVERSE_PI;
  }

  /** Light of one colour from above and of another from below: ground + (1 + cosine) / 2 · (sky − ground). */
  private addDome(light: THREE.HemisphereLight): void {
    const { x, y, z } = direction.setFromMatrixPosition(light.matrixWorld).normalize();
    const half = light.intensity / 2;
    for (const [color, sign] of [
      [light.color, 1],
      [light.groundColor, -1],
    ] as const) {
      this.add(0, color, half);
      this.add(1, color, sign * half * y);
      this.add(2, color, sign * half * z);
      this.add(3, color, sign * half * x);
    }
  }

  private writeSun(
    { color, intensity, shadow, matrixWorld, target: aim }: THREE.DirectionalLight,
    view: number,
    at: number,
  ): void {
    direction.setFromMatrixPosition(matrixWorld).sub(target.setFromMatrixPosition(aim.matrixWorld)).normalize();
    new RecordWriter(this.kernel, SUN_NUMBERS, at)
      .float(direction.x)
      .float(direction.y)
      .float(direction.z)
      .float(color.r * intensity)
      .float(color.g * intensity)
      .float(color.b * intensity)
      .int(view)
      .float(shadow.bias)
      .float(shadow.normalBias)
      .float(shadow.intensity)
      .int(shadow.radius);
  }
}

function isDirectional(light: THREE.Light): light is THREE.DirectionalLight {
  return (light as Partial<THREE.DirectionalLight>).isDirectionalLight === true;
}

function isHemisphere(light: THREE.Light): light is THREE.HemisphereLight {
  return (light as Partial<THREE.HemisphereLight>).isHemisphereLight === true;
}
