/** Where things are: the plan of a street, as numbers. The builders take places from it; nothing is built here. */
import type { Random } from '../../../../protocol/random.ts';
import { JUNCTIONS, type JunctionKind, type TrafficTheta } from '../parameters.ts';

/** −1 is left, 1 is right. */
export type Side = -1 | 1;
export const SIDES: readonly Side[] = [-1, 1];

/** Where a street ends that does not bend away, m. */
const STREET_END = 150;
/** Where the street begins behind the camera, m. */
export const STREET_START = -9;
const PARKING_WIDTH = 2.1;
/** The same where cars stand at a right angle to the kerb, and the share of kerbs with parked cars where they do. */
export const BAY_DEPTH = 5;
const BAYS = 0.25;

interface Junction {
  readonly kind: JunctionKind;
  /** From the camera to the middle of the side road, m. */
  readonly distance: number;
  /** From the middle of the side road to its kerb, m. */
  readonly halfWidth: number;
  /** Whether the side road leaves on this side. */
  readonly left: boolean;
  readonly right: boolean;
  /** Whether the main road continues. */
  readonly ahead: boolean;
}

/** What differs between the two sides of the street. */
interface Roadside {
  /** Width of the strip where cars park, within the carriageway; 0 where there is none, m. */
  readonly parkingWidth: number;
  /** Share of that strip that cars stand on. */
  readonly occupancy: number;
  /** From the middle of the road to this side's kerb, m. */
  readonly kerb: number;
  readonly pavementWidth: number;
  /** From the pavement to the facades, m. */
  readonly setback: number;
}

export interface Layout {
  /** Curvature of the road, 1/m; positive bends to the right. */
  readonly curvature: number;
  /** Lanes in each direction. */
  readonly lanes: number;
  readonly laneWidth: number;
  /** The side of the road that cars drive on. */
  readonly drivingSide: Side;
  /** The lane that the camera drives on, 0 next to the centre line. */
  readonly ownLane: number;
  readonly junction: Junction;
  readonly roadside: (side: Side) => Roadside;
  /** Where the carriageway ends ahead, m. */
  readonly end: number;
}

export function drawLayout(theta: TrafficTheta, random: Random): Layout {
  const laneWidth = Math.max(2.4, theta.laneWidth * random.uniform(0.88, 1.12));
  const lanes = Math.floor(theta.lanes) + (random.chance(theta.lanes % 1) ? 1 : 0);
  const curvature = Math.min(0.016, Math.max(-0.016, random.normal(0, theta.curvature)));
  const drivingSide = random.chance(theta.leftHandTraffic) ? -1 : 1;
  const ownLane = random.integer(lanes);
  const junction = drawJunction(theta, laneWidth, random);
  const sides = [drawRoadside(theta, lanes * laneWidth, random), drawRoadside(theta, lanes * laneWidth, random)];
  const roadside = (side: Side) => sides[side < 0 ? 0 : 1]!;
  const end = junction.ahead ? STREET_END : junction.distance + junction.halfWidth;
  return { curvature, lanes, laneWidth, drivingSide, ownLane, junction, roadside, end };
}

function drawJunction(theta: TrafficTheta, laneWidth: number, random: Random): Junction {
  const kind = JUNCTIONS[random.categorical(theta.junctions)]!;
  const distance = Math.min(125, Math.max(9, theta.junctionDistance * Math.exp(random.normal(0, 0.35))));
  const left = kind === 'cross' || kind === 'teeLeft' || kind === 'bendLeft';
  const right = kind === 'cross' || kind === 'teeRight' || kind === 'bendRight';
  const ahead = kind !== 'bendLeft' && kind !== 'bendRight';
  return { kind, distance, halfWidth: laneWidth * random.uniform(1, 1.3), left, right, ahead };
}

function drawRoadside(theta: TrafficTheta, laneHalf: number, random: Random): Roadside {
  // Parked cars come in rows: few streets full of them rather than a few cars in each.
  const chance = Math.min(1, 2 * theta.parkedShare);
  const parking = random.chance(chance);
  const parkingWidth = parking ? (random.chance(BAYS) ? BAY_DEPTH : PARKING_WIDTH) : random.uniform(0, 0.6);
  return {
    parkingWidth,
    occupancy: parking ? theta.parkedShare / chance : 0,
    kerb: laneHalf + parkingWidth,
    pavementWidth: Math.max(0.6, theta.pavementWidth * random.uniform(0.7, 1.3)),
    setback: Math.max(0, theta.buildingSetback * random.uniform(0.2, 1.8)),
  };
}

/** A place on the ground and the direction of the road there. */
export interface Place {
  readonly x: number;
  readonly z: number;
  /** Turn about the vertical axis that points an object's front (−z) along the road, radians. */
  readonly rotation: number;
}

/** The place at a road's own coordinates: `s` metres along it and `d` metres to the right of its middle. */
export type Road = (s: number, d: number) => Place;

/** The road that the camera is on; the camera stands at s = 0. */
export function mainRoad({ curvature }: Layout): Road {
  if (Math.abs(curvature) < 1e-6) return (s, d) => ({ x: d, z: -s, rotation: 0 });
  return (s, d) => {
    const angle = curvature * s;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    return { x: (1 - cos) / curvature + d * cos, z: -sin / curvature + d * sin, rotation: -angle };
  };
}

/** The road that leaves the junction to this side, straight, at a right angle; s = 0 on the middle of the main road. */
export function sideRoad(layout: Layout, side: Side): Road {
  const { x, z, rotation } = mainRoad(layout)(layout.junction.distance, 0);
  const heading = rotation - (side * Math.PI) / 2;
  const [cos, sin] = [Math.cos(heading), Math.sin(heading)];
  return (s, d) => ({ x: x - s * sin + d * cos, z: z - s * cos - d * sin, rotation: heading });
}

/** The sides on which a road leaves the junction. */
export function openSides({ junction }: Layout): readonly Side[] {
  return SIDES.filter((side) => (side < 0 ? junction.left : junction.right));
}

/** The middle of a lane, m to the right; `own` is the direction that the camera drives in. */
export function laneMiddle(layout: Layout, lane: number, own: boolean): number {
  return (lane + 0.5) * layout.laneWidth * layout.drivingSide * (own ? 1 : -1);
}

/** The stretches of the kerb on this side, which a side road interrupts. */
export function kerbStretches(layout: Layout, side: Side): readonly (readonly [from: number, to: number])[] {
  const { junction, end } = layout;
  if (!openSides(layout).includes(side)) return [[STREET_START, end]];
  const before = [STREET_START, junction.distance - junction.halfWidth] as const;
  return junction.ahead ? [before, [junction.distance + junction.halfWidth, end]] : [before];
}
