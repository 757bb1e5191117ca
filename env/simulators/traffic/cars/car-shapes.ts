/** The proportions of cars: each type has a range, each variant draws its own. */
import { deriveSeed, Random } from '../../../../protocol/random.ts';
import { CAR_TYPES, type CarType } from '../parameters.ts';
import { cached } from '../meshes/textures.ts';

/** Lengths along the car are shares of its length from the front bumper; heights are in metres above the road. */
export interface CarShape {
  readonly length: number;
  readonly width: number;
  readonly height: number;
  /** Of a lorry: the top of its cab, and where behind it the box begins. */
  readonly cab?: { readonly height: number; readonly boxFrom: number };
  /** Underside of the sills. */
  readonly sill: number;
  /** Top of the body: at the nose, below the windscreen and below the rear window. */
  readonly noseTop: number;
  readonly bonnetTop: number;
  readonly waist: number;
  /** The greenhouse: foot and head of the windscreen, head and foot of the rear window. */
  readonly screenFoot: number;
  readonly screenHead: number;
  readonly rearHead: number;
  readonly rearFoot: number;
  /** Half-width of the roof over half-width of the body. */
  readonly roofWidth: number;
  readonly wheelRadius: number;
  readonly axles: readonly number[];
  /** Side windows along the greenhouse, as shares of it, from front to rear. */
  readonly windows: readonly (readonly [from: number, to: number])[];
  /** Height of the windows as shares of the greenhouse, from below. */
  readonly windowRows: readonly [from: number, to: number];
  /** The number of rows of windows one above the other; 1 if left out. */
  readonly decks?: 1 | 2;
  /** Height of the rear window, likewise. */
  readonly rearRows: readonly [from: number, to: number];
  /** Width of the nose and the tail over the width of the body: rounder below 1. */
  readonly taper: number;
}

/** The number of shapes of each type. */
export const CAR_VARIANTS = 6;

/** Every third `bus` is a lorry. */
export function isLorry(variant: number): boolean {
  return variant % 3 === 2;
}

/** Every third one has two decks. */
function isDoubleDecker(variant: number): boolean {
  return variant % 3 === 1;
}

/** The shape of one variant, 0 to CAR_VARIANTS − 1, of a type. */
export function carShape(type: CarType, variant: number): CarShape {
  const random = new Random(deriveSeed(variant, 'car shape', type));
  const vary = (value: number, spread: number) => value * random.uniform(1 - spread, 1 + spread);
  switch (type) {
    case 'hatchback':
      return {
        ...passengerCar(random),
        length: vary(3.85, 0.07),
        height: vary(1.48, 0.04),
        rearHead: random.uniform(0.8, 0.87),
        rearFoot: random.uniform(0.95, 0.985),
        windows: random.chance(0.5) ? TWO_DOORS : FOUR_DOORS,
      };
    case 'saloon':
      return {
        ...passengerCar(random),
        length: vary(4.5, 0.06),
        height: vary(1.42, 0.03),
        screenFoot: random.uniform(0.28, 0.31),
        screenHead: random.uniform(0.42, 0.45),
        rearHead: random.uniform(0.66, 0.7),
        rearFoot: random.uniform(0.8, 0.84),
        waist: random.uniform(0.96, 1.02),
      };
    case 'estate': {
      const offRoad = variant % 2 === 1; // an SUV stands higher
      return {
        ...passengerCar(random),
        length: vary(4.55, 0.05),
        width: offRoad ? 1.85 : 1.75,
        height: offRoad ? vary(1.74, 0.04) : vary(1.48, 0.03),
        sill: offRoad ? 0.32 : 0.22,
        noseTop: offRoad ? 0.92 : 0.76,
        bonnetTop: offRoad ? 1.1 : 0.95,
        waist: offRoad ? 1.12 : 0.98,
        wheelRadius: offRoad ? 0.36 : 0.31,
        rearHead: random.uniform(0.9, 0.94),
        rearFoot: random.uniform(0.975, 0.99),
        windows: ESTATE_WINDOWS,
      };
    }
    case 'van': {
      const glazed = variant % 3 === 2; // a minibus rather than a panel van
      return {
        ...passengerCar(random),
        length: vary(4.9, 0.08),
        width: vary(1.9, 0.04),
        height: vary(2.05, 0.12),
        noseTop: 0.95,
        bonnetTop: random.uniform(1.12, 1.22),
        waist: random.uniform(1.12, 1.22),
        screenFoot: random.uniform(0.13, 0.18),
        screenHead: random.uniform(0.27, 0.31),
        rearHead: 0.985,
        rearFoot: 0.995,
        roofWidth: 0.86,
        wheelRadius: 0.34,
        axles: [0.17, 0.8],
        windows: glazed ? ESTATE_WINDOWS : [[0.06, 0.26]],
        windowRows: [0.04, 0.72],
        rearRows: [0.12, 0.66],
        taper: 0.93,
      };
    }
    case 'bus':
      if (isLorry(variant)) return lorry(random);
      return {
        ...passengerCar(random),
        length: vary(10.5, 0.12),
        width: 2.5,
        height: isDoubleDecker(variant) ? vary(4.3, 0.03) : vary(3.1, 0.06),
        decks: isDoubleDecker(variant) ? 2 : 1,
        sill: 0.28,
        noseTop: 1.12,
        bonnetTop: 1.15,
        waist: 1.2,
        screenFoot: 0.004,
        screenHead: 0.02,
        rearHead: 0.992,
        rearFoot: 0.996,
        roofWidth: 0.95,
        wheelRadius: 0.5,
        axles: [0.24, 0.72],
        windows: [0.01, 0.17, 0.33, 0.49, 0.65, 0.81].map((from) => [from, from + 0.15] as const),
        windowRows: [0.02, 0.66],
        rearRows: [0.35, 0.72],
        taper: 0.96,
      };
  }
}

function lorry(random: Random): CarShape {
  const cabLength = random.uniform(0.2, 0.24);
  return {
    ...passengerCar(random),
    length: random.uniform(7, 9),
    width: 2.35,
    height: random.uniform(3, 3.5),
    cab: { height: random.uniform(2.4, 2.7), boxFrom: cabLength + 0.02 },
    sill: 0.4,
    noseTop: 1.25,
    bonnetTop: 1.28,
    waist: 1.15,
    screenFoot: 0.01,
    screenHead: 0.05,
    rearHead: cabLength - 0.005,
    rearFoot: cabLength,
    roofWidth: 0.88,
    wheelRadius: 0.46,
    axles: [0.14, 0.76],
    windows: [[0.16, 0.72]],
    windowRows: [0.05, 0.75],
    rearRows: [0.4, 0.7],
    taper: 0.97,
  };
}

const TWO_DOORS = [
  [0.14, 0.56],
  [0.6, 0.86],
] as const;
const FOUR_DOORS = [
  [0.13, 0.47],
  [0.51, 0.83],
] as const;
const ESTATE_WINDOWS = [
  [0.1, 0.36],
  [0.39, 0.66],
  [0.7, 0.93],
] as const;

function passengerCar(random: Random): CarShape {
  return {
    length: 4.2,
    width: random.uniform(1.66, 1.78),
    height: 1.45,
    sill: random.uniform(0.19, 0.24),
    noseTop: random.uniform(0.68, 0.76),
    bonnetTop: random.uniform(0.88, 0.95),
    waist: random.uniform(0.92, 1),
    screenFoot: random.uniform(0.24, 0.28),
    screenHead: random.uniform(0.39, 0.43),
    rearHead: 0.82,
    rearFoot: 0.95,
    roofWidth: random.uniform(0.7, 0.77),
    wheelRadius: random.uniform(0.29, 0.32),
    axles: [random.uniform(0.18, 0.2), random.uniform(0.79, 0.82)],
    windows: FOUR_DOORS,
    windowRows: [0.06, 0.86],
    rearRows: [0.1, 0.88],
    taper: random.uniform(0.78, 0.86),
  };
}

/** The shape of one variant of a type, made once. */
export function shapeOf(type: CarType, variant: number): CarShape {
  return shapes(CAR_TYPES.indexOf(type) * CAR_VARIANTS + variant);
}
const shapes = cached((key: number) => carShape(CAR_TYPES[Math.floor(key / CAR_VARIANTS)]!, key % CAR_VARIANTS));
