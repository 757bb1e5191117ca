/** Networks that are trained on real images of streets: the ceiling of what simulated ones can teach. */
import type { Experiment } from '../../env/experiments/experiment.ts';
import { createExperiment } from '../../env/experiments/load.ts';
import real, { type trafficSegmentationReal } from '../../env/experiments/traffic-segmentation-real.ts';
import type { Runtime } from '../../env/runtime.ts';
import { spread } from '../../env/targets/spread.ts';
import { drawPredictions, type ShownTheta } from '../figures/run-pictures.ts';
import { CAR_IOU } from './streets.ts';
import type { Preset, TrainedArm } from './study.ts';

export type RealExperiment = ReturnType<typeof trafficSegmentationReal>;

/** How many real images are few. */
const FEW = 50;

/** What studies of real streets compare their arms by, and report. */
export const REAL_METRICS = {
  metric: CAR_IOU,
  alsoReported: ['heldOut.carIou', 'softCarIou', 'heldOut.softCarIou'],
};

const training = (experiment: Experiment) => (experiment as RealExperiment).training();
const title = (images: number) => `real images (${images})`;

/**
 * Draws what networks see that were trained on streets of each θ, and on all the real images. Another picture beside it,
 * `…-with-photographs.png`, has the test images too; git ignores it.
 */
export async function drawRealPredictions(
  { envOptions }: Preset,
  thetas: readonly ShownTheta[],
  path: string,
  runtime: Runtime,
): Promise<void> {
  const { experiment } = createExperiment(real, envOptions, runtime);
  const images = await training(experiment);
  const networks = [...thetas, { name: title(images.length), images }];
  await drawPredictions(experiment as RealExperiment, networks, path, path.replace(/\.png$/, '-with-photographs.png'));
}

export const allImages: TrainedArm = { kind: 'trained', title, real: training };
export const fewImages: TrainedArm = {
  kind: 'trained',
  title,
  real: async (experiment) => spread(await training(experiment), FEW),
};
