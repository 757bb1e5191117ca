/** What stands on pavements: lamp posts, signs, traffic lights, bins, cabinets, boxes, advertisements, shelters. */
import * as THREE from 'three';
import type { Random } from '../../../../protocol/random.ts';
import { CLASS_ID } from '../../../streets/classes.ts';
import { kerbStretches, mainRoad, SIDES, type Layout, type Side } from './layout.ts';
import { MeshBuilder, turn, type Coating, type Point, type Rgb } from '../meshes/mesh-builder.ts';
import type { TrafficTheta } from '../parameters.ts';
import { labelled, type Stage } from '../stage.ts';
import { cached, colourOf } from '../meshes/textures.ts';
import type { WeatherState } from '../sky/weather.ts';

const POLES = ['lamp', 'highLamp', 'sign', 'trafficLight', 'bollard'] as const;
const CLUTTER = ['bin', 'cabinet', 'boxes', 'wheelieBin', 'postBox', 'panel', 'hoarding', 'shelter'] as const;
type Piece = (typeof POLES)[number] | (typeof CLUTTER)[number];

const POST = 0;
const HEAD = 1;

const STEEL: Rgb = [0.13, 0.135, 0.14];
const BLACK: Rgb = [0.03, 0.03, 0.03];
/** Glass that one sees the street through, darkly. */
const PANE: Rgb = [0.05, 0.055, 0.06];
/** On boards whose colour is darker by this factor. */
const PAPER: Rgb = [3.5, 3.5, 3.4];

/** How finely a piece is modelled. */
type Size = 'large' | 'small' | 'tiny';

/** Fronts look towards the camera (+z); arms of lamps reach towards −x, over the road. */
const pieceParts = cached((key: string) => {
  const [piece, size] = key.split(' ') as [Piece, Size];
  const mesh = new MeshBuilder();
  if (size === 'tiny') return (TINY[piece](mesh), mesh.parts);
  const sides = size === 'large' ? 6 : 3;
  const post = (height: number, radius: number, colour = STEEL) =>
    mesh.column([0, 0, 0], height, radius, radius * 0.75, sides, { material: POST, colour });
  const disc = (y: number, radius: number, z: number, colour: Rgb, corners = sides + 3) =>
    mesh.face(ring(y, radius, z, corners), { material: HEAD, colour });
  switch (piece) {
    case 'lamp':
      post(5, 0.07, BLACK).box([-0.2, 5, -0.2], [0.2, 5.45, 0.2], { material: HEAD, colour: [0.35, 0.35, 0.32] }, true);
      break;
    case 'highLamp':
      post(8, 0.09).box([-1.7, 7.95, -0.05], [0.05, 8.05, 0.05], { material: POST, colour: STEEL }, true);
      mesh.box([-2.3, 7.93, -0.16], [-1.6, 8.07, 0.16], { material: HEAD, colour: [0.3, 0.3, 0.3] }, true);
      break;
    case 'sign':
      post(3, 0.04);
      disc(2.65, 0.36, 0.07, [0.5, 0.02, 0.02]);
      disc(2.65, 0.26, 0.085, [0.65, 0.65, 0.65]);
      mesh.face([...ring(2.65, 0.36, 0.05, sides + 3)].reverse(), { material: HEAD, colour: STEEL });
      break;
    case 'trafficLight':
      post(3.3, 0.06);
      mesh.box([-0.17, 2.35, -0.1], [0.17, 3.35, 0.18], { material: HEAD, colour: BLACK }, true);
      disc(3.18, 0.1, 0.2, [0.55, 0.02, 0.01], 8);
      disc(2.86, 0.1, 0.2, [0.12, 0.06, 0.01], 8);
      disc(2.54, 0.1, 0.2, [0.01, 0.09, 0.04], 8);
      break;
    case 'bollard':
      post(1, 0.09, BLACK);
      break;
    case 'bin':
      mesh.column([0, 0, 0], 1, 0.26, 0.28, 8, { material: POST });
      mesh.face(
        ring(0, 0.28, 0, 8).map(([x, y]): Point => [x, 1, -y]),
        { material: POST, colour: BLACK },
      );
      break;
    case 'cabinet':
      mesh.box([-0.25, 0, -0.55], [0.25, 1.3, 0.55], { material: POST });
      break;
    case 'boxes':
      mesh.box([-0.4, 0, -0.5], [0.35, 0.55, 0.4], { material: POST });
      mesh.box([-0.3, 0.55, -0.3], [0.3, 0.95, 0.3], { material: POST, colour: [0.7, 0.7, 0.7] });
      break;
    case 'wheelieBin':
      mesh.box([-0.28, 0.05, -0.3], [0.28, 0.98, 0.3], { material: POST });
      mesh.box([-0.32, 0.98, -0.34], [0.32, 1.08, 0.34], { material: POST, colour: [0.6, 0.6, 0.6] });
      break;
    case 'postBox':
      mesh.column([0, 0, 0], 0.25, 0.26, 0.26, sides + 2, { material: POST, colour: BLACK });
      mesh.column([0, 0.25, 0], 1.2, 0.23, 0.23, sides + 2, { material: POST });
      mesh.column([0, 1.45, 0], 0.15, 0.27, 0.05, sides + 2, { material: POST });
      break;
    case 'panel':
      board(mesh, 0.62, 0.3, 2.1, 0.08);
      break;
    case 'hoarding':
      board(mesh, 0.95, 0.05, 3.9, 0.14);
      break;
    case 'shelter':
      // A roof on a glass wall along the pavement, with an advertisement at its end.
      mesh.box([-0.65, 2.35, -1.9], [0.65, 2.5, 1.9], { material: POST }, true);
      mesh.box([0.55, 0.25, -1.8], [0.6, 2.35, 1.8], { material: POST, colour: PANE });
      mesh.box([0.3, 0.45, -1.5], [0.5, 0.52, 1.5], { material: POST });
      mesh.box([-0.6, 0.25, -1.86], [0.6, 2.2, -1.74], { material: POST, colour: PAPER });
      for (const z of [-1.8, 0, 1.8])
        mesh.box([0.52, 0, z - 0.05], [0.62, 2.35, z + 0.05], { material: POST, colour: STEEL });
      break;
  }
  return mesh.parts;
});

/** A board across the pavement, in two colours: what is written on it fills most of its upper part. */
function board(mesh: MeshBuilder, half: number, foot: number, top: number, depth: number): void {
  mesh.box([-half, foot, -depth], [half, top, depth], { material: POST }, true);
  const [low, high] = [foot + (top - foot) * 0.45, foot + (top - foot) * 0.9];
  const [left, right, z] = [-half * 0.8, half * 0.8, depth + 0.01];
  const corners: Point[] = [
    [left, low, z],
    [right, low, z],
    [right, high, z],
    [left, high, z],
  ];
  mesh.face(corners, { material: POST, colour: PAPER });
  if (foot > 0.1) mesh.box([-0.12, 0, -0.05], [0.12, foot, 0.05], { material: POST, colour: STEEL });
}

/** The same pieces of a few pixels: what is thinner than a pixel is a face to the front and one to the back. */
const TINY: Record<Piece, (mesh: MeshBuilder) => void> = {
  lamp(mesh) {
    tinyPost(mesh, 5, 0.07, BLACK);
    mesh.column([0, 5, 0], 0.45, 0.24, 0.24, 3, { material: POST, colour: [0.35, 0.35, 0.32] });
  },
  highLamp(mesh) {
    tinyPost(mesh, 8, 0.09);
    upright(mesh, [-1.7, 7.95], [0.05, 8.05], { material: POST, colour: STEEL });
    upright(mesh, [-2.3, 7.93], [-1.6, 8.07], { material: POST, colour: [0.3, 0.3, 0.3] });
  },
  sign(mesh) {
    tinyPost(mesh, 3, 0.04);
    mesh.face(ring(2.65, 0.36, 0.07, 6), { material: HEAD, colour: [0.58, 0.38, 0.38] });
    mesh.face([...ring(2.65, 0.36, 0.05, 6)].reverse(), { material: HEAD, colour: STEEL });
  },
  trafficLight(mesh) {
    tinyPost(mesh, 3.3, 0.06);
    mesh.column([0, 2.35, 0], 1, 0.2, 0.2, 4, { material: HEAD, colour: BLACK });
    mesh.face(ring(3.18, 0.1, 0.21, 4), { material: HEAD, colour: [0.55, 0.02, 0.01] });
  },
  bollard: (mesh) => tinyPost(mesh, 1, 0.09, BLACK),
  bin: (mesh) => mesh.box([-0.22, 0, -0.22], [0.22, 1, 0.22], { material: POST }),
  cabinet: (mesh) => mesh.box([-0.25, 0, -0.55], [0.25, 1.3, 0.55], { material: POST }),
  boxes: (mesh) => mesh.box([-0.38, 0, -0.45], [0.33, 0.7, 0.38], { material: POST }),
  wheelieBin: (mesh) => mesh.box([-0.3, 0, -0.32], [0.3, 1.08, 0.32], { material: POST }),
  postBox: (mesh) => mesh.box([-0.22, 0, -0.22], [0.22, 1.55, 0.22], { material: POST }),
  panel: (mesh) => board(mesh, 0.62, 0.3, 2.1, 0.08),
  hoarding: (mesh) => board(mesh, 0.95, 0.05, 3.9, 0.14),
  shelter(mesh) {
    mesh.box([-0.65, 2.35, -1.9], [0.65, 2.5, 1.9], { material: POST });
    mesh.box([0.5, 0.25, -1.8], [0.6, 2.35, 1.8], { material: POST, colour: PANE });
    mesh.box([-0.6, 0.25, -1.86], [0.6, 2.2, -1.74], { material: POST, colour: PAPER });
  },
};

function tinyPost(mesh: MeshBuilder, height: number, radius: number, colour = STEEL): void {
  mesh.column([0, 0, 0], height, radius, radius * 0.75, 3, { material: POST, colour });
}

/** An upright rectangle across the road that is seen from both sides. */
function upright(mesh: MeshBuilder, [x0, y0]: [number, number], [x1, y1]: [number, number], surface: Coating): void {
  mesh.quad([x0, y0, 0], [x1, y0, 0], [x1, y1, 0], [x0, y1, 0], surface);
  mesh.quad([x1, y0, 0], [x0, y0, 0], [x0, y1, 0], [x1, y1, 0], surface);
}

/** A disc that faces the camera. */
function ring(y: number, radius: number, z: number, sides: number): Point[] {
  return Array.from({ length: sides }, (_, i) => {
    const [cos, sin] = turn(i / sides);
    return [radius * cos, y + radius * sin, z] as const;
  });
}

/** The class of bins, boxes and boards: to a driver they are a part of the roadside, and no car. */
const CLUTTER_CLASS = CLASS_ID.wall;

const plain = (classId: number) =>
  labelled(new THREE.MeshLambertMaterial({ vertexColors: true }), { classId, receives: false });
const poleMaterial = plain(CLASS_ID.pole);
const litLamp = labelled(new THREE.MeshBasicMaterial({ vertexColors: true }), {
  classId: CLASS_ID.pole,
  casts: false,
  receives: false,
});
litLamp.color.setRGB(9, 7, 4);
const lampMaterials = [poleMaterial, poleMaterial];
const litMaterials = [poleMaterial, litLamp];
const signMaterials = [poleMaterial, plain(CLASS_ID['traffic sign'])];
const lightMaterials = [poleMaterial, plain(CLASS_ID['traffic light'])];
const clutterMaterials = [plain(CLUTTER_CLASS)];

/** Where a metre spans more pixels than this, a post has all its sides. */
const LARGE = 16;
/** Where it spans fewer, pieces have their outlines only. */
const TINY_BELOW = 5;

/** Lamp posts, signs and traffic lights. */
export function addPoles(
  stage: Stage,
  theta: TrafficTheta,
  layout: Layout,
  { streetLamps }: WeatherState,
  random: Random,
): void {
  const materialsOf = (piece: Piece) => {
    if (piece === 'trafficLight') return lightMaterials;
    if (piece === 'sign') return signMaterials;
    return streetLamps ? litMaterials : lampMaterials;
  };
  const lamp = random.pick(['lamp', 'highLamp'] as const);
  for (const side of SIDES) {
    const { kerb } = layout.roadside(side);
    for (const [from, to] of kerbStretches(layout, side)) {
      for (let i = random.poisson((theta.poleRate * (to - from)) / 100); i > 0; i--) {
        const s = random.uniform(Math.max(2.5, from), to);
        const piece = random.chance(0.45) ? lamp : random.pick(POLES);
        put(stage, layout, piece, s, side, kerb + 0.35, materialsOf(piece));
      }
    }
  }
}

/** Bins, cabinets and boxes. */
export function addClutter(stage: Stage, theta: TrafficTheta, layout: Layout, random: Random): void {
  for (const side of SIDES) {
    const { kerb, pavementWidth } = layout.roadside(side);
    for (const [from, to] of kerbStretches(layout, side)) {
      for (let i = random.poisson((theta.clutterRate * (to - from)) / 100); i > 0; i--) {
        const s = random.uniform(Math.max(3, from), to);
        const d = kerb + random.uniform(0.4, Math.max(0.5, pavementWidth - 0.3));
        put(stage, layout, random.pick(CLUTTER), s, side, d, clutterMaterials, clutterColour(random));
      }
    }
  }
}

/** Puts a piece on the pavement, `d` metres off the middle of the road. */
function put(
  stage: Stage,
  layout: Layout,
  piece: Piece,
  s: number,
  side: Side,
  d: number,
  materials: readonly THREE.Material[],
  colour: Rgb = [1, 1, 1],
): void {
  const { x, z, rotation } = mainRoad(layout)(s, side * d);
  const height = piece === 'highLamp' ? 8 : 5;
  if (!stage.view.shows(x, height / 2, z, height / 2 + 0.5)) return;
  const pixels = stage.view.pixelsPerMetre(x, z);
  const size: Size = pixels > LARGE ? 'large' : pixels < TINY_BELOW ? 'tiny' : 'small';
  // The arm of a lamp reaches over the road from either side; signs keep facing the camera.
  const turned = rotation + (side < 0 && piece === 'highLamp' ? Math.PI : 0);
  stage.place(pieceParts(`${piece} ${size}`), materials, { x, y: 0.12, z, rotation: turned, colour });
}

function clutterColour(random: Random): Rgb {
  const saturation = random.chance(0.5) ? 0.15 : 0.8;
  return colourOf(random.uniform(0, 0.7), saturation, random.pick([0.04, 0.16]));
}
