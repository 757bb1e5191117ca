/**
 * The paper's headline (Ruiz et al. 2019, sec. 4.4): which simulated streets teach a network to find cars in real ones?
 *
 * The real images are in a folder that is named when the server starts (`--data`), never by a client.
 */
import { z } from 'zod';
import { SoftwareRenderer } from '../render/software/software-renderer.ts';
import { trafficSimulator } from '../simulators/traffic/traffic.ts';
import type { Runtime } from '../runtime.ts';
import type { LabelledImage } from '../streets/labelled-image.ts';
import { freeParameters, startTheta } from '../simulators/free-parameters.ts';
import { spread } from '../targets/spread.ts';
import { readFrames, streetFrames, type StreetFrames } from '../streets/street-images.ts';
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
  const simulator = freeParameters(trafficSimulator({ width, height, renderer: new SoftwareRenderer() }), free);
  const { layout, frames } = streetFrames(data);
  const read = (role: keyof StreetFrames, count = Infinity) => {
    let images: Promise<LabelledImage[]> | undefined;
    return () => (images ??= readFrames(spread(frames[role], count), layout, { width, height }));
  };
  const validation = read('validation', validationImages);
  const heldOut = read('heldOut', testImages);
  // Of a data set without public test labels, only the held-out blocks are reported.
  const official = frames.test.length > 0 ? read('test', testImages) : undefined;
  const task = segmentationTaskOf(given, runtime);
  return {
    simulator,
    task,
    target: {
      name: `${layout.name}, ${frames.validation.length} validation frames`,
      validation,
      test: official ?? heldOut,
      ...(official && { alsoTest: { heldOut } }),
    },
    trainingSamples: trainingImages,
    replicates,
    start: startTheta(simulator, POOR_STREETS),
    /** Reads every image, so that a broken file is named before any evaluation starts. */
    async prepare() {
      await Promise.all([validation(), heldOut(), official?.()]);
      return task.prepare();
    },
    /** Real images to train on: the score of that network is the ceiling of a search. */
    training: read('training'),
  } satisfies Experiment<LabelledImage> & { training: unknown };
}

export default defineExperiment({
  id: 'TrafficSegmentationReal-v0',
  title: 'Traffic scenes, semantic segmentation, car IoU on real street images',
  options,
  presets: segmentationPresets,
  create: trafficSegmentationReal,
});
