/**
 * The description of θ, and the map between θ and the flat action in [-1, 1]^D that optimisers move.
 *
 * People read θ (`{ fog: 0.3, weather: [0.7, 0.1, 0.1, 0.1] }`); optimisers write actions (`[-0.4, 1, -1, -1, -1]`).
 * The server owns the map and publishes this description, so that every client can log, plot and set θ by name.
 */
import {
  checkDraft,
  checkValue,
  componentNames,
  ParameterError,
  partOfValue,
  placed,
  valueOfPart,
  type Parameter,
  type ParameterDraft,
  type Theta,
} from './kinds.ts';

export { componentNames, LOGIT_OF_ONE, parameter, ParameterError, theta, type Parameter, type Theta } from './kinds.ts';

/** The type of a parameter's value in θ. */
type ValueOf<P extends ParameterDraft> = P extends { readonly kind: 'simplex' }
  ? readonly number[]
  : P extends { readonly kind: 'boolean' }
    ? boolean
    : P extends { readonly choices: readonly (infer Choice)[] }
      ? Choice
      : number;

/** The type of θ for a list of parameters: what a simulator reads, by name. */
export type ThetaOf<T extends readonly ParameterDraft[]> = { readonly [P in T[number] as P['name']]: ValueOf<P> };

/**
 * Lays a simulator's parameters out in the flat action, in the order given.
 *
 * @throws {RangeError} when two share a name, or bounds, scale, labels, choices or default contradict each other
 */
export function defineParameters(drafts: readonly ParameterDraft[]): readonly Parameter[] {
  let offset = 0;
  const names = new Set<string>();
  return drafts.map((draft) => {
    if (names.has(draft.name))
      throw new RangeError(`parameter ${draft.name}: expected a name of its own, got it twice`);
    names.add(draft.name);
    checkDraft(draft);
    const end = offset + componentNames(draft).length;
    const parameter = placed(draft, [offset, end]);
    offset = end;
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
      if (value >= -1 && value <= 1) return; // nor is NaN
      const [rule, expected] = Number.isFinite(value)
        ? (['range', '-1..1'] as const)
        : (['not_finite', 'a finite number'] as const);
      const position = p.slice[0] + i;
      const where = `action[${position}] (${componentNames(p)[i]})`;
      throw new ParameterError(`/action/${position}`, rule, `${where}: expected ${expected}, got ${value}`);
    });
    result[p.name] = valueOfPart(p, part);
  }
  return result;
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
      throw new ParameterError(
        `/params/${name}`,
        'unknown',
        `${name}: expected one of ${known}; no parameter has this name`,
      );
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
  return parameters.flatMap((p) => partOfValue(p, complete[p.name]!));
}

/**
 * An action in which the components of integers, booleans and choices are those that {@link thetaToAction} gives: two
 * actions that differ only within one value of these are the same point.
 *
 * @param action [D], each from -1 to 1
 */
export function canonicalAction(parameters: readonly Parameter[], action: readonly number[]): number[] {
  return parameters.flatMap((p) => {
    const part = action.slice(...p.slice);
    if (p.kind === 'continuous') return part;
    if (p.kind !== 'simplex') return partOfValue(p, valueOfPart(p, part));
    const middle = (Math.min(...part) + Math.max(...part)) / 2;
    return part.map((value) => value - middle);
  });
}
