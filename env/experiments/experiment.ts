import type { z } from 'zod';
import type { Theta } from '../../protocol/parameters.ts';
import type { SamplePictures } from '../pictures.ts';
import type { Runtime } from '../runtime.ts';
import type { Simulator } from '../simulators/simulator.ts';
import type { Target } from '../targets/target.ts';
import type { Task } from '../tasks/task.ts';

/** Simulator + task + target, with every option resolved: what an evaluation runs on. */
export interface Experiment<Sample = unknown> {
  readonly simulator: Simulator<Sample>;
  readonly task: Task<Sample>;
  readonly target: Target<Sample>;
  /** The number of samples that a model is trained on. */
  readonly trainingSamples: number;
  /** The number of trainings, each on its own samples, whose scores an evaluation averages; 1 when left out. */
  readonly replicates?: number;
  /** Whether equal θ and seeds give equal scores; they do where it is left out. */
  readonly deterministic?: boolean;
  /** θ where a search starts: plausible, but poor. Parameters that it leaves out start at their default. */
  readonly start: Theta;
  /** Draws samples for people to look at; left out where they cannot be shown. */
  readonly pictures?: SamplePictures<Sample>;
  /**
   * Loads what the first evaluation would have to load (backend, sets), so that a worker is fast from its first one.
   *
   * @returns one line: what the evaluations run on, and how to get something faster; undefined where nothing is to say
   * @throws {Error} in a sentence, when something that every evaluation needs is missing or broken
   */
  prepare?(): Promise<string | undefined>;
  /** What a person should know who starts the server, in a line: such as what was found in the folder of images. */
  about?(): string;
  /** Frees what the experiment holds, where it holds anything. */
  dispose?(): void;
}

/** A hash of the files that an experiment reads, wherever they lie; undefined where it reads none. */
export function filesOf({ target, task }: Experiment): string | undefined {
  return [target.content?.(), task.weights].filter((hash) => hash !== undefined).join(' ') || undefined;
}

/**
 * One environment id: what a client opens.
 *
 * `create` only describes: the server calls it to publish the spaces. Sets are drawn and backends are loaded when an
 * evaluation first needs them.
 */
export interface ExperimentDefinition<Options extends z.ZodObject = z.ZodObject> {
  /** The name that clients open, as in `TrafficSegmentation-v0`. */
  readonly id: string;
  readonly title: string;
  /** What `open` accepts: every option has a default, so `{}` is a complete set. */
  readonly options: Options;
  /** Named sets of options: `open` takes `{ preset: 'quick' }`, and other options override the preset. */
  readonly presets?: Readonly<Record<string, Partial<z.input<Options>>>>;
  /** Puts an experiment together. A `create` that needs no backend, folder or weights leaves out the runtime. */
  create(options: z.infer<Options>, runtime: Runtime): Experiment;
}

/** Returns the definition; it is there to check its types. */
export function defineExperiment<Options extends z.ZodObject>(
  definition: ExperimentDefinition<Options>,
): ExperimentDefinition {
  return definition;
}
