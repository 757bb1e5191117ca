/**
 * The paper's segmentation, sim to sim (Ruiz et al. 2019, sec. 4.3): which streets teach a network to find the cars of a
 * hidden distribution of streets?
 *
 * θ is where the poor start differs from the default; the other parameters keep it. The hidden θ* differs from the
 * default in one more, so it lies a little outside of what a search can reach. Searches start in the middle of θ's ranges,
 * and one from the poor start.
 */
import { createExperiment } from '../../env/experiments/load.ts';
import segmentation, { type trafficSegmentation } from '../../env/experiments/traffic-segmentation.ts';
import { HIDDEN_STREETS, POOR_STREETS } from '../../env/experiments/streets.ts';
import { completeTheta } from '../../protocol/parameters.ts';
import { drawPredictions, drawStreets } from '../figures/side-by-side.ts';
import { ALL_FREE, armsWithout, everySearch, randomArm, repeatedArm } from './arms.ts';
import { evaluationsToReachFigure } from './evaluations-to-reach.ts';
import { learnedThetaFigure } from './learned-theta.ts';
import type { Arm, Evidence, Study } from './study.ts';
import {
  CAR_IOU,
  carIouCurves,
  fewRuns,
  matchedSearches,
  middleOf,
  REINFORCE,
  REPORT_SEEDS,
  scored,
  SHORT_PRETRAINED,
  shownThetas,
  streetSearches,
  SOFT_CAR_IOU,
  twiceAsMany,
  streetParameters,
} from './streets.ts';

const FREE = Object.keys(POOR_STREETS);

const hidden = completeTheta(streetParameters([]), HIDDEN_STREETS);
const middle = middleOf(FREE);

const MATCHED = matchedSearches('TrafficMatch-v0', FREE);

const SEARCHES = streetSearches();

/** The searches of the paper's comparison, and what may need fewer evaluations than REINFORCE. */
const ARMS = {
  ...SEARCHES,
  cem: fewRuns(SEARCHES.cem),
  cmaEs: fewRuns(SEARCHES.cmaEs),
  ...MATCHED,
  reinforceCommon: fewRuns({
    kind: 'search',
    title: 'REINFORCE, common random numbers',
    agent: 'reinforce',
    options: { ...REINFORCE, seeds: 'common' },
  }),
  reinforceDiscard: fewRuns({
    kind: 'search',
    title: 'REINFORCE, early discarding',
    agent: 'reinforce',
    options: { ...REINFORCE, discard: 'median' },
  }),
  reinforcePoor: fewRuns({
    kind: 'search',
    title: 'REINFORCE, poor start',
    agent: 'reinforce',
    options: { ...REINFORCE, start: 'start' },
  }),
  start: repeatedArm('the start, the middle of θ’s ranges', middle, ALL_FREE),
  poor: repeatedArm('the poor start', POOR_STREETS, ALL_FREE),
  random: randomArm('random θ', streetParameters(FREE)),
  randomBest: { kind: 'best', title: 'random θ, best on validation', of: 'random' },
  truth: repeatedArm('the hidden θ*', hidden, ALL_FREE),
} satisfies Record<string, Arm>;

const shown = (evidence: Evidence) => [
  ...shownThetas(evidence, FREE),
  { arm: 'truth', name: 'the hidden θ*', theta: hidden },
];

export const segmentationStudy: Study = {
  name: 'segmentation',
  environment: segmentation.id,
  backend: 'TensorFlow.js',
  presets: {
    quick: {
      searchSeeds: 2,
      evaluations: everySearch(ARMS, 48),
      randomThetas: 20,
      envOptions: { preset: 'quick', free: FREE },
      arms: armsWithout(ARMS, MATCHED),
    },
    standard: {
      searchSeeds: 5,
      evaluations: twiceAsMany(everySearch(ARMS, 96)),
      randomThetas: 20,
      envOptions: { free: FREE },
      arms: armsWithout(ARMS, MATCHED),
    },
    /** The level of a network that knows ImageNet. */
    pretrained: {
      searchSeeds: 5,
      evaluations: twiceAsMany(everySearch(ARMS, 96)),
      randomThetas: 20,
      envOptions: { preset: 'pretrained', free: FREE },
      searchOptions: SHORT_PRETRAINED,
      arms: [
        ...['reinforce', 'randomSearch', 'gaussianProcess', ...Object.keys(MATCHED)],
        ...['start', 'poor', 'random', 'randomBest', 'truth'],
      ],
    },
  },
  arms: ARMS,
  learned: { seeds: REPORT_SEEDS, envOptions: ALL_FREE },
  metric: CAR_IOU,
  alsoReported: ['softCarIou', 'meanIou'],
  figures: [
    evaluationsToReachFigure({ metric: SOFT_CAR_IOU, seeds: 2, references: ['reinforce', 'reinforceAdam'] }),
    learnedThetaFigure('reinforce', streetParameters(FREE), { 'the start': middle, 'the hidden θ*': hidden }),
    carIouCurves('truth', 'random'),
  ],
  pictures: [
    {
      file: 'streets.png',
      needs: 'scenes, which have to be drawn',
      async draw(evidence, path, runtime) {
        const { experiment } = createExperiment(segmentation, evidence.preset.envOptions, runtime);
        const { simulator } = experiment as ReturnType<typeof trafficSegmentation>;
        await drawStreets(simulator, shown(evidence), path);
      },
    },
    {
      file: 'predictions.png',
      needs: 'networks, which have to be trained',
      async draw(evidence, path, runtime) {
        const { experiment } = createExperiment(segmentation, evidence.preset.envOptions, runtime);
        const thetas = scored(evidence, shown(evidence));
        await drawPredictions(experiment as ReturnType<typeof trafficSegmentation>, thetas, path);
      },
    },
  ],
};
