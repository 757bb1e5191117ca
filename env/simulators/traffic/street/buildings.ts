/** What stands along the street: houses, and walls, hedges and fences where there are none; a skyline far away. */
import * as THREE from 'three';
import type { Random } from '../../../../protocol/random.ts';
import { CLASS_ID } from '../../../streets/classes.ts';
import {
  COLOURED_WALLS,
  doorTexture,
  facadeTexture,
  PLAIN_WALLS,
  ROOFS,
  roofTexture,
  SHOPS,
  shopTexture,
  sideWallTexture,
  TILE_BAYS,
  TILE_STOREYS,
} from './facades.ts';
import {
  kerbStretches,
  mainRoad,
  openSides,
  sideRoad,
  SIDES,
  STREET_START,
  type Layout,
  type Road,
  type Side,
} from './layout.ts';
import { MeshBuilder, turn, type Point, type Rgb } from '../meshes/mesh-builder.ts';
import type { TrafficTheta } from '../parameters.ts';
import { labelled, type Stage } from '../stage.ts';
import { cached, colourOf, fractalNoise, paintTexture, scaled, smoothstep } from '../meshes/textures.ts';

const UPPER = 0;
const GROUND_FLOOR = 1;
const SIDE_WALL = 2;
const ROOF = 3;

const MAX_BAYS = 5;
const MAX_STOREYS = 9;
const ROOF_KINDS = 3; // gabled, gabled with a chimney, flat
const STOREY_HEIGHT = 3;
const DEPTH = 9;

/**
 * A house in units of bays (along z), storeys (y) and its depth (x). Its front looks towards −x; the middle of its
 * front's foot is the origin.
 */
const houseParts = cached((key: number) => {
  const roof = key % ROOF_KINDS;
  const storeys = Math.floor(key / ROOF_KINDS) % (MAX_STOREYS + 1);
  const bays = Math.floor(key / ROOF_KINDS / (MAX_STOREYS + 1));
  const mesh = new MeshBuilder();
  const half = bays / 2;
  const u = bays / TILE_BAYS;
  const v = (storeys - 1) / TILE_STOREYS;
  // Low parts of a wall see less of the sky.
  const shade = (y: number): Rgb => Array<number>(3).fill(0.5 + 0.5 * Math.min(1, y / 3)) as unknown as Rgb;
  const wall = (a: Point, b: Point, top: number, material: number, uv: number[]) =>
    mesh.quad(a, b, [b[0], top, b[2]], [a[0], top, a[2]], {
      material,
      uv,
      colours: [shade(a[1]), shade(b[1]), shade(top), shade(top)],
    });
  wall([0, 0, -half], [0, 0, half], 1, GROUND_FLOOR, [0, 0, u, 0, u, 1, 0, 1]);
  if (storeys > 1) wall([0, 1, -half], [0, 1, half], storeys, UPPER, [0, 0, u, 0, u, v, 0, v]);
  const sideUv = [0, 0, 3, 0, 3, storeys, 0, storeys];
  wall([1, 0, -half], [0, 0, -half], storeys, SIDE_WALL, sideUv);
  wall([0, 0, half], [1, 0, half], storeys, SIDE_WALL, sideUv);
  if (roof < 2) gable(mesh, half, storeys, roof === 1);
  else parapet(mesh, half, storeys);
  return mesh.parts;
});

/** A roof whose ridge runs along the street, a little wider than the walls. */
function gable(mesh: MeshBuilder, half: number, eaves: number, chimney: boolean): void {
  const ridge = eaves + 1.05;
  const over = 0.035;
  const [front, back] = [-over, 1 + over];
  const low = eaves - (over * (ridge - eaves)) / 0.5; // the roof touches the walls: no light between them
  const uv = [0, 0, half * 2, 0, half * 2, 1.5, 0, 1.5];
  mesh.quad([front, low, -half], [front, low, half], [0.5, ridge, half], [0.5, ridge, -half], { material: ROOF, uv });
  mesh.quad([back, low, half], [back, low, -half], [0.5, ridge, -half], [0.5, ridge, half], { material: ROOF, uv });
  const gableUv = [0, 0, 3, 0, 1.5, 1];
  mesh.face(
    [
      [1, eaves, -half],
      [0, eaves, -half],
      [0.5, ridge, -half],
    ],
    { material: SIDE_WALL, uv: gableUv },
  );
  mesh.face(
    [
      [0, eaves, half],
      [1, eaves, half],
      [0.5, ridge, half],
    ],
    { material: SIDE_WALL, uv: gableUv },
  );
  if (chimney) mesh.box([0.42, ridge - 0.3, half - 0.35], [0.55, ridge + 0.45, half - 0.08], { material: SIDE_WALL });
}

/** A flat roof behind the wall's upper edge. */
function parapet(mesh: MeshBuilder, half: number, eaves: number): void {
  const edge = eaves + 0.22;
  mesh.box([0, eaves, -half], [1, edge, half], { material: SIDE_WALL, uv: [0, 0, 3, 0, 3, 0.2, 0, 0.2] });
}

const TEXTURES = {
  facade: facadeTexture,
  door: doorTexture,
  side: sideWallTexture,
  shop: shopTexture,
  roof: roofTexture,
} as const;
type Covering = keyof typeof TEXTURES;

const covering = cached((key: string) => {
  const [kind, variant] = key.split(' ') as [Covering, string];
  const material = new THREE.MeshLambertMaterial({ map: TEXTURES[kind](Number(variant)), vertexColors: true });
  return labelled(material, { classId: CLASS_ID.building });
});

/** Mean reflectance of the wall textures. */
const TEXTURE_ALBEDO = 0.26;

/** The materials of a house's parts, and how bright each part is in relation to its texture. */
function drawCoverings(theta: TrafficTheta, random: Random) {
  const coloured = random.chance(theta.wallColour);
  const wall = coloured ? PLAIN_WALLS + random.integer(COLOURED_WALLS) : random.integer(PLAIN_WALLS);
  const stops = Math.min(1.4, Math.log2(theta.wallBrightness / TEXTURE_ALBEDO) + random.normal(0, 0.55));
  const isShop = random.chance(theta.shopShare);
  const shop = random.integer(SHOPS);
  const roof = random.integer(ROOFS);
  const [walls, others] = [2 ** stops, 2 ** (stops / 2)]; // shop windows and roofs follow the walls half way
  return {
    isShop,
    materials: [
      covering(`facade ${wall}`),
      isShop ? covering(`shop ${shop}`) : covering(`door ${wall}`),
      covering(`side ${wall}`),
      covering(`roof ${roof}`),
    ],
    brightness: [walls, isShop ? others : walls, walls, others],
  };
}

/** All that stands along the street. */
export function addBuildings(stage: Stage, theta: TrafficTheta, layout: Layout, random: Random): void {
  skyline(stage, theta, layout, random);
  const road = mainRoad(layout);
  for (const side of SIDES) {
    const { kerb, pavementWidth, setback } = layout.roadside(side);
    for (const [from, to] of kerbStretches(layout, side)) {
      const corner = to === layout.end ? 0 : 2.2; // leave the side road its pavement
      const start = from === STREET_START ? from : from + 2.2;
      row(stage, theta, road, side, [start, to - corner], kerb + pavementWidth, setback, random);
    }
  }
  for (const side of openSides(layout)) {
    const { kerb, pavementWidth, setback } = layout.roadside(side);
    const from = kerb + pavementWidth + setback + DEPTH + 1;
    const line = layout.junction.halfWidth + 2;
    for (const edge of SIDES) {
      const closing = !layout.junction.ahead && edge === -side;
      row(stage, theta, sideRoad(layout, side), edge, [closing ? -kerb - 8 : from, 62], line, 0.5, random);
    }
  }
  if (layout.junction.ahead) closingRow(stage, theta, layout, random);
}

/** Houses across the far end of the street, where it seems to turn away. */
function closingRow(stage: Stage, theta: TrafficTheta, layout: Layout, random: Random): void {
  const end = mainRoad(layout)(layout.end, 0);
  const heading = end.rotation - Math.PI / 2;
  const [cos, sin] = [Math.cos(heading), Math.sin(heading)];
  const across: Road = (s, d) => ({ x: end.x - s * sin + d * cos, z: end.z - s * cos - d * sin, rotation: heading });
  row(stage, theta, across, -1, [-32, 32], 8, 0, random);
}

/** Houses side by side along one side of a road, from `line` metres off its middle; gaps are fenced off. */
function row(
  stage: Stage,
  theta: TrafficTheta,
  road: Road,
  side: Side,
  [from, to]: readonly [number, number],
  line: number,
  setback: number,
  random: Random,
): void {
  const usualHeight = theta.buildingHeight * Math.exp(random.normal(0, 0.25));
  let s = from;
  while (s < to - 2.5) {
    const bays = Math.min(1 + random.integer(MAX_BAYS), Math.max(1, Math.floor((to - s) / 3)));
    const width = Math.min(bays * random.uniform(2.7, 3.6), to - s);
    const { x, z, rotation } = road(s + width / 2, side * (line + setback + random.uniform(0, 0.25)));
    const turned = rotation + (side < 0 ? Math.PI : 0);
    if (random.chance(theta.buildingShare)) {
      house(stage, { x, z, rotation: turned }, bays, width, usualHeight, theta, random);
    } else {
      const front = road(s + width / 2, side * (line + 0.15));
      enclosure(stage, { ...front, rotation: turned }, width, random);
    }
    s += width + (random.chance(0.2) ? random.uniform(0.3, 1.5) : 0);
  }
}

interface Standing {
  readonly x: number;
  readonly z: number;
  readonly rotation: number;
}

function house(
  stage: Stage,
  { x, z, rotation }: Standing,
  bays: number,
  width: number,
  usualHeight: number,
  theta: TrafficTheta,
  random: Random,
): void {
  const height = Math.max(2.6, usualHeight * Math.exp(random.normal(0, 0.16)));
  const storeys = Math.min(MAX_STOREYS, Math.max(1, Math.round(height / STOREY_HEIGHT)));
  const roof = height > 14 ? 2 : random.categorical([0.35, 0.4, 0.25]);
  const { materials, brightness, isShop } = drawCoverings(theta, random);
  const awningColour = isShop && random.chance(0.35) ? drawAwning(random) : undefined;
  const scale = { scaleX: DEPTH, scaleY: height / storeys, scaleZ: width / bays };
  const middle = DEPTH / 2;
  const radius = Math.sqrt(middle ** 2 + (height * 0.7) ** 2 + (width / 2) ** 2);
  if (!stage.view.shows(x + middle * Math.cos(rotation), height * 0.6, z - middle * Math.sin(rotation), radius)) return;
  houseParts((bays * (MAX_STOREYS + 1) + storeys) * ROOF_KINDS + roof).forEach((part, i) => {
    const level = brightness[i]!;
    stage.of(materials[i]!).place(part, { x, z, rotation, ...scale, colour: [level, level, level] });
  });
  if (!awningColour) return;
  const storey = Math.min(3.4, height / storeys);
  stage.place(awning, [awningMaterial], { x, y: storey, z, rotation, scaleZ: width, colour: awningColour });
}

function drawAwning(random: Random): Rgb {
  return colourOf(random.uniform(), random.uniform(0.1, 0.9), random.uniform(0.05, 0.3));
}

/** A blind over a shop window, 1 m long, that reaches 1.2 m out from the wall; it hangs down from y = 0. */
const awning = (() => {
  const mesh = new MeshBuilder();
  const [near, far] = [-0.47, 0.47];
  const slope = [[-1.2, -0.9, near], [-1.2, -0.9, far], [0, -0.25, far], [0, -0.25, near]] as const; // prettier-ignore
  const edge = [[-1.2, -1.1, near], [-1.2, -1.1, far], [-1.2, -0.9, far], [-1.2, -0.9, near]] as const; // prettier-ignore
  return mesh.face(slope, {}).face(edge, { colour: [0.8, 0.8, 0.8] }).parts;
})();
const awningMaterial = labelled(new THREE.MeshLambertMaterial({ vertexColors: true, side: THREE.DoubleSide }), {
  classId: CLASS_ID.building,
});

const ENCLOSURES = ['wall', 'hedge', 'fence', 'railings'] as const;

const enclosureMaterial = cached((kind: (typeof ENCLOSURES)[number]) => {
  switch (kind) {
    case 'wall':
      return labelled(new THREE.MeshLambertMaterial({ map: sideWallTexture(PLAIN_WALLS + 2) }), {
        classId: CLASS_ID.wall,
      });
    case 'hedge': {
      const noise = fractalNoise(41, 12, 3);
      const leaves = paintTexture(64, 64, (u, v) => {
        const light = 0.25 + 1.5 * noise(u, v) ** 2;
        return [0.035 * light, 0.075 * light, 0.018 * light];
      });
      return labelled(new THREE.MeshLambertMaterial({ map: leaves }), { classId: CLASS_ID.vegetation });
    }
    case 'railings': {
      const bars = paintTexture(32, 32, (u, v) => {
        const bar = (u * 8) % 1 < 0.4 || Math.abs(v - 0.12) < 0.05 || Math.abs(v - 0.9) < 0.06;
        return [0.02, 0.022, 0.024, bar ? 1 : 0];
      });
      const material = new THREE.MeshLambertMaterial({ map: bars, alphaTest: 0.4, side: THREE.DoubleSide });
      return labelled(material, { classId: CLASS_ID.fence });
    }
    case 'fence': {
      const pickets = paintTexture(32, 32, (u, v) => {
        const bar = (u * 4) % 1 < 0.5 || Math.abs(v - 0.25) < 0.07 || Math.abs(v - 0.8) < 0.07;
        return [0.16, 0.11, 0.07, bar ? 1 : 0];
      });
      const material = new THREE.MeshLambertMaterial({ map: pickets, alphaTest: 0.4, side: THREE.DoubleSide });
      return labelled(material, { classId: CLASS_ID.fence });
    }
  }
});

/** 1 m long and high, 1 m thick. */
const enclosureParts = cached((kind: (typeof ENCLOSURES)[number]) => {
  const mesh = new MeshBuilder();
  const uv = [0, 0, 4, 0, 4, 1, 0, 1];
  if (kind === 'fence' || kind === 'railings') mesh.quad([0, 0, -0.5], [0, 0, 0.5], [0, 1, 0.5], [0, 1, -0.5], { uv });
  else mesh.box([0, 0, -0.5], [1, 1, 0.5], { uv });
  return mesh.parts;
});

/** A wall, hedge, fence or railings in front of an open plot; now and then nothing. */
function enclosure(stage: Stage, { x, z, rotation }: Standing, width: number, random: Random): void {
  if (random.chance(0.15)) return;
  const kind = random.pick(ENCLOSURES);
  const height = kind === 'hedge' ? random.uniform(1.1, 2.6) : random.uniform(0.8, 2.1);
  if (!stage.view.shows(x, height / 2, z, (width + height) / 2 + 0.5)) return;
  const scale = { scaleX: kind === 'hedge' ? 0.9 : 0.3, scaleY: height, scaleZ: width };
  stage.place(enclosureParts(kind), [enclosureMaterial(kind)], { x, z, rotation, ...scale });
}

const far = (classId: number) =>
  labelled(new THREE.MeshLambertMaterial({ vertexColors: true }), { classId, casts: false, receives: false });
const farTrees = far(CLASS_ID.vegetation);
const farHouses = far(CLASS_ID.building);
const FAR_TREE: Rgb = [0.05, 0.07, 0.03];
const FAR_HOUSE: Rgb = [0.12, 0.11, 0.11];

/** Trees and houses far away, all around: they close every gap between the near ones. */
function skyline(stage: Stage, theta: TrafficTheta, layout: Layout, random: Random): void {
  const radius = layout.end * 0.5 + 95;
  const centre = mainRoad(layout)(layout.end / 2, 0);
  const pieces = 64;
  const houses = smoothstep(0, 1, theta.buildingShare) * 0.6;
  const usual = 4 + 0.6 * theta.buildingHeight;
  let top = usual;
  for (let i = 0; i < pieces; i++) {
    const isHouse = random.chance(houses);
    const height = usual * random.uniform(0.6, 1.4);
    const left = isHouse ? height : top;
    const level = random.uniform(0.7, 1.3);
    top = height;
    const [c0, s0] = turn(i / pieces);
    const [c1, s1] = turn((i + 1) / pieces);
    const [x0, z0, x1, z1] = [
      centre.x + radius * s0,
      centre.z - radius * c0,
      centre.x + radius * s1,
      centre.z - radius * c1,
    ];
    if (!stage.view.shows((x0 + x1) / 2, height / 2, (z0 + z1) / 2, radius * 0.05 + height)) continue;
    const vertices = stage.of(isHouse ? farHouses : farTrees);
    const [red, green, blue] = scaled(isHouse ? FAR_HOUSE : FAR_TREE, level);
    const first = vertices.vertexCount;
    for (let k = 0; k < 4; k++) {
      const isLeft = k === 0 || k === 3;
      const y = k < 2 ? -0.5 : isLeft ? left : height;
      vertices.vertex(isLeft ? x0 : x1, y, isLeft ? z0 : z1, 0, 0.5, 0.86);
      vertices.paint(red, green, blue, 0, 0);
    }
    vertices.triangle(first, first + 1, first + 2);
    vertices.triangle(first, first + 2, first + 3);
  }
}
