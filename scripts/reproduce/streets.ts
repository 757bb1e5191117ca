/** What the experiments with street scenes share: θ spaces, the searches for segmentation, their figure. */
import { join } from 'node:path';
import { TRAFFIC_PARAMETERS } from '../../env/simulators/traffic/parameters.ts';
import { actionSize, actionToTheta, defineParameters, type Parameter, type Theta } from '../../protocol/parameters.ts';
import { meanOf, type SearchArm } from './arms.ts';
import type { Arm } from './experiment.ts';
import { drawRewardCurves, rewardCurve } from './reward-curves.ts';
import type { FinishedSearch } from './searches.ts';

/** The parameters of θ when only these are free; none at all frees every one. */
export function streetParameters(names: readonly string[]): readonly Parameter[] {
  if (names.length === 0) return TRAFFIC_PARAMETERS;
  return defineParameters(TRAFFIC_PARAMETERS.filter(({ name }) => names.includes(name)));
}

/** θ in the middle of the ranges of these parameters, or of all: where agents start with `--start centre`. */
export function middleOf(names: readonly string[]): Theta {
  const parameters = streetParameters(names);
  return actionToTheta(parameters, Array<number>(actionSize(parameters)).fill(0));
}

/** What segmentation experiments are compared by; the searches are rewarded with {@link SOFT_CAR_IOU}, which is less noisy. */
export const CAR_IOU = 'carIou';
/** Their reward. */
export const SOFT_CAR_IOU = 'softCarIou';

/** On how many seeds what a search found is scored. */
export const REPORT_SEEDS = 3;

/** All start in the middle of θ's ranges, where somebody starts who knows nothing. */
export const COMMON = { start: 'centre', finalists: 3, finalistSeeds: 3, reportSeeds: 1 };
/** For few evaluations: a wide policy, and the natural gradient, which follows noise less far than Adam. */
export const REINFORCE = {
  ...COMMON,
  batch: 12,
  sigma: 0.4,
  sigmaDecay: 0.95,
  ascent: 'natural',
  learningRate: 1.8,
  advantage: 'ranked',
  antithetic: true,
};

/** The searches of segmentation, all with the same budget. */
export function segmentationSearches(): Record<string, SearchArm> {
  return {
    reinforce: { title: 'REINFORCE', agent: 'reinforce', options: REINFORCE },
    cem: { title: 'CEM', agent: 'cem', options: { ...COMMON, population: 12, elite: 4 } },
    randomSearch: { title: 'random search', agent: 'random-search', options: COMMON },
  };
}

/** Car IoU on validation over the evaluations of the searches, as `car-iou.svg` and `.png`. */
export async function drawCarIou(
  out: string,
  byArm: Readonly<Record<string, readonly FinishedSearch[]>>,
  arms: Readonly<Record<string, Arm>>,
  references: readonly string[],
): Promise<void> {
  const curves = Object.entries(byArm).flatMap(([arm, searches]) =>
    rewardCurve(
      arms[arm]!.title,
      searches.map(({ trials }) => trials.map(({ scores }) => scores[CAR_IOU] ?? null)),
    ),
  );
  const levels = references.map((arm) => {
    const { title, validation } = arms[arm]!;
    return [title, meanOf(validation.map((scores) => scores[CAR_IOU]!))] as const;
  });
  const labels = { title: 'Car IoU during the search', metric: 'car IoU, validation' };
  await drawRewardCurves(labels, curves, Object.fromEntries(levels), join(out, 'car-iou'));
}
