/** What Gaussian processes have in common (Rasmussen & Williams 2006, ch. 2 and 4): those of agents, and those of tables. */
import { solveLower, solveUpper, type LowerTriangle } from './cholesky.ts';

/** The Matérn 5/2 kernel of a distance (eq. 4.17); 1 at 0. */
export function matern52(distance: number, length: number): number {
  const r = (Math.sqrt(5) * distance) / length;
  return (1 + r + (r * r) / 3) * Math.exp(-r);
}

const total = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0);

/**
 * The mean by generalised least squares, m = 1ᵀK⁻¹y / 1ᵀK⁻¹1, and what a prediction weighs the covariances with.
 *
 * @param L      with L Lᵀ = K
 * @param values y, [n]
 */
export function fittedWeights(
  L: LowerTriangle,
  values: readonly number[],
): {
  readonly mean: number;
  /** y − m, [n]. */
  readonly residuals: number[];
  /** K⁻¹ (y − m), [n]. */
  readonly alpha: Float64Array;
} {
  const solve = (b: ArrayLike<number>) => solveUpper(L, solveLower(L, b));
  const mean = total(solve(values)) / total(solve(new Float64Array(L.length).fill(1)));
  const residuals = values.map((value) => value - mean);
  return { mean, residuals, alpha: solve(residuals) };
}
