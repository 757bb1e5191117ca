/**
 * The paper's headline (Ruiz et al. 2019, sec. 4.4): do learned streets teach a network more about real ones than
 * random streets do?
 *
 * Searched in a few chosen parameters, and in all. Beside the searches: the hand-set default θ, the same network trained
 * on real images (all, and few), and on learned streets together with the few.
 */
import { createExperiment } from '../../env/experiments/load.ts';
import real from '../../env/experiments/traffic-segmentation-real.ts';
import { completeTheta } from '../../protocol/parameters.ts';
import { drawPredictions } from '../figures/run-pictures.ts';
import { ALL_FREE, armsWithout, everySearch, randomArm, repeatedArm } from './arms.ts';
import { evaluationsToReachFigure } from './evaluations-to-reach.ts';
import { allImages, fewImages, REAL_METRICS, type RealExperiment, withPhotographs } from './real-images.ts';
import type { Arm, SearchArm, Study } from './study.ts';
import {
  carIouCurves,
  matchedSearches,
  middleOf,
  REPORT_SEEDS,
  streetSearches,
  SOFT_CAR_IOU,
  streetParameters,
} from './streets.ts';

/** What mattered most for real streets: brightness of ground against sky, the camera, what stands along the road. */
const CHOSEN = [
  ...['asphaltBrightness', 'wallBrightness', 'skyBrightness', 'fog', 'exposure', 'contrast'],
  ...['cameraHeight', 'cameraPitch', 'fieldOfView'],
  ...['buildingHeight', 'buildingShare', 'parkedShare', 'leadingRate', 'paintDarkness'],
];
/** All searches but two have fewer runs: each is as long. */
const fewRuns = (arm: SearchArm): SearchArm => ({ ...arm, mostSeeds: 3 });
const inAll = (arm: SearchArm): SearchArm =>
  fewRuns({ ...arm, title: `${arm.title}, all parameters`, envOptions: ALL_FREE });
const inFew = streetSearches();
const MATCHED = matchedSearches('TrafficMatchReal-v0', CHOSEN);
const byDefault = completeTheta(streetParameters([]), {});
const middle = middleOf(CHOSEN);

const ARMS = {
  reinforce: inFew.reinforce,
  randomSearch: inFew.randomSearch,
  reinforceAdam: fewRuns(inFew.reinforceAdam),
  cem: fewRuns(inFew.cem),
  cmaEs: fewRuns(inFew.cmaEs),
  gaussianProcess: fewRuns(inFew.gaussianProcess),
  ...MATCHED,
  reinforceAll: inAll(inFew.reinforce),
  randomSearchAll: inAll(inFew.randomSearch),
  start: repeatedArm('the start, the middle of θ’s ranges', middle),
  default: repeatedArm('hand-set default θ', byDefault, ALL_FREE),
  random: randomArm('random θ', streetParameters(CHOSEN)),
  randomBest: { kind: 'best', title: 'random θ, best on validation', of: 'random' },
  randomAll: randomArm('random θ, all parameters', streetParameters([]), ALL_FREE),
  randomAllBest: { kind: 'best', title: 'random θ, all parameters, best on validation', of: 'randomAll' },
  real: allImages,
  realFew: fewImages,
  reinforceAndFew: {
    ...fewImages,
    title: (images) => `REINFORCE’s streets and ${images} real images`,
    drawn: (evidence) => evidence.searches()['reinforce']!.map(({ learned }) => learned.theta),
  },
} satisfies Record<string, Arm>;

export const segmentationRealStudy: Study = {
  name: 'segmentation-real',
  environment: real.id,
  backend: 'TensorFlow.js',
  needsData: true,
  presets: {
    quick: {
      searchSeeds: 2,
      evaluations: everySearch(ARMS, 48),
      randomThetas: 20,
      envOptions: { preset: 'quick', free: CHOSEN },
      arms: armsWithout(ARMS, MATCHED),
    },
    standard: {
      searchSeeds: 5,
      evaluations: everySearch(ARMS, 120),
      randomThetas: 20,
      envOptions: { free: CHOSEN },
      arms: armsWithout(ARMS, MATCHED),
    },
    /** The level of a network that knows ImageNet. */
    pretrained: {
      searchSeeds: 5,
      evaluations: everySearch(ARMS, 120),
      randomThetas: 20,
      envOptions: { preset: 'pretrained', free: CHOSEN },
    },
  },
  arms: ARMS,
  learned: { seeds: REPORT_SEEDS, envOptions: ALL_FREE },
  ...REAL_METRICS,
  figures: [evaluationsToReachFigure({ metric: SOFT_CAR_IOU, seeds: 2 }), carIouCurves('real', 'default', 'random')],
  pictures: [
    {
      file: 'predictions.png',
      needs: 'networks, which have to be trained, and real images',
      async draw(evidence, path, runtime) {
        const { experiment } = createExperiment(real, evidence.preset.envOptions, runtime);
        const shown = [
          { name: 'start', theta: completeTheta(streetParameters([]), middle) },
          { name: 'REINFORCE', theta: evidence.searches()['reinforce']![0]!.learned.theta },
          { name: 'default', theta: byDefault },
        ];
        await drawPredictions(experiment as RealExperiment, shown, path, withPhotographs(path));
      },
    },
  ],
};
