/** People on the pavements and cyclists on the road. */
import * as THREE from 'three';
import { deriveSeed, Random } from '../../../../protocol/random.ts';
import { CLASS_ID } from '../../../streets/classes.ts';
import { mainRoad, SIDES, STREET_START, type Layout } from './layout.ts';
import { MeshBuilder, turn, type Point, type Rgb } from '../meshes/mesh-builder.ts';
import type { TrafficTheta } from '../parameters.ts';
import { labelled, type Stage } from '../stage.ts';
import { blend, cached, colourOf, scaled } from '../meshes/textures.ts';
import type { Vertices } from '../meshes/vertices.ts';

/** A person of the scene, seen or not. */
export interface Person {
  /** Their id in the image's `instances`; their bicycle has the same one. */
  readonly instance: number;
  readonly kind: 'person' | 'rider';
  /** On the ground, m. */
  readonly x: number;
  readonly z: number;
  /** About the vertical axis; at 0 they look towards −z. Radians. */
  readonly rotation: number;
  /** Factor of the usual height. */
  readonly scale: number;
  /** Which person it is, 0 to VARIANTS − 1. */
  readonly variant: number;
}

/** The number of different people, each with their own clothes and stride. */
const VARIANTS = 12;
const SKIN: Rgb = [0.25, 0.16, 0.11];

interface Clothes {
  readonly top: Rgb;
  readonly legs: Rgb;
  readonly hair: Rgb;
}

function drawClothes(random: Random): Clothes {
  const dark = random.chance(0.7);
  return {
    top: colourOf(
      random.uniform(),
      random.uniform(0, 0.9),
      dark ? random.uniform(0.008, 0.045) : random.uniform(0.08, 0.3),
    ),
    legs: colourOf(random.uniform(0.55, 0.68), random.uniform(0, 0.6), random.uniform(0.008, 0.045)),
    hair: scaled([0.09, 0.06, 0.035], random.uniform(0.3, 2.2)),
  };
}

/** A limb: a four-sided prism between two points. */
function limb(mesh: MeshBuilder, [x0, y0, z0]: Point, [x1, y1, z1]: Point, radius: number, colour: Rgb): void {
  const around = (x: number, y: number, z: number, r: number): Point[] => [
    [x - r, y, z + r],
    [x + r, y, z + r],
    [x + r, y, z - r],
    [x - r, y, z - r],
  ];
  const [low, high] = [around(x0, y0, z0, radius), around(x1, y1, z1, radius * 1.15)];
  for (let i = 0; i < 4; i++) {
    const next = (i + 1) % 4;
    mesh.quad(low[i]!, low[next]!, high[next]!, high[i]!, { colour });
  }
}

/** Face and hair; of a few pixels, one colour. */
function head(mesh: MeshBuilder, y: number, z: number, hair: Rgb, detail: Detail): void {
  if (detail === 2) {
    mesh.column([0, y - 0.12, z], 0.28, 0.08, 0.08, 3, { colour: blend(SKIN, hair, 0.5) });
    return;
  }
  const sides = detail === 0 ? 5 : 3;
  mesh.column([0, y - 0.12, z], 0.13, 0.055, 0.1, sides, { colour: SKIN });
  mesh.column([0, y + 0.01, z], 0.15, 0.105, 0.05, sides, { colour: hair });
}

/** How finely people are modelled: 0 near, 1 without arms (a cyclist: with a simpler bicycle), 2 a few pixels high. */
type Detail = 0 | 1 | 2;

/** What the parts of a person are made for. */
function partsOfKey(key: number): [variant: number, detail: Detail] {
  return [key % VARIANTS, Math.floor(key / VARIANTS) as Detail];
}

/** Someone 1.75 m tall who walks towards −z. `key`: variant + VARIANTS · detail. */
const walker = cached((key: number) => {
  const [variant, detail] = partsOfKey(key);
  const random = new Random(deriveSeed(variant, 'walker'));
  const { top, legs, hair } = drawClothes(random);
  const stride = random.uniform(0.02, 0.3);
  const mesh = new MeshBuilder();
  const coat = random.chance(0.4) ? 0.55 : 0.85;
  for (const side of detail < 2 ? [-1, 1] : []) {
    limb(mesh, [side * 0.09, 0, side * stride], [side * 0.09, 0.88, 0], 0.07, legs);
    if (detail > 0) continue;
    limb(mesh, [side * 0.27, 0.78, -side * stride * 0.8], [side * 0.22, 1.42, 0], 0.05, top);
  }
  if (detail === 2) mesh.column([0, 0, 0], 0.88, 0.13, 0.15, 3, { colour: legs });
  torso(mesh, coat, top, detail > 0);
  head(mesh, 1.6, -0.02, hair, detail);
  return mesh.parts;
});

function torso(mesh: MeshBuilder, hem: number, colour: Rgb, isFar: boolean): void {
  const ring = (y: number, width: number, depth: number): Point[] => [
    [-width, y, depth],
    [width, y, depth],
    [width, y, -depth],
    [-width, y, -depth],
  ];
  const rings = isFar
    ? [ring(hem, 0.19, 0.12), ring(1.46, 0.25, 0.12)]
    : [ring(hem, 0.17, 0.12), ring(1.05, 0.16, 0.11), ring(1.42, 0.22, 0.12), ring(1.5, 0.08, 0.07)];
  for (let i = 1; i < rings.length; i++) {
    const [low, high] = [rings[i - 1]!, rings[i]!];
    for (let k = 0; k < 4; k++) {
      const next = (k + 1) % 4;
      mesh.quad(low[k]!, low[next]!, high[next]!, high[k]!, { colour });
    }
  }
}

const BICYCLE = 1;

/** Someone on a bicycle who rides towards −z; `key` as for walkers. */
const cyclist = cached((key: number) => {
  const [variant, detail] = partsOfKey(key);
  const random = new Random(deriveSeed(variant, 'cyclist'));
  const { top, legs, hair } = drawClothes(random);
  const mesh = new MeshBuilder();
  limb(mesh, [0, 0.95, 0.25], [0, 1.45, -0.1], 0.15, top);
  if (detail === 2) limb(mesh, [0, 0.3, 0], [0, 0.95, 0.2], 0.12, legs);
  for (const side of detail < 2 ? [-1, 1] : []) {
    limb(mesh, [side * 0.08, 0.3 + 0.12 * side, 0], [side * 0.1, 0.95, 0.2], 0.065, legs);
    limb(mesh, [side * 0.2, 1, -0.42], [side * 0.18, 1.4, -0.08], 0.045, top);
  }
  head(mesh, 1.66, -0.16, hair, detail);
  const metal: Rgb = [0.05, 0.05, 0.055];
  for (const z of [-0.52, 0.52]) wheel(mesh, z, metal, detail);
  if (detail === 2) return mesh.parts;
  const bar = (a: Point, b: Point) => beam(mesh, a, b, metal);
  if (detail === 0) {
    bar([0, 0.34, 0.52], [0, 0.9, 0.22]);
    bar([0, 0.32, 0], [0, 0.9, -0.4]);
  }
  bar([0, 0.34, -0.52], [0, 1, -0.4]);
  mesh.box([-0.28, 0.98, -0.44], [0.28, 1.02, -0.4], { material: BICYCLE, colour: metal });
  return mesh.parts;
});

/** A thin bar in the plane of the bicycle, seen from both sides. */
function beam(mesh: MeshBuilder, [, y0, z0]: Point, [, y1, z1]: Point, colour: Rgb): void {
  const r = 0.02;
  for (const x of [-r, r]) {
    const corners: Point[] = [
      [x, y0 - r, z0 - r],
      [x, y0 + r, z0 + r],
      [x, y1 + r, z1 + r],
      [x, y1 - r, z1 - r],
    ];
    mesh.face(corners, { material: BICYCLE, colour, away: [0, y0, z0] });
  }
}

const WHEEL_SIDES = [9, 5, 4] as const;

function wheel(mesh: MeshBuilder, z: number, colour: Rgb, detail: Detail): void {
  const sides = WHEEL_SIDES[detail];
  const point = (i: number, radius: number, x: number): Point => {
    const [cos, sin] = turn(i / sides);
    return [x, 0.34 + radius * cos, z + radius * sin];
  };
  for (let i = 0; i < sides; i++) {
    for (const x of [-0.02, 0.02]) {
      const corners = [point(i, 0.34, x), point(i + 1, 0.34, x), point(i + 1, 0.29, x), point(i, 0.29, x)];
      mesh.face(corners, { material: BICYCLE, colour, away: [0, 0.34, z] });
    }
    if (detail === 2) continue; // The tread is too thin to see.
    mesh.quad(point(i, 0.34, -0.02), point(i, 0.34, 0.02), point(i + 1, 0.34, 0.02), point(i + 1, 0.34, -0.02), {
      material: BICYCLE,
      colour,
      away: [0, 0.34, z],
    });
  }
}

const clothes = new THREE.MeshLambertMaterial({ vertexColors: true });
const bicycle = labelled(new THREE.MeshLambertMaterial({ vertexColors: true }), { classId: CLASS_ID.bicycle });
/** BICYCLE is its position. */
const materials = [clothes, bicycle];

/** How far away people are drawn, m. */
const PEOPLE_END = 70;
/** Pavements are this much higher than the road, m. */
const PAVEMENT = 0.12;

/** Draws who is in the street; their ids begin at `firstInstance`. */
export function drawPeople(theta: TrafficTheta, layout: Layout, random: Random, firstInstance: number): Person[] {
  const people: Person[] = [];
  const road = mainRoad(layout);
  const end = Math.min(PEOPLE_END, layout.end - 2);
  const put = (kind: Person['kind'], variant: number, s: number, d: number) => {
    const where = road(s, d);
    const turned = (random.chance(0.5) ? Math.PI : 0) + random.normal(0, kind === 'person' ? 0.5 : 0.08);
    const rotation = where.rotation + turned;
    const scale = random.uniform(0.88, 1.08);
    people.push({ instance: firstInstance + people.length, kind, x: where.x, z: where.z, rotation, scale, variant });
  };
  for (const side of SIDES) {
    const { kerb, parkingWidth, pavementWidth } = layout.roadside(side);
    const count = random.poisson((theta.peopleRate * (end - STREET_START)) / 100);
    for (let i = 0; i < count; i++) {
      const variant = random.integer(VARIANTS);
      const s = random.uniform(4, end);
      if (random.chance(1 / 4)) put('rider', variant, s, side * (kerb - parkingWidth - random.uniform(0.5, 1.6)));
      else put('person', variant, s, side * (kerb + random.uniform(0.35, Math.max(0.5, pavementWidth - 0.3))));
    }
  }
  return people;
}

/** A person has the detail of the first position here whose number is at most the pixels that a metre spans. */
const DETAIL_STARTS = [12, 5, 0];

const matrix = new THREE.Matrix4();
const size = new THREE.Matrix4();

export function addPerson(stage: Stage, person: Person): void {
  if (!stage.view.shows(person.x, 0.9, person.z, 1.2)) return;
  const ids = { classId: CLASS_ID[person.kind], instanceId: person.instance };
  personMatrix(person, matrix);
  stage.addObject(partsOf(stage, person), materials, matrix, ids);
}

/** The parts of a person, as finely as its distance needs. */
export function partsOf(stage: Stage, { kind, x, z, variant }: Person): readonly Vertices[] {
  const pixels = stage.view.pixelsPerMetre(x, z);
  const key = variant + VARIANTS * DETAIL_STARTS.findIndex((start) => pixels >= start);
  return kind === 'rider' ? cyclist(key) : walker(key);
}

/** Where a person stands. */
export function personMatrix({ kind, x, z, rotation, scale }: Person, into: THREE.Matrix4): THREE.Matrix4 {
  into.makeRotationY(rotation).multiply(size.makeScale(scale, scale, scale));
  return into.setPosition(x, kind === 'rider' ? 0 : PAVEMENT, z);
}
