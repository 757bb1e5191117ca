import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { shown, valueAt } from '../../protocol/errors.ts';
import { name } from '../../protocol/messages.ts';
import { completeTheta, parameter, theta } from '../../protocol/parameters.ts';
import { isRegularFile } from '../../protocol/regular-file.ts';
import type { Runtime } from '../runtime.ts';
import type { Experiment, ExperimentDefinition } from './experiment.ts';
import { BUILT_IN } from './index.ts';

/** What a definition must have. */
const shape = z.object({
  id: name,
  title: z.string(),
  options: z.instanceof(z.ZodObject),
  create: z.function(),
});

const bound = z.custom<number>((value) => typeof value === 'number' && !Number.isNaN(value), 'expected a number');
/** What `create` must return. A module runs without a type check, so its mistakes are reported here, at the start. */
const returned = z.object({
  simulator: z.object({
    name: z.string(),
    version: z.int(),
    parameters: z.array(parameter).min(1),
    renderer: z.object({ name: z.string(), version: z.int(), driver: z.string().optional() }).optional(),
    open: z.function(),
  }),
  task: z.object({
    name: z.string(),
    version: z.int().optional(),
    metrics: z.array(z.object({ name: z.string(), meaning: z.string(), low: bound, high: bound })).min(1),
    reward: z.string(),
    train: z.function(),
  }),
  target: z.object({ name: z.string(), validation: z.function(), test: z.function() }),
  trainingSamples: z.int().min(1),
  replicates: z.int().min(1).optional(),
  deterministic: z.boolean().optional(),
  start: theta,
  pictures: z.object({ samples: z.int().min(1), draw: z.function() }).optional(),
});

/**
 * Loads a definition, by an id of index.ts or by the path of a module whose default export is one.
 *
 * A path runs code: it comes from the server's command line, never from the wire.
 *
 * @throws {Error} in a sentence, when there is no such id or file, the module fails, or its export is something else
 */
export async function loadDefinition(source: string): Promise<ExperimentDefinition> {
  const builtIn = Object.hasOwn(BUILT_IN, source) ? BUILT_IN[source] : undefined;
  if (builtIn) return (await builtIn()).default;
  const path = resolve(source);
  if (!isRegularFile(path)) {
    const ids = Object.keys(BUILT_IN).join(', ');
    const isPath = /[/\\]|\.[cm]?[jt]s$/.test(source);
    if (isPath) throw new Error(`environment: expected a module at ${source}, found no such file`);
    throw new Error(`environment: expected an id (${ids}) or the path of a module, got ${source}`);
  }
  const module = await (import(pathToFileURL(path).href) as Promise<{ default?: unknown }>).catch((error: unknown) => {
    const message = (error instanceof Error ? error.message : String(error)).trim().replace(/\s*\n\s*/g, ' ');
    const rule = error instanceof Error && 'code' in error ? 'expected a module that can be loaded, got: ' : '';
    throw new Error(`${source}: ${rule}${message}`, { cause: error });
  });
  const { id } = (module.default ?? {}) as { id?: unknown };
  const named = name.safeParse(id);
  if (typeof id === 'string' && !named.success) {
    throw new Error(`${source}: id: ${named.error.issues[0]!.message}, got ${shown(id)}`);
  }
  if (!shape.safeParse(module.default).success) {
    throw new Error(`${source}: expected \`export default defineExperiment({ id, title, options, create })\``);
  }
  const definition = module.default as ExperimentDefinition;
  for (const preset of [undefined, ...Object.keys(definition.presets ?? {})]) {
    const parsed = definition.options.strict().safeParse({ ...definition.presets?.[preset ?? ''] });
    if (parsed.success) continue;
    const { path, message } = parsed.error.issues[0]!;
    const set = `options${preset === undefined ? '' : ` of the preset ${preset}`}`;
    const rule = `expected a default for every option, and presets that keep to them: ${message}`;
    throw new Error(placed(source, set, path.join('.'), rule));
  }
  return definition;
}

/** The first name that occurs a second time in the list; undefined when none does. */
export function firstRepeated(names: readonly string[]): string | undefined {
  return names.find((name, i) => names.indexOf(name) < i);
}

/** A sentence after its place: `Line-v0: create: start: …`. */
function placed(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(': ');
}

/** Checks what `create` returned. @throws {Error} naming the place, the rule and the value, when it is no experiment */
function checkExperiment({ id }: ExperimentDefinition, experiment: Experiment): void {
  const complain = (place: string, text: string): never => {
    throw new Error(placed(id, 'create', place, text));
  };
  const parsed = returned.safeParse(experiment);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    complain(path.join('.'), `${message}, got ${shown(valueAt(experiment, path))}`);
  }
  const { metrics, reward } = experiment.task;
  const names = metrics.map(({ name }) => name);
  const twice = firstRepeated(names);
  if (twice !== undefined) complain('task.metrics', `expected names of their own, got ${twice} twice`);
  if (!names.includes(reward)) complain('task.reward', `expected one of ${names.join(', ')}, got ${reward}`);
  try {
    completeTheta(experiment.simulator.parameters, experiment.start);
  } catch (error) {
    complain('start', (error as Error).message);
  }
}

/**
 * Creates an experiment. The options override those of the preset that they name, which override the defaults.
 *
 * @returns the experiment, and all its options with their values
 * @throws {z.ZodError} where an option is unknown or breaks its rule; {Error} where `create` returns no experiment
 */
export function createExperiment(
  definition: ExperimentDefinition,
  options: Readonly<Record<string, unknown>>,
  runtime: Runtime,
): { experiment: Experiment; options: Record<string, unknown> } {
  const presets = definition.presets ?? {};
  const { preset, ...own } = options;
  if (preset !== undefined && !(typeof preset === 'string' && Object.hasOwn(presets, preset))) {
    const message = `expected one of the presets (${Object.keys(presets).join(', ') || 'there are none'})`;
    throw new z.ZodError([{ code: 'custom', path: ['preset'], message, input: preset }]);
  }
  const names = [...(definition.presets ? ['preset'] : []), ...Object.keys(definition.options.shape)];
  const known = names.join(', ') || 'there are none';
  const resolved = definition.options.strict().parse(
    { ...presets[preset as string], ...own },
    {
      error: ({ code, path = [] }) =>
        code === 'unrecognized_keys' && path.length === 0 ? `expected a known option (${known})` : undefined,
    },
  );
  const experiment = definition.create(resolved, runtime);
  checkExperiment(definition, experiment);
  return { experiment, options: resolved };
}
