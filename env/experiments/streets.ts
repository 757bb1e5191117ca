/** The distributions of streets in the sim-to-sim experiments: only what differs from the defaults. */
import type { Theta } from '../../protocol/parameters.ts';

/** The streets of car counting: many cars, and little else. */
export const COUNTING_STREETS: Theta = {
  leftHandTraffic: 0,
  lanes: 1.2,
  parkedShare: 0.3,
  leadingRate: 2.5,
  oncomingRate: 2.5,
  nearestCar: 9,
  buildingSetback: 2,
  treeRate: 2.5,
  leafiness: 0.5,
  poleRate: 4,
  peopleRate: 2,
  clutterRate: 1,
  sunStrength: 4,
  skyBrightness: 1.3,
  fog: 0.002,
  exposure: 0,
  exposureSpread: 0.2,
  contrast: 1.05,
  pixelNoise: 0.012,
};

/** θ* of car counting: the proportions that a search should recover. The protocol never shows it. */
export const HIDDEN_TRAFFIC: Theta = {
  carTypes: [0.1, 0.45, 0.25, 0.15, 0.05],
  weather: [0.4, 0.1, 0.15, 0.35],
};

/** θ* of segmentation: what validation and test scenes are drawn from. The protocol never shows it. */
export const HIDDEN_STREETS: Theta = {
  ...HIDDEN_TRAFFIC,
  weather: [0.45, 0.3, 0.1, 0.15],
  asphaltBrightness: 0.1,
  buildingHeight: 10,
  buildingShare: 0.9,
  treeRate: 3.5,
  cameraHeight: 1.5,
  paintDarkness: 0.65,
  fog: 0.003,
};

/** Where a search starts: a misty, pale suburb seen from a lorry, with few cars, nearly all of them vans and buses. */
export const POOR_STREETS: Theta = {
  carTypes: [0.01, 0.01, 0.03, 0.45, 0.5],
  weather: [0.02, 0.02, 0.94, 0.02],
  asphaltBrightness: 0.4,
  buildingShare: 0.2,
  buildingHeight: 4,
  cameraHeight: 3.2,
  cameraPitch: -7,
  fieldOfView: 45,
  fog: 0.02,
  parkedShare: 0,
  leadingRate: 0.5,
  oncomingRate: 0.3,
  paintColour: 1,
  paintDarkness: 0.1,
  wallBrightness: 0.5,
  exposure: 0.6,
};
