/** The file that says what θ of somebody's simulator consists of. */
import { z } from 'zod';
import { shown, valueAt } from '../../protocol/errors.ts';
import {
  completeTheta,
  defineParameters,
  parameter,
  theta,
  type Parameter,
  type Theta,
} from '../../protocol/parameters.ts';

/** A parameter with the fields that may be left out; its place in the action follows from the order. */
function completed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const { kind = 'continuous' } = value as { kind?: unknown };
  const isNumber = kind === 'continuous' || kind === 'integer';
  const natural = isNumber ? { scale: 'linear', unit: '1' } : kind === 'simplex' ? { unit: 'probability' } : {};
  return { kind, meaning: '', ...natural, ...value, slice: [0, 1] };
}

/** In which a misspelt field is an error. */
const strict = parameter.options.map((option) => option.strict()) as unknown as typeof parameter.options;
const parameters = z.array(z.preprocess(completed, z.discriminatedUnion('kind', strict))).min(1);

const file = z.strictObject({
  parameters,
  /** θ where a search starts; parameters that are left out start at their default. */
  start: theta.default({}),
  /** Whether the program promises the same images for the same θ and seed. */
  deterministic: z.boolean().default(false),
});

export interface DescribedParameters {
  readonly parameters: readonly Parameter[];
  readonly start: Theta;
  readonly deterministic: boolean;
}

/**
 * What a file of parameters says.
 *
 * @param value a list of parameters, or an object that has them and more
 * @param place of the value, for the error
 * @throws {Error} naming the field, its rule and its value
 */
export function parametersOf(value: unknown, place: string): DescribedParameters {
  const whole = Array.isArray(value) ? { parameters: value } : value;
  const parsed = file.safeParse(whole);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw new Error(
      `${[place, path.join('.')].filter(Boolean).join(': ')}: ${message}, got ${shown(valueAt(whole, path))}`,
    );
  }
  const at = <T>(where: string, read: () => T): T => {
    try {
      return read();
    } catch (error) {
      throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
    }
  };
  const parameters = at(place, () => defineParameters(parsed.data.parameters));
  const start = at(`${place}: start`, () => completeTheta(parameters, parsed.data.start));
  return { ...parsed.data, parameters, start };
}
