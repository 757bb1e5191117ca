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
import {
  fixedArm,
  meanOf,
  randomThetas,
  reportedArm,
  runSearchArms,
  seedsOf,
  titlesOf,
  type SearchArm,
} from './arms.ts';
import { drawBoundaries, type Stage } from './boundaries.ts';
import { matchDistribution } from './distribution-matching.ts';
import { reportEvaluationsToReach } from './evaluations-to-reach.ts';
import type { Arm, Experiment, Laboratory, Scores } from './experiment.ts';
import { drawRewardCurves, rewardCurve } from './reward-curves.ts';
import type { FinishedSearch } from './searches.ts';

const METRIC = 'accuracy';
/** An evaluation takes milliseconds: the best few are told from the lucky few on many seeds. */
const COMMON = { finalists: 5, finalistSeeds: 5, reportSeeds: 5 };
/** REINFORCE with a fixed σ and advantages normalised over the batch. */
const REINFORCE = { batch: 16, sigmaDecay: 1, sigmaFloor: 0.01, advantage: 'normalised' };

/** Every search; the warm one starts from the distribution match of its own seed. */
const searchArms = (matches: readonly Theta[]): Readonly<Record<string, SearchArm>> => ({
  reinforce: {
    title: 'REINFORCE',
    agent: 'reinforce',
    options: { ...COMMON, ...REINFORCE, sigma: 0.15, learningRate: 0.03 },
  },
  reinforceCommon: {
    title: 'REINFORCE, common random numbers',
    agent: 'reinforce',
    options: { ...COMMON, ...REINFORCE, sigma: 0.15, learningRate: 0.03, seeds: 'common' },
  },
  reinforceWarm: {
    title: 'REINFORCE from the distribution match',
    agent: 'reinforce',
    options: { ...COMMON, ...REINFORCE, sigma: 0.05, learningRate: 0.01 },
    start: (seed) => matches[seed - 1]!,
  },
  randomSearch: { title: 'random search', agent: 'random-search', options: COMMON },
  cem: { title: 'CEM', agent: 'cem', options: { ...COMMON, population: 32, elite: 8 } },
  cmaEs: { title: 'CMA-ES', agent: 'cma-es', options: { ...COMMON, population: 12 } },
  gaussianProcess: { title: 'Gaussian process', agent: 'gaussian-process', options: COMMON },
});

const everySearch = (evaluations: number) =>
  Object.fromEntries(Object.keys(searchArms([])).map((arm) => [arm, evaluations]));

type Sets = { readonly validation: readonly LabelledPoint[]; readonly test: readonly LabelledPoint[] };

/** The environment's own experiment, in this process: for its sets, its start, and what is not a θ. */
const { experiment } = createExperiment(mixture, {}, DEFAULT_RUNTIME);
const { trainingSamples } = experiment;
const { gamma, cost } = mixture.options.parse({}) as { gamma: number; cost: number };
const svm = svmTask({ gamma, cost });

async function realSets(): Promise<Sets> {
  const { target } = experiment;
  return {
    validation: (await target.validation()) as readonly LabelledPoint[],
    test: (await target.test()) as readonly LabelledPoint[],
  };
}

/** θ that are scored as they are: random ones, the start, and the distribution matches. */
async function fixedArms(laboratory: Laboratory, matches: readonly Theta[]): Promise<Record<string, Arm>> {
  const groups = [
    { name: 'random', title: 'random θ', thetas: randomThetas(MIXTURE_PARAMETERS, laboratory.preset.randomThetas) },
    { name: 'start', title: 'the start', thetas: matches.map(() => experiment.start) },
    { name: 'distributionMatching', title: 'distribution matching (EM)', thetas: matches },
  ];
  const arms: Record<string, Arm> = {};
  for (const group of groups) {
    arms[group.name] = await fixedArm(laboratory, mixture.id, { ...group, seeds: COMMON.reportSeeds });
  }
  return arms;
}

/** The ceiling: the same SVM, trained on as many real points, drawn with seeds of their own. */
async function realArm(count: number, sets: Sets): Promise<Arm> {
  const scores: { validation: Scores; test: Scores }[] = [];
  for (const seed of seedsOf(count)) {
    const model = await svm.train(realPoints(deriveSeed(seed, 'real training'), trainingSamples));
    scores.push({ validation: await model.score(sets.validation), test: await model.score(sets.test) });
    model.dispose();
  }
  const title = `real data (${trainingSamples} points)`;
  const of = (set: 'validation' | 'test') => scores.map((score) => score[set]);
  return { title, evaluations: 0, validation: of('validation'), test: of('test') };
}

/** θ of REINFORCE's mean at the start, on the way, and at the end. */
function progressOf({ states, evaluations, start }: FinishedSearch): { title: string; theta: Theta }[] {
  const per = REINFORCE.batch;
  const marks = [1 / 16, 1 / 4, 1].map((share) => Math.floor((share * evaluations) / per)).filter((n) => n > 0);
  const stages = [...new Set(marks)].flatMap((iterations) => {
    const state = states[iterations - 1];
    if (!state) return [];
    const theta = actionToTheta(MIXTURE_PARAMETERS, state['mu'] as number[]);
    return [{ title: `after ${iterations * per} evaluations`, theta }];
  });
  return [{ title: 'the start', theta: start.theta }, ...stages];
}

async function stageOf(title: string, theta: Theta): Promise<Stage> {
  const samples = await drawSamples(mixtureSimulator(), theta, deriveSeed(1, 'figure'), trainingSamples);
  return { title, samples, svm: await svm.train(samples) };
}

async function drawFigures(
  { out }: Laboratory,
  byArm: Readonly<Record<string, readonly FinishedSearch[]>>,
  arms: Readonly<Record<string, Arm>>,
  match: Theta,
): Promise<void> {
  const curves = Object.entries(byArm).flatMap(([arm, searches]) =>
    rewardCurve(
      arms[arm]!.title,
      searches.map(({ trials }) => trials.map(({ reward }) => reward)),
    ),
  );
  const level = (arm: string) => meanOf(arms[arm]!.validation.map((scores) => scores[METRIC]!));
  const references = {
    'real data': level('real'),
    'distribution matching': level('distributionMatching'),
    'random θ': level('random'),
  };
  const labels = { title: 'Rewards during the search', metric: 'validation accuracy' };
  await drawRewardCurves(labels, curves, references, join(out, 'rewards'));

  const real = realPoints(deriveSeed(1, 'real training'), trainingSamples);
  const stages: Stage[] = [];
  for (const { title, theta } of progressOf(byArm['reinforce']![0]!)) stages.push(await stageOf(title, theta));
  stages.push(await stageOf('distribution matching', match));
  stages.push(await stageOf('warm start, learned', byArm['reinforceWarm']![0]!.learned.theta));
  stages.push({ title: 'trained on real points', samples: real, svm: await svm.train(real) });
  // Validation points: what the figure says of them, the search has seen.
  const { validation } = await realSets();
  await drawBoundaries(
    'REINFORCE on the mixture: trained on (above), real (below)',
    stages,
    validation,
    join(out, 'boundaries'),
  );
  stages.forEach((stage) => stage.svm.dispose());
}

export const mixtureReproduction: Experiment = {
  environment: mixture.id,
  backend: 'libsvm (WebAssembly)',
  metric: METRIC,
  alsoReported: [],
  presets: {
    quick: { searchSeeds: 3, evaluations: everySearch(400), randomThetas: 20, envOptions: {} },
    standard: {
      searchSeeds: 5,
      // A Gaussian process takes n³ operations a fit, so it stops at 400.
      evaluations: { ...everySearch(12_800), gaussianProcess: 400 },
      randomThetas: 100,
      envOptions: {},
    },
  },
  async run(laboratory) {
    const sets = await realSets();
    const { searchSeeds } = laboratory.preset;
    const matches = seedsOf(searchSeeds).map((seed) =>
      matchDistribution(sets.validation, new Random(deriveSeed(seed, 'distribution matching'))),
    );
    const fixed = await fixedArms(laboratory, matches);
    const searches = searchArms(matches);
    const byArm = await runSearchArms(laboratory, searches);
    const question = { environment: mixture.id, metric: METRIC, seeds: COMMON.reportSeeds, titles: titlesOf(searches) };
    await reportEvaluationsToReach(laboratory, question, byArm);
    const learned = Object.entries(byArm).map(([arm, runs]) => [arm, reportedArm(searches[arm]!.title, runs)] as const);
    const arms = { ...Object.fromEntries(learned), ...fixed, real: await realArm(searchSeeds, sets) };
    await drawFigures(laboratory, byArm, arms, matches[0]!);
    return arms;
  },
};
