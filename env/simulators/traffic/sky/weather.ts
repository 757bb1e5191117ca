/** The weather of a scene, as it is drawn from θ; atmosphere.ts shows it. */
import type { Random } from '../../../../protocol/random.ts';
import { WEATHERS, type TrafficTheta, type Weather } from '../parameters.ts';
import type { Point, Rgb } from '../meshes/mesh-builder.ts';

export interface WeatherState {
  readonly kind: Weather;
  /** Towards the sun, length 1. */
  readonly sunDirection: Point;
  /** Illuminance of the sun on a surface that faces it, over π: a white surface has this radiance. */
  readonly sun: Rgb;
  /** The same of the sky on the open ground. */
  readonly skyLight: Rgb;
  /** Mean radiance of the visible sky. */
  readonly skyRadiance: Rgb;
  /** How much of the sky clouds cover, 0 to 1, and how dark they are. */
  readonly cloudiness: number;
  readonly cloudDarkness: number;
  /** Extinction, 1/m. */
  readonly fog: number;
  /** 0 dry to 1 streaming wet. */
  readonly wetness: number;
  /** Rain streaks, 0 to 1. */
  readonly rain: number;
  /** Whether cars have their lights on. */
  readonly headlights: boolean;
  readonly streetLamps: boolean;
}

/** The share of overcast scenes that are at dusk. */
const LATE = 0.25;

/** Streets are photographed where light falls into them: this share of suns stands along the street. */
const ALONG = 0.5;
/** Within this angle of its direction, radians: a low sun ahead, in view, or a clear one ahead or behind. */
const ALONG_WITHIN = { lowSun: 0.25, clear: 0.7 };

export function drawWeather(theta: TrafficTheta, random: Random): WeatherState {
  const kind = WEATHERS[random.categorical(theta.weather)]!;
  const azimuth = drawAzimuth(kind, random);
  const height = theta.sunElevation * random.uniform(0.7, 1.3) * (kind === 'lowSun' ? 0.25 : 1);
  const strength = theta.sunStrength * random.uniform(0.7, 1.4);
  const sky = theta.skyBrightness * random.uniform(0.75, 1.3);
  const fog = theta.fog * Math.exp(random.normal(0, 0.4));
  const sunDirection = direction(Math.min(85, Math.max(3, height)), azimuth);
  const common = { kind, sunDirection, fog, wetness: 0, rain: 0, headlights: false, streetLamps: false };
  switch (kind) {
    case 'clear':
      return {
        ...common,
        sun: tint([1, 0.93, 0.8], strength * 1.4),
        skyLight: [0.36, 0.47, 0.7],
        skyRadiance: tint([0.33, 0.58, 1.05], sky * 0.7),
        cloudiness: random.uniform(0, 0.35),
        cloudDarkness: random.uniform(0, 0.15),
      };
    case 'overcast':
      return random.chance(LATE) ? dusk(common, sky, random) : dullDay(common, sky, random);
    case 'lowSun':
      return {
        ...common,
        sun: tint([1, 0.6, 0.27], strength * 1.4),
        skyLight: [0.42, 0.38, 0.41],
        skyRadiance: tint([1, 0.85, 0.68], sky * 0.65),
        cloudiness: random.uniform(0.1, 0.5),
        cloudDarkness: random.uniform(0.1, 0.4),
        headlights: random.chance(0.4),
      };
    case 'rain': {
      const gloom = random.uniform(0.3, 0.6);
      return {
        ...common,
        fog: fog + random.uniform(0.007, 0.02),
        sun: [0, 0, 0],
        skyLight: tint([0.9, 0.97, 1.03], gloom),
        skyRadiance: tint([0.9, 0.97, 1.04], sky * gloom * 0.9),
        cloudiness: 1,
        cloudDarkness: random.uniform(0.2, 0.5),
        wetness: random.uniform(0.7, 1),
        rain: random.uniform(0.5, 1),
        headlights: random.chance(0.95),
      };
    }
  }
}

/** Where the sun stands, radians: 0 is to the right, −π/2 ahead. */
function drawAzimuth(kind: Weather, random: Random): number {
  const [around, isAlong, off] = [random.uniform(0, 2 * Math.PI), random.chance(ALONG), random.uniform(-1, 1)];
  const isAhead = random.chance(0.5);
  if (!isAlong || (kind !== 'lowSun' && kind !== 'clear')) return around;
  return (kind === 'lowSun' || isAhead ? -Math.PI / 2 : Math.PI / 2) + off * ALONG_WITHIN[kind];
}

type Common = Pick<WeatherState, 'kind' | 'sunDirection' | 'fog' | 'wetness' | 'rain' | 'headlights' | 'streetLamps'>;

function dullDay(common: Common, sky: number, random: Random): WeatherState {
  return {
    ...common,
    sun: [0, 0, 0],
    skyLight: [0.95, 0.97, 1],
    skyRadiance: tint([0.96, 0.99, 1.03], sky * random.uniform(0.8, 1.2)),
    cloudiness: 1,
    cloudDarkness: random.uniform(0.05, 0.4),
  };
}

/** Less light, and bluer, most of it low above the street; cars may have their lights on. */
function dusk(common: Common, sky: number, random: Random): WeatherState {
  const light = random.uniform(0.08, 0.22);
  return {
    ...common,
    sun: [0, 0, 0],
    skyLight: tint([0.8, 1, 1.06], light),
    skyRadiance: tint([0.82, 1, 1.05], sky * light * random.uniform(2.8, 4.5)),
    cloudiness: 1,
    cloudDarkness: random.uniform(0.3, 0.7),
    headlights: random.chance(0.7),
    streetLamps: true,
  };
}

/** Towards a point of the sky: elevation in degrees, azimuth in radians (0 is to the right, −π/2 ahead). */
function direction(elevation: number, azimuth: number): Point {
  const up = (elevation * Math.PI) / 180;
  return [Math.cos(up) * Math.cos(azimuth), Math.sin(up), Math.cos(up) * Math.sin(azimuth)];
}

function tint([red, green, blue]: Rgb, strength: number): Rgb {
  return [red * strength, green * strength, blue * strength];
}
