/**
 * The paper's car counting (Ruiz et al. 2019, sec. 4.2): does the search find the hidden proportions of car types and
 * weathers from nothing but how well a network counts?
 *
 * θ is those proportions alone (the environment's option `free`), as in the paper's figure. Three starts: all labels
 * equally likely, the simulator's default, and an adversarial one with what validation hardly ever shows. Beside them a
 * search that is rewarded with the paper's L1 distance, which is no proper score for a network that predicts means.
 */
import { join } from 'node:path';
import counting from '../../env/experiments/traffic-counting.ts';
import { HIDDEN_TRAFFIC } from '../../env/experiments/streets.ts';
import { completeTheta, defaultTheta, type Parameter, type Theta } from '../../protocol/parameters.ts';
import { ALL_FREE, everySearch, randomArm, repeatedArm } from './arms.ts';
import { bestProportionsFigure } from './best-proportions.ts';
import { evaluationsToReachFigure } from './evaluations-to-reach.ts';
import { labelCostsFigure } from './label-costs.ts';
import { drawProportions, simplexes, writeProportions } from './proportions.ts';
import { curvesFigure } from './reward-curves.ts';
import type { Arm, Evidence, Preset, SearchArm, Study } from './study.ts';
import { streetParameters } from './streets.ts';

const METRIC = 'negativeL1Rounded';
/** What all searches but one are rewarded with. */
const REWARD = 'devianceExplained';
const FREE = { free: ['carTypes', 'weather'] };
/** The share of the adversarial start that goes to the label which validation shows least. */
const ADVERSARIAL_SHARE = 0.9;

const COMMON = { finalists: 4, finalistSeeds: 4, reportSeeds: 1 };
/**
 * The natural gradient, for few iterations, and σ learned for each component: car types decide most of the reward, and
 * while they vary much nothing is to be seen of the weathers. The same seeds for all θ of an iteration, whose noise then
 * cancels in their ranks; and the mean of the policy's last third, whose own noise is as large as what is left to find.
 */
const REINFORCE = {
  ...COMMON,
  batch: 16,
  sigma: 0.35,
  sigmaDecay: 1,
  sigmaFloor: 0.05,
  learnSigma: true,
  ascent: 'natural',
  learningRate: 2.2,
  average: 0.33,
  advantage: 'ranked',
  antithetic: true,
  seeds: 'common',
};

/**
 * A tiny network that has seen all weathers and types, tuned for a second on many small images: it cannot be good at
 * everything, so it matters what it is tuned on, and it is tuned long enough that luck matters little. A large one is good
 * at weathers that it is tuned without; from scratch so short a training learns little more than the mean.
 */
const FINE_TUNED = {
  width: 64,
  height: 48,
  networkWidth: 0.2,
  batchSize: 16,
  learningRate: 8e-3,
  trainingImages: 400,
  steps: 250,
  validationImages: 500,
  testImages: 1000,
};

const parameters = streetParameters(FREE.free);
const hidden = completeTheta(parameters, HIDDEN_TRAFFIC);

const ofSimplexes = (probabilities: (parameter: Parameter & { kind: 'simplex' }) => number[]): Theta =>
  Object.fromEntries(simplexes(parameters).map((parameter) => [parameter.name, probabilities(parameter)]));

/** θ where everything is equally likely. */
const uniform = ofSimplexes(({ labels }) => labels.map(() => 1 / labels.length));

/** θ with what the hidden one shows least. */
const adversarial = ofSimplexes(({ name, labels }) => {
  const probabilities = hidden[name] as number[];
  const rarest = probabilities.indexOf(Math.min(...probabilities));
  const rest = (1 - ADVERSARIAL_SHARE) / (labels.length - 1);
  return labels.map((_, i) => (i === rarest ? ADVERSARIAL_SHARE : rest));
});

const reinforce = (title: string, start: Theta): SearchArm => ({
  kind: 'search',
  title,
  agent: 'reinforce',
  options: REINFORCE,
  start: () => start,
});

const ARMS = {
  reinforce: reinforce('REINFORCE, uniform start', uniform),
  reinforceAdversarial: reinforce('REINFORCE, adversarial start', adversarial),
  reinforceDefault: reinforce('REINFORCE, default start', defaultTheta(parameters)),
  reinforceL1: {
    ...reinforce('REINFORCE rewarded with L1, uniform start', uniform),
    envOptions: { reward: 'negativeL1' },
  },
  randomSearch: {
    kind: 'search',
    title: 'random search',
    agent: 'random-search',
    options: { ...COMMON, batch: 16, seeds: 'common' },
  },
  startUniform: repeatedArm('uniform start', uniform),
  startDefault: repeatedArm('default start', defaultTheta(parameters)),
  startAdversarial: repeatedArm('adversarial start', adversarial),
  random: randomArm('random θ', parameters),
  truth: repeatedArm('the hidden θ*', hidden),
} satisfies Record<string, Arm>;

/** The searches whose way to the hidden proportions is shown. */
const PATHS = ['reinforce', 'reinforceAdversarial', 'reinforceDefault', 'reinforceL1'] as const;
const recoveryOf = (evidence: Evidence, arm: (typeof PATHS)[number]) => {
  return { arm, title: ARMS[arm].title, searches: evidence.searches()[arm]! };
};

/** The quick preset measures a few evaluations, which say that everything works and no more. */
const isWhole = ({ searchSeeds }: Preset) => searchSeeds > 1;

export const countingStudy: Study = {
  name: 'counting',
  environment: counting.id,
  backend: 'TensorFlow.js',
  presets: {
    quick: {
      searchSeeds: 1,
      evaluations: everySearch(ARMS, 144),
      randomThetas: 20,
      envOptions: { ...FREE, ...FINE_TUNED, trainingImages: 200, steps: 120, validationImages: 200, testImages: 400 },
      pretraining: { images: 1500, steps: 800, seed: 1, envOptions: { learningRate: 5e-3 } },
    },
    standard: {
      searchSeeds: 3,
      evaluations: everySearch(ARMS, 384),
      randomThetas: 20,
      envOptions: { ...FREE, ...FINE_TUNED },
      pretraining: { images: 3000, steps: 1500, seed: 1, envOptions: { learningRate: 5e-3, batchSize: 8 } },
    },
  },
  arms: ARMS,
  learned: { seeds: 5, envOptions: ALL_FREE },
  metric: METRIC,
  alsoReported: [REWARD, 'negativeL1'],
  figures: [
    labelCostsFigure({ metric: REWARD, seedCount: (preset) => (isWhole(preset) ? 10 : 2), parameters, hidden }),
    evaluationsToReachFigure({ metric: REWARD, seeds: 2 }),
    curvesFigure({
      file: 'error',
      title: 'Error of the θ that searches try',
      axis: 'L1 distance of rounded counts, validation',
      score: ({ [METRIC]: score }) => score && -score,
      levels: [{ arm: 'truth', title: 'hidden θ*' }, { arm: 'random' }],
    }),
    {
      async draw(evidence, folder) {
        for (const arm of PATHS) {
          const { title, searches } = recoveryOf(evidence, arm);
          await drawProportions(title, parameters, searches, hidden, join(folder, `proportions-${arm}`));
        }
        const recoveries = PATHS.map((arm) => recoveryOf(evidence, arm));
        writeProportions(folder, parameters, recoveries, hidden);
      },
    },
    bestProportionsFigure({
      metric: REWARD,
      name: 'weather',
      counts: (preset) => (isWhole(preset) ? { evaluations: 384, pairs: 60 } : { evaluations: 32, pairs: 2 }),
      settings: ({ envOptions }) => {
        const images = envOptions['trainingImages'] as number;
        return Object.fromEntries([1, 4].map((n) => [`${n * images} images`, { trainingImages: n * images }]));
      },
      found: PATHS.filter((arm) => arm !== 'reinforceL1'), // It had another reward.
      parameters,
      hidden,
    }),
  ],
};
