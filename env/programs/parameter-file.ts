/** The file that says what θ of somebody's simulator consists of. */
import { z } from 'zod';
import { shown, valueAt } from '../../protocol/errors.ts';
import { completeTheta, defineParameters, theta, type Parameter, type Theta } from '../../protocol/parameters.ts';

/** The fields of `spec.parameters`; what has a natural value may be left out, and the place in the action is ignored. */
const described = { name: z.string().min(1), meaning: z.string().default(''), slice: z.unknown().optional() };
const continuous = z.strictObject({
  ...described,
  kind: z.literal('continuous'),
  low: z.number(),
  high: z.number(),
  scale: z.enum(['linear', 'log']).default('linear'),
  default: z.number(),
  unit: z.string().default('1'),
});
const simplex = z.strictObject({
  ...described,
  kind: z.literal('simplex'),
  labels: z.array(z.string()).min(2),
  default: z.array(z.number()),
  unit: z.literal('probability').default('probability'),
});
/** A parameter without a kind is a continuous one. */
const withKind = (value: unknown) =>
  typeof value === 'object' && value !== null && !('kind' in value) ? { kind: 'continuous', ...value } : value;
const parameters = z.array(z.preprocess(withKind, z.discriminatedUnion('kind', [continuous, simplex]))).min(1);

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
  try {
    const defined = defineParameters(parsed.data.parameters);
    return { ...parsed.data, parameters: defined, start: completeTheta(defined, parsed.data.start) };
  } catch (error) {
    throw new Error(`${place}: ${(error as Error).message}`, { cause: error });
  }
}
