/**
 * Measures how well networks that were trained on drawn streets find cars on real ones: `npm run transfer -- --data DIR`.
 *
 * It compares a hand-set θ, random θ, and the same network trained on real images, on all of them and on few.
 */
import { join } from 'node:path';
import { Option } from 'commander';
import { filePath, integer, jsonObject, THETA_HELP } from '../agents/run/flags.ts';
import { newCommand, runProgram } from '../agents/run/run-program.ts';
import real from '../env/experiments/traffic-segmentation-real.ts';
import { TRAFFIC_PARAMETERS } from '../env/simulators/traffic/parameters.ts';
import { describeBackend, loadBackend } from '../env/tasks/tensorflow/backend.ts';
import { completeTheta, type Theta } from '../protocol/parameters.ts';
import { ownPrograms } from './programs.ts';
import { commandLine, commit } from './provenance.ts';
import { identityOf, keptLogs, prepareFolders, redraw, runStudy } from './reproduce/run-study.ts';
import type { EnvOptions, Preset } from './reproduce/study.ts';
import { transferStudy } from './reproduce/transfer.ts';
import { backendFlag, dataFlag, runtimeOf, type RuntimeFlags } from './runtime-flags.ts';

interface Options extends RuntimeFlags {
  readonly theta: Theta;
  readonly seeds: number;
  readonly randomThetas: number;
  readonly preset: string;
  readonly out: string;
  readonly logs?: string;
  readonly figuresOnly?: true;
  readonly envOptions: EnvOptions;
}

const command = newCommand('transfer')
  .description('Trains networks on drawn and on real streets, and scores them on real ones.')
  .addOption(dataFlag())
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
  .option(
    '--logs <folder>',
    'trainings, from which it goes on (default: a folder in runs/ for these images, options and θ)',
    filePath,
  )
  .option('--figures-only', 'train nothing: write the tables again from --logs, or from those kept in --out')
  .parse();

async function main(): Promise<void> {
  const options = command.opts<Options>();
  const { out } = options;
  const theta = completeTheta(TRAFFIC_PARAMETERS, options.theta);
  const study = transferStudy(theta);
  if (options.figuresOnly) {
    const folders = [...(options.logs === undefined ? [] : [options.logs]), keptLogs(out)];
    await redraw(study, folders, out, 'npm run transfer -- --data DIR');
    return;
  }
  if (options.data === undefined) throw new Error('expected --data DIR, a folder of real street images, got none');
  const preset: Preset = {
    searchSeeds: options.seeds,
    evaluations: {},
    randomThetas: options.randomThetas,
    envOptions: { preset: options.preset, ...options.envOptions },
  };
  const runtime = runtimeOf(options);
  const identity = await identityOf(study, preset, runtime, theta);
  const made = { command: commandLine('transfer'), commit: commit(), identity }; // before anything is written
  const backend = describeBackend(await loadBackend(options.backend));
  const logs = options.logs ?? join('runs', `transfer-${identity}`);
  prepareFolders(logs, out);
  console.log(`transfer ${JSON.stringify(options)} on ${backend}`);
  await runStudy(study, preset, { programs: ownPrograms(), runtime, logs }, { ...made, backend }, out);
}

await runProgram('transfer', main);
