import { createHash } from 'node:crypto';
import { serialize } from 'node:v8';
import { makeFolder } from '../protocol/make-folder.ts';
import { createExperiment } from '../env/experiments/load.ts';
import type { ExperimentDefinition } from '../env/experiments/experiment.ts';
import { evaluationSeeds } from '../env/evaluate.ts';
import type { Runtime } from '../env/runtime.ts';
import { drawSample } from '../env/simulators/draw-samples.ts';
import { isPretrained, pretrainedName, savePretrained } from '../env/tasks/pretrained.ts';
import { defaultTheta } from '../protocol/parameters.ts';
import { deriveSeed, type Seed } from '../protocol/random.ts';
import { randomTheta } from './random-theta.ts';

/** The settings for pretrained weights, from which every training of an environment can start. */
export interface Pretraining {
  /** The number of images, each of another random θ. */
  readonly images: number;
  /** The number of steps of the optimiser. */
  readonly steps: number;
  /** Decides everything random. */
  readonly seed: Seed;
}

/**
 * Trains a network on images of random θ and keeps its weights. Every image has its own θ, so that the network sees
 * streets of all kinds. Weights that exist already are not made again.
 *
 * @param options options of the environment
 * @param say     called with lines that report progress
 * @returns the name of the weights, for the environment's option `pretrained`
 * @throws {Error} when the environment takes no weights, the task's models have none, or the training diverges
 */
export async function pretrain(
  definition: ExperimentDefinition,
  options: Readonly<Record<string, unknown>>,
  { images, steps, seed }: Pretraining,
  runtime: Runtime,
  say: (line: string) => void,
): Promise<string> {
  const work = { trainingImages: images, steps, pretrained: '' };
  const lacking = Object.keys(work).filter((option) => !Object.hasOwn(definition.options.shape, option));
  if (lacking.length > 0) {
    throw new Error(
      `${definition.id}: expected an environment that takes weights to start from, got one without the options ${lacking.join(', ')}`,
    );
  }
  const { experiment, options: resolved } = createExperiment(definition, { ...options, ...work }, runtime);
  const { simulator, task } = experiment;
  const backend = (await experiment.prepare?.())?.split(/[ ;]/)[0];
  const { version, parameters } = simulator;
  const seeds = evaluationSeeds(seed);
  // The hash of a sample covers settings of the simulator that are not in θ, such as the parameters that are not free.
  const sample = createHash('sha256')
    .update(serialize(await drawSample(simulator, defaultTheta(parameters), seeds.simulation, 0)))
    .digest('hex');
  const settings = { env: definition.id, simulator: version, parameters, sample, options: resolved, seed, backend };
  const name = pretrainedName(settings);
  if (isPretrained(runtime.weights, name)) return name;
  makeFolder(runtime.weights); // an error now, not when all is trained
  const samples: unknown[] = [];
  for (let index = 0; index < images; index++) {
    if (index % 250 === 0) say(`drawing ${index} of ${images}`);
    const theta = randomTheta(parameters, deriveSeed(seed, 'theta', index));
    samples.push(await drawSample(simulator, theta, seeds.simulation, index));
  }
  const model = await task.train(samples, seeds, ({ fraction, loss }) =>
    say(`training ${Math.round(100 * fraction)} %, loss ${loss?.toFixed(3)}`),
  );
  try {
    if (!model.weights) {
      throw new Error(`${definition.id}: expected a task whose models have weights, got ${task.name}`);
    }
    if (!Number.isFinite(model.weights[0])) throw new Error('the training diverged: try a smaller learningRate');
    say(`written to ${savePretrained(runtime.weights, name, model.weights, settings)}`);
  } finally {
    model.dispose();
  }
  return name;
}
