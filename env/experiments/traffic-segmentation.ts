/**
 * The paper's segmentation, sim to sim (Ruiz et al. 2019, sec. 4.3 and 4.4): which streets teach a network to find the
 * cars of a hidden distribution of streets?
 */
import { z } from 'zod';
import { SoftwareRenderer } from '../render/software/software-renderer.ts';
import { completeTheta } from '../../protocol/parameters.ts';
import type { LabelledImage } from '../streets/labelled-image.ts';
import { freeParameters, startTheta } from '../simulators/free-parameters.ts';
import { trafficSimulator } from '../simulators/traffic/traffic.ts';
import { hiddenTarget } from '../targets/hidden.ts';
import { PRETRAINED_NAME } from '../tasks/pretrained.ts';
import { segmentationTask } from '../tasks/segmentation.ts';
import { describeBackend, loadBackend, preferredBackend } from '../tasks/tensorflow/backend.ts';
import { defineExperiment, type Experiment } from './experiment.ts';
import { HIDDEN_STREETS, POOR_STREETS } from './streets.ts';

/** Of the target's own scenes: the same validation and test set for everyone. */
const TARGET_SEED = 20190513;

export const segmentationOptions = z.strictObject({
  /** Of the images, in pixels. */
  width: z.int().min(16).max(1024).default(96),
  height: z.int().min(16).max(1024).default(72),
  /** Images that a network is trained on. */
  trainingImages: z.int().min(1).max(100_000).default(200),
  validationImages: z.int().min(1).max(10_000).default(100),
  testImages: z.int().min(1).max(10_000).default(200),
  /** Optimiser steps of a training. */
  steps: z.int().min(1).max(1_000_000).default(250),
  /** Images a step. */
  batchSize: z.int().min(1).max(256).default(8),
  learningRate: z.number().positive().default(1e-2),
  /** Multiplies the network's channels. */
  networkWidth: z.number().positive().max(8).default(1),
  /** Name of the weights that every training starts from, as `npm run pretrain` prints it; empty: from scratch. */
  pretrained: z.string().regex(PRETRAINED_NAME).default(''),
  /** Trainings whose scores are averaged. */
  replicates: z.int().min(1).max(100).default(1),
  reward: z.enum(['softCarIou', 'carIou', 'meanIou']).default('softCarIou'),
  /** The parameters that θ consists of, by name; the others keep their default. Empty: all of them. */
  free: z.array(z.string()).max(1000).default([]),
});
type SegmentationExperimentOptions = z.infer<typeof segmentationOptions>;

export const segmentationPresets = {
  /** Seconds an evaluation on one core without libtensorflow. */
  quick: {
    width: 64,
    height: 48,
    trainingImages: 80,
    validationImages: 60,
    testImages: 120,
    steps: 150,
    networkWidth: 0.75,
  },
  standard: {},
  /** Near the sizes of the paper; for a machine with a GPU, or for patience. */
  paper: {
    width: 256,
    height: 192,
    trainingImages: 1000,
    validationImages: 200,
    testImages: 500,
    steps: 2500,
    networkWidth: 2,
  },
};

/** The task with these options, and on which backend it runs. */
export function taskAndBackend({
  steps,
  batchSize,
  learningRate,
  networkWidth,
  pretrained,
  reward,
}: SegmentationExperimentOptions) {
  const backend = preferredBackend();
  return {
    task: segmentationTask({ steps, batchSize, learningRate, width: networkWidth, pretrained, reward, backend }),
    prepare: async () => describeBackend(await loadBackend(backend)),
  };
}

/** The experiment itself, with its sample's type: what scripts draw pictures of. */
export function trafficSegmentation(given: SegmentationExperimentOptions) {
  const { width, height, trainingImages, validationImages, testImages, free, replicates } = given;
  const simulator = trafficSimulator({ width, height, renderer: new SoftwareRenderer() });
  const hidden = completeTheta(simulator.parameters, HIDDEN_STREETS);
  const size = { validation: validationImages, test: testImages };
  const searched = freeParameters(simulator, free);
  return {
    ...taskAndBackend(given),
    simulator: searched,
    target: hiddenTarget<LabelledImage>(simulator, hidden, size, TARGET_SEED),
    trainingSamples: trainingImages,
    replicates,
    start: startTheta(searched, POOR_STREETS),
  } satisfies Experiment<LabelledImage>;
}

export default defineExperiment({
  id: 'TrafficSegmentation-v0',
  title: 'Traffic scenes, semantic segmentation, car IoU on streets of a hidden θ*',
  options: segmentationOptions,
  presets: segmentationPresets,
  create: trafficSegmentation,
});
