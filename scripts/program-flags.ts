/** The flags of `Program-v0`: which programs simulate and train, and how they are run. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { absolutePath, integer, jsonFile, word } from '../agents/run/flags.ts';
import { parametersOf, type DescribedParameters } from '../env/programs/parameter-file.ts';
import { templateOf } from '../env/programs/template.ts';
import type { ProgramsRuntime, Runtime } from '../env/runtime.ts';
import { makeFolder } from '../protocol/make-folder.ts';
import { runtimeOf, type RuntimeFlags } from './runtime-flags.ts';

type NamedMetric = NonNullable<ProgramsRuntime['trainer']>['metrics'][number];

export interface ProgramFlags {
  readonly simulator?: string;
  readonly parameters?: DescribedParameters;
  readonly trainer?: string;
  readonly metric?: readonly NamedMetric[];
  readonly deterministic?: true;
  readonly warmSimulator?: true;
  readonly warmTrainer?: true;
  readonly callsPerStart: number;
  readonly work: string;
  readonly keep?: true;
  readonly cache?: string;
  readonly cacheMb: number;
}

/** The score of a trainer that was given no other name. */
const DEFAULT_METRIC: NamedMetric = { name: 'score', low: null, high: null };

/** `carIou`, or with its bounds `carIou=0..1`. */
function metric(text: string, list: readonly NamedMetric[] = []): NamedMetric[] {
  const [, name, low, high] = /^([\w.@/-]+)(?:=(.+)\.\.(.+))?$/.exec(text) ?? [];
  const bound = (given: string | undefined) => (given === undefined ? null : Number(given));
  const named = { name: name ?? '', low: bound(low), high: bound(high) };
  const isWrong =
    Number.isNaN(named.low) || Number.isNaN(named.high) || (low !== undefined && !(named.low! < named.high!));
  if (name === undefined || isWrong) {
    throw new InvalidArgumentError(`Expected a name, or with its bounds as carIou=0..1, got "${text}".`);
  }
  if (list.some((other) => other.name === name)) throw new InvalidArgumentError(`Expected ${name} once.`);
  return [...list, named];
}

function parametersIn(path: string): DescribedParameters {
  const value = jsonFile(path);
  try {
    return parametersOf(value, path);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

export function addProgramFlags(command: Command): Command {
  return command
    .option('--simulator <command>', 'a program that draws images, for Program-v0: see env/programs.md', word)
    .option('--parameters <file>', 'what θ of that simulator consists of, as JSON', parametersIn)
    .option('--trainer <command>', 'a program that trains on images and scores, for Program-v0', word)
    .option('--metric <name[=low..high]>', 'a score of that trainer; may be repeated, the first is the reward', metric)
    .option('--deterministic', 'these programs give equal results for equal seeds')
    .option('--warm-simulator', 'the simulator stays up, and reads a line of JSON for each evaluation')
    .option('--warm-trainer', 'the trainer likewise')
    .option('--calls-per-start <n>', '… and is started anew after this number of them', integer(1), 100)
    .option('--work <folder>', 'where programs work', absolutePath, resolve('runs/programs'))
    .option('--keep', 'keep the working folder of each evaluation, in kept/ there')
    .option('--cache <folder>', 'keep the data sets of the simulator there, to use them again', absolutePath)
    .option('--cache-mb <n>', '… up to this size of all', integer(1), 10_240);
}

/**
 * The programs that the flags name; undefined where they name none.
 *
 * @param workers the number of evaluations at once
 * @throws {Error} naming the flag that breaks a rule, or lacks another
 */
export function programsOf(flags: ProgramFlags, workers: number): ProgramsRuntime | undefined {
  const { simulator, trainer, parameters, metric, warmSimulator, warmTrainer, deterministic, work, cache } = flags;
  const needs = (flag: string, given: unknown, other: string, otherGiven: unknown) => {
    if (given !== undefined && otherGiven === undefined)
      throw new Error(`${flag}: expected ${other} with it, got none`);
  };
  needs('--simulator', simulator, '--parameters', parameters);
  needs('--parameters', parameters, '--simulator', simulator);
  needs('--warm-simulator', warmSimulator, '--simulator', simulator);
  needs('--cache', cache, '--simulator', simulator);
  needs('--metric', metric, '--trainer', trainer);
  needs('--warm-trainer', warmTrainer, '--trainer', trainer);
  const any = simulator ?? trainer;
  needs('--deterministic', deterministic, '--simulator or --trainer', any);
  needs('--keep', flags.keep, '--simulator or --trainer', any);
  if (any === undefined) return undefined;
  if (workers === 0) throw new Error('--workers: expected at least 1 for programs, got 0');
  if (simulator !== undefined) templateOf(simulator, 'simulator', warmSimulator === true);
  if (trainer !== undefined) templateOf(trainer, 'trainer', warmTrainer === true);
  for (const folder of [work, cache]) if (folder !== undefined) makeFolder(folder);
  const promised = deterministic === true;
  return {
    ...(simulator !== undefined && {
      simulator: {
        command: simulator,
        warm: warmSimulator === true,
        parameters: parameters!.parameters,
        start: parameters!.start,
      },
    }),
    ...(trainer !== undefined && {
      trainer: { command: trainer, warm: warmTrainer === true, metrics: metric ?? [DEFAULT_METRIC] },
    }),
    deterministic: promised || (trainer === undefined && parameters!.deterministic),
    callsPerStart: flags.callsPerStart,
    threads: threadsFor(workers),
    work,
    keep: flags.keep === true,
    ...(cache !== undefined && { cache: { folder: cache, mostBytes: flags.cacheMb * 2 ** 20 } }),
  };
}

/** The runtime with the programs that the flags name. @throws {Error} as {@link programsOf} and `runtimeOf` do */
export function programRuntime(flags: ProgramFlags & RuntimeFlags, workers: number): Runtime {
  const programs = programsOf(flags, workers);
  return { ...runtimeOf(flags), ...(programs && { programs }) };
}

/** The cores of each evaluation, unless the user has decided. */
function threadsFor(workers: number): number {
  const decided = Number.parseInt(process.env['OMP_NUM_THREADS'] ?? '', 10);
  return decided > 0 ? decided : Math.max(1, Math.floor(availableParallelism() / workers));
}
