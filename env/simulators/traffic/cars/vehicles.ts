/** Traffic: which cars stand and drive where. */
import { deriveSeed, Random, type Seed } from '../../../../protocol/random.ts';
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

/**
 * Draws every car of a scene.
 *
 * Each place for a car has its own random numbers: the third car of a lane is the same car whatever θ says of the
 * others, and what θ says of its paint changes its paint alone.
 *
 * @param seed of the traffic
 */
export function drawTraffic(theta: TrafficTheta, layout: Layout, seed: Seed): Car[] {
  const cars: Car[] = [];
  const end = Math.min(TRAFFIC_END, layout.end - 3);
  const road = mainRoad(layout);
  const add: Add = (role, car, where, backwards) => {
    const { x, z, rotation } = where;
    const { type, variant, length, width, height, paint } = car; // named, since spreading is slow
    const turned = rotation + (backwards ? Math.PI : 0);
    cars.push({ instance: cars.length + 1, type, role, x, z, rotation: turned, length, width, height, paint, variant });
  };
  parkedCars(theta, layout, end, deriveSeed(seed, 'parked'), add);
  for (let lane = 0; lane < layout.lanes; lane++) {
    for (const role of ['leading', 'oncoming'] as const) {
      const queue: Queue = { theta, seed: deriveSeed(seed, role, lane), end };
      const ahead = role === 'leading';
      const first = new Random(deriveSeed(queue.seed, 'first'));
      const [isThere, nearness, start] = [first.uniform(), first.normal(0, 0.35), first.uniform()];
      const put: Put = (car, s, off) => add(role, car, road(s, laneMiddle(layout, lane, ahead) + off), !ahead);
      if (ahead && lane === layout.ownLane) {
        // On the camera's lane the first car keeps its distance; on other lanes cars are anywhere, also beside the camera.
        const nearest = Math.max(3.5, theta.nearestCar * Math.exp(nearness));
        laneCars(
          queue,
          theta.leadingRate,
          isThere < 1 - Math.exp(-theta.leadingRate) ? nearest : end,
          true,
          layout,
          put,
        );
      } else if (ahead) laneCars(queue, theta.leadingRate, 2 + 18 * start, false, layout, put);
      else laneCars(queue, theta.oncomingRate, 1 + 11 * start, false, layout, put);
    }
  }
  crossingCars(theta, layout, seed, add);
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

/** White to black, or a colour; `darkness` is the chance that it is a dark one. Draws the same numbers in any case. */
function drawPaint(colourfulness: number, darkness: number, random: Random): Rgb {
  const dark = random.chance(darkness);
  const light = random.uniform();
  const lightness = dark ? 0.008 + 0.06 * light ** 2 : 0.2 + 0.55 * light;
  const coloured = random.chance(colourfulness);
  const [usual, some] = [random.chance(0.7), random.uniform()];
  const hue = (usual ? random.pick([0, 0.99, 0.6, 0.63, 0.57, 0.35]) : random.uniform()) + random.normal(0, 0.015);
  if (!coloured) return colourOf(0.55 + 0.1 * some, 0.12 * random.uniform(), lightness);
  return colourOf(hue, 0.5 + 0.45 * some, dark ? lightness : lightness * 0.45);
}

function parkedCars(theta: TrafficTheta, layout: Layout, end: number, seed: Seed, add: Add): void {
  const road = mainRoad(layout);
  for (const side of SIDES) {
    const { occupancy, kerb, parkingWidth } = layout.roadside(side);
    const inBays = parkingWidth === BAY_DEPTH;
    for (const [stretch, [from, to]] of kerbStretches(layout, side).entries()) {
      // No car parks right at a corner. The limit is for where a car begins, not where it ends, so that short cars are
      // not more likely.
      const stop = Math.min(end, to - CORNER) - USUAL_LENGTH;
      const own = deriveSeed(seed, side, stretch);
      let s = (from === STREET_START ? -3 : from + CORNER) + new Random(own).uniform(-4, 0);
      for (let place = 0; s < stop; place++) {
        const random = new Random(deriveSeed(own, place));
        const [isTaken, gap] = [random.chance(occupancy), random.uniform(0.7, 2)];
        const [off, turned, backwards] = [random.uniform(0.1, 0.4), random.normal(0, 0.025), random.chance(0.1)];
        const car = drawCar(theta, random);
        const [along, across] = inBays ? [car.width, car.length] : [car.length, car.width];
        const middle = s + along / 2;
        s += along + (inBays ? 0.7 : gap);
        // Nothing that is longer than a bay stands in one.
        if (!isTaken || across > parkingWidth + 0.6) continue;
        const where = road(middle, side * (kerb - across / 2 - off));
        const rotation = where.rotation + turned - (inBays ? (side * Math.PI) / 2 : 0);
        add('parked', car, { ...where, rotation }, (inBays || side === layout.drivingSide) === backwards);
      }
    }
  }
}

/** The cars of a lane, from near to far. */
interface Queue {
  readonly theta: TrafficTheta;
  readonly seed: Seed;
  readonly end: number;
}

/** Puts a car with its middle `s` metres along the road, `off` metres beside the middle of its lane. */
type Put = (car: Draft, s: number, off: number) => void;

/** Metres to the next car, at a mean rate per 100 m: exponential. */
const gapOf = (random: Random, rate: number) => -(100 / Math.max(rate, 1e-3)) * Math.log(1 - random.uniform());

/** Cars along one lane with exponential gaps; the junction stays free. */
function laneCars(
  { theta, seed, end }: Queue,
  rate: number,
  start: number,
  startsWithCar: boolean,
  { junction }: Layout,
  put: Put,
): void {
  const crossed = junction.left || junction.right;
  const [from, to] = [
    junction.distance - junction.halfWidth - USUAL_LENGTH,
    junction.distance + junction.halfWidth + 1,
  ];
  const gaps = new Random(deriveSeed(seed, 'gaps'));
  let s = startsWithCar ? start : start + gapOf(gaps, rate);
  for (let place = 0; s < end - USUAL_LENGTH;) {
    if (crossed && s > from && s < to) {
      s = to + 2 + gapOf(gaps, rate);
      continue;
    }
    const random = new Random(deriveSeed(seed, place++));
    const off = random.normal(0, 0.15);
    const car = drawCar(theta, random);
    put(car, s + car.length / 2, off);
    s += car.length + 2 + gapOf(gaps, rate);
  }
}

/** Cars on the side roads, on their way to or from the junction. */
function crossingCars(theta: TrafficTheta, layout: Layout, seed: Seed, add: Add): void {
  for (const side of openSides(layout)) {
    const road = sideRoad(layout, side);
    for (const outwards of [true, false]) {
      const d = layout.drivingSide * (outwards ? 1 : -1) * layout.junction.halfWidth * 0.5;
      const own = deriveSeed(seed, 'crossing', side, outwards ? 'outwards' : 'inwards');
      const gaps = new Random(deriveSeed(own, 'gaps'));
      let s = gaps.uniform(-2, 4) + gapOf(gaps, theta.crossingRate);
      for (let place = 0; s < SIDE_TRAFFIC_END; place++) {
        const car = drawCar(theta, new Random(deriveSeed(own, place)));
        add('crossing', car, road(s + car.length / 2, d), !outwards);
        s += car.length + 2 + gapOf(gaps, theta.crossingRate);
      }
    }
  }
}
