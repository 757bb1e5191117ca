/** Means with their intervals. */
import { quantile } from './student.ts';

export interface Summary {
  readonly mean: number;
  /** The 95 % confidence interval of the mean (Student's t); null for fewer than two values. */
  readonly ci95: readonly [low: number, high: number] | null;
  readonly n: number;
}

/** The mean, ± half of its interval if it has one. */
export function withInterval({ mean, ci95 }: Summary, digits: number): string {
  return ci95 ? `${mean.toFixed(digits)} ± ${(ci95[1] - mean).toFixed(digits)}` : mean.toFixed(digits);
}

/** @throws {RangeError} when there is no value */
export function summarise(values: readonly number[]): Summary {
  const n = values.length;
  if (n === 0) throw new RangeError('summarise: expected at least one value, got none');
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n === 1) return { mean, ci95: null, n };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  const half = quantile(0.025, n - 1) * Math.sqrt(variance / n);
  return { mean, ci95: [mean - half, mean + half], n };
}
