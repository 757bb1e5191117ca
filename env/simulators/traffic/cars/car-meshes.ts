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
    if (isLit) addGlow(stage, car);
  }
}

/** The light around a lamp: bright in the middle, fading out. */
const glow = paintTexture(32, 32, (u, v) => {
  const away = Math.min(1, 2 * Math.sqrt((u - 0.5) ** 2 + (v - 0.5) ** 2));
  return [1, 1, 1, 0.9 * (1 - away) ** 2];
});
glow.wrapS = glow.wrapT = THREE.ClampToEdgeWrapping;
const glowMaterial = labelled(
  new THREE.MeshBasicMaterial({ map: glow, vertexColors: true, transparent: true, depthWrite: false }),
  { classId: CLASS_ID.car, casts: false, receives: false },
);

/** Opaque in the middle, soft at the edge. */
const soft = paintTexture(32, 32, (u, v) => {
  const edge = (t: number) => smoothstep(0, 0.22, Math.min(t, 1 - t));
  return [1, 1, 1, 0.92 * edge(u) * edge(v)];
});
soft.wrapS = soft.wrapT = THREE.ClampToEdgeWrapping;

const softMaterial = labelled(
  new THREE.MeshBasicMaterial({
    map: soft,
    vertexColors: true,
    transparent: true,
    depthWrite: false,
    polygonOffset: true,
    polygonOffsetFactor: -1,
    polygonOffsetUnits: -1,
  }),
  { classId: CLASS_ID.road, casts: false, receives: false },
);

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

const HEADLIGHT: Rgb = [3, 2.85, 2.5];
const TAILLIGHT: Rgb = [1.6, 0.06, 0.04];
/** Where lamps are: off the middle of the car over its width, and above the road, m. */
const LAMP_SIDE = 0.36;
const LAMP_HEIGHT = 0.68;
/** The radius of the glow around a head light and a tail light, m; the radius in pixels is at least {@link LEAST_GLOW}. */
const HEAD_GLOW = 0.38;
const TAIL_GLOW = 0.26;
const LEAST_GLOW = 1.1;
/** Lamps are seen this far from their direction, as a cosine. */
const LAMP_SEEN = 0.5;

/** The glow around the lamps of a car that shine towards the camera: soft discs that face it. */
function addGlow(stage: Stage, car: Car): void {
  const vertices = stage.of(glowMaterial);
  const eye = stage.camera.position;
  const [sin, cos] = [Math.sin(car.rotation), Math.cos(car.rotation)];
  const [dx, dz] = [eye.x - car.x, eye.z - car.z];
  const distance = Math.sqrt(dx * dx + dz * dz);
  const facing = (sin * dx + cos * dz) / distance; // 1: its rear is seen
  if (Math.abs(facing) < LAMP_SEEN) return;
  const end = Math.sign(facing) * (car.length / 2 + 0.08);
  const [usual, light] = facing < 0 ? [HEAD_GLOW, HEADLIGHT] : [TAIL_GLOW, TAILLIGHT];
  const radius = Math.max(usual, LEAST_GLOW / stage.view.pixelsPerMetre(car.x, car.z));
  const [rightX, rightZ] = [(dz / distance) * radius, (-dx / distance) * radius];
  for (const side of [-LAMP_SIDE * car.width, LAMP_SIDE * car.width]) {
    const [x, z] = [car.x + cos * side + sin * end, car.z - sin * side + cos * end];
    const first = vertices.vertexCount;
    for (let corner = 0; corner < 4; corner++) {
      const [u, v] = [corner === 1 || corner === 2 ? 1 : 0, corner > 1 ? 1 : 0];
      const across = 2 * u - 1;
      vertices.vertex(x + across * rightX, LAMP_HEIGHT + (2 * v - 1) * radius, z + across * rightZ, 0, 1, 0);
      vertices.paint(...light, u, v);
    }
    vertices.triangle(first, first + 1, first + 2);
    vertices.triangle(first, first + 2, first + 3);
  }
}
