/**
 * The paper's segmentation, sim to sim (Ruiz et al. 2019, sec. 4.3 and 4.4): which streets teach a network to find the
 * cars of a hidden distribution of streets?
 */
import type { z } from 'zod';
import { completeTheta } from '../../protocol/parameters.ts';
import type { Runtime } from '../runtime.ts';
import type { LabelledImage } from '../streets/labelled-image.ts';
import { STREET_PICTURES } from '../streets/pictures.ts';
import { hiddenTarget } from '../targets/hidden.ts';
import type { ClassSet } from '../tasks/segmentation/merged-classes.ts';
import { segmentationTask, type SegmentationTask } from '../tasks/segmentation.ts';
import { defineExperiment } from './experiment.ts';
import { imageOptions, PRETRAINED_PRESET, trainingOf } from './image-options.ts';
import { HIDDEN_STREETS } from './streets.ts';
import { streetsOf, trafficExperiment } from './traffic.ts';

/** The seed of the target's scenes: everyone has the same validation and test set. */
export const SEGMENTATION_TARGET_SEED = 20190513;

export const segmentationOptions = imageOptions(
  {
    width: 96,
    height: 72,
    trainingImages: 200,
    validationImages: 100,
    testImages: 200,
    steps: 250,
    batchSize: 8,
    networkWidth: 1,
    free: [],
    rewards: ['softCarIou', 'carIou', 'meanIou'],
    fewestScored: 1,
  },
  {},
);
type SegmentationExperimentOptions = z.infer<typeof segmentationOptions>;

export const segmentationPresets = {
  /** An evaluation takes seconds on one core without libtensorflow. */
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
  /** Needs the weights that `npm run setup:backbone` brings. */
  pretrained: { ...PRETRAINED_PRESET, steps: 150 },
  /** Near the sizes of the paper, for a machine with a GPU. */
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

/** The task with these options. @param classes what is told apart; left out: our streets' */
export function segmentationTaskOf(
  given: Omit<SegmentationExperimentOptions, 'reward'> & { readonly reward: string },
  runtime: Runtime,
  classes?: ClassSet,
): SegmentationTask {
  const { reward } = given;
  return segmentationTask({ ...trainingOf(given), reward, ...(classes && { classes }) }, runtime);
}

/** The experiment, with the type of its samples, for the scripts that draw pictures. */
export function trafficSegmentation(given: SegmentationExperimentOptions, runtime: Runtime) {
  const streets = streetsOf(given, runtime);
  const hidden = completeTheta(streets.parameters, HIDDEN_STREETS);
  const size = { validation: given.validationImages, test: given.testImages };
  return trafficExperiment<LabelledImage, SegmentationTask>(given, {
    streets,
    task: segmentationTaskOf(given, runtime),
    target: hiddenTarget(streets, hidden, size, SEGMENTATION_TARGET_SEED),
    pictures: STREET_PICTURES,
  });
}

export default defineExperiment({
  id: 'TrafficSegmentation-v0',
  title: 'Traffic scenes, semantic segmentation, car IoU on streets of a hidden θ*',
  options: segmentationOptions,
  presets: segmentationPresets,
  create: trafficSegmentation,
});
