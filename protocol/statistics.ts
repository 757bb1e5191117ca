/** Two-sided 95 % quantiles of Student's t for 1 to 30 degrees of freedom. */
const T95 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

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
  const half = (T95[n - 2] ?? 1.96) * Math.sqrt(variance / n);
  return { mean, ci95: [mean - half, mean + half], n };
}
