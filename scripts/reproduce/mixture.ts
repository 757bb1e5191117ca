/**
 * The paper's toy (Ruiz et al. 2019, sec. 4.1): which mixture of two Gaussians a class teaches an SVM a world of three?
 *
 * Every search starts from the environment's start and sees the validation accuracy alone. Beside them: distribution
 * matching, which looks at the validation points themselves; random θ; and the SVM on real training data.
 */
import { join } from 'node:path';
import mixture from '../../env/experiments/mixture.ts';
import { createExperiment } from '../../env/experiments/load.ts';
import { DEFAULT_RUNTIME } from '../../env/runtime.ts';
import { drawSamples } from '../../env/simulators/draw-samples.ts';
import {
  MIXTURE_PARAMETERS,
  mixtureSimulator,
  realPoints,
  type LabelledPoint,
} from '../../env/simulators/mixture/mixture.ts';
import { svmTask } from '../../env/tasks/svm.ts';
import { actionToTheta, type Theta } from '../../protocol/parameters.ts';
import { deriveSeed, Random } from '../../protocol/random.ts';
import { everySearch, randomThetas, seedsOf } from './arms.ts';
import { drawBoundaries, type LearningStage } from './boundaries.ts';
import { matchDistribution } from './distribution-matching.ts';
import { evaluationsToReachFigure } from './evaluations-to-reach.ts';
import { curvesFigure } from './reward-curves.ts';
import type { FinishedSearch } from './search-log.ts';
import type { Arm, Evidence, Study } from './study.ts';

const METRIC = 'accuracy';
/** On how many seeds each θ is scored. */
const REPORT_SEEDS = 5;
/** An evaluation takes milliseconds: the best few are told from the lucky few on many seeds. */
const COMMON = { finalists: 5, finalistSeeds: 5, reportSeeds: REPORT_SEEDS };
/**
 * REINFORCE with a fixed σ and advantages normalised over the batch. Its mean goes on wandering, so the mean over its last
 * quarter is recommended.
 */
const REINFORCE = { ...COMMON, batch: 16, sigmaDecay: 1, sigmaFloor: 0.01, advantage: 'normalised', average: 0.25 };

/** The environment's own experiment, in this process: for its sets, its start, and what is not a θ. */
const { experiment } = createExperiment(mixture, {}, DEFAULT_RUNTIME);
const { trainingSamples } = experiment;
const validation = (await experiment.target.validation()) as readonly LabelledPoint[];

const matches = new Map<number, Theta>();

/** The distribution match of a search seed. */
function matchOf(seed: number): Theta {
  const match =
    matches.get(seed) ?? matchDistribution(validation, new Random(deriveSeed(seed, 'distribution matching')));
  matches.set(seed, match);
  return match;
}

/** As many real points as an SVM has simulated ones, drawn with seeds of their own. */
const trainingPoints = (number: number) => realPoints(deriveSeed(number, 'real training'), trainingSamples);

const ARMS = {
  reinforce: {
    kind: 'search',
    title: 'REINFORCE',
    agent: 'reinforce',
    options: { ...REINFORCE, sigma: 0.15, learningRate: 0.03 },
  },
  reinforceCommon: {
    kind: 'search',
    title: 'REINFORCE, common random numbers',
    agent: 'reinforce',
    options: { ...REINFORCE, sigma: 0.15, learningRate: 0.03, seeds: 'common' },
  },
  reinforceWarm: {
    kind: 'search',
    title: 'REINFORCE from the distribution match',
    agent: 'reinforce',
    options: { ...REINFORCE, sigma: 0.05, learningRate: 0.01 },
    start: matchOf,
  },
  randomSearch: { kind: 'search', title: 'random search', agent: 'random-search', options: COMMON },
  cem: { kind: 'search', title: 'CEM', agent: 'cem', options: { ...COMMON, population: 32, elite: 8 } },
  cmaEs: { kind: 'search', title: 'CMA-ES', agent: 'cma-es', options: { ...COMMON, population: 12 } },
  gaussianProcess: { kind: 'search', title: 'Gaussian process', agent: 'gaussian-process', options: COMMON },
  random: {
    kind: 'thetas',
    title: 'random θ',
    thetas: (preset) => randomThetas(MIXTURE_PARAMETERS, preset.randomThetas),
    seeds: REPORT_SEEDS,
  },
  start: {
    kind: 'thetas',
    title: 'the start',
    thetas: ({ searchSeeds }) => seedsOf(searchSeeds).map(() => experiment.start),
    seeds: REPORT_SEEDS,
  },
  distributionMatching: {
    kind: 'thetas',
    title: 'distribution matching (EM)',
    thetas: ({ searchSeeds }) => seedsOf(searchSeeds).map(matchOf),
    seeds: REPORT_SEEDS,
  },
  real: {
    kind: 'trained',
    title: (points) => `real data (${points} points)`,
    real: async (_, number) => trainingPoints(number),
  },
} satisfies Record<string, Arm>;

/** θ of REINFORCE's mean at the start, on the way, and at the end. */
function progressOf({ states, told, evaluations, start }: FinishedSearch): { title: string; theta: Theta }[] {
  const ends = [1 / 16, 1 / 4, 1].map((share) => told.findLastIndex((count) => count <= share * evaluations));
  const stages = [...new Set(ends)]
    .filter((i) => i >= 0)
    .map((i) => {
      const theta = actionToTheta(MIXTURE_PARAMETERS, states[i]!['mu'] as number[]);
      return { title: `after ${told[i]} evaluations`, theta };
    });
  return [{ title: 'the start', theta: start.theta }, ...stages];
}

/** What an SVM makes of these samples: it is trained in milliseconds, wherever the figure is drawn. */
async function stageOf(title: string, samples: readonly LabelledPoint[]): Promise<LearningStage> {
  const { gamma, cost } = mixture.options.parse({}) as { gamma: number; cost: number };
  return { title, samples, svm: await svmTask({ gamma, cost }).train(samples) };
}

async function drawStages(evidence: Evidence, folder: string): Promise<void> {
  const { reinforce, reinforceWarm } = evidence.searches();
  const thetas = [
    ...progressOf(reinforce![0]!),
    { title: 'distribution matching', theta: matchOf(1) },
    { title: 'warm start, learned', theta: reinforceWarm![0]!.learned.theta },
  ];
  const stages: LearningStage[] = [];
  for (const { title, theta } of thetas) {
    const samples = await drawSamples(mixtureSimulator(), theta, deriveSeed(1, 'figure'), trainingSamples);
    stages.push(await stageOf(title, samples));
  }
  stages.push(await stageOf('trained on real points', trainingPoints(1)));
  // Validation points: what the figure says of them, the search has seen.
  const title =
    'REINFORCE on the mixture: points of two classes, and what the SVM calls each place; trained on (above), real (below)';
  await drawBoundaries(title, stages, validation, join(folder, 'boundaries'));
  stages.forEach(({ svm }) => svm.dispose());
}

export const mixtureStudy: Study = {
  name: 'mixture',
  environment: mixture.id,
  backend: 'libsvm (WebAssembly)',
  presets: {
    quick: { searchSeeds: 3, evaluations: everySearch(ARMS, 400), randomThetas: 20, envOptions: {} },
    standard: {
      searchSeeds: 5,
      // A Gaussian process takes n³ operations a fit, so it stops at 400.
      evaluations: { ...everySearch(ARMS, 12_800), gaussianProcess: 400 },
      randomThetas: 100,
      envOptions: {},
    },
  },
  arms: ARMS,
  metric: METRIC,
  alsoReported: [],
  figures: [
    evaluationsToReachFigure({ metric: METRIC, seeds: REPORT_SEEDS }),
    curvesFigure({
      file: 'rewards',
      title: 'Rewards during the search',
      axis: 'validation accuracy',
      score: ({ [METRIC]: score }) => score,
      levels: [
        { arm: 'real', title: 'real data' },
        { arm: 'distributionMatching', title: 'distribution matching' },
        { arm: 'random' },
      ],
    }),
    { draw: drawStages },
  ],
  isLean: true, // 400,000 actions of 16 numbers
};
