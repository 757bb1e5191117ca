import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { Experiment, ExperimentDefinition } from './experiment.ts';
import { BUILT_IN } from './index.ts';

/** What a definition must look like to be one; what `create` returns is checked by the compiler alone. */
const shape = z.object({
  id: z.string().min(1).max(128),
  title: z.string(),
  options: z.instanceof(z.ZodObject),
  create: z.function(),
});

/**
 * The definition behind an id of index.ts, or behind the path of a module whose default export is one.
 *
 * A path runs code: it comes from the server's command line, never from the wire.
 *
 * @throws {Error} in a sentence when there is no such id or file, or the module exports something else
 */
export async function loadDefinition(source: string): Promise<ExperimentDefinition> {
  const builtIn = Object.hasOwn(BUILT_IN, source) ? BUILT_IN[source] : undefined;
  if (builtIn) return (await builtIn()).default;
  const path = resolve(source);
  if (!existsSync(path)) {
    const ids = Object.keys(BUILT_IN).join(', ');
    throw new Error(`environment: expected an id (${ids}) or the path of a module, got ${source}`);
  }
  const module = (await import(pathToFileURL(path).href)) as { default?: unknown };
  if (!shape.safeParse(module.default).success) {
    throw new Error(`${source}: expected \`export default defineExperiment({ id, title, options, create })\``);
  }
  return module.default as ExperimentDefinition;
}

/**
 * An experiment with these options, completed with those of the preset that they name, and the defaults.
 *
 * @throws {z.ZodError} where an option is unknown or breaks its rule
 */
export function createExperiment(
  definition: ExperimentDefinition,
  options: Readonly<Record<string, unknown>>,
): { experiment: Experiment; options: Record<string, unknown> } {
  const presets = definition.presets ?? {};
  const { preset, ...own } = options;
  if (preset !== undefined) z.object({ preset: z.enum(Object.keys(presets)) }).parse({ preset });
  const resolved = definition.options.strict().parse({ ...presets[preset as string], ...own });
  return { experiment: definition.create(resolved), options: resolved };
}
