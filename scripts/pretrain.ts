/** Makes pretrained weights for fine-tuning: `npm run pretrain -- --env TrafficSegmentation-v0 --preset quick`. */
import { integer, jsonObject, seed, word } from '../agents/run/flags.ts';
import { newCommand, runProgram } from '../agents/run/run-program.ts';
import { loadDefinition } from '../env/experiments/load.ts';
import { pretrain, type Pretraining } from './pretraining.ts';
import { addProgramFlags, programRuntime, type ProgramFlags } from './program-flags.ts';
import { backendFlag, dataFlag, type RuntimeFlags } from './runtime-flags.ts';

interface Flags extends Pretraining, RuntimeFlags, ProgramFlags {
  readonly env: string;
  readonly preset?: string;
  readonly envOptions: Record<string, unknown>;
}

const command = addProgramFlags(newCommand('pretrain'))
  .description('Trains a network on images of random θ, and keeps its weights as the start of later trainings.')
  .requiredOption('--env <id>', 'environment: an id or the path of a module', word)
  .option('--preset <name>', 'a preset of it', word)
  .option('--env-options <json>', 'options of the environment, {…} or a file', jsonObject, {})
  .addOption(backendFlag())
  .addOption(dataFlag())
  .option('--images <n>', 'number of images, each of another random θ', integer(1), 2000)
  .option('--steps <n>', 'number of steps of the optimiser', integer(1), 2000)
  .option('--seed <n>', 'decides everything random', seed, 1)
  .parse();

await runProgram('pretrain', async () => {
  const { env, preset, envOptions, images, steps, seed, ...flags } = command.opts<Flags>();
  const named = preset === undefined ? {} : { preset };
  const definition = await loadDefinition(env);
  const work = { images, steps, seed };
  const name = await pretrain(definition, { ...named, ...envOptions }, work, programRuntime(flags, 1), console.log);
  const options = JSON.stringify({ ...named, ...envOptions, pretrained: name });
  console.log(`to start every training from it: --env-options '${options}'`);
});
