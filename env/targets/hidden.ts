import { completeTheta, type Theta } from '../../protocol/parameters.ts';
import { deriveSeed, type Seed } from '../../protocol/random.ts';
import { drawSamples } from '../simulators/draw-samples.ts';
import type { Simulator } from '../simulators/simulator.ts';
import type { SampleSet, Target } from './target.ts';

/**
 * Samples of a hidden θ*: the sim-to-sim target. The benchmark knows the truth; no agent does.
 *
 * The seeds of validation and test are derived by name from one seed, so these sets share no sample with each other and
 * none with the training set of an evaluation.
 *
 * @param theta θ*; parameters that it leaves out have their default
 * @param size  the number of samples in each set
 * @throws {ParameterError} where θ* breaks a rule
 */
export function hiddenTarget<Sample>(
  simulator: Simulator<Sample>,
  theta: Theta,
  size: { readonly validation: number; readonly test: number },
  seed: Seed,
): Target<Sample> {
  const complete = completeTheta(simulator.parameters, theta);
  const draw = (split: 'validation' | 'test'): SampleSet<Sample> => {
    let samples: readonly Sample[] | undefined;
    return async (signal) =>
      (samples ??= await drawSamples(simulator, complete, deriveSeed(seed, 'target', split), size[split], { signal }));
  };
  return { name: 'hidden θ*', validation: draw('validation'), test: draw('test'), truth: complete };
}
