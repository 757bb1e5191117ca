/**
 * Object detection, which the paper names beside segmentation: which streets teach a network to find the cars of a hidden
 * distribution of streets, as boxes?
 */
import { z } from 'zod';
import { completeTheta } from '../../protocol/parameters.ts';
import type { Runtime } from '../runtime.ts';
import { boxed } from '../simulators/traffic/boxed.ts';
import { boxedPictures } from '../streets/box-pictures.ts';
import { DETECTED } from '../streets/boxed-image.ts';
import { hiddenTarget } from '../targets/hidden.ts';
import { detectionTask } from '../tasks/detection.ts';
import { defineExperiment } from './experiment.ts';
import { imageOptions, PRETRAINED_PRESET, trainingOf } from './image-options.ts';
import { HIDDEN_STREETS } from './streets.ts';
import { streetsOf, trafficExperiment } from './traffic.ts';

/** The seed of the target's scenes: everyone has the same validation and test set. */
const TARGET_SEED = 20261127;

export const detectionOptions = imageOptions(
  {
    width: 96,
    height: 72,
    trainingImages: 200,
    validationImages: 150,
    testImages: 300,
    steps: 250,
    batchSize: 8,
    networkWidth: 1,
    free: [],
    rewards: ['smoothAp', 'ap50', 'ap'],
    fewestScored: 1,
  },
  {
    /** What is detected. */
    classes: z.array(z.enum(DETECTED)).min(1).max(DETECTED.length).default(['car']),
  },
);

export const detectionPresets = {
  /** An evaluation takes seconds on one core without libtensorflow. */
  quick: {
    width: 64,
    height: 48,
    trainingImages: 80,
    validationImages: 100,
    testImages: 200,
    steps: 150,
    networkWidth: 0.75,
  },
  standard: {},
  /** Needs the weights that `npm run setup:backbone` brings. */
  pretrained: PRETRAINED_PRESET,
  /** Near the paper's sizes, for a machine with a GPU. */
  paper: {
    width: 256,
    height: 192,
    trainingImages: 1000,
    validationImages: 300,
    testImages: 1000,
    steps: 2500,
    networkWidth: 2,
  },
};

type DetectionExperimentOptions = z.infer<typeof detectionOptions>;

/** The task with these options. */
export function detectionTaskOf(
  given: Omit<DetectionExperimentOptions, 'classes'> & { readonly classes: readonly string[] },
  runtime: Runtime,
) {
  const { reward, classes } = given;
  return detectionTask({ ...trainingOf(given), reward, classes }, runtime);
}

/** The experiment, with the type of its samples, for the scripts that draw pictures. */
export function trafficDetection(given: DetectionExperimentOptions, runtime: Runtime) {
  const streets = boxed(streetsOf(given, runtime));
  const hidden = completeTheta(streets.parameters, HIDDEN_STREETS);
  const size = { validation: given.validationImages, test: given.testImages };
  return trafficExperiment(given, {
    streets,
    task: detectionTaskOf(given, runtime),
    target: hiddenTarget(streets, hidden, size, TARGET_SEED),
    pictures: boxedPictures(given.classes),
  });
}

export default defineExperiment({
  id: 'TrafficDetection-v0',
  title: 'Traffic scenes, detection of cars as boxes, average precision on streets of a hidden θ*',
  options: detectionOptions,
  presets: detectionPresets,
  create: trafficDetection,
});
