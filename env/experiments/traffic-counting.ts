/**
 * The paper's car counting (Ruiz et al. 2019, sec. 4.2): does the search find the hidden proportions of car types and
 * weathers by nothing but how well a network counts?
 */
import { z } from 'zod';
import { SoftwareRenderer } from '../render/software/software-renderer.ts';
import { completeTheta } from '../../protocol/parameters.ts';
import { freeParameters, startTheta, withDefaults } from '../simulators/free-parameters.ts';
import { stratified } from '../simulators/stratified.ts';
import { CAR_TYPES } from '../simulators/traffic/parameters.ts';
import { trafficSimulator, type TrafficImage } from '../simulators/traffic/traffic.ts';
import { hiddenTarget } from '../targets/hidden.ts';
import { countingTask } from '../tasks/counting.ts';
import { PRETRAINED_NAME } from '../tasks/pretrained.ts';
import { describeBackend, loadBackend, preferredBackend } from '../tasks/tensorflow/backend.ts';
import { defineExperiment, type Experiment } from './experiment.ts';
import { COUNTING_STREETS, HIDDEN_TRAFFIC, POOR_STREETS } from './streets.ts';

/** Of the target's own scenes: the same validation and test set for everyone. */
const TARGET_SEED = 20190510;

const options = z.strictObject({
  /** Of the images, in pixels. */
  width: z.int().min(16).max(1024).default(64),
  height: z.int().min(16).max(1024).default(48),
  /** Images that a network is trained on. */
  trainingImages: z.int().min(1).max(100_000).default(240),
  validationImages: z.int().min(2).max(10_000).default(400),
  testImages: z.int().min(2).max(10_000).default(1000),
  /** Optimiser steps of a training. */
  steps: z.int().min(1).max(1_000_000).default(180),
  /** Images a step. */
  batchSize: z.int().min(1).max(256).default(16),
  learningRate: z.number().positive().default(1e-2),
  /** Multiplies the network's channels. */
  networkWidth: z.number().positive().max(8).default(0.35),
  /** Name of the weights that every training starts from, as `npm run pretrain` prints it; empty: from scratch. */
  pretrained: z.string().regex(PRETRAINED_NAME).default(''),
  /** Whether training sees its images mirrored and with their colours jittered: it blurs the weathers. */
  augment: z.boolean().default(false),
  /** `own` brings each image to the same brightness and contrast, which hides the weather; `fixed` treats all alike. */
  levels: z.enum(['own', 'fixed']).default('fixed'),
  /** Trainings whose scores are averaged. */
  replicates: z.int().min(1).max(100).default(1),
  reward: z.enum(['devianceExplained', 'negativeL1', 'negativeL1Rounded']).default('devianceExplained'),
  /**
   * The parameters that θ consists of, by name; the others keep their default. Empty: all of them. The hidden streets
   * differ from the defaults in carTypes and weather alone.
   */
  free: z.array(z.string()).max(1000).default(['carTypes', 'weather']),
});

const presets = {
  /** Seconds an evaluation on one core without libtensorflow. */
  quick: { trainingImages: 120, validationImages: 200, testImages: 400, steps: 120 },
  standard: {},
  /** Near the sizes of the paper; for a machine with a GPU, or for patience. */
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

/** The experiment itself, with its sample's type. */
export function trafficCounting(given: z.infer<typeof options>) {
  const { width, height, trainingImages, validationImages, testImages, networkWidth, free, replicates, ...training } =
    given;
  const streets = stratified(trafficSimulator({ width, height, renderer: new SoftwareRenderer() }), ['weather']);
  const simulator = withDefaults(streets, COUNTING_STREETS);
  const searched = freeParameters(simulator, free);
  const hidden = completeTheta(simulator.parameters, HIDDEN_TRAFFIC);
  const backend = preferredBackend();
  return {
    simulator: searched,
    task: countingTask({ ...training, types: CAR_TYPES, width: networkWidth, backend }),
    target: hiddenTarget(simulator, hidden, { validation: validationImages, test: testImages }, TARGET_SEED),
    trainingSamples: trainingImages,
    replicates,
    start: startTheta(searched, POOR_STREETS),
    prepare: async () => describeBackend(await loadBackend(backend)),
  } satisfies Experiment<TrafficImage>;
}

export default defineExperiment({
  id: 'TrafficCounting-v0',
  title: 'Traffic scenes, counting the cars of each type, on streets of hidden proportions',
  options,
  presets,
  create: trafficCounting,
});
