/**
 * The paper's car counting (Ruiz et al. 2019, sec. 4.2): can a search find the hidden proportions of car types and
 * weathers, when it only sees how well a network counts?
 */
import { z } from 'zod';
import { completeTheta } from '../../protocol/parameters.ts';
import type { Runtime } from '../runtime.ts';
import { STREET_PICTURES } from '../streets/pictures.ts';
import { withDefaults } from '../simulators/free-parameters.ts';
import { stratified } from '../simulators/stratified.ts';
import { CAR_TYPES } from '../simulators/traffic/parameters.ts';
import { hiddenTarget } from '../targets/hidden.ts';
import { countingTask } from '../tasks/counting.ts';
import { defineExperiment } from './experiment.ts';
import { imageOptions, PRETRAINED_PRESET, trainingOf } from './image-options.ts';
import { COUNTING_STREETS, HIDDEN_TRAFFIC } from './streets.ts';
import { streetsOf, trafficExperiment } from './traffic.ts';

/** The seed of the target's scenes: everyone has the same validation and test set. */
const TARGET_SEED = 20190510;

const options = imageOptions(
  {
    width: 64,
    height: 48,
    trainingImages: 400,
    validationImages: 400,
    testImages: 1000,
    steps: 360,
    batchSize: 8,
    networkWidth: 0.5,
    free: ['carTypes', 'weather'], // the hidden streets differ from the defaults in these alone
    rewards: ['devianceExplained', 'negativeL1', 'negativeL1Rounded'],
    fewestScored: 2, // images whose counts differ, or there is nothing to explain
  },
  {
    /** Whether training mirrors its images and jitters their colours, which makes weathers look more alike. */
    augment: z.boolean().default(false),
    /** `own` gives all images the same brightness and contrast, which hides the weather; `fixed` keeps the light. */
    levels: z.enum(['own', 'fixed']).default('fixed'),
  },
);

const presets = {
  /** An evaluation takes seconds on one core without libtensorflow. */
  quick: { trainingImages: 240, validationImages: 200, testImages: 400, steps: 180 },
  standard: {},
  /** Needs the weights that `npm run setup:backbone` brings. */
  pretrained: PRETRAINED_PRESET,
  /** Near the sizes of the paper, for a machine with a GPU. */
  paper: {
    width: 192,
    height: 144,
    trainingImages: 1000,
    validationImages: 400,
    testImages: 1000,
    steps: 2500,
    batchSize: 8,
    networkWidth: 2,
  },
};

type CountingExperimentOptions = z.infer<typeof options>;

/** The task with these options. */
export function countingTaskOf(
  given: Omit<CountingExperimentOptions, 'augment' | 'levels'> & Partial<CountingExperimentOptions>,
  runtime: Runtime,
) {
  const { reward, augment = false, levels = 'fixed' } = given;
  return countingTask({ ...trainingOf(given), reward, augment, levels, types: CAR_TYPES }, runtime);
}

function trafficCounting(given: CountingExperimentOptions, runtime: Runtime) {
  const streets = withDefaults(stratified(streetsOf(given, runtime), ['weather']), COUNTING_STREETS);
  const hidden = completeTheta(streets.parameters, HIDDEN_TRAFFIC);
  const size = { validation: given.validationImages, test: given.testImages };
  return trafficExperiment(given, {
    streets,
    task: countingTaskOf(given, runtime),
    target: hiddenTarget(streets, hidden, size, TARGET_SEED),
    pictures: STREET_PICTURES,
  });
}

export default defineExperiment({
  id: 'TrafficCounting-v0',
  title: 'Traffic scenes, counting the cars of each type, on streets of hidden proportions',
  options,
  presets,
  create: trafficCounting,
});
