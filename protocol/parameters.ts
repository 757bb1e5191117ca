/**
 * The description of θ, and the map between θ and the flat action in [-1, 1]^D that optimisers move.
 *
 * People read θ (`{ fog: 0.3, weather: [0.7, 0.1, 0.1, 0.1] }`); optimisers write actions (`[-0.4, 1, -1, -1, -1]`).
 * The server owns the map and publishes this description, so that every client can log, plot and set θ by name.
 */
import { z } from 'zod';

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

export const parameter = z.discriminatedUnion('kind', [continuousParameter, simplexParameter]);
export type Parameter = z.infer<typeof parameter>;

/** θ by name: a number for a continuous parameter, probabilities that sum to 1 for a simplex. */
export const theta = z.record(z.string(), z.union([z.number(), z.array(z.number())]));
export type Theta = z.infer<typeof theta>;

/**
 * The logit of an action component of 1 in a simplex: probabilities are softmax(3.2 · a).
 *
 * With two classes the smallest probability is then .0017 (with five, probabilities reach from .0004 to .998). In a data
 * set of hundreds of images that is close enough to "never", and it is finite, so that every θ has an action.
 */
export const LOGIT_OF_ONE = 3.2;

/** A parameter as the author of a simulator writes it: its place in the action follows from the order. */
type Draft =
  | Omit<z.infer<typeof continuousParameter>, 'slice'>
  | (Omit<z.infer<typeof simplexParameter>, 'slice' | 'unit' | 'labels' | 'default'> & {
      readonly labels: readonly string[];
      readonly default: readonly number[];
    });

/** The type of θ for a list of parameters: what a simulator reads, by name. */
export type ThetaOf<T extends readonly Draft[]> = {
  readonly [P in T[number] as P['name']]: P['kind'] extends 'simplex' ? readonly number[] : number;
};

/**
 * Lays a simulator's parameters out in the flat action, in the order given.
 *
 * @throws {RangeError} when two share a name, or bounds, scale, labels or default contradict each other
 */
export function defineParameters(drafts: readonly Draft[]): readonly Parameter[] {
  let offset = 0;
  const names = new Set<string>();
  return drafts.map((draft) => {
    if (names.has(draft.name))
      throw new RangeError(`parameter ${draft.name}: expected a name of its own, got it twice`);
    names.add(draft.name);
    const size = draft.kind === 'simplex' ? draft.labels.length : 1;
    const slice: [number, number] = [offset, offset + size];
    offset += size;
    if (draft.kind === 'continuous') {
      if (!(draft.low < draft.high)) {
        throw new RangeError(`parameter ${draft.name}: expected low < high, got ${draft.low} and ${draft.high}`);
      }
      if (draft.scale === 'log' && draft.low <= 0) {
        throw new RangeError(`parameter ${draft.name}: expected low > 0 on a log scale, got ${draft.low}`);
      }
    }
    const parameter: Parameter =
      draft.kind === 'simplex'
        ? { ...draft, labels: [...draft.labels], default: [...draft.default], unit: 'probability', slice }
        : { ...draft, slice };
    try {
      checkValue(parameter, parameter.default);
    } catch (error) {
      throw new RangeError(`default of parameter ${(error as Error).message}`, { cause: error });
    }
    return parameter;
  });
}

/** The number of components of an action, D. */
export function actionSize(parameters: readonly Parameter[]): number {
  return parameters.at(-1)?.slice[1] ?? 0;
}

/** θ with the default of every parameter. */
export function defaultTheta(parameters: readonly Parameter[]): Theta {
  return Object.fromEntries(
    parameters.map((p) => [p.name, p.kind === 'simplex' ? [...p.default] : p.default] as const),
  );
}

function softmax(logits: readonly number[]): number[] {
  const peak = Math.max(...logits);
  const weights = logits.map((logit) => Math.exp(logit - peak));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
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

/**
 * The θ of an action.
 *
 * @param action [D], each from -1 to 1
 * @throws {ParameterError} naming the component that has the wrong size, is not finite or out of range
 */
export function actionToTheta(parameters: readonly Parameter[], action: readonly number[]): Theta {
  const size = actionSize(parameters);
  if (action.length !== size) {
    throw new ParameterError('/action', 'shape', `action: expected ${size} numbers, got ${action.length}`);
  }
  const result: Theta = {};
  for (const p of parameters) {
    const part = action.slice(p.slice[0], p.slice[1]);
    part.forEach((value, i) => {
      const position = p.slice[0] + i;
      const where = `action[${position}] (${p.kind === 'simplex' ? `${p.name}.${p.labels[i]}` : p.name})`;
      if (!Number.isFinite(value)) {
        throw new ParameterError(
          `/action/${position}`,
          'not_finite',
          `${where}: expected a finite number, got ${value}`,
        );
      }
      if (value < -1 || value > 1) {
        throw new ParameterError(`/action/${position}`, 'range', `${where}: expected -1..1, got ${value}`);
      }
    });
    if (p.kind === 'simplex') {
      result[p.name] = softmax(part.map((value) => value * LOGIT_OF_ONE));
    } else {
      const share = (part[0]! + 1) / 2;
      const value = p.scale === 'log' ? p.low * Math.pow(p.high / p.low, share) : p.low + (p.high - p.low) * share;
      result[p.name] = Math.min(p.high, Math.max(p.low, value));
    }
  }
  return result;
}

/** @throws {ParameterError} when `parameter` cannot have this value */
function checkValue(parameter: Parameter, value: unknown): void {
  const { name } = parameter;
  const path = `/params/${name}`;
  if (parameter.kind === 'continuous') {
    if (typeof value !== 'number') {
      throw new ParameterError(path, 'type', `${name}: expected a number, got ${JSON.stringify(value)}`);
    }
    if (!Number.isFinite(value)) {
      throw new ParameterError(path, 'not_finite', `${name}: expected a finite number, got ${value}`);
    }
    if (value < parameter.low || value > parameter.high) {
      const unit = parameter.unit === '1' ? '' : parameter.unit;
      const rule = `${parameter.low}..${parameter.high} ${unit}`.trim();
      throw new ParameterError(path, 'range', `${name}: expected ${rule}, got ${value}`);
    }
    return;
  }
  const size = parameter.labels.length;
  if (!Array.isArray(value) || value.length !== size) {
    const rule = `${size} probabilities (${parameter.labels.join(', ')})`;
    throw new ParameterError(path, 'shape', `${name}: expected ${rule}, got ${JSON.stringify(value)}`);
  }
  const total = (value as unknown[]).reduce<number>((sum, p) => sum + (typeof p === 'number' && p >= 0 ? p : NaN), 0);
  if (!(Math.abs(total - 1) < 1e-6)) {
    const rule = 'probabilities of at least 0 that sum to 1';
    throw new ParameterError(path, 'simplex', `${name}: expected ${rule}, got ${JSON.stringify(value)}`);
  }
}

/**
 * Checks a θ given by name, and fills in the default of every parameter that it leaves out.
 *
 * @throws {ParameterError} naming the parameter that is unknown or breaks its rule
 */
export function completeTheta(parameters: readonly Parameter[], partial: Theta): Theta {
  for (const name of Object.keys(partial)) {
    if (!parameters.some((p) => p.name === name)) {
      const known = parameters.map((p) => p.name).join(', ');
      throw new ParameterError(`/params/${name}`, 'unknown', `${name}: expected one of ${known}`);
    }
  }
  const result = { ...defaultTheta(parameters), ...partial };
  for (const p of parameters) checkValue(p, result[p.name]);
  return result;
}

/**
 * The action of a θ: the inverse of {@link actionToTheta}.
 *
 * Logits are centred and clipped to the range of an action. So a probability below about e^-6.4 of the largest becomes
 * a little larger when it is mapped to an action and back.
 *
 * @returns [D], each from -1 to 1
 * @throws {ParameterError} when θ breaks a rule
 */
export function thetaToAction(parameters: readonly Parameter[], theta: Theta): number[] {
  const complete = completeTheta(parameters, theta);
  const clip = (value: number) => Math.min(1, Math.max(-1, value));
  return parameters.flatMap((p) => {
    const value = complete[p.name]!;
    if (p.kind === 'simplex') {
      // Softmax ignores a common shift, so the largest and the smallest logit are put equally far from 0.
      const floor = Math.exp(-2 * LOGIT_OF_ONE) * Math.max(...(value as number[]));
      const logits = (value as number[]).map((probability) => Math.log(Math.max(probability, floor)));
      const middle = (Math.max(...logits) + Math.min(...logits)) / 2;
      return logits.map((logit) => clip((logit - middle) / LOGIT_OF_ONE));
    }
    const x = value as number;
    const share = p.scale === 'log' ? Math.log(x / p.low) / Math.log(p.high / p.low) : (x - p.low) / (p.high - p.low);
    return [clip(2 * share - 1)];
  });
}
