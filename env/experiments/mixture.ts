import { z } from 'zod';
import { defaultTheta } from '../../protocol/parameters.ts';
import { deriveSeed } from '../../protocol/random.ts';
import { MIXTURE_PARAMETERS, mixtureSimulator, realPoints, type LabelledPoint } from '../simulators/mixture/mixture.ts';
import { CLOUD_PICTURES } from '../simulators/mixture/pictures.ts';
import { svmTask } from '../tasks/svm.ts';
import { defineExperiment, type Experiment } from './experiment.ts';

/** The real data's own seed: the same validation and test points for everyone. */
const REAL_SEED = 1810_02513;

const options = z.strictObject({
  /** Number of training points from each of the simulator's four components. */
  pointsPerComponent: z.int().min(1).max(10_000).default(50),
  /** Number of points in the validation set. */
  validation: z.int().min(6).max(100_000).default(600),
  /** Number of points in the test set. */
  test: z.int().min(6).max(100_000).default(3000),
  /** γ of the kernel exp(−γ|x − y|²). */
  gamma: z.number().positive().default(0.5),
  /** C: the price of a point on the wrong side of the margin. */
  cost: z.number().positive().default(1),
  /** Number of trainings whose scores are averaged. */
  replicates: z.int().min(1).max(100).default(1),
});

/** The paper's toy problem: which two Gaussians per class train the best SVM for a real mixture of three per class? */
export default defineExperiment({
  id: 'Mixture-v0',
  title: 'Gaussian mixture with two components a class, RBF-SVM, real data with three',
  options,
  create({ pointsPerComponent, validation, test, gamma, cost, replicates }): Experiment<LabelledPoint> {
    const simulator = mixtureSimulator();
    // Drawn when they are first needed: the server describes the environment, and must not wait for 100,000 points.
    const real = (name: string, count: number) => {
      let points: readonly LabelledPoint[] | undefined;
      return async () => (points ??= realPoints(deriveSeed(REAL_SEED, name), count));
    };
    return {
      simulator,
      task: svmTask({ gamma, cost }),
      target: {
        name: 'mixture with three components a class',
        validation: real('validation', validation),
        test: real('test', test),
      },
      pictures: CLOUD_PICTURES,
      trainingSamples: pointsPerComponent * 4,
      replicates,
      start: defaultTheta(MIXTURE_PARAMETERS),
    };
  },
});
