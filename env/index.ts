/**
 * What your own environment needs. The server loads a module by its path: `npm run serve -- --env ./mine.ts`.
 *
 *     import { defineExperiment, defineParameters, hiddenTarget, z } from 'learning-to-simulate/environment';
 *
 *     export default defineExperiment({
 *       id: 'Mine-v0',
 *       title: 'What it is, in a few words',
 *       options: z.strictObject({ samples: z.int().min(1).default(100) }),
 *       create: ({ samples }) => ({ simulator, task, target, trainingSamples: samples, start: {} }),
 *     });
 *
 * env/examples/line.ts is a complete one; dice.ts beside it has every kind of parameter.
 */
export { defineExperiment, type Experiment, type ExperimentDefinition } from './experiments/experiment.ts';
export { FailedError } from './failed-error.ts';
export type { RgbPicture, SamplePictures, Strip } from './pictures.ts';
export { InfeasibleError, type DataSet, type Simulator } from './simulators/simulator.ts';
export type { Runtime } from './runtime.ts';
export type { Metric, Scores, Task, TrainedModel, TrainingProgress } from './tasks/task.ts';
export type { SampleSet, Target } from './targets/target.ts';
export { hiddenTarget } from './targets/hidden.ts';
export { completeTheta, defineParameters, type Parameter, type Theta, type ThetaOf } from '../protocol/parameters.ts';
export { deriveSeed, Random, type Seed } from '../protocol/random.ts';
export { z } from 'zod';
