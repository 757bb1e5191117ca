/**
 * The paper's headline (Ruiz et al. 2019, sec. 4.4): which simulated streets teach a network to find cars in real ones?
 *
 * The real images are in a folder that is named when the server starts (`--data`), never by a client.
 */
import { z } from 'zod';
import type { Runtime } from '../runtime.ts';
import { STREET_PICTURES } from '../streets/pictures.ts';
import { streetFolder } from '../targets/street-folder.ts';
import { streetClasses } from '../tasks/segmentation/merged-classes.ts';
import { defineExperiment } from './experiment.ts';
import { dataFolder, onFolder, streetsOf, trafficExperiment } from './traffic.ts';
import { segmentationOptions, segmentationPresets, segmentationTaskOf } from './traffic-segmentation.ts';

/** The same options. Here `validationImages` and `testImages` are upper limits: that many frames, evenly spread. */
const options = segmentationOptions.extend({ testImages: z.int().min(1).max(10_000).default(10_000) });

/** The experiment. @throws {Error} in a sentence, when the runtime names no folder of real images in a known layout */
export function trafficSegmentationReal(given: z.infer<typeof options>, runtime: Runtime) {
  const { width, height, validationImages, testImages } = given;
  const data = dataFolder('TrafficSegmentationReal-v0', 'real street images', runtime);
  const counts = { validation: validationImages, test: testImages };
  const folder = streetFolder(data, { width, height }, counts, () => streetClasses(), { asStreets: true });
  const experiment = trafficExperiment(given, {
    streets: streetsOf(given, runtime),
    task: segmentationTaskOf(given, runtime),
    target: folder.target,
    pictures: STREET_PICTURES,
  });
  return onFolder(experiment, folder);
}

export default defineExperiment({
  id: 'TrafficSegmentationReal-v0',
  title: 'Traffic scenes, semantic segmentation, car IoU on real street images',
  options,
  presets: segmentationPresets,
  create: trafficSegmentationReal,
});
