import type { Parameter, Theta } from '../../protocol/parameters.ts';
import type { Seed } from '../../protocol/random.ts';
import type { RendererIdentity } from '../render/renderer-identity.ts';

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
  /** The renderer of its pictures, where it has one; also part of the environment's version. */
  readonly renderer?: RendererIdentity;
  /**
   * The data set (θ, seed). θ is completed and checked here, by `completeTheta`, once for all samples.
   *
   * @throws {ParameterError} where θ breaks a rule
   * @throws {InfeasibleError} when no sample exists for this θ
   */
  open(theta: Theta, seed: Seed): DataSet<Sample>;
}

/** The samples of one (θ, seed): as many as the caller draws. */
export interface DataSet<Sample> {
  /**
   * Draws sample `index`, a whole number from 0. It is returned at once, or as a promise.
   *
   * The same (θ, seed, index) gives the same bytes in any order, on any machine, in any number of processes. The caller
   * owns the sample: later calls do not change it.
   *
   * @param signal aborts a draw that returned a promise: the promise rejects
   * @throws {InfeasibleError} when no sample exists for this θ
   */
  draw(index: number, signal?: AbortSignal): Sample | Promise<Sample>;
  /**
   * Draws samples 0 to `count` − 1 at once, where that is faster than one by one; `draw` then has them ready.
   *
   * @param options.report called with the share that is done, 0 to 1
   * @throws as `draw` does, and what `report` throws
   */
  drawAhead?(count: number, options: DrawOptions): Promise<void>;
  /**
   * Frees what the data set holds, where it holds anything. The caller draws nothing afterwards. Samples that are files
   * end here; all others stay.
   */
  close?(): void | Promise<void>;
}

export interface DrawOptions {
  /** Ends the drawing when it is aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the share of drawn samples, 0 to 1, from time to time. */
  readonly report?: (fraction: number) => void;
}

/** θ is within its bounds, but nothing can be simulated with it: the evaluation ends with outcome `infeasible`. */
export class InfeasibleError extends Error {
  override readonly name = 'InfeasibleError';
}
