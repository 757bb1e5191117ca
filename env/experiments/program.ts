/**
 * Any simulator, any trainer: either is a program of somebody's, or one of ours. env/programs.md is the contract.
 *
 * The programs and the folder are named when the server starts, never by a client.
 */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { shown } from '../../protocol/errors.ts';
import type { Theta } from '../../protocol/parameters.ts';
import { imageFile, imagesOf, readBoxed, readCountable, readLabelled } from '../dataset/read.ts';
import { commandOf, type Command } from '../programs/command.ts';
import { SetCache } from '../programs/set-cache.ts';
import {
  asFiles,
  programSimulator,
  writtenSimulator,
  type ReadImages,
  type StoredImage,
} from '../programs/simulator.ts';
import {
  boxedTarget,
  countedTarget,
  labelledTarget,
  photographTarget,
  storedTarget,
  type FolderTarget,
  type TargetSize,
} from '../programs/target.ts';
import { metricsOf, programTask } from '../programs/trainer.ts';
import { removeAbandoned } from '../programs/working-folder.ts';
import { createRenderer } from '../render/create-renderer.ts';
import type { ProgramsRuntime, Runtime } from '../runtime.ts';
import { freeParameters, startTheta } from '../simulators/free-parameters.ts';
import type { SamplePictures } from '../pictures.ts';
import type { Simulator } from '../simulators/simulator.ts';
import { annotator } from '../simulators/traffic/annotations.ts';
import { CAR_TYPES } from '../simulators/traffic/parameters.ts';
import { trafficSimulator } from '../simulators/traffic/traffic.ts';
import { DIFFICULTIES } from '../streets/kitti-boxes.ts';
import { carCounts } from '../tasks/counting/counts.ts';
import { COUNTING_METRICS } from '../tasks/counting/scores.ts';
import { DETECTION_METRICS } from '../tasks/detection/scores.ts';
import { boxedPictures } from '../streets/box-pictures.ts';
import { IMAGE_PICTURES, labelledPictures } from '../streets/pictures.ts';
import { readPhotograph } from '../streets/photograph.ts';
import { fewAtOnce, readPictures } from '../streets/street-images.ts';
import { MATCH_METRICS, MATCH_TAP, matchTask } from '../tasks/match.ts';
import { segmentationMetrics } from '../tasks/segmentation/scores.ts';
import type { Metric, Task } from '../tasks/task.ts';
import { defineExperiment, type Experiment } from './experiment.ts';
import { PRETRAINED_PRESET } from './image-options.ts';
import { POOR_STREETS } from './streets.ts';
import { countingTaskOf } from './traffic-counting.ts';
import { detectionTaskOf } from './traffic-detection.ts';
import { segmentationOptions, segmentationPresets, segmentationTaskOf } from './traffic-segmentation.ts';

const jsonOptions = z.record(z.string(), z.json()).default({});

/** What is learned where no trainer is a program; a match trains nothing. */
export const PROGRAM_TASKS = ['segmentation', 'counting', 'detection', 'match'] as const;
export type ProgramTask = (typeof PROGRAM_TASKS)[number];

/** Of all programs, and of our task where no trainer is a program. */
const options = segmentationOptions.extend({
  /** What is learned where no trainer is a program. */
  task: z.enum(PROGRAM_TASKS).default('segmentation'),
  /** What is detected, where that is the task. */
  classes: z.array(z.string().min(1).max(100)).min(1).max(20).default(['car']),
  /** What is asked for, where the data are KITTI's boxes. */
  difficulty: z.enum(DIFFICULTIES).default('moderate'),
  /** The class that the scores of our segmentation are of; empty: `car`, or the second where none has this name. */
  scoreClass: z.string().max(100).default(''),
  /** The name of the metric that is the reward; empty: the task's first, or the trainer's. */
  reward: z.string().max(200).default(''),
  /** Handed to the simulator, where it is a program. */
  simulatorOptions: jsonOptions,
  /** Handed to the trainer, where it is a program. */
  trainerOptions: jsonOptions,
});
type Options = z.infer<typeof options>;

const { quick, standard } = segmentationPresets;
const presets = {
  quick,
  standard,
  pretrained: PRETRAINED_PRESET,
  counting: { task: 'counting', trainingImages: 240, steps: 180, networkWidth: 0.5 },
} as const;

/** What the programs and the folder of the server's command line are, and what an experiment is made of. */
interface Given {
  readonly given: Options;
  readonly runtime: Runtime;
  readonly programs: ProgramsRuntime;
  readonly data: string;
  readonly size: TargetSize;
}

/** The experiment. @throws {Error} in a sentence, when the server was started without a program or a folder */
export function programExperiment(given: Options, runtime: Runtime): Experiment {
  const { programs, data } = runtime;
  const start = 'npm run serve -- --simulator COMMAND --parameters FILE --data DIR, or with --trainer COMMAND';
  if (!programs) throw new Error(`Program-v0: expected a simulator or a trainer that is a program: ${start}`);
  if (data === undefined) throw new Error(`Program-v0: expected a folder to score models on: ${start}`);
  const { width, height, validationImages: validation, testImages: test } = given;
  const all: Given = { given, runtime, programs, data, size: { width, height, validation, test } };
  const task = programs.trainer ? 'the trainer' : given.task;
  refuseOther('classes', given, task === 'detection', task);
  refuseOther('scoreClass', given, task === 'segmentation', task);
  if (programs.trainer) return withTrainer(all, programs.trainer);
  refuseOptions('trainerOptions', given.trainerOptions, 'the trainer is ours');
  switch (given.task) {
    case 'segmentation':
      return withSegmentation(all);
    case 'counting':
      return withCounting(all);
    case 'detection':
      return withDetection(all);
    case 'match':
      return withMatch(all);
  }
}

function withTrainer(all: Given, trainer: NonNullable<ProgramsRuntime['trainer']>): Experiment<StoredImage> {
  const { given, programs, data, size } = all;
  const { task: ours, reward } = given;
  if (ours !== 'segmentation') throw new Error(`task: expected none where the trainer is a program, got ${ours}`);
  const command = commandOf('trainer', trainer, programs);
  const metrics = metricsOf(trainer);
  const { steps, batchSize, learningRate, networkWidth, network, head, cell, taps, finetune, pretrained } = given;
  const training = { steps, batchSize, learningRate, networkWidth, network, head, cell, taps, finetune, pretrained };
  const task = programTask({
    name: command.line,
    program: command.program,
    metrics,
    reward: rewardOf(reward, metrics),
    size: { width: size.width, height: size.height },
    options: { ...training, ...given.trainerOptions },
    keep: programs.keep,
  });
  const target = storedTarget(data, size, programs.work);
  const simulated = programs.simulator ? simulatorProgram(all, asFiles) : writtenTraffic(all);
  const commands = [...simulated.commands, command];
  return assembled(all, { ...simulated, task, target, commands, pictures: storedPictures });
}

function withSegmentation(all: Given): Experiment {
  const { given, runtime, data, size } = all;
  const { named, classes, ...target } = labelledTarget(data, size, given.scoreClass);
  const reward = rewardOf(given.reward, segmentationMetrics(classes));
  return assembled(all, {
    ...simulatorProgram(all, (folder, indices) => readLabelled(folder, indices, size, named)),
    task: segmentationTaskOf({ ...given, reward }, runtime, classes),
    target,
    pictures: labelledPictures(named?.names),
  });
}

function withCounting(all: Given): Experiment {
  const { given, runtime, data, size } = all;
  const reward = rewardOf(given.reward, COUNTING_METRICS) as 'devianceExplained';
  return assembled(all, {
    ...simulatorProgram(all, (folder, indices) => readCountable(folder, indices, size)),
    task: countingTaskOf({ ...given, reward }, runtime),
    target: countedTarget(data, size, (image) => carCounts(image, CAR_TYPES).some((count) => count > 0)),
    pictures: IMAGE_PICTURES,
  });
}

function withDetection(all: Given): Experiment {
  const { given, runtime, data, size } = all;
  const { classes, difficulty } = given;
  const reward = rewardOf(given.reward, DETECTION_METRICS) as 'smoothAp';
  return assembled(all, {
    ...simulatorProgram(all, (folder, indices) => readBoxed(folder, indices, size, classes)),
    task: detectionTaskOf({ ...given, reward }, runtime),
    target: boxedTarget(data, size, { classes, difficulty }),
    pictures: boxedPictures(classes),
  });
}

function withMatch(all: Given): Experiment {
  const { given, runtime, data, size } = all;
  rewardOf(given.reward, MATCH_METRICS);
  return assembled(all, {
    ...simulatorProgram(all, (folder, indices) => readPictures(imagesOf(folder, indices), size)),
    task: matchTask({ tap: MATCH_TAP }, runtime),
    target: photographTarget(data, size),
    pictures: IMAGE_PICTURES,
  });
}

/** A simulator, the programs behind it, and where a search starts. */
interface Simulated<Sample> {
  readonly simulator: Simulator<Sample>;
  readonly commands: readonly Command[];
  readonly start: Theta;
}

function simulatorProgram<Sample>({ given, programs }: Given, read: ReadImages<Sample>): Simulated<Sample> {
  const { width, height, simulatorOptions } = given;
  const { simulator: setting, cache, work, keep } = programs;
  if (!setting) throw new Error('Program-v0: expected a simulator that is a program, or a trainer, got neither');
  const command = commandOf('simulator', setting, programs);
  const simulator = programSimulator({
    name: command.line,
    program: command.program,
    parameters: setting.parameters,
    size: { width, height },
    options: simulatorOptions,
    read,
    work,
    keep,
    cache: cache && { sets: new SetCache(cache.folder, cache.mostBytes), of: `${command.line} ${command.content}` },
  });
  return { simulator, commands: [command], start: setting.start };
}

function writtenTraffic({ given, runtime, programs }: Given): Simulated<StoredImage> {
  const { width, height, simulatorOptions } = given;
  refuseOptions('simulatorOptions', simulatorOptions, 'the simulator is ours');
  const renderer = createRenderer(runtime.renderer);
  const simulator = trafficSimulator({ width, height, renderer });
  return { simulator: writtenSimulator(simulator, annotator(renderer), programs), commands: [], start: POOR_STREETS };
}

/** The images of a trainer that is a program: what their labels mean, it alone knows. */
const storedPictures: SamplePictures<StoredImage> = {
  samples: IMAGE_PICTURES.samples,
  draw: async (images) =>
    IMAGE_PICTURES.draw(await fewAtOnce(images, ({ folder, index }) => readPhotograph(imageFile(folder, index)))),
};

/** What all experiments with programs have in common. */
function assembled<Sample>(
  { given, programs }: Given,
  parts: Simulated<Sample> & {
    readonly task: Task<Sample> & { readonly prepare?: () => Promise<string> };
    readonly target: FolderTarget<Sample>;
    readonly pictures: SamplePictures<Sample>;
  },
): Experiment<Sample> {
  const { task, target, commands, pictures } = parts;
  const simulator = freeParameters(parts.simulator, given.free);
  const contents = commands.map(({ content }) => content);
  return {
    simulator,
    task,
    target: { ...target.target, content: () => [target.target.content(), ...contents].join(' ') },
    trainingSamples: given.trainingImages,
    replicates: given.replicates,
    start: startTheta(simulator, parts.start),
    deterministic: programs.deterministic,
    pictures,
    async prepare() {
      for (const command of commands) command.check();
      removeAbandoned(programs.work);
      await target.prepare();
      return task.prepare?.();
    },
    dispose() {
      for (const { program } of commands) program.close();
      target.dispose?.();
    },
  };
}

/** @throws {Error} naming the metrics, where there is none of this name; an empty name is the first one's */
function rewardOf(name: string, metrics: readonly Metric[]): string {
  const names = metrics.map((metric) => metric.name);
  if (name === '') return names[0]!;
  if (names.includes(name)) return name;
  throw new Error(`reward: expected one of ${names.join(', ')}, got ${name}`);
}

/** @throws {Error} where an option that is for another task is given */
function refuseOther(name: 'classes' | 'scoreClass', given: Options, isUsed: boolean, task: string): void {
  if (isUsed || isDeepStrictEqual(given[name], options.shape[name].parse(undefined))) return;
  const whose = name === 'classes' ? 'detection' : 'segmentation';
  throw new Error(`${name}: expected none with ${task}, since it is for ${whose}, got ${shown(given[name])}`);
}

/** What was asked for and cannot be done is an error. */
function refuseOptions(name: string, options: object, reason: string): void {
  if (Object.keys(options).length === 0) return;
  throw new Error(`${name}: expected none where ${reason}, got ${shown(options)}`);
}

export default defineExperiment({
  id: 'Program-v0',
  title: 'Somebody’s simulator or trainer, or both, as programs',
  options,
  presets,
  create: programExperiment,
});
