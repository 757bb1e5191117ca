/** The ground: carriageway, kerbs, pavements, what lies beyond them, and the side road of a junction. */
import * as THREE from 'three';
import type { Random } from '../../../../protocol/random.ts';
import { CLASS_ID } from '../../../streets/classes.ts';
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
import type { Rgb } from '../meshes/mesh-builder.ts';
import type { TrafficTheta } from '../parameters.ts';
import { labelled, type Stage } from '../stage.ts';
import { cached, fractalNoise, paintTexture, scaled, smoothstep, valueNoise } from '../meshes/textures.ts';
import type { Vertices } from '../meshes/vertices.ts';
import type { WeatherState } from '../sky/weather.ts';

const KERB_HEIGHT = 0.12;
/** Length of the nearest piece of road, m, and the factor from each piece to the next. */
const FIRST_STEP = 5;
const STEP_GROWTH = 1.18;
/** Length of the first piece of a side road, which is further away, m. */
const SIDE_STEP = 11;
/** How far the side road is drawn, m. */
const SIDE_ROAD_LENGTH = 70;

/** Ground textures: mean 1/2, so that a material's colour is twice the mean reflectance. Repeats every 8 m. */
const asphaltTexture = cached((strength: number) => groundTexture(1, strength / 4, 0));
const pavingTexture = cached((strength: number) => groundTexture(2, strength / 4, 1));
const grassTexture = cached((strength: number) => groundTexture(3, 0.4 + strength / 6, 0));
const TEXTURE_SIZE = 8;
const TEXTURE_OF = { asphalt: asphaltTexture, paving: pavingTexture, grass: grassTexture, yard: grassTexture };

function groundTexture(seed: number, strength: number, slabs: number): THREE.DataTexture {
  const patches = fractalNoise(seed, 2, 4);
  const cracks = fractalNoise(seed + 50, 3, 3);
  const grain = fractalNoise(seed + 100, 128, 1);
  return paintTexture(128, 128, (u, v) => {
    const joint = slabs > 0 && ((u * 12) % 1 < 0.1 || (v * 8) % 1 < 0.07) ? 0.8 : 1;
    const crack = 1 - 0.3 * smoothstep(0.025, 0, Math.abs(cracks(u, v) - 0.5)) * (slabs > 0 ? 0.2 : 1);
    const stain = (patches(u, v) - 0.5) * 1.3 + (grain(u, v) - 0.5) * 0.5;
    const value = 0.5 * joint * (1 + strength * stain) * (1 + strength * (crack - 1));
    return [value, value, value];
  });
}

/** How bright the ground is at a place, so that no large surface is uniform. */
type Brightness = (s: number, d: number) => number;

/** A surface to put ground on: where its vertices go, and its colour. */
interface Ground {
  readonly vertices: Vertices;
  readonly colour: Rgb;
}

interface Grounds {
  readonly asphalt: Ground;
  readonly kerb: Ground;
  readonly paving: Ground;
  readonly beyond: Ground;
}

export function addGround(
  stage: Stage,
  theta: TrafficTheta,
  layout: Layout,
  weather: WeatherState,
  random: Random,
): void {
  const variation = theta.groundVariation;
  const soft = valueNoise(random.uint32(), 8, 4);
  const wheelTracks = random.uniform(-0.2, 0.2) * variation;
  const brightness: Brightness = (s, d) => {
    const lane = Math.abs(((d / layout.laneWidth) % 1) - 0.5) * 2; // 0 in the middle of a lane
    return (1 + variation * 0.7 * (soft(s / 90, d / 40) - 0.5)) * (1 + wheelTracks * lane);
  };
  const grounds = drawGrounds(stage, theta, weather, random);
  beyond(grounds, layout);
  carriageway(grounds, layout, brightness);
  for (const side of SIDES) {
    for (const [from, to] of kerbStretches(layout, side)) pavement(grounds, layout, side, from, to, brightness);
  }
  for (const side of openSides(layout)) sideRoadStrips(grounds, layout, side, brightness);
  closePavement(grounds, layout, brightness);
}

type Kind = 'asphalt' | 'kerb' | 'paving' | 'grass' | 'yard';

const CLASS_OF: Record<Kind, number> = {
  asphalt: CLASS_ID.road,
  kerb: CLASS_ID.sidewalk,
  paving: CLASS_ID.sidewalk,
  grass: CLASS_ID.terrain,
  yard: CLASS_ID.sidewalk,
};
/** How much of its brightness each kind of ground loses when it is quite wet. */
const SOAKED = { asphalt: 0.62, kerb: 0.5, paving: 0.55, grass: 0.4, yard: 0.5 };
/** Steps from even to varied ground. */
const VARIATION_STEPS = 4;

const groundMaterial = cached((key: string) => {
  const [kind, strength] = key.split(' ') as [Kind, string];
  const map = kind === 'kerb' ? null : TEXTURE_OF[kind](Number(strength));
  const material = new THREE.MeshLambertMaterial({ map, vertexColors: true });
  if (map) material.color.setScalar(2);
  return labelled(material, { classId: CLASS_OF[kind], casts: false });
});

/** The colours and materials of this scene's ground. */
function drawGrounds(stage: Stage, theta: TrafficTheta, { wetness }: WeatherState, random: Random): Grounds {
  const strength = Math.round(theta.groundVariation * VARIATION_STEPS);
  const asphalt = Math.min(0.6, theta.asphaltBrightness * Math.exp(random.normal(0, 0.2)));
  const paving = Math.min(0.6, theta.asphaltBrightness * random.uniform(0.7, 1.6));
  const kerb = Math.min(0.6, paving * random.uniform(0.9, 1.5));
  const ground = (kind: Kind, albedo: Rgb): Ground => ({
    vertices: stage.of(groundMaterial(`${kind} ${strength}`)),
    colour: scaled(albedo, 1 - SOAKED[kind] * wetness),
  });
  const tint = random.uniform(-0.04, 0.04);
  const gray = (level: number, warmth: number): Rgb => [level * (1 + warmth), level, level * (1 - warmth)];
  const grassy = random.chance(0.45);
  return {
    beyond: grassy ? ground('grass', [0.07, 0.1, 0.035]) : ground('yard', gray(paving * 0.8, 0.06)),
    asphalt: ground('asphalt', gray(asphalt, tint)),
    kerb: ground('kerb', gray(kerb, 0.02)),
    paving: ground('paving', gray(paving, tint + 0.03)),
  };
}

/**
 * One strip of ground along a line, from (`d0`, `y0`) to (`d1`, `y1`) across it, `d0` < `d1`.
 *
 * @param firstStep length of its first piece, m
 */
function strip(
  { vertices, colour: [red, green, blue] }: Ground,
  at: Road,
  [from, to]: readonly [number, number],
  [d0, y0, d1, y1]: readonly [number, number, number, number],
  brightness: Brightness,
  firstStep = FIRST_STEP,
): void {
  const [u0, u1] = [(d0 + y0) / TEXTURE_SIZE, (d1 + y1) / TEXTURE_SIZE];
  const length = Math.sqrt((d1 - d0) ** 2 + (y1 - y0) ** 2);
  const [outwards, up] = [(y0 - y1) / length, (d1 - d0) / length];
  let step = firstStep;
  for (let s = from, previous = -1; ;) {
    const left = at(s, d0);
    const right = at(s, d1);
    const nx = outwards * Math.cos(left.rotation);
    const nz = -outwards * Math.sin(left.rotation);
    const level = brightness(s, (d0 + d1) / 2);
    const v = s / TEXTURE_SIZE;
    const a = vertices.vertex(left.x, y0, left.z, nx, up, nz);
    vertices.paint(red * level, green * level, blue * level, u0, v);
    const b = vertices.vertex(right.x, y1, right.z, nx, up, nz);
    vertices.paint(red * level, green * level, blue * level, u1, v);
    if (previous >= 0) {
      vertices.triangle(previous, previous + 1, b);
      vertices.triangle(previous, b, a);
    }
    if (s >= to) return;
    previous = a;
    s = s + 1.4 * step > to ? to : s + step;
    step *= STEP_GROWTH;
  }
}

/** A wide plain just below everything else. */
function beyond({ beyond: { vertices, colour } }: Grounds, layout: Layout): void {
  const [near, far] = [-STREET_START, -layout.end - 120];
  const corners = [[-140, near], [140, near], [140, far], [-140, far]] as const; // prettier-ignore
  const first = vertices.vertexCount;
  for (const [x, z] of corners) {
    vertices.vertex(x, -0.1, z, 0, 1, 0);
    vertices.paint(...colour, x / TEXTURE_SIZE, z / TEXTURE_SIZE);
  }
  vertices.triangle(first, first + 1, first + 2);
  vertices.triangle(first, first + 2, first + 3);
}

function carriageway({ asphalt }: Grounds, layout: Layout, brightness: Brightness): void {
  const [left, right] = [-layout.roadside(-1).kerb, layout.roadside(1).kerb];
  const lanes = Math.max(2, Math.round((right - left) / 3));
  const at = mainRoad(layout);
  for (let i = 0; i < lanes; i++) {
    const d0 = left + ((right - left) * i) / lanes;
    const d1 = left + ((right - left) * (i + 1)) / lanes;
    strip(asphalt, at, [STREET_START, layout.end], [d0, 0, d1, 0], brightness);
  }
}

/** Kerb, pavement and the front gardens behind it, on one side along one stretch. */
function pavement(
  { kerb: stone, paving, beyond }: Grounds,
  layout: Layout,
  side: Side,
  from: number,
  to: number,
  brightness: Brightness,
): void {
  const { kerb, pavementWidth, setback } = layout.roadside(side);
  const at = mainRoad(layout);
  // Mirrored on the left, so that the faces look up on both sides.
  const across = (d0: number, y0: number, d1: number, y1: number) =>
    side > 0 ? ([d0, y0, d1, y1] as const) : ([-d1, y1, -d0, y0] as const);
  const back = kerb + pavementWidth;
  strip(stone, at, [from, to], across(kerb, 0, kerb + 0.02, KERB_HEIGHT), brightness);
  strip(stone, at, [from, to], across(kerb + 0.02, KERB_HEIGHT, kerb + 0.17, KERB_HEIGHT), brightness);
  strip(paving, at, [from, to], across(kerb + 0.17, KERB_HEIGHT, back, KERB_HEIGHT), brightness);
  strip(beyond, at, [from, to], across(back, KERB_HEIGHT, back + setback + 14, KERB_HEIGHT), brightness);
}

/** The road that leaves to one side, with a pavement along each of its edges. */
function sideRoadStrips(
  { asphalt, kerb: stone, paving }: Grounds,
  layout: Layout,
  side: Side,
  brightness: Brightness,
): void {
  const { halfWidth } = layout.junction;
  const { kerb, pavementWidth } = layout.roadside(side);
  const at = sideRoad(layout, side);
  const whole = [kerb, kerb + SIDE_ROAD_LENGTH] as const;
  strip(asphalt, at, whole, [-halfWidth, -0.005, halfWidth, -0.005], brightness, SIDE_STEP);
  const along = [kerb + pavementWidth, kerb + SIDE_ROAD_LENGTH] as const;
  const y = KERB_HEIGHT + 0.005;
  for (const edge of [-1, 1]) {
    const [inner, outer] = [edge * halfWidth, edge * (halfWidth + 2)];
    strip(paving, at, along, [Math.min(inner, outer), y, Math.max(inner, outer), y], brightness, SIDE_STEP);
    const faces = edge > 0 ? ([inner, 0, inner, y] as const) : ([inner, y, inner, 0] as const);
    strip(stone, at, along, faces, brightness, SIDE_STEP);
  }
}

/** The pavement across the end of a road that only bends away. */
function closePavement({ kerb: stone, paving }: Grounds, layout: Layout, brightness: Brightness): void {
  if (layout.junction.ahead) return;
  const { halfWidth, left } = layout.junction;
  const side = left ? -1 : 1;
  const at = sideRoad(layout, side);
  const start = -layout.roadside(side === 1 ? -1 : 1).kerb;
  // Straight on lies to the left of a road that leaves to the right.
  const across = (near: number, y0: number, far: number, y1: number) =>
    side > 0 ? ([-far, y1, -near, y0] as const) : ([near, y0, far, y1] as const);
  const along = [start, SIDE_ROAD_LENGTH] as const;
  const y = KERB_HEIGHT + 0.01;
  strip(stone, at, along, across(halfWidth, 0, halfWidth + 0.02, y), brightness, SIDE_STEP);
  strip(paving, at, along, across(halfWidth + 0.02, y, halfWidth + 3, y), brightness, SIDE_STEP);
}
