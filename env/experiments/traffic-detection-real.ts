/**
 * Detection, sim to real: which simulated streets teach a network to find the cars in photographs, as boxes?
 *
 * The photographs are in a folder that is named when the server starts (`--data`), never by a client.
 */
import { z } from 'zod';
import { createRenderer } from '../render/create-renderer.ts';
import type { Runtime } from '../runtime.ts';
import { freeParameters, startTheta } from '../simulators/free-parameters.ts';
import { boxed } from '../simulators/traffic/boxed.ts';
import { trafficSimulator } from '../simulators/traffic/traffic.ts';
import type { BoxedImage } from '../streets/boxed-image.ts';
import { BOXED_PICTURES } from '../streets/box-pictures.ts';
import { DIFFICULTIES } from '../streets/kitti-boxes.ts';
import { boxFolder } from '../targets/street-folder.ts';
import { detectionTask } from '../tasks/detection.ts';
import { defineExperiment, type Experiment } from './experiment.ts';
import { POOR_STREETS } from './streets.ts';
import { detectionOptions, detectionPresets } from './traffic-detection.ts';

/** The same options. Here `validationImages` and `testImages` are upper limits: that many frames, evenly spread. */
const options = detectionOptions.extend({
  testImages: z.int().min(1).max(10_000).default(10_000),
  /** What is asked for, where the photographs are KITTI's. */
  difficulty: z.enum(DIFFICULTIES).default('moderate'),
});

/** The experiment. @throws {Error} in a sentence, when the runtime names no folder of photographs with boxes */
export function trafficDetectionReal(given: z.infer<typeof options>, runtime: Runtime) {
  const { data } = runtime;
  if (data === undefined) {
    throw new Error(
      'TrafficDetectionReal-v0: expected a folder of photographs with boxes; start the server with --data DIR',
    );
  }
  const { width, height, trainingImages, validationImages, testImages, networkWidth, free, replicates, ...own } = given;
  const { difficulty, ...training } = own;
  const streets = boxed(trafficSimulator({ width, height, renderer: createRenderer(runtime.renderer) }));
  const simulator = freeParameters(streets, free);
  const counts = { validation: validationImages, test: testImages };
  const wanted = { classes: training.classes, difficulty };
  const { target, training: photographs, prepare, about } = boxFolder(data, { width, height }, counts, wanted);
  const task = detectionTask({ ...training, width: networkWidth }, runtime);
  return {
    simulator,
    task,
    target,
    pictures: BOXED_PICTURES,
    trainingSamples: trainingImages,
    replicates,
    start: startTheta(simulator, POOR_STREETS),
    async prepare() {
      await prepare();
      return task.prepare();
    },
    about,
    training: photographs,
  } satisfies Experiment<BoxedImage> & { training: unknown };
}

export default defineExperiment({
  id: 'TrafficDetectionReal-v0',
  title: 'Traffic scenes, detection of cars as boxes, average precision on real street images',
  options,
  presets: detectionPresets,
  create: trafficDetectionReal,
});
