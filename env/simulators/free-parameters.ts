import { completeTheta, defineParameters, type Parameter, type Theta } from '../../protocol/parameters.ts';
import type { Simulator } from './simulator.ts';

/**
 * A simulator whose θ consists of some of its parameters; the others keep their default.
 *
 * With the same budget, a search in a few well-chosen dimensions finds more than a search in all of them. `open`
 * accepts a θ that names the other parameters too: scripts draw at any θ of the whole simulator.
 *
 * @param names of the free parameters; an empty list frees every one
 * @throws {RangeError} naming a parameter that the simulator does not have
 */
export function freeParameters<Sample>(simulator: Simulator<Sample>, names: readonly string[]): Simulator<Sample> {
  if (names.length === 0) return simulator;
  const { parameters } = simulator;
  const unknown = names.find((name) => !parameters.some((parameter) => parameter.name === name));
  if (unknown !== undefined) {
    const known = parameters.map(({ name }) => name).join(', ');
    throw new RangeError(`free: expected names of parameters (${known}), got ${unknown}`);
  }
  return { ...simulator, parameters: defineParameters(parameters.filter(({ name }) => names.includes(name))) };
}

/**
 * A simulator with other defaults: the values of the parameters that an experiment does not search.
 *
 * @throws {ParameterError} naming a parameter that the simulator does not have, or a value that breaks its rule
 */
export function withDefaults<Sample>(simulator: Simulator<Sample>, defaults: Theta): Simulator<Sample> {
  const theta = completeTheta(simulator.parameters, defaults);
  const parameters = defineParameters(
    simulator.parameters.map((parameter) => ({ ...parameter, default: theta[parameter.name] }) as Parameter),
  );
  return { ...simulator, parameters, open: (own, seed) => simulator.open({ ...defaults, ...own }, seed) };
}

/** The part of a start θ that this simulator knows; its other parameters start at their default. */
export function startTheta(simulator: Simulator<unknown>, start: Theta): Theta {
  const own = Object.entries(start).filter(([name]) =>
    simulator.parameters.some((parameter) => parameter.name === name),
  );
  return completeTheta(simulator.parameters, Object.fromEntries(own));
}
