import * as THREE from 'three';
import { CLASS_ID } from '../../streets/classes.ts';
import { type Kernel, RecordWriter } from './kernel.ts';
import type { Lights } from './lights.ts';
import type { Textures } from './texture.ts';

/** An all-round picture must be equirectangular. */
function expectAllRound(name: string, texture: THREE.Texture): void {
  if (texture.mapping === THREE.EquirectangularReflectionMapping) return;
  throw new TypeError(`scene.${name}: expected a texture with EquirectangularReflectionMapping, got another`);
}

const black = new THREE.Color(0, 0, 0);

/** The class of the background. */
export function backgroundClassOf(scene: THREE.Scene): number {
  const named: unknown = scene.userData['backgroundClassId'];
  return typeof named === 'number' ? named : CLASS_ID.sky;
}

/**
 * Writes a scene's fog, background, light and camera into a kernel's memory.
 *
 * @returns the address of the record
 * @throws {TypeError} when the background is neither a Color nor an equirectangular texture, or the environment is not
 *   one
 */
export function writeSurroundings(
  kernel: Kernel,
  textures: Textures,
  lights: Lights,
  scene: THREE.Scene,
  camera: THREE.PerspectiveCamera,
  { width, height }: { readonly width: number; readonly height: number },
): number {
  const { background, environment, fog } = scene;
  if (environment !== null) {
    expectAllRound('environment', environment);
    lights.surroundBy(environment, scene.environmentIntensity);
  }
  const harmonics = kernel.take(lights.harmonics.length * 4);
  kernel.floats.set(lights.harmonics, harmonics / 4);
  const reflected = environment === null ? 0 : textures.smooth(environment);
  const isPicture = background !== null && !(background instanceof THREE.Color);
  if (isPicture) expectAllRound('background', background);
  const color = background instanceof THREE.Color ? background : black;
  const sky = isPicture ? textures.smooth(background) : 0;
  const p = camera.projectionMatrix.elements;
  const m = camera.matrixWorld.elements;
  const left = (-1 + p[8]) / p[0];
  const top = (1 + p[9]) / p[5];
  const record = new RecordWriter(kernel, 33);
  for (let k = 0; k < 3; k++) record.float(m[12 + k]!);
  for (let k = 0; k < 3; k++) record.float((m[k]! * 2) / (width * p[0]));
  for (let k = 0; k < 3; k++) record.float((m[4 + k]! * -2) / (height * p[5]));
  for (let k = 0; k < 3; k++) record.float(m[k]! * left + m[4 + k]! * top - m[8 + k]!);
  const isExponential = fog instanceof THREE.FogExp2;
  const { r, g, b } = fog?.color ?? black;
  return record
    .int(fog === null ? 0 : isExponential ? 2 : 1)
    .float(r)
    .float(g)
    .float(b)
    .float(fog === null ? 0 : isExponential ? fog.density : fog.near)
    .float(fog === null || isExponential ? 0 : fog.far)
    .float(color.r)
    .float(color.g)
    .float(color.b)
    .int(sky)
    .float(scene.backgroundIntensity)
    .int(reflected)
    .float(environment === null ? 0 : scene.environmentIntensity)
    .int(harmonics)
    .int(lights.suns)
    .int(lights.sunCount).address;
}
