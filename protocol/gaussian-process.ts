/**
 * What Gaussian processes have in common (Rasmussen & Williams 2006, ch. 2, 4 and 5): those of agents, and those of tables.
 *
 * The kernel is Matérn 5/2 with a length scale for each component of an action. Where something is known of the values
 * already, a guide g, the kernel has τ g(a) g(b) beside it. All variances are in units of the variance of the process,
 * which follows from the values. The hyperparameters are those with the highest posterior.
 */
import { cholesky, logDeterminant, solveLower, solveUpper, type LowerTriangle } from './cholesky.ts';

/** The data of a process. */
export interface Observations {
  /** [n, D] actions. */
  readonly points: readonly (readonly number[])[];
  /** [n]; of a point that was evaluated more than once, the mean. */
  readonly values: readonly number[];
  /** [n], how often each was evaluated; left out: once. */
  readonly counts?: readonly number[];
  /** [n], g at each point; left out: there is no guide. */
  readonly guided?: readonly number[];
}

export interface Hyperparameters {
  /** [D], in action units. */
  readonly lengths: readonly number[];
  /** The variance of an evaluation's noise. */
  readonly noise: number;
  /** τ, the variance of the factor of g; nothing depends on it where there is no guide. */
  readonly trust: number;
}

/** Logarithms of hyperparameters are normal and independent: around the logarithms of these, with these deviations. */
export interface Prior {
  /** As a multiple of √D, since distances in [-1, 1]^D grow with it. */
  readonly length: number;
  readonly lengthWidth: number;
  readonly noise: number;
  readonly noiseWidth: number;
}

/** The same of τ, for all. */
const TRUST = 1;
const TRUST_WIDTH = 2;
/** The first, the shortest and the longest step of a search for hyperparameters, in logarithms (Riedmiller & Braun 1993). */
const FIRST_STEP = 0.2;
const LEAST_STEP = 1e-3;
const MOST_STEP = 1;
/** No length scale is outside e^-4 to e^6, no variance outside e^-9 to e^4. */
const LENGTH_RANGE = [-4, 6] as const;
const VARIANCE_RANGE = [-9, 4] as const;

const SQRT5 = Math.sqrt(5);

/** √5 r / l of eq. 4.17, with a length scale for each component. */
function scaledDistance(a: readonly number[], b: readonly number[], lengths: readonly number[]): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += ((a[d]! - b[d]!) / lengths[d]!) ** 2;
  return SQRT5 * Math.sqrt(sum);
}

/** The Matérn 5/2 kernel of two actions (eq. 4.17); 1 where they are the same. */
export function matern52(a: readonly number[], b: readonly number[], lengths: readonly number[]): number {
  const r = scaledDistance(a, b, lengths);
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
  /** K⁻¹ (y − m), [n]. */
  readonly alpha: Float64Array;
  /** The variance of the process, which maximises the likelihood; 1 where all values are equal. */
  readonly variance: number;
} {
  const solve = (b: ArrayLike<number>) => solveUpper(L, solveLower(L, b));
  const mean = total(solve(values)) / total(solve(new Float64Array(L.length).fill(1)));
  const residuals = values.map((value) => value - mean);
  const alpha = solve(residuals);
  const variance = residuals.reduce((sum, residual, i) => sum + residual * alpha[i]!, 0) / values.length || 1;
  return { mean, alpha, variance };
}

/**
 * The covariances of the process at an action with those at the first points, without noise.
 *
 * @param known g at the action; nothing depends on it where there is no guide
 */
export function covariances(
  action: readonly number[],
  known: number,
  { points, guided }: Pick<Observations, 'points' | 'guided'>,
  { lengths, trust }: Hyperparameters,
  count = points.length,
): Float64Array {
  return Float64Array.from({ length: count }, (_, j) => {
    return matern52(action, points[j]!, lengths) + (guided ? trust * known * guided[j]! : 0);
  });
}

/** The Cholesky factor of the covariances of the values. */
export function factorOf(data: Omit<Observations, 'values'>, hyperparameters: Hyperparameters): Float64Array[] {
  const { points, counts, guided } = data;
  return cholesky(
    points.map((action, i) => {
      const row = covariances(action, guided?.[i] ?? 0, data, hyperparameters, i + 1);
      row[i]! += hyperparameters.noise / (counts?.[i] ?? 1);
      return row;
    }),
  );
}

/**
 * The hyperparameters with the highest posterior: by steps uphill from the centre of the prior (Rprop), each of which takes
 * about n³ operations.
 *
 * @param report called with the share that is done
 */
export function fitHyperparameters(
  data: Observations,
  prior: Prior,
  steps: number,
  report: (fraction: number) => void = () => {},
): Hyperparameters {
  const size = data.points[0]!.length;
  const at = logarithmsOf(centreOf(prior, size));
  const lengthsOfSteps = at.map(() => FIRST_STEP);
  let before = at.map(() => 0);
  let best = { value: -Infinity, at: [...at] };
  for (let step = 0; step < steps; step++) {
    const { value, gradient } = logPosterior(data, fromLogarithms(at), prior);
    if (value > best.value) best = { value, at: [...at] };
    gradient.forEach((slope, d) => {
      const turn = slope * before[d]!;
      if (turn > 0) lengthsOfSteps[d] = Math.min(lengthsOfSteps[d]! * 1.2, MOST_STEP);
      if (turn < 0) lengthsOfSteps[d] = Math.max(lengthsOfSteps[d]! * 0.5, LEAST_STEP);
      const [low, high] = d < size ? LENGTH_RANGE : VARIANCE_RANGE;
      at[d] = Math.min(high, Math.max(low, at[d]! + Math.sign(slope) * lengthsOfSteps[d]!));
    });
    before = gradient;
    report((step + 1) / steps);
  }
  return fromLogarithms(best.at);
}

/** The centre of a prior for actions of some size. */
export function centreOf({ length, noise }: Prior, size: number): Hyperparameters {
  return { lengths: new Array<number>(size).fill(length * Math.sqrt(size)), noise, trust: TRUST };
}

/** [D + 2]: those of the length scales, of the noise and of τ. */
function logarithmsOf({ lengths, noise, trust }: Hyperparameters): number[] {
  return [...lengths, noise, trust].map((value) => Math.log(value));
}

function fromLogarithms(logarithms: readonly number[]): Hyperparameters {
  const values = logarithms.map((value) => Math.exp(value));
  return { lengths: values.slice(0, -2), noise: values.at(-2)!, trust: values.at(-1)! };
}

/** The logarithm of marginal likelihood times prior (eq. 2.30), and its gradient by the logarithms (eq. 5.9), [D + 2]. */
export function logPosterior(
  data: Observations,
  hyperparameters: Hyperparameters,
  prior: Prior,
): { readonly value: number; readonly gradient: number[] } {
  const { points, values, counts, guided } = data;
  const { lengths, noise, trust } = hyperparameters;
  const [n, size] = [values.length, lengths.length];
  const L = factorOf(data, hyperparameters);
  const { alpha, variance } = fittedWeights(L, values);
  const inverse = inverseOf(L);
  const gradient = new Array<number>(size + 2).fill(0);
  const inverseSquares = lengths.map((length) => 1 / length ** 2);
  for (let i = 0; i < n; i++) {
    const a = points[i]!;
    const rows = inverse[i]!;
    const own = 0.5 * (alpha[i]! ** 2 / variance - rows[i]!);
    gradient[size]! += own * (noise / (counts?.[i] ?? 1));
    if (guided) gradient[size + 1]! += own * trust * guided[i]! ** 2;
    for (let j = 0; j < i; j++) {
      const b = points[j]!;
      const both = (alpha[i]! * alpha[j]!) / variance - rows[j]!; // of both elements, ij and ji
      const r = scaledDistance(a, b, lengths);
      // dk / d log length = 5/3 (1 + r) e^-r (Δ / length)²
      const weight = both * (5 / 3) * (1 + r) * Math.exp(-r);
      for (let d = 0; d < size; d++) gradient[d]! += weight * (a[d]! - b[d]!) ** 2 * inverseSquares[d]!;
      if (guided) gradient[size + 1]! += both * trust * guided[i]! * guided[j]!;
    }
  }
  let value = -0.5 * (n * Math.log(2 * Math.PI * variance) + logDeterminant(L) + n);
  const centres = logarithmsOf(centreOf(prior, size));
  const widths = [...lengths.map(() => prior.lengthWidth), prior.noiseWidth, TRUST_WIDTH];
  logarithmsOf(hyperparameters).forEach((one, d) => {
    const distance = (one - centres[d]!) / widths[d]!;
    value -= 0.5 * distance ** 2;
    gradient[d]! -= distance / widths[d]!;
  });
  return { value, gradient };
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
