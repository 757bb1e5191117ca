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
import { freeParameters, startTheta } from '../simulators/free-parameters.ts';
import { spread } from '../targets/spread.ts';
import { contentOf } from '../streets/content.ts';
import { readFrames, streetFrames, type StreetFrames } from '../streets/street-images.ts';
import { MERGED_CAR, MERGED_ID } from '../tasks/segmentation/merged-classes.ts';
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
  const { layout, frames } = streetFrames(data);
  let hash: string | undefined;
  const content = () => (hash ??= contentOf(frames));
  const read = (role: keyof StreetFrames, count = Infinity) => {
    let images: Promise<LabelledImage[]> | undefined;
    return () => {
      content(); // of the files as they are read
      return (images ??= readFrames(spread(frames[role], count), { width, height }));
    };
  };
  /** A set that scores are taken on. */
  const scored = (role: keyof StreetFrames, count: number) => {
    const images = read(role, count);
    return async () => withCar(await images(), `${data}: ${role}`);
  };
  const validation = scored('validation', validationImages);
  const official = frames.test.length > 0 ? scored('test', testImages) : undefined;
  // A small data set may have no held-out block, or no car there, and one without public test labels is tested on those
  // blocks alone.
  const further = read('heldOut', testImages);
  const heldOutOrNone = async () => ((await further()).some(hasCar) ? further() : []);
  const heldOut = frames.heldOut.length === 0 ? undefined : official ? heldOutOrNone : scored('heldOut', testImages);
  const training = read('training');
  const task = segmentationTaskOf(given, runtime);
  return {
    simulator,
    task,
    target: {
      name: `${layout.name}, ${frames.validation.length} validation frames`,
      validation,
      test: (official ?? heldOut)!,
      ...(official && heldOut && { alsoTest: { heldOut } }),
      content,
    },
    trainingSamples: trainingImages,
    replicates,
    start: startTheta(simulator, POOR_STREETS),
    /** Reads every image, so that a broken file is named before any evaluation starts. */
    async prepare() {
      for (const set of [validation, heldOut, official, training]) await set?.();
      return task.prepare();
    },
    /** Real images to train on: the score of that network is the ceiling of a search. */
    training,
  } satisfies Experiment<LabelledImage> & { training: unknown };
}

const hasCar = ({ classes }: LabelledImage) => classes.some((id) => MERGED_ID[id] === MERGED_CAR);

/** The images. @throws {Error} naming the set when no pixel of them is a car: nothing could be scored then */
function withCar(images: readonly LabelledImage[], set: string): readonly LabelledImage[] {
  if (images.some(hasCar)) return images;
  throw new Error(
    `${set}: expected a car in at least one image, found none in ${images.length}, and the score is about cars. ` +
      'More images, or larger ones, would do; or labels whose cars have the data set’s own id or colour',
  );
}

export default defineExperiment({
  id: 'TrafficSegmentationReal-v0',
  title: 'Traffic scenes, semantic segmentation, car IoU on real street images',
  options,
  presets: segmentationPresets,
  create: trafficSegmentationReal,
});
