/** What the studies with street scenes share: θ spaces, the searches for segmentation, their figure. */
import { TRAFFIC_PARAMETERS } from '../../env/simulators/traffic/parameters.ts';
import {
  actionSize,
  actionToTheta,
  completeTheta,
  defineParameters,
  type Parameter,
  type Theta,
} from '../../protocol/parameters.ts';
import { summarise, withInterval } from '../../protocol/statistics.ts';
import type { ShownTheta } from '../figures/side-by-side.ts';
import { randomThetas } from './arms.ts';
import { curvesFigure } from './reward-curves.ts';
import type { Evidence, Figure, Preset, SearchArm } from './study.ts';

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

/** What segmentation studies are compared by; the searches are rewarded with {@link SOFT_CAR_IOU}, which is less noisy. */
export const CAR_IOU = 'carIou';
/** Their reward. */
export const SOFT_CAR_IOU = 'softCarIou';

/** On how many seeds what a search found is scored. */
export const REPORT_SEEDS = 3;

/**
 * A search with the pretrained backbone trains for less: an evaluation takes less than half the time, and ranks random θ
 * nearly as well (.82 in place of .87 on CamVid, .87 in place of .90 on drawn streets), with less noise beside the effect
 * of θ (results/noise-TrafficSegmentationReal-v0-pretrained.md, results/noise-TrafficSegmentation-v0-pretrained.md).
 */
export const SHORT_PRETRAINED = { trainingImages: 100, steps: 60 };

/** All start in the middle of θ's ranges, where somebody starts who knows nothing. */
const COMMON = { start: 'centre', finalists: 3, finalistSeeds: 3, reportSeeds: 1 };
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

/** From a start that is good already: a wide policy would lose by its distance from it. */
export const narrowed = (sigma: number) => ({ ...REINFORCE, sigma, sigmaDecay: 1 });

/** A search beside the ones that a study compares first: as long as they, in fewer runs. */
export const fewRuns = (arm: SearchArm): SearchArm => ({ ...arm, mostSeeds: 3 });

/** The searches on streets, all with the same budget. */
export function streetSearches() {
  return {
    reinforce: { kind: 'search', title: 'REINFORCE', agent: 'reinforce', options: REINFORCE },
    cem: { kind: 'search', title: 'CEM', agent: 'cem', options: { ...COMMON, population: 12, elite: 4 } },
    randomSearch: { kind: 'search', title: 'random search', agent: 'random-search', options: COMMON },
    // As in the paper: Adam, a moving average as the baseline; all else is what the agent does by default.
    reinforceAdam: { kind: 'search', title: 'REINFORCE of the paper', agent: 'reinforce', options: COMMON },
    cmaEs: { kind: 'search', title: 'CMA-ES', agent: 'cma-es', options: COMMON },
    gaussianProcess: { kind: 'search', title: 'Gaussian process', agent: 'gaussian-process', options: COMMON },
  } satisfies Record<string, SearchArm>;
}

/** Twice as many evaluations for the searches of which a study asks most: whether they come near θ*, and leave chance behind. */
export const twiceAsMany = (evaluations: Preset['evaluations']): Preset['evaluations'] => {
  const longer = ['reinforce', 'randomSearch', 'gaussianProcess'];
  const of = ([arm, count]: readonly [string, number]) => [arm, longer.includes(arm) ? 2 * count : count] as const;
  return Object.fromEntries(Object.entries(evaluations).map(of));
};

/**
 * A search without any training, for streets that look like the target's, and two that start from it. They need the
 * weights that `npm run setup:backbone` brings.
 *
 * @param environment of the match
 * @param free        the parameters that are searched
 */
export function matchedSearches(environment: string, free: readonly string[]) {
  return {
    match: {
      kind: 'search',
      title: 'match of distributions, no training',
      agent: 'gaussian-process',
      options: COMMON,
      environment,
      envOptions: { free },
      evaluations: 120,
    },
    reinforceMatched: {
      kind: 'search',
      title: 'REINFORCE after the match',
      agent: 'reinforce',
      options: narrowed(0.2),
      startsFrom: 'match',
      evaluations: 24,
    },
    gaussianProcessMatched: {
      kind: 'search',
      title: 'Gaussian process after the match',
      agent: 'gaussian-process',
      options: COMMON,
      startsFrom: 'match',
      evaluations: 24,
    },
  } satisfies Record<string, SearchArm>;
}

/** Car IoU on validation of the θ that searches try, over their evaluations, as `car-iou.svg` and `.png`. */
export function carIouCurves(...levels: readonly string[]): Figure {
  return curvesFigure({
    file: 'car-iou',
    title: 'Car IoU of the θ that searches try',
    axis: 'car IoU, validation',
    score: (scores) => scores[CAR_IOU],
    levels: levels.map((arm) => ({ arm })),
  });
}

/** A name for a picture, with the test score of its arm below it: the mean, whatever the picture shows of it. */
export function withScore(evidence: Evidence, arm: string, name: string): string {
  const { metric } = evidence.study;
  const scores = evidence.arms()[arm]!.test.map((one) => one[metric]!);
  const title = metric === CAR_IOU ? 'car IoU' : metric;
  return `${name}\n${title}, mean of ${scores.length}:\n${withInterval(summarise(scores), 3)}`;
}

/**
 * θ for a picture: the first of the random ones, the start in the middle of the ranges of `free`, and what the first
 * REINFORCE found.
 */
export function shownThetas(evidence: Evidence, free: readonly string[]): (ShownTheta & { readonly arm: string })[] {
  const complete = (theta: Theta) => completeTheta(streetParameters([]), theta);
  const [random] = randomThetas(streetParameters(free), 1);
  return [
    { arm: 'random', name: 'a random θ', theta: complete(random!) },
    { arm: 'start', name: 'the start', theta: complete(middleOf(free)) },
    { arm: 'reinforce', name: 'REINFORCE', theta: complete(evidence.learned('reinforce')[0]!) },
  ];
}

/** The same, with the test scores of their arms below their names. */
export const scored = (evidence: Evidence, thetas: ReturnType<typeof shownThetas>): ShownTheta[] =>
  thetas.map(({ arm, name, theta }) => ({ name: withScore(evidence, arm, name), theta }));
