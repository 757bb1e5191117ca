/**
 * The paper's segmentation, sim to sim (Ruiz et al. 2019, sec. 4.3): which streets teach a network to find the cars of a
 * hidden distribution of streets?
 *
 * θ is where the poor start differs from the default; the other parameters keep it. The hidden θ* differs from the
 * default in one more, so it lies a little outside of what a search can reach. Searches start in the middle of θ's ranges,
 * and one from the poor start.
 */
import { join } from 'node:path';
import { createExperiment } from '../../env/experiments/load.ts';
import segmentation, { type trafficSegmentation } from '../../env/experiments/traffic-segmentation.ts';
import { HIDDEN_STREETS, POOR_STREETS } from '../../env/experiments/streets.ts';
import { completeTheta, type Theta } from '../../protocol/parameters.ts';
import { drawPredictions } from '../figures/run-pictures.ts';
import {
  ALL_FREE,
  bestOf,
  fixedArm,
  learnedArms,
  randomThetas,
  repeatedArm,
  runSearchArms,
  titlesOf,
  type SearchArm,
} from './arms.ts';
import { reportEvaluationsToReach } from './evaluations-to-reach.ts';
import type { Arm, Experiment } from './experiment.ts';
import {
  CAR_IOU,
  COMMON,
  drawCarIou,
  middleOf,
  REINFORCE,
  REPORT_SEEDS,
  segmentationSearches,
  SOFT_CAR_IOU,
  streetParameters,
} from './streets.ts';

const FREE = Object.keys(POOR_STREETS);

/** The searches of the paper's comparison, and what may need fewer evaluations than REINFORCE. */
const SEARCHES: Readonly<Record<string, SearchArm>> = {
  ...segmentationSearches(),
  reinforceCommon: {
    title: 'REINFORCE, common random numbers',
    agent: 'reinforce',
    options: { ...REINFORCE, seeds: 'common' },
  },
  reinforceDiscard: {
    title: 'REINFORCE, early discarding',
    agent: 'reinforce',
    options: { ...REINFORCE, discard: 'median' },
  },
  reinforcePoor: {
    title: 'REINFORCE, poor start',
    agent: 'reinforce',
    options: { ...REINFORCE, start: 'start' },
  },
  // As in the paper: Adam, a moving average as the baseline; all else is what the agent does by default.
  reinforceAdam: { title: 'REINFORCE of the paper', agent: 'reinforce', options: COMMON },
  cmaEs: { title: 'CMA-ES', agent: 'cma-es', options: COMMON },
  gaussianProcess: { title: 'Gaussian process', agent: 'gaussian-process', options: COMMON },
};
const everySearch = (evaluations: number) => Object.fromEntries(Object.keys(SEARCHES).map((arm) => [arm, evaluations]));

export const segmentationReproduction: Experiment = {
  environment: segmentation.id,
  backend: 'TensorFlow.js',
  metric: CAR_IOU,
  alsoReported: ['softCarIou', 'meanIou'],
  presets: {
    quick: {
      searchSeeds: 2,
      evaluations: everySearch(48),
      randomThetas: 20,
      envOptions: { preset: 'quick', free: FREE },
    },
    standard: {
      searchSeeds: 3,
      evaluations: everySearch(96),
      randomThetas: 20,
      envOptions: { free: FREE },
    },
  },
  async run(laboratory) {
    const { out, preset, runtime } = laboratory;
    const thetas = randomThetas(streetParameters(FREE), preset.randomThetas);
    const random = await fixedArm(laboratory, segmentation.id, { name: 'random', title: 'random θ', thetas, seeds: 1 });
    const hidden = completeTheta(streetParameters([]), HIDDEN_STREETS);
    const middle = middleOf(FREE);
    const repeated = (name: string, title: string, theta: Theta) =>
      repeatedArm(laboratory, segmentation.id, { name, title, theta }, ALL_FREE);
    const truth = await repeated('truth', 'the hidden θ*', hidden);
    const start = await repeated('start', 'the start, the middle of θ’s ranges', middle);
    const poor = await repeated('poor', 'the poor start', POOR_STREETS);
    const byArm = await runSearchArms(laboratory, SEARCHES);
    const question = {
      environment: segmentation.id,
      metric: SOFT_CAR_IOU,
      seeds: 2,
      titles: titlesOf(SEARCHES),
      references: ['reinforce', 'reinforceAdam'],
    };
    await reportEvaluationsToReach(laboratory, question, byArm);

    const arms: Record<string, Arm> = {
      ...(await learnedArms(laboratory, segmentation.id, SEARCHES, byArm, REPORT_SEEDS)),
      start,
      poor,
      random,
      randomBest: bestOf('random θ, best on validation', random, CAR_IOU),
      truth,
    };
    await drawCarIou(out, byArm, arms, ['truth', 'random']);
    const shown = [
      { name: 'start', theta: completeTheta(streetParameters([]), middle) },
      { name: 'REINFORCE', theta: byArm['reinforce']![0]!.learned.theta },
      { name: 'hidden', theta: hidden },
    ];
    const { experiment } = createExperiment(segmentation, preset.envOptions, runtime);
    await drawPredictions(experiment as ReturnType<typeof trafficSegmentation>, shown, join(out, 'predictions.png'));
    return arms;
  },
};
