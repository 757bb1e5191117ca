import { createHash } from 'node:crypto';
import { serialize } from 'node:v8';
import { createExperiment } from '../env/experiments/load.ts';
import type { ExperimentDefinition } from '../env/experiments/experiment.ts';
import { evaluationSeeds } from '../env/evaluate.ts';
import type { Runtime } from '../env/runtime.ts';
import { drawSample } from '../env/simulators/draw-samples.ts';
import { isPretrained, pretrainedName, savePretrained } from '../env/tasks/pretrained.ts';
import { defaultTheta } from '../protocol/parameters.ts';
import { deriveSeed, type Seed } from '../protocol/random.ts';
import { randomTheta } from './random-theta.ts';

/** How weights are made that every training of an environment starts from. */
export interface Pretraining {
  /** Images, each of a random θ. */
  readonly images: number;
  /** Steps of the optimiser. */
  readonly steps: number;
  /** Decides everything random. */
  readonly seed: Seed;
}

/**
 * Trains a network on images of random θ and keeps its weights. Every image has a θ of its own, so the network has seen
 * all kinds of streets and none too often. What is there already is not made again.
 *
 * @param options of the environment
 * @param say     is told, in a line, what is done
 * @returns the name of the weights, for the environment's option `pretrained`
 */
export async function pretrain(
  definition: ExperimentDefinition,
  options: Readonly<Record<string, unknown>>,
  { images, steps, seed }: Pretraining,
  runtime: Runtime,
  say: (line: string) => void,
): Promise<string> {
  const work = { trainingImages: images, steps, pretrained: '' };
  const { experiment, options: resolved } = createExperiment(definition, { ...options, ...work }, runtime);
  const { simulator, task } = experiment;
  const backend = (await experiment.prepare?.())?.split(/[ ;]/)[0];
  const { version, parameters } = simulator;
  const seeds = evaluationSeeds(seed);
  // Stands for what an experiment sets about its simulator beside θ, such as the parameters that are not free.
  const sample = createHash('sha256')
    .update(serialize(await drawSample(simulator, defaultTheta(parameters), seeds.simulation, 0)))
    .digest('hex');
  const settings = { env: definition.id, simulator: version, parameters, sample, options: resolved, seed, backend };
  const name = pretrainedName(settings);
  if (isPretrained(runtime.weights, name)) return name;
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
