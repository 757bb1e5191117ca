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
import {
  fixedArm,
  learnedArms,
  meanOf,
  randomThetas,
  repeatedArm,
  runSearchArms,
  titlesOf,
  type SearchArm,
} from './arms.ts';
import { reportBestProportions } from './best-proportions.ts';
import { reportEvaluationsToReach } from './evaluations-to-reach.ts';
import type { Arm, Experiment } from './experiment.ts';
import { reportLabelCosts } from './label-costs.ts';
import { drawProportions, simplexes, writeProportions } from './proportions.ts';
import { drawRewardCurves, rewardCurve } from './reward-curves.ts';
import { streetParameters } from './streets.ts';

const METRIC = 'negativeL1Rounded';
/** What all searches but one are rewarded with. */
const REWARD = 'devianceExplained';
const FREE = { free: ['carTypes', 'weather'] };
/** The share of the adversarial start that goes to the label which validation shows least. */
const ADVERSARIAL_SHARE = 0.9;

const COMMON = { finalists: 1, finalistSeeds: 4, reportSeeds: 1 };
/** On how many seeds what a search found is scored. */
const REPORT_SEEDS = 5;
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
  title,
  agent: 'reinforce',
  options: REINFORCE,
  start: () => start,
});

const SEARCHES = {
  reinforce: reinforce('REINFORCE, uniform start', uniform),
  reinforceAdversarial: reinforce('REINFORCE, adversarial start', adversarial),
  reinforceDefault: reinforce('REINFORCE, default start', defaultTheta(parameters)),
  reinforceL1: {
    ...reinforce('REINFORCE rewarded with L1, uniform start', uniform),
    envOptions: { reward: 'negativeL1' },
  },
  randomSearch: { title: 'random search', agent: 'random-search', options: { ...COMMON, batch: 16, seeds: 'common' } },
} satisfies Record<string, SearchArm>;
type SearchName = keyof typeof SEARCHES;
const PATHS: readonly SearchName[] = ['reinforce', 'reinforceAdversarial', 'reinforceDefault', 'reinforceL1'];
const STARTS: Readonly<Record<string, { readonly title: string; readonly theta: Theta }>> = {
  startUniform: { title: 'uniform start', theta: uniform },
  startDefault: { title: 'default start', theta: defaultTheta(parameters) },
  startAdversarial: { title: 'adversarial start', theta: adversarial },
};

const everySearch = (evaluations: number) => Object.fromEntries(Object.keys(SEARCHES).map((arm) => [arm, evaluations]));

export const countingReproduction: Experiment = {
  environment: counting.id,
  backend: 'TensorFlow.js',
  metric: METRIC,
  alsoReported: [REWARD, 'negativeL1'],
  presets: {
    quick: {
      searchSeeds: 1,
      evaluations: everySearch(144),
      randomThetas: 20,
      envOptions: { ...FREE, ...FINE_TUNED, trainingImages: 200, steps: 120, validationImages: 200, testImages: 400 },
      pretraining: { images: 1500, steps: 800, seed: 1, envOptions: { learningRate: 5e-3 } },
    },
    standard: {
      searchSeeds: 3,
      evaluations: everySearch(384),
      randomThetas: 20,
      envOptions: { ...FREE, ...FINE_TUNED },
      pretraining: { images: 3000, steps: 1500, seed: 1, envOptions: { learningRate: 5e-3, batchSize: 8 } },
    },
  },
  async run(laboratory) {
    const { out, preset } = laboratory;
    const thetas = randomThetas(parameters, preset.randomThetas);
    const random = await fixedArm(laboratory, counting.id, { name: 'random', title: 'random θ', thetas, seeds: 1 });
    const repeated = (name: string, title: string, theta: Theta) =>
      repeatedArm(laboratory, counting.id, { name, title, theta });
    const truth = await repeated('truth', 'the hidden θ*', hidden);
    const starts: Record<string, Arm> = {};
    for (const [arm, { title, theta }] of Object.entries(STARTS)) starts[arm] = await repeated(arm, title, theta);
    const isWhole = preset.searchSeeds > 1;
    const costs = { environment: counting.id, metric: REWARD, seedCount: isWhole ? 10 : 2 };
    await reportLabelCosts(laboratory, costs, parameters, hidden);
    const byArm = await runSearchArms(laboratory, SEARCHES);
    const question = { environment: counting.id, metric: REWARD, seeds: 2, titles: titlesOf(SEARCHES) };
    await reportEvaluationsToReach(laboratory, question, byArm);

    const learned = await learnedArms(laboratory, counting.id, SEARCHES, byArm, REPORT_SEEDS);
    const arms: Record<string, Arm> = { ...learned, ...starts, random, truth };

    const error = (scores: Readonly<Record<string, number>>) => -scores[METRIC]!;
    const curves = Object.entries(byArm).flatMap(([arm, searches]) =>
      rewardCurve(
        arms[arm]!.title,
        searches.map(({ trials }) => trials.map(({ outcome, scores }) => (outcome === 'ok' ? error(scores) : null))),
      ),
    );
    const level = (arm: Arm) => meanOf(arm.validation.map(error));
    const labels = { title: 'Error during the search', metric: 'L1 distance of rounded counts, validation' };
    await drawRewardCurves(
      labels,
      curves,
      { 'hidden θ*': level(truth), 'random θ': level(random) },
      join(out, 'error'),
    );

    for (const arm of PATHS) {
      const { title } = SEARCHES[arm];
      await drawProportions(title, parameters, byArm[arm]!, hidden, join(out, `proportions-${arm}`));
    }
    const recoveries = PATHS.map((arm) => ({ arm, title: SEARCHES[arm].title, searches: byArm[arm]! }));
    writeProportions(out, parameters, recoveries, hidden);
    const images = preset.envOptions['trainingImages'] as number;
    const peak = {
      environment: counting.id,
      metric: REWARD,
      name: 'weather',
      evaluations: isWhole ? 384 : 32,
      pairs: isWhole ? 60 : 2,
      settings: Object.fromEntries([1, 4].map((n) => [`${n * images} images`, { trainingImages: n * images }])),
      found: recoveries
        .filter(({ arm }) => arm !== 'reinforceL1') // It had another reward.
        .flatMap(({ searches }) => searches.map(({ learned }) => learned.theta)),
    };
    await reportBestProportions(laboratory, peak, parameters, hidden);
    return arms;
  },
};
