/**
 * θ of the traffic simulator: the one table of all parameters, with units, bounds and defaults. The defaults are a
 * guess of a European street, set by hand.
 *
 * Every entry describes a *distribution*: each scene draws its own values around it.
 */
import { defineParameters, type ThetaOf } from '../../../protocol/parameters.ts';

/** The car types that are counted, in the order of the simplex `carTypes`. */
export const CAR_TYPES = ['hatchback', 'saloon', 'estate', 'van', 'bus'] as const;
export type CarType = (typeof CAR_TYPES)[number];

/** In the order of the simplex `weather`. */
export const WEATHERS = ['clear', 'overcast', 'lowSun', 'rain'] as const;
export type Weather = (typeof WEATHERS)[number];

/** Where the road goes at the junction, in the order of the simplex `junctions`. */
export const JUNCTIONS = ['none', 'cross', 'teeLeft', 'teeRight', 'bendLeft', 'bendRight'] as const;
export type JunctionKind = (typeof JUNCTIONS)[number];

type Scale = 'linear' | 'log';

function scalar<const Name extends string>(
  name: Name,
  [low, high]: readonly [number, number],
  byDefault: number,
  unit: string,
  meaning: string,
  scale: Scale = 'linear',
) {
  return { kind: 'continuous', name, low, high, default: byDefault, unit, meaning, scale } as const;
}

function simplex<const Name extends string>(
  name: Name,
  labels: readonly string[],
  byDefault: number[],
  meaning: string,
) {
  return { kind: 'simplex', name, labels: [...labels], default: byDefault, meaning } as const;
}

/* prettier-ignore */
const table = [
  // Who drives, in which weather, and what the road comes to
  simplex('carTypes', CAR_TYPES, [0.42, 0.25, 0.23, 0.07, 0.03], 'Type of each car (estate: or SUV; bus: or lorry).'),
  simplex('weather', WEATHERS, [0.3, 0.5, 0.1, 0.1], 'Weather of each scene.'),
  simplex('junctions', JUNCTIONS, [0.55, 0.13, 0.11, 0.11, 0.05, 0.05], 'What the road comes to: crossing, side road on one side, or a right-angled bend.'),

  // Road
  scalar('laneWidth', [2.5, 4.5], 3.5, 'm', 'Mean width of a lane.'),
  scalar('lanes', [1, 3], 1.15, '1', 'Mean number of lanes in each direction.'),
  scalar('curvature', [0, 0.012], 0.002, '1/m', 'Spread (sd) of the curvature of the road.'),
  scalar('junctionDistance', [15, 120], 45, 'm', 'Mean distance to the junction, where there is one.', 'log'),
  scalar('markings', [0, 1], 0.8, 'probability', 'Chance of each kind of marking: centre line, edge lines, zebra, stop line, arrows.'),
  scalar('pavementWidth', [0.8, 6], 4.2, 'm', 'Mean width of each pavement.'),
  scalar('asphaltBrightness', [0.03, 0.5], 0.07, 'albedo', 'Mean reflectance of the dry road.', 'log'),
  scalar('groundVariation', [0, 1], 0.4, '1', 'Strength of patches, stains and grain of the ground.'),
  scalar('leftHandTraffic', [0, 1], 0.5, 'probability', 'Chance that one drives on the left.'),

  // Cars
  scalar('parkedShare', [0, 1], 0.18, '1', 'Share of the kerbs where cars are parked.'),
  scalar('leadingRate', [0, 6], 1, '1/(100 m)', 'Cars ahead on each lane of one’s own direction.'),
  scalar('oncomingRate', [0, 6], 1, '1/(100 m)', 'Cars on each lane of the other direction.'),
  scalar('crossingRate', [0, 6], 1.5, '1/(100 m)', 'Cars on each lane of a side road.'),
  scalar('nearestCar', [4, 40], 16, 'm', 'Median distance to the nearest car on one’s own lane.', 'log'),
  scalar('paintColour', [0, 1], 0.35, 'probability', 'Chance that a car is coloured rather than white, gray or black.'),
  scalar('paintDarkness', [0, 1], 0.5, '1', 'How dark cars are painted: 0 all light, 1 all dark.'),
  scalar('paintGloss', [0, 1], 0.75, '1', 'How strongly and sharply paint and glass reflect the sky.'),

  // Buildings
  scalar('buildingShare', [0, 1], 0.8, '1', 'Share of the frontage with buildings; walls, hedges and fences fill the rest.'),
  scalar('buildingHeight', [3, 25], 10, 'm', 'Median height of the eaves.', 'log'),
  scalar('buildingSetback', [0, 12], 2, 'm', 'Mean distance of the facades from the pavement.'),
  scalar('wallBrightness', [0.06, 0.7], 0.28, 'albedo', 'Mean reflectance of walls.', 'log'),
  scalar('wallColour', [0, 1], 0.4, '1', 'Share of brick and coloured paint against stone, plaster and concrete.'),
  scalar('shopShare', [0, 1], 0.6, 'probability', 'Chance that a ground floor is a shop.'),

  // Vegetation, street furniture and people
  scalar('treeRate', [0, 12], 10, '1/(100 m)', 'Trees along each side.'),
  scalar('leafiness', [0, 1], 0.12, 'probability', 'Chance that a tree has leaves.'),
  scalar('poleRate', [0, 12], 9, '1/(100 m)', 'Lamp posts, signs and traffic lights along each side.'),
  scalar('peopleRate', [0, 15], 12, '1/(100 m)', 'People on each pavement; one in four of them cycles on the road.'),
  scalar('clutterRate', [0, 15], 8, '1/(100 m)', 'Bins, cabinets and boxes along each pavement.'),

  // Light and air
  scalar('sunElevation', [12, 75], 42, '°', 'Mean height of the sun in clear weather; low sun stands at a quarter of it.'),
  scalar('sunStrength', [0.2, 8], 2.2, '1', 'Illuminance of the sun over that of the sky, in clear weather.', 'log'),
  scalar('skyBrightness', [0.2, 5], 2, '1', 'Radiance of the visible sky over that of the sky which lights the ground.', 'log'),
  scalar('fog', [0.0005, 0.08], 0.001, '1/m', 'Median density of fog: what share a metre of air swallows.', 'log'),

  // Camera
  scalar('cameraHeight', [0.7, 3.5], 1.35, 'm', 'Mean height above the road.'),
  scalar('cameraPitch', [-9, 9], 0.5, '°', 'Mean pitch; upwards is positive. The horizon stays in view.'),
  scalar('cameraYawSpread', [0, 20], 3, '°', 'Spread (sd) of the direction of view about that of the lane, which stays in view.'),
  scalar('fieldOfView', [40, 100], 60, '°', 'Mean horizontal field of view.'),
  scalar('lanePositionSpread', [0, 1.5], 0.25, 'm', 'Spread (sd) of the camera’s position across its lane.'),

  // Sensor
  scalar('exposure', [-2.5, 2.5], -0.6, 'stops', 'Mean exposure; at 0 a sky of radiance 1 is just white. What would be nearly all black or white is corrected.'),
  scalar('exposureSpread', [0, 1.5], 0.6, 'stops', 'Spread (sd) of the exposure.'),
  scalar('contrast', [0.4, 1.8], 1.15, '1', 'Contrast of the picture about middle gray.'),
  scalar('saturation', [0, 2], 0.85, '1', 'Saturation of the picture; 0 is gray.'),
  scalar('whiteBalanceSpread', [0, 0.4], 0.04, '1', 'Spread (sd) of the gain of red and of blue.'),
  scalar('blur', [0, 0.012], 0.002, '1', 'Mean radius (sd) of the blur over the width of the picture.'),
  scalar('pixelNoise', [0, 0.1], 0.006, '1', 'Noise (sd) of each pixel over the range of the picture.'),
  scalar('lightNoise', [0, 0.6], 0.15, 'stops', 'Large soft variation (sd) of brightness over the picture.'),
  scalar('compression', [0, 1], 0.2, '1', 'Strength of lossy compression in blocks of 8 × 8 pixels.'),
] as const;

export const TRAFFIC_PARAMETERS = defineParameters(table);
export type TrafficTheta = ThetaOf<typeof table>;
