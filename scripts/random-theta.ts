import { actionSize, actionToTheta, type Parameter, type Theta } from '../protocol/parameters.ts';
import { Random, type Seed } from '../protocol/random.ts';

/** The θ of an action drawn uniformly from [-1, 1]^D. */
export function randomTheta(parameters: readonly Parameter[], seed: Seed): Theta {
  const random = new Random(seed);
  return actionToTheta(
    parameters,
    Array.from({ length: actionSize(parameters) }, () => random.uniform(-1, 1)),
  );
}
