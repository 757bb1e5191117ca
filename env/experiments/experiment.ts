import type { z } from 'zod';
import type { Theta } from '../../protocol/parameters.ts';
import type { Runtime } from '../runtime.ts';
import type { Simulator } from '../simulators/simulator.ts';
import type { Target } from '../targets/target.ts';
import type { Task } from '../tasks/task.ts';

/** Simulator + task + target, with every option resolved: what an evaluation runs on. */
export interface Experiment<Sample = unknown> {
  readonly simulator: Simulator<Sample>;
  readonly task: Task<Sample>;
  readonly target: Target<Sample>;
  /** How many samples a model is trained on. */
  readonly trainingSamples: number;
  /** Trainings, each on samples of its own, whose scores an evaluation averages; 1 when left out. */
  readonly replicates?: number;
  /** θ where a search starts: plausible, but poor. */
  readonly start: Theta;
  /**
   * Loads what the first evaluation would have to load (backend, sets), so that a worker is fast from its first one.
   *
   * @returns what the evaluations run on, in a line, and how to get something faster: `wasm (npm run setup:native …)`;
   *   undefined where there is nothing to say
   */
  prepare?(): Promise<string | undefined>;
  /** What frees the experiment's sets and backend between uses, where anything needs freeing. */
  dispose?(): void;
}

/**
 * One environment id: what a client opens.
 *
 * `create` may only describe (the server calls it to publish the spaces); sets are drawn and backends loaded when an
 * evaluation first needs them.
 */
export interface ExperimentDefinition<Options extends z.ZodObject = z.ZodObject> {
  /** Such as `TrafficSegmentation-v0`. */
  readonly id: string;
  readonly title: string;
  /** What `open` accepts: every option has a default, so `{}` is a complete set. */
  readonly options: Options;
  /** Named sets of options: `open` takes `{ preset: 'quick' }`, and options beside it override it. */
  readonly presets?: Readonly<Record<string, Partial<z.input<Options>>>>;
  /** A `create` that needs no backend, folder or weights leaves the runtime out. */
  create(options: z.infer<Options>, runtime: Runtime): Experiment;
}

/** Checks a definition's types; the only way that one is written. */
export function defineExperiment<Options extends z.ZodObject>(
  definition: ExperimentDefinition<Options>,
): ExperimentDefinition {
  return definition;
}
