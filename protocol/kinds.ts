/**
 * One parameter of θ, by its kind: what describes it, which values it has, and which part of an action gives which value.
 *
 * A new kind is a schema here, and a case in each `switch` below; parameters.ts puts parameters together.
 */
import { z } from 'zod';
import { shown } from './errors.ts';

const common = {
  name: z.string().min(1),
  /** What it does, in a sentence. */
  meaning: z.string(),
  /** The parameter's part of the flat action: its first position, and the position after its last. */
  slice: z.tuple([z.int().min(0), z.int().min(1)]),
};

const continuousParameter = z.object({
  ...common,
  kind: z.literal('continuous'),
  low: z.number(),
  high: z.number(),
  /** `linear`: the action is affine in θ. `log`: it is affine in log θ. */
  scale: z.enum(['linear', 'log']),
  default: z.number(),
  unit: z.string(),
});

const simplexParameter = z.object({
  ...common,
  kind: z.literal('simplex'),
  labels: z.array(z.string()).min(2),
  default: z.array(z.number()),
  unit: z.literal('probability'),
});

const integerParameter = z.object({
  ...common,
  kind: z.literal('integer'),
  low: z.int(),
  high: z.int(),
  /** Of the numbers from low − ½ to high + ½, which are rounded. */
  scale: z.enum(['linear', 'log']),
  default: z.int(),
  unit: z.string(),
});

const booleanParameter = z.object({ ...common, kind: z.literal('boolean'), default: z.boolean() });

const categoricalParameter = z.object({
  ...common,
  kind: z.literal('categorical'),
  /** In no order that means anything. */
  choices: z.array(z.string().min(1)).min(2),
  default: z.string(),
});

export const parameter = z.discriminatedUnion(
  'kind',
  [continuousParameter, simplexParameter, integerParameter, booleanParameter, categoricalParameter],
  { error: 'expected continuous, simplex, integer, boolean or categorical (a later version may have other kinds)' },
);
export type Parameter = z.infer<typeof parameter>;

const KINDS: readonly string[] = parameter.options.map(({ shape }) => shape.kind.value);

/**
 * θ by name: a number for a continuous parameter or an integer, probabilities that sum to 1 for a simplex, true or false
 * for a boolean, and one of the choices for a categorical parameter.
 */
export const theta = z.record(
  z.string(),
  z.union([z.number(), z.array(z.number()), z.boolean(), z.string()], {
    error: 'expected a number, a list of numbers, true or false, or a string',
  }),
);
export type Theta = z.infer<typeof theta>;

/**
 * The logit of an action component of 1 in a simplex: probabilities are softmax(3.2 · a).
 *
 * With two classes the smallest probability is then .0017 (with five, probabilities reach from .0004 to .998). In a data
 * set of hundreds of images that is close enough to "never", and it is finite, so that every θ has an action.
 */
export const LOGIT_OF_ONE = 3.2;

/**
 * The distance from 0 of the components that stand for a boolean or for choices in the action of a θ.
 *
 * The other values are near: a search that starts from there with a σ of .3 draws them too. At 1 it never would, and at
 * ½ some searches from a wrong choice never found the right one.
 */
const BESIDE = 0.25;

/** The most that the bounds of an integer lie apart, so that even a float32 tells the actions of its values apart. */
const MOST_APART = 1e6;
/** The most that a bound of an integer lies from 0, so that a float64 has the logarithms of its values to their digits. */
const MOST_INTEGER = 1e9;

/** A parameter as the author of a simulator writes it: its place in the action follows from the order. */
export type ParameterDraft =
  | Omit<z.infer<typeof continuousParameter>, 'slice'>
  | Omit<z.infer<typeof integerParameter>, 'slice'>
  | Omit<z.infer<typeof booleanParameter>, 'slice'>
  | (Omit<z.infer<typeof categoricalParameter>, 'slice' | 'choices'> & { readonly choices: readonly string[] })
  | (Omit<z.infer<typeof simplexParameter>, 'slice' | 'unit' | 'labels' | 'default'> & {
      readonly labels: readonly string[];
      readonly default: readonly number[];
    });

/** The names of a parameter's components in the action: its own, or one for each label or choice (`weather.rain`). */
export function componentNames(parameter: ParameterDraft): string[] {
  switch (parameter.kind) {
    case 'simplex':
      return parameter.labels.map((label) => `${parameter.name}.${label}`);
    case 'categorical':
      return parameter.choices.map((choice) => `${parameter.name}.${choice}`);
    case 'continuous':
    case 'integer':
    case 'boolean':
      return [parameter.name];
  }
}

/** @throws {RangeError} when there is no such kind, or bounds, scale or choices contradict each other */
export function checkDraft(draft: ParameterDraft): void {
  const complain = (rule: string, got: string | number): never => {
    throw new RangeError(`parameter ${draft.name}: expected ${rule}, got ${got}`);
  };
  if (!KINDS.includes(draft.kind)) complain(`a kind (${KINDS.join(', ')})`, draft.kind); // of a module without types
  if (draft.kind === 'categorical') {
    const { choices } = draft;
    if (choices.length < 2) complain('at least 2 choices', choices.length);
    const twice = choices.find((choice, i) => choices.indexOf(choice) < i);
    if (twice !== undefined) complain('each choice once', `${twice} twice`);
  }
  if (draft.kind !== 'continuous' && draft.kind !== 'integer') return;
  const { kind, low, high, scale } = draft;
  if (!(low < high)) complain('low < high', `${low} and ${high}`);
  if (scale === 'log' && low <= 0) complain('low > 0 on a log scale', low);
  if (kind === 'continuous') return;
  const wrong = [low, high].find((bound) => !Number.isInteger(bound) || Math.abs(bound) > MOST_INTEGER);
  if (wrong !== undefined) complain(`whole numbers from ${-MOST_INTEGER} to ${MOST_INTEGER} as bounds`, wrong);
  if (high - low > MOST_APART) complain(`bounds at most ${MOST_APART} apart`, `${low} and ${high}`);
}

/** A parameter at its place in the action, with lists of its own. */
export function placed(draft: ParameterDraft, slice: [number, number]): Parameter {
  switch (draft.kind) {
    case 'simplex':
      return { ...draft, labels: [...draft.labels], default: [...draft.default], unit: 'probability', slice };
    case 'categorical':
      return { ...draft, choices: [...draft.choices], slice };
    case 'continuous':
    case 'integer':
    case 'boolean':
      return { ...draft, slice };
  }
}

/** Names the rule that an action or θ breaks, and the place: a JSON pointer such as `/action/3`. */
export class ParameterError extends RangeError {
  override readonly name = 'ParameterError';
  constructor(
    readonly path: string,
    readonly rule: 'type' | 'shape' | 'range' | 'not_finite' | 'simplex' | 'unknown' | 'missing',
    message: string,
  ) {
    super(message);
  }
}

/** @throws {ParameterError} when `parameter` cannot have this value */
export function checkValue(parameter: Parameter, value: unknown): void {
  const { name } = parameter;
  const refuse = (rule: ParameterError['rule'], expected: string, got = shown(value)): never => {
    throw new ParameterError(`/params/${name}`, rule, `${name}: expected ${expected}, got ${got}`);
  };
  switch (parameter.kind) {
    case 'continuous':
    case 'integer': {
      const { kind, low, high, unit } = parameter;
      const range = `${low}..${high} ${unit === '1' ? '' : unit}`.trim();
      const whole = kind === 'integer' ? `a whole number ${range}` : undefined;
      if (typeof value !== 'number') return refuse('type', whole ?? 'a number');
      if (!Number.isFinite(value)) return refuse('not_finite', whole ?? 'a finite number');
      if (whole !== undefined && !Number.isInteger(value)) return refuse('type', whole);
      if (value < low || value > high) return refuse('range', whole ?? range);
      return;
    }
    case 'boolean':
      if (typeof value !== 'boolean') return refuse('type', 'true or false');
      return;
    case 'categorical': {
      const rule = `one of ${parameter.choices.join(', ')}`;
      if (typeof value !== 'string') return refuse('type', rule);
      if (!parameter.choices.includes(value)) return refuse('unknown', rule);
      return;
    }
    case 'simplex': {
      const size = parameter.labels.length;
      const got = Array.isArray(value) ? JSON.stringify(value) : shown(value); // all of a list
      if (!Array.isArray(value) || value.length !== size) {
        return refuse('shape', `${size} probabilities (${parameter.labels.join(', ')})`, got);
      }
      const probabilities = (value as unknown[]).map((p) => (typeof p === 'number' && p >= 0 ? p : NaN));
      const total = probabilities.reduce((sum, p) => sum + p, 0);
      if (!(Math.abs(total - 1) < 1e-6)) refuse('simplex', 'probabilities of at least 0 that sum to 1', got);
    }
  }
}

function softmax(logits: readonly number[]): number[] {
  const peak = Math.max(...logits);
  const weights = logits.map((logit) => Math.exp(logit - peak));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** The bounds of a number, and the scale on which it is searched. */
type Range = Pick<z.infer<typeof continuousParameter>, 'low' | 'high' | 'scale'>;

/** The number at a share of its range, from 0 to 1. */
function atShare({ low, high, scale }: Range, share: number): number {
  return scale === 'log' ? low * Math.pow(high / low, share) : low + (high - low) * share;
}

/** The inverse of {@link atShare}. */
function shareOf({ low, high, scale }: Range, value: number): number {
  return scale === 'log' ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
}

/** The numbers that are rounded to an integer's values: each value has those that are nearest to it. */
function unroundedRange({ low, high, scale }: Range): Range {
  return { low: low - 0.5, high: high + 0.5, scale };
}

const between = (low: number, high: number, value: number) => Math.min(high, Math.max(low, value));

/** The value of a parameter for its part of an action. */
export function valueOfPart(p: Parameter, part: readonly number[]): Theta[string] {
  switch (p.kind) {
    case 'continuous':
      return between(p.low, p.high, atShare(p, (part[0]! + 1) / 2));
    case 'integer':
      return between(p.low, p.high, Math.floor(atShare(unroundedRange(p), (part[0]! + 1) / 2) + 0.5));
    case 'boolean':
      return part[0]! >= 0;
    case 'categorical':
      return p.choices[part.indexOf(Math.max(...part))]!;
    case 'simplex':
      return softmax(part.map((value) => value * LOGIT_OF_ONE));
  }
}

/**
 * The part of an action that gives a value: the inverse of {@link valueOfPart}. Of the many parts that give an integer,
 * it is the one that needs no rounding.
 */
export function partOfValue(p: Parameter, value: Theta[string]): number[] {
  const clip = (component: number) => between(-1, 1, component);
  switch (p.kind) {
    case 'continuous':
      return [clip(2 * shareOf(p, value as number) - 1)];
    case 'integer':
      return [clip(2 * shareOf(unroundedRange(p), value as number) - 1)];
    case 'boolean':
      return [value === true ? BESIDE : -BESIDE];
    case 'categorical':
      return p.choices.map((choice) => (choice === value ? BESIDE : -BESIDE));
    case 'simplex': {
      // Softmax ignores a common shift, so the largest and the smallest logit are put equally far from 0.
      const floor = Math.exp(-2 * LOGIT_OF_ONE) * Math.max(...(value as number[]));
      const logits = (value as number[]).map((probability) => Math.log(Math.max(probability, floor)));
      const middle = (Math.max(...logits) + Math.min(...logits)) / 2;
      return logits.map((logit) => clip((logit - middle) / LOGIT_OF_ONE));
    }
  }
}
