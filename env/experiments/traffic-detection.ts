/**
 * Object detection, which the paper names beside segmentation: which streets teach a network to find the cars of a hidden
 * distribution of streets, as boxes?
 */
import { z } from 'zod';
import { createRenderer } from '../render/create-renderer.ts';
import { completeTheta } from '../../protocol/parameters.ts';
import type { Runtime } from '../runtime.ts';
import { freeParameters, startTheta } from '../simulators/free-parameters.ts';
import { boxed } from '../simulators/traffic/boxed.ts';
import { trafficSimulator } from '../simulators/traffic/traffic.ts';
import type { BoxedImage } from '../streets/boxed-image.ts';
import { BOXED_PICTURES } from '../streets/box-pictures.ts';
import { DETECTED } from '../streets/boxed-image.ts';
import { hiddenTarget } from '../targets/hidden.ts';
import { detectionTask } from '../tasks/detection.ts';
import { defineExperiment, type Experiment } from './experiment.ts';
import { imageOptions, PRETRAINED_PRESET } from './image-options.ts';
import { HIDDEN_STREETS, POOR_STREETS } from './streets.ts';

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

/** The experiment, with the type of its samples, for the scripts that draw pictures. */
export function trafficDetection(given: z.infer<typeof detectionOptions>, runtime: Runtime) {
  const { width, height, trainingImages, validationImages, testImages, networkWidth, free, replicates, ...training } =
    given;
  const simulator = boxed(trafficSimulator({ width, height, renderer: createRenderer(runtime.renderer) }));
  const searched = freeParameters(simulator, free);
  const task = detectionTask({ ...training, width: networkWidth }, runtime);
  const hidden = completeTheta(simulator.parameters, HIDDEN_STREETS);
  const size = { validation: validationImages, test: testImages };
  return {
    simulator: searched,
    task,
    target: hiddenTarget<BoxedImage>(simulator, hidden, size, TARGET_SEED),
    pictures: BOXED_PICTURES,
    trainingSamples: trainingImages,
    replicates,
    start: startTheta(searched, POOR_STREETS),
    prepare: task.prepare,
  } satisfies Experiment<BoxedImage>;
}

export default defineExperiment({
  id: 'TrafficDetection-v0',
  title: 'Traffic scenes, detection of cars as boxes, average precision on streets of a hidden θ*',
  options: detectionOptions,
  presets: detectionPresets,
  create: trafficDetection,
});
