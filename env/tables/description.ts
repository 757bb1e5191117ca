/**
 * The file beside a table that says what its columns mean: `x.json` beside `x.csv` or `x.parquet`.
 *
 * It has the fields of a file of parameters (env/programs/parameter-file.ts), and the metrics. `npm run table` writes it;
 * for a table of another project, somebody writes it by hand.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { shown, valueAt } from '../../protocol/errors.ts';
import { parseJson } from '../../protocol/json-text.ts';
import { actionSize, type Parameter, type Theta } from '../../protocol/parameters.ts';
import { isRegularFile } from '../../protocol/regular-file.ts';
import { parametersOf } from '../programs/parameter-file.ts';
import type { Metric } from '../tasks/task.ts';

const bound = z.number().nullable().default(null);

/** What a surrogate was fitted with; `npm run table` finds it. */
const surrogateFit = z.strictObject({
  /** A length scale for each component of an action. */
  lengths: z.array(z.number().positive()),
  /** The variance of an evaluation's noise, divided by the variance of the reward's mean over θ. */
  noise: z.number().positive(),
});
export type SurrogateFit = z.infer<typeof surrogateFit>;

const own = z.object({
  metrics: z
    .array(
      z.strictObject({ name: z.string().min(1).max(200), meaning: z.string().default(''), low: bound, high: bound }),
    )
    .min(1),
  /** The metric that is the reward; the first one where it is left out. */
  reward: z.string().optional(),
  surrogate: surrogateFit.optional(),
  /** Where the table comes from; nothing depends on it. */
  made: z.record(z.string(), z.json()).optional(),
});

export interface TableDescription {
  readonly parameters: readonly Parameter[];
  readonly start: Theta;
  readonly metrics: readonly Metric[];
  readonly reward: string;
  readonly surrogate?: SurrogateFit | undefined;
}

/** The path of the description of a table. @throws {Error} when the table is neither CSV nor Parquet */
export function descriptionPath(table: string): string {
  const [, stem] = /^(.+)\.(?:csv|parquet)$/i.exec(table) ?? [];
  if (stem === undefined) throw new Error(`${table}: expected a name that ends in .csv or .parquet`);
  return `${stem}.json`;
}

/** @throws {Error} naming the file, and the field that is missing or wrong */
export function readDescription(table: string): TableDescription {
  const path = descriptionPath(table);
  let text: string;
  try {
    isRegularFile(path, 'file');
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const what = 'expected JSON that describes the table: {"parameters": […], "metrics": [{"name": …}]}';
    throw new Error(`${path}: ${what}, got ${(error as Error).message}`, { cause: error });
  }
  return descriptionOf(parseJson(text, path), path);
}

/** @param place of the value, for the error @throws {Error} naming the place, the rule and the value */
export function descriptionOf(value: unknown, place: string): TableDescription {
  const parsed = own.safeParse(value);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw new Error(
      `${[place, path.join('.')].filter(Boolean).join(': ')}: ${message}, got ${shown(valueAt(value, path))}`,
    );
  }
  const { metrics, reward = metrics[0]!.name, surrogate } = parsed.data;
  const rest = Object.entries(value as object).filter(([name]) => !Object.hasOwn(own.shape, name));
  const { parameters, start } = parametersOf(Object.fromEntries(rest), place);
  const names = metrics.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined)
    throw new Error(`${place}: metrics: expected a name of its own for each, got ${twice} twice`);
  if (!names.includes(reward)) throw new Error(`${place}: reward: expected one of ${names.join(', ')}, got ${reward}`);
  const size = actionSize(parameters);
  if (surrogate && surrogate.lengths.length !== size) {
    throw new Error(`${place}: surrogate.lengths: expected ${size} numbers, got ${surrogate.lengths.length}`);
  }
  return {
    parameters,
    start,
    metrics: metrics.map(({ low, high, ...metric }) => ({ ...metric, low: low ?? -Infinity, high: high ?? Infinity })),
    reward,
    surrogate,
  };
}
