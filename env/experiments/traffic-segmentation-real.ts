/**
 * The paper's headline (Ruiz et al. 2019, sec. 4.4): which simulated streets teach a network to find cars in real ones?
 *
 * The real images are in a folder that is named when the server starts (`--data`), never by a client.
 */
import { z } from 'zod';
import { createRenderer } from '../render/create-renderer.ts';
import { trafficSimulator } from '../simulators/traffic/traffic.ts';
import type { Runtime } from '../runtime.ts';
import type { LabelledImage } from '../streets/labelled-image.ts';
import { STREET_PICTURES } from '../streets/pictures.ts';
import { freeParameters, startTheta } from '../simulators/free-parameters.ts';
import { streetFolder } from '../targets/street-folder.ts';
import { streetClasses } from '../tasks/segmentation/merged-classes.ts';
import { defineExperiment, type Experiment } from './experiment.ts';
import { POOR_STREETS } from './streets.ts';
import { segmentationOptions, segmentationPresets, segmentationTaskOf } from './traffic-segmentation.ts';

/** The same options. Here `validationImages` and `testImages` are upper limits: that many frames, evenly spread. */
const options = segmentationOptions.extend({ testImages: z.int().min(1).max(10_000).default(10_000) });

/** The experiment. @throws {Error} in a sentence, when the runtime names no folder of real images in a known layout */
export function trafficSegmentationReal(given: z.infer<typeof options>, runtime: Runtime) {
  const { data } = runtime;
  if (data === undefined) {
    throw new Error(
      'TrafficSegmentationReal-v0: expected a folder of real street images; start the server with --data DIR',
    );
  }
  const { width, height, trainingImages, validationImages, testImages, free, replicates } = given;
  const simulator = freeParameters(
    trafficSimulator({ width, height, renderer: createRenderer(runtime.renderer) }),
    free,
  );
  const counts = { validation: validationImages, test: testImages };
  const folder = streetFolder(data, { width, height }, counts, () => streetClasses(), { asStreets: true });
  const { target, training, prepare, about } = folder;
  const task = segmentationTaskOf(given, runtime);
  return {
    simulator,
    task,
    target,
    pictures: STREET_PICTURES,
    trainingSamples: trainingImages,
    replicates,
    start: startTheta(simulator, POOR_STREETS),
    async prepare() {
      await prepare();
      return task.prepare();
    },
    about,
    training,
  } satisfies Experiment<LabelledImage> & { training: unknown };
}

export default defineExperiment({
  id: 'TrafficSegmentationReal-v0',
  title: 'Traffic scenes, semantic segmentation, car IoU on real street images',
  options,
  presets: segmentationPresets,
  create: trafficSegmentationReal,
});
