import { completeTheta, type Theta } from '../../protocol/parameters.ts';
import { deriveSeed, type Seed } from '../../protocol/random.ts';
import type { Simulator } from '../simulators/simulator.ts';
import type { Target } from './target.ts';

/**
 * Samples of a hidden θ*: the sim-to-sim target, where the truth is known to the benchmark but to no agent.
 *
 * Validation and test are drawn from seeds derived by name from one seed, so they share no sample with each other
 * nor with any training set of an evaluation.
 *
 * @param theta θ*; parameters that it leaves out have their default
 * @throws {ParameterError} where θ* breaks a rule
 */
export function hiddenTarget<Sample>(
  simulator: Simulator<Sample>,
  theta: Theta,
  size: { readonly validation: number; readonly test: number },
  seed: Seed,
): Target<Sample> {
  const complete = completeTheta(simulator.parameters, theta);
  const draw = (split: 'validation' | 'test') => {
    let samples: readonly Sample[] | undefined;
    return async () => {
      samples ??= Array.from({ length: size[split] }, (_, index) =>
        simulator.draw(complete, deriveSeed(seed, 'target', split), index),
      );
      return samples;
    };
  };
  return { name: 'hidden θ*', validation: draw('validation'), test: draw('test') };
}
