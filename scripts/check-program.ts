/** `npm run check-program`: runs a simulator or a trainer once or twice, and says in sentences what is missing or wrong. */
import { Option } from 'commander';
import { integer, jsonObject, seed, THETA_HELP, word } from '../agents/run/flags.ts';
import { endDescendants } from '../agents/run/process-family.ts';
import { newCommand, runProgram, sentenceOf } from '../agents/run/run-program.ts';
import { evaluationSeeds } from '../env/evaluate.ts';
import { PROGRAM_TASKS, type ProgramTask } from '../env/experiments/program.ts';
import { commandOf, type Command } from '../env/programs/command.ts';
import { asFiles, programSimulator, writtenSimulator, type StoredImage } from '../env/programs/simulator.ts';
import { labelledTarget, storedTarget, type LabelClasses } from '../env/programs/target.ts';
import { streetClasses } from '../env/tasks/segmentation/merged-classes.ts';
import { metricsOf } from '../env/programs/trainer.ts';
import { createRenderer } from '../env/render/create-renderer.ts';
import type { ProgramsRuntime } from '../env/runtime.ts';
import { withSamples } from '../env/simulators/draw-samples.ts';
import type { Simulator } from '../env/simulators/simulator.ts';
import { annotator } from '../env/simulators/traffic/annotations.ts';
import { trafficSimulator } from '../env/simulators/traffic/traffic.ts';
import type { Target } from '../env/targets/target.ts';
import { completeTheta, type Theta } from '../protocol/parameters.ts';
import { wrong, type Finding, type Say } from './check-program/finding.ts';
import { checkSimulator } from './check-program/simulator.ts';
import { checkTrainer } from './check-program/trainer.ts';
import { addProgramFlags, programsOf, type ProgramFlags } from './program-flags.ts';
import { dataFlag, rendererFlag, type RuntimeFlags } from './runtime-flags.ts';

const command = addProgramFlags(newCommand('check-program'))
  .description(
    'Runs a program as an evaluation does, and says what is missing or wrong. The exit code is 1 if anything is.',
  )
  .addOption(dataFlag())
  .addOption(rendererFlag())
  .addOption(
    new Option('--task <name>', 'what the images are for, where no trainer is a program')
      .choices(PROGRAM_TASKS)
      .default('segmentation'),
  )
  .option('--classes <names>', 'what is detected, separated by commas', (text) => text.split(','), ['car'])
  .option('--score-class <name>', 'the class that segmentation is scored by, where --data names classes', word, '')
  .option('--theta <file|json>', THETA_HELP, jsonObject, {})
  .option('--seed <n>', 'seed of the images', seed, 1)
  .option('--count <n>', 'number of images', integer(1, 100_000), 8)
  .option('--width <pixels>', 'width of an image', integer(16, 4096), 96)
  .option('--height <pixels>', 'height of an image', integer(16, 4096), 72)
  .option('--simulator-options <json>', 'options of the simulator', jsonObject, {})
  .option('--trainer-options <json>', 'options of the trainer', jsonObject, {});

interface Options extends ProgramFlags, Pick<RuntimeFlags, 'data'>, Required<Pick<RuntimeFlags, 'renderer'>> {
  readonly task: ProgramTask;
  readonly classes: readonly string[];
  readonly scoreClass: string;
  readonly theta: Theta;
  readonly seed: number;
  readonly count: number;
  readonly width: number;
  readonly height: number;
  readonly simulatorOptions: Record<string, never>;
  readonly trainerOptions: Record<string, never>;
}

async function main(): Promise<void> {
  endDescendants();
  const options = command.parse().opts<Options>();
  const programs = programsOf(options, 1);
  if (!programs) return command.error('expected --simulator or --trainer, got neither');
  let isWrong = false;
  const say = ({ kind, sentence }: Finding) => {
    console.log(`${kind.padEnd(6)}${sentence}`);
    isWrong ||= kind === 'wrong';
  };
  try {
    await checkPrograms(programs, options, say);
  } catch (error) {
    say(wrong(sentenceOf(error)));
  }
  console.log(isWrong ? 'Something is wrong.' : 'Nothing is wrong.');
  if (isWrong) process.exitCode = 1;
}

async function checkPrograms(programs: ProgramsRuntime, options: Options, say: Say): Promise<void> {
  const { simulator, trainer } = programs;
  const simulating = simulator && commandOf('simulator', simulator, programs);
  const training = trainer && commandOf('trainer', trainer, programs);
  const commands = [simulating, training].filter((command) => command !== undefined);
  try {
    for (const command of commands) command.check();
    const images = simulating
      ? await checkedSimulator(simulating, programs, options, say)
      : ourSimulator(programs, options);
    if (training) await checkTrainerOn(images, training, programs, options, say);
  } finally {
    for (const { program } of commands) program.close();
  }
}

/** Checks a simulator, and returns it for a trainer that is checked on its images. */
async function checkedSimulator(
  { line, program }: Command,
  programs: ProgramsRuntime,
  options: Options,
  say: Say,
): Promise<Simulator<StoredImage>> {
  const { width, height, seed, count, task, data, classes: wanted, scoreClass } = options;
  const { work, keep, deterministic } = programs;
  const { parameters } = programs.simulator!;
  const theta = completeTheta(parameters, options.theta);
  const size = { width, height };
  const simulator = { name: line, program, parameters, size, options: options.simulatorOptions, work, keep };
  const reader = programs.trainer ? 'trainer' : task;
  const labels: LabelClasses =
    data !== undefined && reader === 'segmentation'
      ? labelledTarget(data, { ...size, validation: count, test: count }, scoreClass)
      : { named: undefined, classes: streetClasses(scoreClass || 'car') };
  const check = { simulator, reader, labels, wanted, theta, seed, count, deterministic } as const;
  await checkSimulator(check, named('simulator', say));
  return programSimulator({ ...simulator, read: asFiles });
}

function ourSimulator(programs: ProgramsRuntime, { width, height, ...given }: Options): Simulator<StoredImage> {
  const renderer = createRenderer(given.renderer);
  return writtenSimulator(trafficSimulator({ width, height, renderer }), annotator(renderer), programs);
}

async function checkTrainerOn(
  simulator: Simulator<StoredImage>,
  { line, program }: Command,
  programs: ProgramsRuntime,
  { width, height, seed, count, data, theta, trainerOptions }: Options,
  say: Say,
): Promise<void> {
  const metrics = metricsOf(programs.trainer!);
  const size = { width, height };
  const { deterministic, work, keep } = programs;
  const trainer = { name: line, program, metrics, reward: metrics[0]!.name, size, options: trainerOptions, keep };
  const checkWith = (samples: StoredImage[], target: Target<StoredImage>) => {
    const seeds = evaluationSeeds(seed);
    return checkTrainer({ trainer, samples, target, seeds, deterministic }, named('trainer', say));
  };
  const draw = (seed: number, use: (samples: StoredImage[]) => Promise<void>) =>
    withSamples(simulator, theta, seed, count, {}, use);
  await draw(seed, async (samples) => {
    if (data !== undefined) {
      return checkWith(samples, storedTarget(data, { ...size, validation: count, test: count }, work).target);
    }
    return draw(seed + 1, (validation) =>
      draw(seed + 2, (test) => {
        const sets = { validation: () => Promise.resolve(validation), test: () => Promise.resolve(test) };
        return checkWith(samples, { name: 'drawn', ...sets });
      }),
    );
  });
}

const named =
  (role: string, say: Say): Say =>
  ({ kind, sentence }) =>
    say({ kind, sentence: `${role}: ${sentence}` });

await runProgram('check-program', main);
