/** How well predicted means fit counts. */

/**
 * Smaller predictions count as this: one car in a hundred pictures. A prediction of 0 where a car is would have an
 * infinite deviance, and a set of a hundred pictures cannot tell a smaller mean from 0.
 */
export const LEAST_MEAN = 0.01;

/**
 * The Poisson deviance of predicted means, averaged over all counts: 2 (y ln (y / μ) − y + μ), with 0 ln 0 = 0.
 *
 * It is a proper score: its expectation is least where μ is the mean of y. The absolute error is least at the median,
 * so it rewards a network that never predicts a rare type (Gneiting 2011, doi:10.1198/jasa.2011.r10138).
 *
 * @param predicted means, 0 or more, as many as `counts`
 * @returns         0 (exact) or more, finite
 */
export function poissonDeviance(predicted: ArrayLike<number>, counts: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) {
    const y = counts[i]!;
    const mean = Math.max(LEAST_MEAN, predicted[i]!);
    sum += 2 * ((y > 0 ? y * Math.log(y / mean) : 0) - y + mean);
  }
  return sum / counts.length;
}

/** The lowest share of the deviance that is told apart: worse predictions get this. */
export const LEAST_EXPLAINED = -10;

/**
 * The share of the deviance that predictions explain: 1 − deviance / deviance of each type's mean over the set.
 *
 * 1 is exact, 0 is as good as predicting each type's mean for every image, below 0 is worse than that.
 *
 * @param predicted [n, types]
 * @param counts    [n, types]
 * @returns from {@link LEAST_EXPLAINED} to 1
 * @throws {RangeError} when no count differs from its type's mean: there is nothing to explain
 */
export function devianceExplained(predicted: Float32Array, counts: Float32Array, types: number): number {
  const means = new Float32Array(types);
  counts.forEach((count, i) => (means[i % types]! += (count * types) / counts.length));
  const constant = counts.map((_, i) => means[i % types]!);
  const unexplained = poissonDeviance(constant, counts);
  if (!(unexplained > 1e-6)) {
    throw new RangeError(
      `counting: expected counts that differ between images, got the same in all ${counts.length / types}`,
    );
  }
  return Math.max(LEAST_EXPLAINED, 1 - poissonDeviance(predicted, counts) / unexplained);
}

/** The L1 distance of two lists of counts, averaged over the images: the paper's score (Ruiz et al. 2019, sec. 4.2). */
export function meanL1(predicted: ArrayLike<number>, counts: ArrayLike<number>, types: number): number {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) sum += Math.abs(predicted[i]! - counts[i]!);
  return (sum * types) / counts.length;
}
