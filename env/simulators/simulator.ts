import type { Parameter, Theta } from '../../protocol/parameters.ts';
import type { Seed } from '../../protocol/random.ts';

/**
 * A parametrised simulator: P(sample | θ).
 *
 * θ describes a *distribution* over samples (rates, probabilities, means and spreads); the seed draws from it.
 */
export interface Simulator<Sample> {
  readonly name: string;
  /** Part of the environment's version: raise it when the same (θ, seed, index) gives another sample. */
  readonly version: number;
  /** What θ consists of, from `defineParameters`. */
  readonly parameters: readonly Parameter[];
  /**
   * Draws sample `index` of the data set (θ, seed).
   *
   * A pure function: the same arguments give the same bytes in any order, on any machine, in any number of processes.
   * The sample is the caller's: later calls do not touch it.
   *
   * @throws {InfeasibleError} when no sample exists for this θ
   */
  draw(theta: Theta, seed: Seed, index: number): Sample;
}

/** θ is within its bounds, but nothing can be simulated with it: the evaluation ends with outcome `infeasible`. */
export class InfeasibleError extends Error {
  override readonly name = 'InfeasibleError';
}
