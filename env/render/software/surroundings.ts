import * as THREE from 'three';
import { type Kernel, RecordWriter } from './kernel.ts';
import type { Camera } from '../renderer.ts';
import type { Lights } from './lights.ts';
import { isOrthographic } from '../refusals.ts';
import type { Textures } from './texture.ts';

const black = new THREE.Color(0, 0, 0);

/**
 * Writes a scene's fog, background, light and camera into a kernel's memory.
 *
 * @returns the address of the record
 * @throws {TypeError} when a texture of the scene can't be read
 */
export function writeSurroundings(
  kernel: Kernel,
  textures: Textures,
  lights: Lights,
  scene: THREE.Scene,
  camera: Camera,
  { width, height }: { readonly width: number; readonly height: number },
): number {
  const { background, environment, fog } = scene;
  if (environment !== null) lights.surroundBy(environment, scene.environmentIntensity);
  const harmonics = kernel.take(lights.harmonics.length * 4);
  kernel.floats.set(lights.harmonics, harmonics / 4);
  const reflected = environment === null ? 0 : textures.smooth(environment);
  const isPicture = background !== null && !(background instanceof THREE.Color);
  const color = background instanceof THREE.Color ? background : black;
  const sky = isPicture ? textures.smooth(background) : 0;
  const p = camera.projectionMatrix.elements;
  const m = placeOf(camera).elements;
  const isParallel = isOrthographic(camera);
  const left = (-1 + (isParallel ? -p[12] : p[8])) / p[0];
  const top = (1 + (isParallel ? -p[13] : p[9])) / p[5];
  const ahead = isParallel ? 0 : 1; // A perspective camera's rays start at the eye.
  const record = new RecordWriter(kernel, 37);
  for (let k = 0; k < 3; k++) record.float(m[12 + k]!);
  for (let k = 0; k < 3; k++) record.float((m[k]! * 2) / (width * p[0]));
  for (let k = 0; k < 3; k++) record.float((m[4 + k]! * -2) / (height * p[5]));
  for (let k = 0; k < 3; k++) record.float(m[k]! * left + m[4 + k]! * top - m[8 + k]! * ahead);
  const isExponential = fog instanceof THREE.FogExp2;
  const { r, g, b } = fog?.color ?? black;
  record
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
    .int(lights.sunCount)
    .int(+isParallel);
  for (let k = 0; k < 3; k++) record.float(-m[8 + k]!);
  return record.address;
}

const place = new THREE.Matrix4();

/** A camera's place and axes in the world. As for three.js, its scale and its parents' do not count. */
function placeOf({ matrixWorld, matrixWorldInverse }: THREE.Camera): THREE.Matrix4 {
  const m = matrixWorld.elements;
  const isScaled = [0, 4, 8].some((k) => Math.abs(m[k]! ** 2 + m[k + 1]! ** 2 + m[k + 2]! ** 2 - 1) > 1e-9);
  return isScaled ? place.copy(matrixWorldInverse).invert() : matrixWorld;
}
