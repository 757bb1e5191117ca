/** Networks that are trained on real images of streets: the ceiling of what simulated ones can teach. */
import type { Experiment } from '../../env/experiments/experiment.ts';
import type { trafficSegmentationReal } from '../../env/experiments/traffic-segmentation-real.ts';
import { spread } from '../../env/targets/spread.ts';
import { CAR_IOU } from './streets.ts';
import type { TrainedArm } from './study.ts';

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

/** Where a picture goes that shows photographs, beside one without them; git ignores it. */
export const withPhotographs = (path: string) => path.replace(/\.png$/, '-with-photographs.png');

/** The network of a picture that is trained on all of them. */
export async function realNetwork(experiment: Experiment) {
  const images = await training(experiment);
  return { name: title(images.length), images };
}

export const allImages: TrainedArm = { kind: 'trained', title, real: training };
export const fewImages: TrainedArm = {
  kind: 'trained',
  title,
  real: async (experiment) => spread(await training(experiment), FEW),
};
