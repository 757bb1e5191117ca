/** Networks that are trained on real images of streets: the ceiling of what simulated ones can teach. */
import type { Experiment } from '../../env/experiments/experiment.ts';
import { createExperiment } from '../../env/experiments/load.ts';
import real, { type trafficSegmentationReal } from '../../env/experiments/traffic-segmentation-real.ts';
import type { Runtime } from '../../env/runtime.ts';
import { spread } from '../../env/targets/spread.ts';
import { drawPredictions, drawStreets, type ShownTheta } from '../figures/side-by-side.ts';
import { CAR_IOU, withScore } from './streets.ts';
import type { Evidence, TrainedArm } from './study.ts';

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

/** Where the picture goes that has photographs too; git ignores it. */
const withPhotographs = (path: string) => path.replace(/\.png$/, '-with-photographs.png');

/**
 * Draws what networks see that were trained on streets of each θ, and on all the real images (the arm `real`). Another
 * picture beside it has the test images too.
 */
export async function drawRealPredictions(
  evidence: Evidence,
  thetas: readonly ShownTheta[],
  path: string,
  runtime: Runtime,
): Promise<void> {
  const { experiment } = createExperiment(real, evidence.preset.envOptions, runtime);
  const images = await training(experiment);
  const networks = [...thetas, { name: withScore(evidence, 'real', title(images.length)), images }];
  await drawPredictions(experiment as RealExperiment, networks, path, withPhotographs(path));
}

/** Draws the same scenes of each θ. Another picture beside it has real images too. */
export async function drawRealStreets(
  { preset }: Evidence,
  thetas: readonly ShownTheta[],
  path: string,
  runtime: Runtime,
): Promise<void> {
  const { experiment } = createExperiment(real, preset.envOptions, runtime);
  const { simulator } = experiment as RealExperiment;
  const images = await training(experiment);
  await drawStreets(simulator, thetas, path, { images, path: withPhotographs(path) });
}

export const allImages: TrainedArm = { kind: 'trained', title, real: training };
export const fewImages: TrainedArm = {
  kind: 'trained',
  title,
  real: async (experiment) => spread(await training(experiment), FEW),
};
