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
  /** What draws its pictures, where something does; it is part of the environment's version, too. */
  readonly renderer?: { readonly name: string; readonly version: number };
  /**
   * The data set (θ, seed). θ is completed and checked here, by `completeTheta`, once for all samples.
   *
   * @throws {ParameterError} where θ breaks a rule
   * @throws {InfeasibleError} when no sample exists for this θ
   */
  open(theta: Theta, seed: Seed): DataSet<Sample>;
}

/** The samples of one (θ, seed): as many as are drawn. */
export interface DataSet<Sample> {
  /**
   * Draws sample `index`, which is there at once or comes later.
   *
   * The same (θ, seed, index) gives the same bytes in any order, on any machine, in any number of processes. The sample
   * is the caller's: later calls do not touch it.
   *
   * @param signal that breaks off a draw which comes later: its promise rejects
   * @throws {InfeasibleError} when no sample exists for this θ
   */
  draw(index: number, signal?: AbortSignal): Sample | Promise<Sample>;
  /** Frees what the data set holds, where it holds anything. Nothing is drawn from it afterwards. */
  close?(): void | Promise<void>;
}

/** θ is within its bounds, but nothing can be simulated with it: the evaluation ends with outcome `infeasible`. */
export class InfeasibleError extends Error {
  override readonly name = 'InfeasibleError';
}
