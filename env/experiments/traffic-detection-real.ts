/**
 * Detection, sim to real: which simulated streets teach a network to find the cars in photographs, as boxes?
 *
 * The photographs are in a folder that is named when the server starts (`--data`), never by a client.
 */
import { z } from 'zod';
import type { Runtime } from '../runtime.ts';
import { boxed } from '../simulators/traffic/boxed.ts';
import { boxedPictures } from '../streets/box-pictures.ts';
import { DIFFICULTIES } from '../streets/kitti-boxes.ts';
import { boxFolder } from '../targets/street-folder.ts';
import { defineExperiment } from './experiment.ts';
import { dataFolder, onFolder, streetsOf, trafficExperiment } from './traffic.ts';
import { detectionOptions, detectionPresets, detectionTaskOf } from './traffic-detection.ts';

/** The same options. Here `validationImages` and `testImages` are upper limits: that many frames, evenly spread. */
const options = detectionOptions.extend({
  testImages: z.int().min(1).max(10_000).default(10_000),
  /** What is asked for, where the photographs are KITTI's. */
  difficulty: z.enum(DIFFICULTIES).default('moderate'),
});

function trafficDetectionReal(given: z.infer<typeof options>, runtime: Runtime) {
  const { width, height, validationImages, testImages, classes, difficulty } = given;
  const data = dataFolder('TrafficDetectionReal-v0', 'photographs with boxes', runtime);
  const counts = { validation: validationImages, test: testImages };
  const folder = boxFolder(data, { width, height }, counts, { classes, difficulty });
  const experiment = trafficExperiment(given, {
    streets: boxed(streetsOf(given, runtime)),
    task: detectionTaskOf(given, runtime),
    target: folder.target,
    pictures: boxedPictures(classes),
  });
  return onFolder(experiment, folder);
}

export default defineExperiment({
  id: 'TrafficDetectionReal-v0',
  title: 'Traffic scenes, detection of cars as boxes, average precision on real street images',
  options,
  presets: detectionPresets,
  create: trafficDetectionReal,
});
