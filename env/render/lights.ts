import * as THREE from 'three';
import type { Draw } from './draw-list.ts';
import { ShadowMap } from './shadow-map.ts';

/** Light from one far direction. */
export interface Sun {
  /** Unit vector towards the light, world coordinates. */
  x: number;
  y: number;
  z: number;
  r: number;
  g: number;
  b: number;
  shadow: ShadowMap | null;
}

/** Light of one colour from above and of another from below. */
export interface Dome {
  /** Unit vector towards the sky. */
  x: number;
  y: number;
  z: number;
  readonly sky: THREE.Color;
  readonly ground: THREE.Color;
}

const position = new THREE.Vector3();
const target = new THREE.Vector3();

/** A scene's lights as plain numbers, in three.js's units: a colour times an intensity, to be divided by π. */
export class Lights {
  readonly ambient = new THREE.Color();
  readonly suns: Sun[] = [];
  readonly domes: Dome[] = [];
  private readonly shadows: ShadowMap[] = [];

  /**
   * Reads the lights and draws their shadow maps.
   *
   * @throws {TypeError} when a light is of another kind than ambient, hemisphere or directional
   */
  read(lights: readonly THREE.Light[], draws: readonly Draw[], drawCount: number): void {
    this.ambient.setRGB(0, 0, 0);
    this.suns.length = 0;
    this.domes.length = 0;
    let shadowCount = 0;
    for (const light of lights) {
      if (isDirectional(light)) {
        const sun = readSun(light);
        this.suns.push(sun);
        if (!light.castShadow || light.intensity === 0 || light.shadow.intensity === 0) continue;
        sun.shadow = this.shadows[shadowCount++] ??= new ShadowMap();
        sun.shadow.draw(light, draws, drawCount);
      } else if (isHemisphere(light)) this.domes.push(readDome(light));
      else if ((light as Partial<THREE.AmbientLight>).isAmbientLight)
        this.ambient.add(scaled(light.color, light.intensity));
      else {
        const expected = 'an AmbientLight, HemisphereLight or DirectionalLight';
        throw new TypeError(`light "${light.name}": expected ${expected}, got ${light.type}`);
      }
    }
  }
}

function isDirectional(light: THREE.Light): light is THREE.DirectionalLight {
  return (light as Partial<THREE.DirectionalLight>).isDirectionalLight === true;
}

function isHemisphere(light: THREE.Light): light is THREE.HemisphereLight {
  return (light as Partial<THREE.HemisphereLight>).isHemisphereLight === true;
}

function scaled(color: THREE.Color, intensity: number): THREE.Color {
  return color.clone().multiplyScalar(intensity);
}

function readSun(light: THREE.DirectionalLight): Sun {
  position.setFromMatrixPosition(light.matrixWorld);
  target.setFromMatrixPosition(light.target.matrixWorld);
  const { x, y, z } = position.sub(target).normalize();
  const { r, g, b } = scaled(light.color, light.intensity);
  return { x, y, z, r, g, b, shadow: null };
}

function readDome(light: THREE.HemisphereLight): Dome {
  const { x, y, z } = position.setFromMatrixPosition(light.matrixWorld).normalize();
  return { x, y, z, sky: scaled(light.color, light.intensity), ground: scaled(light.groundColor, light.intensity) };
}
