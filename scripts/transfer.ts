/**
 * Measures how well networks that were trained on drawn streets find cars on real ones: `npm run transfer -- --data DIR`.
 *
 * It compares a hand-set θ, random θ, and the same network trained on real images, on all of them and on few.
 */
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { filePath, integer, jsonObject, THETA_HELP } from '../agents/run/flags.ts';
import { createExperiment } from '../env/experiments/load.ts';
import real from '../env/experiments/traffic-segmentation-real.ts';
import { drawSamples } from '../env/simulators/draw-samples.ts';
import { spread } from '../env/targets/spread.ts';
import { TRAFFIC_PARAMETERS } from '../env/simulators/traffic/parameters.ts';
import { describeBackend, loadBackend } from '../env/tasks/tensorflow/backend.ts';
import { completeTheta, type Theta } from '../protocol/parameters.ts';
import { deriveSeed } from '../protocol/random.ts';
import { drawPredictions } from './figures/run-pictures.ts';
import { commandLine, commit, machine } from './provenance.ts';
import { randomThetas } from './reproduce/arms.ts';
import type { EnvOptions } from './reproduce/experiment.ts';
import { CAR_IOU } from './reproduce/streets.ts';
import { backendFlag, dataFlag, runtimeOf, type RuntimeFlags } from './runtime-flags.ts';
import { summariseArms, writeSummary } from './reproduce/summary.ts';
import { FEW, trainedArm, type RealExperiment } from './reproduce/trained-arm.ts';

interface Options extends RuntimeFlags {
  readonly data: string;
  readonly theta: Theta;
  readonly seeds: number;
  readonly randomThetas: number;
  readonly preset: string;
  readonly out: string;
  readonly envOptions: EnvOptions;
}

const METRICS = { metric: CAR_IOU, alsoReported: ['heldOut.carIou', 'softCarIou', 'heldOut.softCarIou'] };
const ABOUT =
  'Mean ± half of the 95 % interval (Student’s t) over n trainings, each on images, first weights and batches of its own (random: each on a θ of its own). test: the official test split, other streets; validation and heldOut: blocks of the training streets that no network is trained on.';

const command = new Command('transfer')
  .description('Trains networks on drawn and on real streets, and scores them on real ones.')
  .addOption(dataFlag().makeOptionMandatory())
  .option('--theta <json|file>', THETA_HELP, jsonObject, {})
  .option('--seeds <n>', 'number of trainings of each kind', integer(1), 5)
  .option('--random-thetas <n>', 'number of random θ', integer(1), 10)
  .addOption(
    new Option('--preset <size>', 'size of images and training')
      .choices(Object.keys(real.presets!))
      .default('standard'),
  )
  .addOption(backendFlag())
  .option(
    '--env-options <json>',
    'options of the environment, which override the preset: {…} or a file',
    jsonObject,
    {},
  )
  .option('--out <folder>', 'folder for table and picture', filePath, join('results', 'transfer'))
  .parse();

/** Yields a training set of each θ in turn; each is drawn when the caller asks for it. */
async function* drawnSets({ simulator, trainingSamples }: RealExperiment, thetas: readonly Theta[]) {
  for (const [i, theta] of thetas.entries()) {
    const seed = deriveSeed(i + 1, 'synthetic training');
    yield drawSamples(simulator, theta, seed, trainingSamples);
  }
}

async function main(): Promise<void> {
  const options = command.opts<Options>();
  const theta = completeTheta(TRAFFIC_PARAMETERS, options.theta);
  const experiment = createExperiment(real, { preset: options.preset, ...options.envOptions }, runtimeOf(options))
    .experiment as RealExperiment;
  const made = commit(); // before anything is written
  const backend = describeBackend(await loadBackend(options.backend));
  console.log(`transfer ${JSON.stringify(options)} on ${backend}`);

  const times = <T>(item: T) => Array<T>(options.seeds).fill(item);
  const all = await experiment.training();
  const few = spread(all, FEW);
  const drawn = (thetas: readonly Theta[]) => drawnSets(experiment, thetas);
  const arms = {
    handSet: await trainedArm(experiment, 'hand-set θ', drawn(times(theta))),
    random: await trainedArm(experiment, 'random θ', drawn(randomThetas(TRAFFIC_PARAMETERS, options.randomThetas))),
    real: await trainedArm(experiment, `real images (${all.length})`, times(all)),
    realFew: await trainedArm(experiment, `real images (${few.length})`, times(few)),
  };
  const provenance = { experiment: 'transfer', command: commandLine('transfer'), commit: made, backend };
  writeSummary(options.out, summariseArms(provenance, arms, METRICS), {
    arms,
    metrics: METRICS,
    machine: machine(),
    about: ABOUT,
  });
  const [randomTheta] = randomThetas(TRAFFIC_PARAMETERS, 1);
  const shown = [
    { name: 'hand-set', theta },
    { name: 'random', theta: randomTheta! },
  ];
  await drawPredictions(experiment, shown, join(options.out, 'predictions.png'), false);
  console.log(`${options.out}  table.md, table.csv, summary.json, predictions.png`);
}

void main().catch((error: unknown) => {
  console.error(`transfer: ${(error as Error).message}`);
  process.exitCode = 1;
});
