/**
 * Makes weights to fine-tune from: `npm run pretrain -- --env TrafficSegmentation-v0 --preset quick`.
 *
 * Every training image has a random θ of its own, so the network has seen all kinds of streets and none too often. What
 * is there already is not made again.
 */
import { Command } from 'commander';
import { integer, jsonObject, seed } from '../agents/flags.ts';
import { evaluationSeeds } from '../env/evaluate.ts';
import { createExperiment, loadDefinition } from '../env/experiments/load.ts';
import { isPretrained, pretrainedName, savePretrained } from '../env/tasks/pretrained.ts';
import { deriveSeed } from '../protocol/random.ts';
import { randomTheta } from './random-theta.ts';

interface Flags {
  readonly env: string;
  readonly preset?: string;
  readonly envOptions: Record<string, unknown>;
  readonly images: number;
  readonly steps: number;
  readonly seed: number;
}

async function pretrain(flags: Flags): Promise<void> {
  const definition = await loadDefinition(flags.env);
  const preset = flags.preset === undefined ? {} : { preset: flags.preset };
  const work = { trainingImages: flags.images, steps: flags.steps, pretrained: '' };
  const { experiment, options } = createExperiment(definition, { ...preset, ...flags.envOptions, ...work });
  const { simulator, task } = experiment;
  const backend = (await experiment.prepare?.())?.split(/[ ;]/)[0];
  const settings = { env: definition.id, simulator: simulator.version, options, seed: flags.seed, backend };
  const name = pretrainedName(settings);
  if (!isPretrained(name)) {
    const seeds = evaluationSeeds(flags.seed);
    const samples = Array.from({ length: flags.images }, (_, index) => {
      if (index % 250 === 0) console.log(`drawing ${index} of ${flags.images}`);
      return simulator.draw(
        randomTheta(simulator.parameters, deriveSeed(flags.seed, 'theta', index)),
        seeds.simulation,
        index,
      );
    });
    const model = await task.train(samples, seeds, ({ fraction, loss }) =>
      console.log(`training ${Math.round(100 * fraction)} %, loss ${loss?.toFixed(3)}`),
    );
    if (!model.weights)
      throw new Error(`${definition.id}: expected a task whose models have weights, got ${task.name}`);
    if (!Number.isFinite(model.weights[0])) throw new Error('the training diverged: try a smaller learningRate');
    console.log(`written to ${savePretrained(name, model.weights, settings)}`);
    model.dispose();
  }
  console.log(`to start every training from it: --env-options '${JSON.stringify({ ...preset, pretrained: name })}'`);
}

void new Command('pretrain')
  .description('Trains a network on images of random θ, and keeps its weights for trainings to start from.')
  .requiredOption('--env <id>', 'environment: an id or the path of a module')
  .option('--preset <name>', 'a preset of it')
  .option('--env-options <json>', 'options of the environment, {…} or a file', jsonObject, {})
  .option('--images <n>', 'images, each of a random θ', integer(1), 2000)
  .option('--steps <n>', 'steps of the optimiser', integer(1), 2000)
  .option('--seed <n>', 'decides everything random', seed, 1)
  .action(async (flags: Flags, command: Command) => {
    try {
      await pretrain(flags);
    } catch (error) {
      command.error(`pretrain: ${(error as Error).message}`);
    }
  })
  .parseAsync();
