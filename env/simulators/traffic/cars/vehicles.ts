/** Traffic: which cars stand and drive where. */
import type { Random } from '../../../../protocol/random.ts';
import { CAR_VARIANTS, shapeOf } from './car-shapes.ts';
import {
  BAY_DEPTH,
  kerbStretches,
  laneMiddle,
  mainRoad,
  openSides,
  sideRoad,
  SIDES,
  STREET_START,
  type Layout,
  type Place,
} from '../street/layout.ts';
import type { Rgb } from '../meshes/mesh-builder.ts';
import { CAR_TYPES, type CarType, type TrafficTheta } from '../parameters.ts';
import { colourOf } from '../meshes/textures.ts';

type CarRole = 'parked' | 'leading' | 'oncoming' | 'crossing';

/** A countable car of a scene, seen or not. */
export interface Car {
  /** Its id in the image's `instances`; from 1 upwards. */
  readonly instance: number;
  readonly type: CarType;
  readonly role: CarRole;
  /** Middle of its footprint on the ground, m. */
  readonly x: number;
  readonly z: number;
  /** About the vertical axis; at 0 it drives towards −z. Radians. */
  readonly rotation: number;
  /** Size of the box around its body, without mirrors, m. */
  readonly length: number;
  readonly width: number;
  readonly height: number;
  /** Linear colour of its paint. */
  readonly paint: Rgb;
  /** Which shape of its type it has, 0 to CAR_VARIANTS − 1. */
  readonly variant: number;
}

/** How far cars are drawn, ahead and along side roads, m. */
const TRAFFIC_END = 115;
const SIDE_TRAFFIC_END = 55;
/** The length that stands for every car's where a car's own length must not matter, m. */
const USUAL_LENGTH = 5;
/** From a corner to the nearest parked car, m. */
const CORNER = 6;

/** Draws every car of a scene. */
export function drawTraffic(theta: TrafficTheta, layout: Layout, random: Random): Car[] {
  const cars: Car[] = [];
  const end = Math.min(TRAFFIC_END, layout.end - 3);
  const road = mainRoad(layout);
  const add = (role: CarRole, car: Draft, where: Place, backwards: boolean) => {
    const { x, z, rotation } = where;
    const { type, variant, length, width, height, paint } = car; // named, since spreading is slow
    const turned = rotation + (backwards ? Math.PI : 0);
    cars.push({ instance: cars.length + 1, type, role, x, z, rotation: turned, length, width, height, paint, variant });
  };
  parkedCars(theta, layout, end, random, add);
  for (let lane = 0; lane < layout.lanes; lane++) {
    const own = lane === layout.ownLane;
    const nearest = theta.nearestCar * Math.exp(random.normal(0, 0.35));
    // On the camera's lane the first car keeps its distance; on other lanes cars are anywhere, also beside the camera.
    const first = random.chance(1 - Math.exp(-theta.leadingRate)) ? Math.max(3.5, nearest) : end;
    laneCars(theta.leadingRate, own ? first : random.uniform(2, 20), own, end, layout, random, theta, (car, s) =>
      add('leading', car, road(s, laneMiddle(layout, lane, true) + random.normal(0, 0.15)), false),
    );
    laneCars(theta.oncomingRate, random.uniform(1, 12), false, end, layout, random, theta, (car, s) =>
      add('oncoming', car, road(s, laneMiddle(layout, lane, false) + random.normal(0, 0.15)), true),
    );
  }
  crossingCars(theta, layout, random, add);
  return cars;
}

type Draft = Omit<Car, 'instance' | 'role' | 'x' | 'z' | 'rotation'>;
type Add = (role: CarRole, car: Draft, where: Place, backwards: boolean) => void;

function drawCar(theta: TrafficTheta, random: Random): Draft {
  const type = CAR_TYPES[random.categorical(theta.carTypes)]!;
  const variant = random.integer(CAR_VARIANTS);
  const shape = shapeOf(type, variant);
  return {
    type,
    variant,
    length: shape.length * random.uniform(0.96, 1.04),
    width: shape.width * random.uniform(0.96, 1.04),
    height: shape.height * random.uniform(0.96, 1.04),
    // Buses and lorries are seldom dark, and often have the colours of a company.
    paint:
      type === 'bus'
        ? drawPaint(Math.min(1, 2 * theta.paintColour), theta.paintDarkness * 0.4, random)
        : drawPaint(theta.paintColour, theta.paintDarkness, random),
  };
}

/** White to black, or a colour; `darkness` is the chance that it is a dark one. */
function drawPaint(colourfulness: number, darkness: number, random: Random): Rgb {
  const dark = random.chance(darkness);
  const lightness = dark ? 0.008 + 0.06 * random.uniform() ** 2 : random.uniform(0.2, 0.75);
  if (!random.chance(colourfulness)) return colourOf(random.uniform(0.55, 0.65), random.uniform(0, 0.12), lightness);
  const hue = random.chance(0.7) ? random.pick([0, 0.99, 0.6, 0.63, 0.57, 0.35]) : random.uniform();
  return colourOf(hue + random.normal(0, 0.015), random.uniform(0.5, 0.95), dark ? lightness : lightness * 0.45);
}

function parkedCars(theta: TrafficTheta, layout: Layout, end: number, random: Random, add: Add): void {
  const road = mainRoad(layout);
  for (const side of SIDES) {
    const { occupancy, kerb, parkingWidth } = layout.roadside(side);
    const inBays = parkingWidth === BAY_DEPTH;
    for (const [from, to] of kerbStretches(layout, side)) {
      // No car parks right at a corner. The limit is for where a car begins, not where it ends, so that short cars are
      // not more likely.
      const stop = Math.min(end, to - CORNER) - USUAL_LENGTH;
      let s = (from === STREET_START ? -3 : from + CORNER) + random.uniform(-4, 0);
      while (s < stop) {
        const car = drawCar(theta, random);
        const [along, across] = inBays ? [car.width, car.length] : [car.length, car.width];
        const middle = s + along / 2;
        s += along + random.uniform(0.7, inBays ? 1.1 : 2);
        // Nothing that is longer than a bay stands in one.
        if (!random.chance(occupancy) || across > parkingWidth + 0.6) continue;
        const d = side * (kerb - across / 2 - random.uniform(0.1, 0.4));
        const where = road(middle, d);
        const angle = random.normal(0, 0.025) - (inBays ? (side * Math.PI) / 2 : 0);
        const isBackwards = random.chance(inBays ? 0.3 : 0.1);
        const turned = { ...where, rotation: where.rotation + angle };
        add('parked', car, turned, inBays ? isBackwards : (side === layout.drivingSide) === isBackwards);
      }
    }
  }
}

/** Cars along one lane with exponential gaps; the junction stays free. */
function laneCars(
  rate: number,
  start: number,
  startsWithCar: boolean,
  end: number,
  { junction }: Layout,
  random: Random,
  theta: TrafficTheta,
  put: (car: Draft, s: number) => void,
): void {
  const gap = () => 2 - (100 / Math.max(rate, 1e-3)) * Math.log(1 - random.uniform());
  const crossed = junction.left || junction.right;
  const [from, to] = [
    junction.distance - junction.halfWidth - USUAL_LENGTH,
    junction.distance + junction.halfWidth + 1,
  ];
  let s = startsWithCar ? start : start + gap() - 2;
  while (s < end - USUAL_LENGTH) {
    if (crossed && s > from && s < to) {
      s = to + gap();
      continue;
    }
    const car = drawCar(theta, random);
    put(car, s + car.length / 2);
    s += car.length + gap();
  }
}

/** Cars on the side roads, on their way to or from the junction. */
function crossingCars(theta: TrafficTheta, layout: Layout, random: Random, add: Add): void {
  for (const side of openSides(layout)) {
    const road = sideRoad(layout, side);
    for (const outwards of [true, false]) {
      const d = layout.drivingSide * (outwards ? 1 : -1) * layout.junction.halfWidth * 0.5;
      const gap = () => -(100 / Math.max(theta.crossingRate, 1e-3)) * Math.log(1 - random.uniform());
      let s = random.uniform(-2, 4) + gap();
      while (s < SIDE_TRAFFIC_END) {
        const car = drawCar(theta, random);
        add('crossing', car, road(s + car.length / 2, d), !outwards);
        s += car.length + 2 + gap();
      }
    }
  }
}
