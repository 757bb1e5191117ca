/** The cars of a scene as meshes, with the soft shadows below them. */
import * as THREE from 'three';
import { CLASS_ID } from '../../../streets/classes.ts';
import { buildCarBody, DETAILS, GLASS, LAMPS, PAINT, TRIM, type Detail } from './car-body.ts';
import { CAR_VARIANTS, isLorry, shapeOf } from './car-shapes.ts';
import type { Rgb } from '../meshes/mesh-builder.ts';
import { CAR_TYPES } from '../parameters.ts';
import { labelled, type Stage } from '../stage.ts';
import { cached, paintTexture, scaled, smoothstep } from '../meshes/textures.ts';
import type { Car } from './vehicles.ts';
import type { Vertices } from '../meshes/vertices.ts';
import { GLOSSY_ALBEDO } from '../sky/atmosphere.ts';
import type { WeatherState } from '../sky/weather.ts';

/** Cityscapes counts vans among the cars. */
function classOf({ type, variant }: Car): number {
  if (type !== 'bus') return CLASS_ID.car;
  return isLorry(variant) ? CLASS_ID.truck : CLASS_ID.bus;
}

const bodies = cached((key: number): readonly Vertices[] => {
  const which = Math.floor(key / DETAILS);
  const shape = shapeOf(CAR_TYPES[Math.floor(which / CAR_VARIANTS)]!, which % CAR_VARIANTS);
  return buildCarBody(shape, (key % DETAILS) as Detail);
});

/** The parts of a car's body, at the positions PAINT to LAMPS. */
export function bodyOf({ type, variant }: Car, detail: Detail): readonly Vertices[] {
  return bodies((CAR_TYPES.indexOf(type) * CAR_VARIANTS + variant) * DETAILS + detail);
}

const size = new THREE.Matrix4();

/** Where a car's body stands, and how it is stretched. */
export function carMatrix(car: Car, into: THREE.Matrix4): THREE.Matrix4 {
  const shape = shapeOf(car.type, car.variant);
  size.makeScale(car.width / shape.width, car.height / shape.height, car.length / shape.length);
  return into.makeRotationY(car.rotation).multiply(size).setPosition(car.x, 0, car.z);
}

/** A car has the detail of the first position here whose number is below the pixels that a metre spans. */
const DETAIL_STARTS = [26, 14, 8];

/** How finely a car at (x, z) is drawn. */
export function detailAt(stage: Stage, { x, z }: Car): Detail {
  const pixels = stage.view.pixelsPerMetre(x, z);
  const first = DETAIL_STARTS.findIndex((start) => pixels > start);
  return (first < 0 ? DETAILS - 1 : first) as Detail;
}

const trim = new THREE.MeshLambertMaterial({ vertexColors: true });
const lampsOff = new THREE.MeshLambertMaterial({ vertexColors: true });
const lampsOn = new THREE.MeshBasicMaterial({ vertexColors: true });
lampsOn.color.setScalar(3.8);

/**
 * Gives a material the diffuse reflectance `albedo` and the mirror reflectance `mirror`.
 *
 * In a standard material the first is colour · (1 − metalness), the second .04 · (1 − metalness) + colour · metalness:
 * this solves for colour and metalness.
 */
function makeShiny(
  material: THREE.MeshStandardMaterial,
  albedo: Rgb,
  mirror: number,
  roughness: number,
): THREE.MeshStandardMaterial {
  const gray = Math.max(0.005, (albedo[0] + albedo[1] + albedo[2]) / 3);
  const matt = (gray + mirror - Math.sqrt(Math.max(0, (gray + mirror) ** 2 - 0.16 * gray))) / 0.08;
  material.roughness = roughness;
  material.metalness = 1 - matt;
  material.color.setRGB(...albedo).multiplyScalar(1 / matt);
  return material;
}

const GLASS_ALBEDO: Rgb = [0.012, 0.014, 0.016];
const matrix = new THREE.Matrix4();

/** Adds cars: a mesh for each of their parts, and a soft shadow below. */
export function addCars(stage: Stage, cars: readonly Car[], paintGloss: number, weather: WeatherState): void {
  const roughness = 0.75 - 0.68 * paintGloss;
  const mirror = 0.04 + 0.08 * paintGloss;
  const materials: THREE.Material[] = [];
  materials[TRIM] = trim;
  for (const car of cars) {
    const radius = 0.6 * (car.length + 0.5);
    if (!stage.view.shows(car.x, car.height / 2, car.z, radius)) continue;
    materials[PAINT] = makeShiny(stage.paint(), scaled(car.paint, GLOSSY_ALBEDO), mirror, roughness);
    // Some panes show the dark inside, others mirror the sky.
    const pane = 0.02 + mirror * 1.5 * (car.variant / CAR_VARIANTS);
    materials[GLASS] = makeShiny(stage.paint(), GLASS_ALBEDO, pane, roughness * 0.6);
    const isLit = weather.headlights && car.role !== 'parked';
    materials[LAMPS] = isLit ? lampsOn : lampsOff;
    carMatrix(car, matrix);
    const ids = { classId: classOf(car), instanceId: car.instance };
    stage.addObject(bodyOf(car, detailAt(stage, car)), materials, matrix, ids);
    addContactShadow(stage.of(softMaterial), car);
    if (weather.wetness > MIRRORS_FROM) addReflection(stage, car, weather.skyLight, isLit);
  }
}

/** Opaque in the middle, soft at the edge. */
const soft = paintTexture(32, 32, (u, v) => {
  const edge = (t: number) => smoothstep(0, 0.22, Math.min(t, 1 - t));
  return [1, 1, 1, 0.92 * edge(u) * edge(v)];
});
soft.wrapS = soft.wrapT = THREE.ClampToEdgeWrapping;

function softPaint(opacity: number): THREE.Material {
  const material = new THREE.MeshBasicMaterial({
    map: soft,
    opacity,
    vertexColors: true,
    transparent: true,
    depthWrite: false,
    polygonOffset: true,
    polygonOffsetFactor: -1,
    polygonOffsetUnits: -1,
  });
  return labelled(material, { classId: CLASS_ID.road, casts: false, receives: false });
}
const softMaterial = softPaint(1);
const mirrorMaterial = softPaint(0.4);

/** The dark patch below a car, where little light comes. */
function addContactShadow(vertices: Vertices, { x, z, rotation, width, length }: Car): void {
  const [cos, sin] = [Math.cos(rotation), Math.sin(rotation)];
  const [acrossX, acrossZ] = [cos * width * 0.625, -sin * width * 0.625];
  const [alongX, alongZ] = [sin * length * 0.55, cos * length * 0.55];
  addSoftQuad(
    vertices,
    [x - acrossX + alongX, z - acrossZ + alongZ],
    [x + acrossX + alongX, z + acrossZ + alongZ],
    [x + acrossX - alongX, z + acrossZ - alongZ],
    [x - acrossX - alongX, z - acrossZ - alongZ],
    BLACK,
  );
}
const BLACK: Rgb = [0, 0, 0];

type Ground = readonly [x: number, z: number];

/** A patch on the road, its corners counter-clockwise from above, the first two at its lower edge. */
function addSoftQuad(vertices: Vertices, a: Ground, b: Ground, c: Ground, d: Ground, [red, green, blue]: Rgb): void {
  const first = vertices.vertexCount;
  for (const [i, [x, z]] of [a, b, c, d].entries()) {
    vertices.vertex(x, 0.025, z, 0, 1, 0);
    vertices.paint(red, green, blue, i === 1 || i === 2 ? 1 : 0, i > 1 ? 1 : 0);
  }
  vertices.triangle(first, first + 1, first + 2);
  vertices.triangle(first, first + 2, first + 3);
}

const HEADLIGHT: Rgb = [1.5, 1.45, 1.3];
const TAILLIGHT: Rgb = [0.9, 0.05, 0.04];
/** Drier ground mirrors nothing. */
const MIRRORS_FROM = 0.4;

/**
 * A car's reflection on a wet road: dull patches of its colour and of its lamps between it and the camera.
 *
 * A point at height h and distance D is mirrored at D · H / (H + h) from a camera at height H.
 */
function addReflection(stage: Stage, car: Car, skyLight: Rgb, isLit: boolean): void {
  const vertices = stage.of(mirrorMaterial);
  const { x: eyeX, y: eyeHeight, z: eyeZ } = stage.camera.position;
  const [dx, dz] = [eyeX - car.x, eyeZ - car.z];
  const distance = Math.sqrt(dx * dx + dz * dz);
  const start = distance - car.length * 0.45; // the end of the car that faces the camera
  if (start < 4) return;
  const [towardsX, towardsZ] = [dx / distance, dz / distance];
  const [rightX, rightZ] = [-towardsZ, towardsX];
  const streak = (offset: number, halfWidth: number, height: number, colour: Rgb) => {
    const shrink = eyeHeight / (eyeHeight + height);
    const corner = (from: number, across: number): Ground => [
      eyeX - towardsX * from + rightX * across,
      eyeZ - towardsZ * from + rightZ * across,
    ];
    const [near, far] = [start * shrink, start * 1.02];
    addSoftQuad(
      vertices,
      corner(near, (offset + halfWidth) * shrink),
      corner(near, (offset - halfWidth) * shrink),
      corner(far, offset - halfWidth),
      corner(far, offset + halfWidth),
      colour,
    );
  };
  const light = skyLight[1] * 0.6;
  streak(0, car.width * 0.55, car.height * 0.8, scaled(car.paint, light));
  const facing = Math.sin(car.rotation) * towardsX + Math.cos(car.rotation) * towardsZ; // 1: its rear is seen
  if (!isLit || Math.abs(facing) < 0.92) return;
  const facesCamera = facing < 0;
  for (const side of [-0.34, 0.34]) {
    streak(side * car.width, facesCamera ? 0.2 : 0.14, 1, facesCamera ? HEADLIGHT : TAILLIGHT);
  }
}
