/**
 * A Gaussian process of the mean score over θ (Rasmussen & Williams 2006, ch. 2 and 5): Matérn 5/2 with a length scale for
 * each component of an action, which the marginal likelihood and a broad prior choose.
 *
 * A surrogate answers for θ that nobody has evaluated, as those of Eggensperger et al. 2015 do for hyperparameters.
 */
import { cholesky, logDeterminant, type LowerTriangle } from '../../protocol/cholesky.ts';
import { fittedWeights, matern52 } from '../../protocol/gaussian-process.ts';
import type { SurrogateFit } from './description.ts';

const SQRT5 = Math.sqrt(5);
/** A length scale as a multiple of √D, around which the prior lies, and its width in natural logarithms. */
const USUAL_LENGTH = 1;
const LENGTH_WIDTH = 1.5;
/** The same of the noise. */
const USUAL_NOISE = 0.3;
const NOISE_WIDTH = 2;
/** The steps of the search for the best length scales, and the bounds of a step (Riedmiller & Braun 1993). */
const STEPS = 60;
const FIRST_STEP = 0.2;
const LEAST_STEP = 1e-3;
const MOST_STEP = 1;
/** No length scale is outside e^-4 to e^6, no noise outside e^-9 to e^4. */
const LENGTH_RANGE = [-4, 6] as const;
const NOISE_RANGE = [-9, 4] as const;

/** Scores of several kinds at some points, as one Gaussian process for each kind, all with the same length scales. */
export class Surrogate {
  private readonly alphas: readonly { readonly mean: number; readonly alpha: Float64Array }[];

  /**
   * @param points [n, D] actions
   * @param scores [kinds, n] the mean over the evaluations of a point
   * @param counts [n] the number of these evaluations
   */
  constructor(
    private readonly points: readonly (readonly number[])[],
    scores: readonly (readonly number[])[],
    counts: readonly number[],
    private readonly fit: SurrogateFit,
  ) {
    const L = factor(points, counts, fit);
    this.alphas = scores.map((values) => fittedWeights(L, values));
  }

  /** The mean of each kind of score at an action, [kinds]. */
  at(action: readonly number[]): number[] {
    const { lengths } = this.fit;
    const k = this.points.map((point) => matern52(scaledDistance(point, action, lengths), 1));
    return this.alphas.map(({ mean, alpha }) => k.reduce((sum, value, i) => sum + value * alpha[i]!, mean));
  }
}

/**
 * Chooses length scales and noise for some scores: by steps uphill on the logarithm of the posterior (Rprop).
 *
 * @param points [n, D] actions; a few hundred are enough, and n³ operations are needed at each step
 * @param scores [n] the mean over the evaluations of a point
 * @param counts [n] the number of these evaluations
 * @param report called with the share that is done
 */
export function fitSurrogate(
  points: readonly (readonly number[])[],
  scores: readonly number[],
  counts: readonly number[],
  report: (fraction: number) => void = () => {},
): SurrogateFit {
  const size = points[0]!.length;
  const usual = Math.log(USUAL_LENGTH * Math.sqrt(size));
  // The logarithms of the length scales, and last that of the noise.
  const at = [...new Array<number>(size).fill(usual), Math.log(USUAL_NOISE)];
  const steps = at.map(() => FIRST_STEP);
  let before = at.map(() => 0);
  let best = { value: -Infinity, at: [...at] };
  for (let step = 0; step < STEPS; step++) {
    const { value, gradient } = logPosterior(points, scores, counts, fitOf(at), usual);
    if (value > best.value) best = { value, at: [...at] };
    gradient.forEach((slope, d) => {
      const turn = slope * before[d]!;
      if (turn > 0) steps[d] = Math.min(steps[d]! * 1.2, MOST_STEP);
      if (turn < 0) steps[d] = Math.max(steps[d]! * 0.5, LEAST_STEP);
      const [low, high] = d < size ? LENGTH_RANGE : NOISE_RANGE;
      at[d] = Math.min(high, Math.max(low, at[d]! + Math.sign(slope) * steps[d]!));
    });
    before = gradient;
    report((step + 1) / STEPS);
  }
  return fitOf(best.at);
}

const fitOf = (logarithms: readonly number[]): SurrogateFit => {
  const values = logarithms.map((value) => Math.exp(value));
  return { lengths: values.slice(0, -1), noise: values.at(-1)! };
};

/** The logarithm of marginal likelihood times prior (eq. 2.30), and its gradient by the logarithms (eq. 5.9). */
export function logPosterior(
  points: readonly (readonly number[])[],
  scores: readonly number[],
  counts: readonly number[],
  fit: SurrogateFit,
  usualLength: number,
): { readonly value: number; readonly gradient: number[] } {
  const { lengths, noise } = fit;
  const n = points.length;
  const L = factor(points, counts, fit);
  const { residuals, alpha } = fittedWeights(L, scores);
  const fitted = residuals.reduce((sum, residual, i) => sum + residual * alpha[i]!, 0);
  const variance = fitted / n || 1; // if all are equal: any will do
  const inverse = inverseOf(L);
  const gradient = new Array<number>(lengths.length + 1).fill(0);
  const inverseSquares = lengths.map((length) => 1 / length ** 2);
  for (let i = 0; i < n; i++) {
    const a = points[i]!;
    const rows = inverse[i]!;
    gradient[lengths.length]! += 0.5 * (alpha[i]! ** 2 / variance - rows[i]!) * (noise / counts[i]!);
    for (let j = 0; j < i; j++) {
      const b = points[j]!;
      const r = SQRT5 * scaledDistance(a, b, lengths);
      // Of both elements, ij and ji: dk / d log length = 5/3 (1 + r) e^-r (Δ / length)²
      const weight = ((alpha[i]! * alpha[j]!) / variance - rows[j]!) * (5 / 3) * (1 + r) * Math.exp(-r);
      for (let d = 0; d < inverseSquares.length; d++) {
        gradient[d]! += weight * (a[d]! - b[d]!) ** 2 * inverseSquares[d]!;
      }
    }
  }
  let value = -0.5 * (n * Math.log(2 * Math.PI * variance) + logDeterminant(L) + n);
  const centres = [...lengths.map(() => usualLength), Math.log(USUAL_NOISE)];
  [...lengths, noise].forEach((one, d) => {
    const width = d < lengths.length ? LENGTH_WIDTH : NOISE_WIDTH;
    const distance = (Math.log(one) - centres[d]!) / width;
    value -= 0.5 * distance ** 2;
    gradient[d]! -= distance / width;
  });
  return { value, gradient };
}

/** The Cholesky factor of the covariances of the means. */
function factor(
  points: readonly (readonly number[])[],
  counts: readonly number[],
  { lengths, noise }: SurrogateFit,
): Float64Array[] {
  return cholesky(
    points.map((a, i) => {
      const row = Float64Array.from({ length: i + 1 }, (_, j) => matern52(scaledDistance(a, points[j]!, lengths), 1));
      row[i]! += noise / counts[i]!;
      return row;
    }),
  );
}

/** The lower triangle of (L Lᵀ)⁻¹. */
function inverseOf(L: LowerTriangle): Float64Array[] {
  const n = L.length;
  // The columns of L⁻¹, from the diagonal down.
  const columns = L.map((_, j) => {
    const column = new Float64Array(n - j);
    column[0] = 1 / L[j]![j]!;
    for (let i = j + 1; i < n; i++) {
      const row = L[i]!;
      let sum = 0;
      for (let k = j; k < i; k++) sum += row[k]! * column[k - j]!;
      column[i - j] = -sum / row[i]!;
    }
    return column;
  });
  return L.map((_, i) => {
    const a = columns[i]!;
    return Float64Array.from({ length: i + 1 }, (_, j) => {
      const b = columns[j]!;
      let sum = 0;
      for (let k = i; k < n; k++) sum += a[k - i]! * b[k - j]!;
      return sum;
    });
  });
}

function scaledDistance(a: readonly number[], b: readonly number[], lengths: readonly number[]): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += ((a[d]! - b[d]!) / lengths[d]!) ** 2;
  return Math.sqrt(sum);
}
