/**
 * The paper's headline (Ruiz et al. 2019, sec. 4.4): do learned streets teach a network more about real ones than
 * random streets do?
 *
 * Searched in a few chosen parameters, and in all; from the middle of θ's ranges, and from the hand-set default θ. Beside
 * the searches: the default θ, the same network trained on real images (all, and few), and on learned streets together
 * with the few.
 */
import real from '../../env/experiments/traffic-segmentation-real.ts';
import { completeTheta } from '../../protocol/parameters.ts';
import { ALL_FREE, armsWithout, everySearch, onEachSeed, randomArm, randomThetas, repeatedArm } from './arms.ts';
import { evaluationsToReachFigure } from './evaluations-to-reach.ts';
import { learnedThetaFigure } from './learned-theta.ts';
import { allImages, drawRealPredictions, drawRealStreets, fewImages, REAL_METRICS } from './real-images.ts';
import type { Arm, Evidence, SearchArm, Study, TrainedArm } from './study.ts';
import {
  carIouCurves,
  fewRuns,
  matchedSearches,
  middleOf,
  narrowed,
  REPORT_SEEDS,
  scored,
  SHORT_PRETRAINED,
  shownThetas,
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
const inAll = (arm: SearchArm): SearchArm =>
  fewRuns({ ...arm, title: `${arm.title}, all parameters`, envOptions: ALL_FREE });
const inFew = streetSearches();
const inChosen = matchedSearches('TrafficMatchReal-v0', CHOSEN);
const FROM_DEFAULT = { ...narrowed(0.15), start: 'default' };
/** What a match of distributions needs the backbone's weights for, and what is compared with it. */
const MATCHED = {
  ...inChosen,
  reinforceDefault: {
    ...inFew.reinforce,
    title: 'REINFORCE from the default θ, all parameters',
    options: FROM_DEFAULT,
    envOptions: ALL_FREE,
  },
  matchDefault: {
    ...inChosen.match,
    title: 'match of distributions from the default θ, all parameters',
    options: { ...inChosen.match.options, start: 'default' },
    envOptions: ALL_FREE,
    evaluations: 240,
  },
  reinforceMatchedDefault: {
    ...inChosen.reinforceMatched,
    title: 'REINFORCE after the match from the default θ',
    options: FROM_DEFAULT,
    envOptions: ALL_FREE,
    startsFrom: 'matchDefault',
    evaluations: 72,
  },
  gaussianProcessMatchedDefault: {
    ...inChosen.gaussianProcessMatched,
    title: 'Gaussian process after the match from the default θ',
    envOptions: ALL_FREE,
    startsFrom: 'matchDefault',
    evaluations: 72,
  },
} satisfies Record<string, SearchArm>;
/** Streets together with few real images. */
const withFew = (streets: string, drawn: TrainedArm['drawn'] & {}): TrainedArm => ({
  ...fewImages,
  title: (images) => `${streets} and ${images} real images`,
  drawn,
});
const byDefault = completeTheta(streetParameters([]), {});
/**
 * Drawn images cost nothing: three times as many as in a preset with the pretrained backbone, and all trainings three
 * times as long. Learned streets beside hand-set ones, and real images, which do not become more.
 */
const LONG = { trainingImages: 600, steps: 450 };
const inLong = (arm: TrainedArm): TrainedArm => ({
  ...arm,
  title: (images) => `${arm.title(images)}, trained for longer`,
  envOptions: LONG,
});
const onStreets = (streets: string, drawn: TrainedArm['drawn'] & {}): TrainedArm => ({
  kind: 'trained',
  title: () => streets,
  drawn,
});
const learnedBy = (search: string) => (evidence: Evidence) => evidence.learned(search);
const randomEach = ({ preset }: Evidence) => randomThetas(streetParameters([]), preset.searchSeeds);
const LONGER = {
  reinforceLong: inLong(onStreets('REINFORCE’s streets', learnedBy('reinforce'))),
  defaultLong: inLong(onStreets('hand-set default θ', onEachSeed(byDefault))),
  realLong: inLong(allImages),
  realFewLong: inLong(fewImages),
  reinforceAndFewLong: inLong(withFew('REINFORCE’s streets', learnedBy('reinforce'))),
  defaultAndFewLong: inLong(withFew('hand-set default θ', onEachSeed(byDefault))),
  randomAndFewLong: inLong(withFew('random θ, all parameters,', randomEach)),
} satisfies Record<string, TrainedArm>;
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
  reinforceAndFew: withFew('REINFORCE’s streets', learnedBy('reinforce')),
  matchedAndFew: withFew(
    'streets of REINFORCE after the match from the default θ',
    learnedBy('reinforceMatchedDefault'),
  ),
  ...LONGER,
} satisfies Record<string, Arm>;

/** The arms of a network without pretrained weights. */
const WITHOUT_MATCH = armsWithout(ARMS, { ...MATCHED, matchedAndFew: ARMS.matchedAndFew, ...LONGER });

const shown = (evidence: Evidence) => shownThetas(evidence, CHOSEN);

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
      arms: WITHOUT_MATCH,
    },
    standard: {
      searchSeeds: 5,
      evaluations: everySearch(ARMS, 120),
      randomThetas: 20,
      envOptions: { free: CHOSEN },
      arms: WITHOUT_MATCH,
    },
    /** The level of a network that knows ImageNet. */
    pretrained: {
      searchSeeds: 5,
      evaluations: everySearch(ARMS, 120),
      randomThetas: 20,
      envOptions: { preset: 'pretrained', free: CHOSEN },
      searchOptions: SHORT_PRETRAINED,
    },
  },
  arms: ARMS,
  learned: { seeds: REPORT_SEEDS, envOptions: ALL_FREE },
  ...REAL_METRICS,
  figures: [
    evaluationsToReachFigure({ metric: SOFT_CAR_IOU, seeds: 2, references: ['reinforce', 'reinforceDefault'] }),
    learnedThetaFigure('reinforce', streetParameters(CHOSEN), { 'the start': middle, 'the hand-set θ': byDefault }),
    carIouCurves('real', 'default', 'random'),
  ],
  pictures: [
    {
      file: 'streets.png',
      needs: 'scenes, which have to be drawn, and real images',
      draw: (evidence, path, runtime) => {
        const thetas = [...shown(evidence), { name: 'the hand-set θ', theta: byDefault }];
        return drawRealStreets(evidence, thetas, path, runtime);
      },
    },
    {
      file: 'predictions.png',
      needs: 'networks, which have to be trained, and real images',
      draw: (evidence, path, runtime) =>
        drawRealPredictions(evidence, scored(evidence, shown(evidence)), path, runtime),
    },
  ],
};
