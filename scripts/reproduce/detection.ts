/**
 * Object detection, sim to sim: which streets teach a network to find the cars of a hidden distribution of streets as
 * boxes? θ, start and θ* are those of segmentation.
 */
import { createExperiment } from '../../env/experiments/load.ts';
import { HIDDEN_STREETS, POOR_STREETS } from '../../env/experiments/streets.ts';
import detection, { type trafficDetection } from '../../env/experiments/traffic-detection.ts';
import { completeTheta } from '../../protocol/parameters.ts';
import { drawDetections } from '../figures/detections.ts';
import { ALL_FREE, armsWithout, everySearch, randomArm, repeatedArm } from './arms.ts';
import { evaluationsToReachFigure } from './evaluations-to-reach.ts';
import { learnedThetaFigure } from './learned-theta.ts';
import { curvesFigure } from './reward-curves.ts';
import type { Arm, Study } from './study.ts';
import {
  fewRuns,
  matchedSearches,
  middleOf,
  REPORT_SEEDS,
  scored,
  shownThetas,
  streetParameters,
  streetSearches,
  twiceAsMany,
} from './streets.ts';

const FREE = Object.keys(POOR_STREETS);

const hidden = completeTheta(streetParameters([]), HIDDEN_STREETS);
const middle = middleOf(FREE);

const MATCHED = matchedSearches('TrafficMatch-v0', FREE);

const SEARCHES = streetSearches();

const ARMS = {
  ...SEARCHES,
  cem: fewRuns(SEARCHES.cem),
  cmaEs: fewRuns(SEARCHES.cmaEs),
  ...MATCHED,
  start: repeatedArm('the start, the middle of θ’s ranges', middle, ALL_FREE),
  poor: repeatedArm('the poor start', POOR_STREETS, ALL_FREE),
  random: randomArm('random θ', streetParameters(FREE)),
  randomBest: { kind: 'best', title: 'random θ, best on validation', of: 'random' },
  truth: repeatedArm('the hidden θ*', hidden, ALL_FREE),
} satisfies Record<string, Arm>;

export const detectionStudy: Study = {
  name: 'detection',
  environment: detection.id,
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
      evaluations: everySearch(ARMS, 96),
      randomThetas: 20,
      envOptions: { preset: 'pretrained', free: FREE },
      arms: [
        ...['reinforce', 'randomSearch', 'gaussianProcess', ...Object.keys(MATCHED)],
        ...['start', 'poor', 'random', 'randomBest', 'truth'],
      ],
    },
  },
  arms: ARMS,
  learned: { seeds: REPORT_SEEDS, envOptions: ALL_FREE },
  metric: 'ap50',
  alsoReported: ['smoothAp', 'ap'],
  figures: [
    evaluationsToReachFigure({ metric: 'smoothAp', seeds: 2, references: ['reinforce', 'reinforceAdam'] }),
    learnedThetaFigure('reinforce', streetParameters(FREE), { 'the start': middle, 'the hidden θ*': hidden }),
    curvesFigure({
      file: 'average-precision',
      title: 'Average precision of the θ that searches try',
      axis: 'AP at an overlap of .5, validation',
      score: (scores) => scores['ap50'],
      levels: [{ arm: 'truth' }, { arm: 'random' }],
    }),
  ],
  pictures: [
    {
      file: 'detections.png',
      needs: 'networks, which have to be trained',
      async draw(evidence, path, runtime) {
        const { experiment, options } = createExperiment(detection, evidence.preset.envOptions, runtime);
        const shown = [...shownThetas(evidence, FREE), { arm: 'truth', name: 'the hidden θ*', theta: hidden }];
        const classes = options['classes'] as string[];
        await drawDetections(experiment as ReturnType<typeof trafficDetection>, classes, scored(evidence, shown), path);
      },
    },
  ],
};
