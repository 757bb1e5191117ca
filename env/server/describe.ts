import { z } from 'zod';
import { actionSize, completeTheta, componentNames, defaultTheta, type Parameter } from '../../protocol/parameters.ts';
import type { Box, Specification } from '../../protocol/messages.ts';
import { specHashOf } from '../experiments/identity.ts';
import { createExperiment } from '../experiments/load.ts';
import type { Runtime } from '../runtime.ts';
import type { Experiment, ExperimentDefinition } from '../experiments/experiment.ts';
import type { Metric } from '../tasks/task.ts';

/** The largest float32: it stands for "no bound", since the encoding of the bounds has no infinity. */
const FLOAT32_MAX = 3.4028234663852886e38;

/** An environment that the server offers: its source, its definition, and its specification with the default options. */
export interface ServedEnvironment {
  /** As on the command line: an id of experiments/index.ts or the path of a module. Workers load it. */
  readonly source: string;
  readonly definition: ExperimentDefinition;
  readonly spec: Specification;
  /** What the experiment says of itself to the person who starts the server. */
  readonly about?: string | undefined;
}

/** The options that `open` takes, as JSON Schema: names, bounds and defaults. */
export function optionsSchema({ options, presets = {} }: ExperimentDefinition): Record<string, unknown> {
  const schema = z.toJSONSchema(options.strict(), { io: 'input', unrepresentable: 'any' });
  const preset = { description: 'a named set of options; other options override it', enum: Object.keys(presets) };
  return { ...schema, properties: { ...(preset.enum.length > 0 && { preset }), ...schema.properties } };
}

/** A flat, normalised action, as Gymnasium's and Stable-Baselines' checkers require. */
function actionBox(parameters: readonly Parameter[]): Box {
  const size = actionSize(parameters);
  const all = (bound: number) => new Array<number>(size).fill(bound);
  return {
    type: 'Box',
    dtype: 'float32',
    shape: [size],
    low: all(-1),
    high: all(1),
    names: parameters.flatMap(componentNames),
  };
}

/** The box of the scores; it must contain zeros, the observation after reset and without a score. */
function observationBox(metrics: readonly Metric[]): Box {
  return {
    type: 'Box',
    dtype: 'float32',
    shape: [metrics.length],
    low: metrics.map(({ low }) => Math.max(-FLOAT32_MAX, Math.min(0, low))),
    high: metrics.map(({ high }) => Math.min(FLOAT32_MAX, Math.max(0, high))),
    names: metrics.map(({ name }) => name),
  };
}

const finiteOrNull = (bound: number) => (Number.isFinite(bound) ? bound : null);

/**
 * Creates an experiment with these options, and its specification for clients.
 *
 * @param backend the backend that the workers report, if they report one
 * @throws {z.ZodError} when an option is unknown or breaks its rule; {Error} when `create` refuses the options or
 *   returns no experiment
 */
export function describeExperiment(
  definition: ExperimentDefinition,
  given: Readonly<Record<string, unknown>>,
  runtime: Runtime,
  backend: string | undefined,
): { experiment: Experiment; spec: Specification } {
  const { experiment, options } = createExperiment(definition, given, runtime);
  const { simulator, task, deterministic } = experiment;
  const { renderer } = simulator;
  const parameters = [...simulator.parameters];
  const spec: Specification = {
    env_id: definition.id,
    title: definition.title,
    spec_hash: specHashOf(definition, experiment, options),
    options,
    spaces: { action: actionBox(parameters), observation: observationBox(task.metrics) },
    parameters,
    metrics: task.metrics.map(({ name, meaning, low, high }) => ({
      name,
      meaning,
      low: finiteOrNull(low),
      high: finiteOrNull(high),
    })),
    reward: { metric: task.reward, direction: 'maximize' },
    start: completeTheta(parameters, experiment.start),
    default: defaultTheta(parameters),
    ...(renderer && { renderer }),
    training_samples: experiment.trainingSamples,
    ...(deterministic !== undefined && { deterministic }),
    ...(experiment.pictures && { pictures: true }),
    ...(backend !== undefined && { backend }),
  };
  return { experiment, spec };
}
