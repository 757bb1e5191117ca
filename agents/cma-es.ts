/**
 * CMA-ES, the covariance matrix adaptation evolution strategy (Hansen, "The CMA Evolution Strategy: A Tutorial",
 * arXiv 1604.00772; the equation numbers are the tutorial's).
 *
 * Draw a population from N(m, σ²C); move m to the weighted mean of its better half; learn C from the successful steps,
 * and σ from the length of their sum: long when successive steps agree, short when they undo each other.
 *
 * An action outside [-1, 1]^D is put onto the bound before it is evaluated, and the update sees the point on the bound.
 * So m stays inside, and steps across the bound are not rewarded. With noisy rewards the sum of steps is short at any
 * distance from the optimum, and σ shrinks too early, so σ has a floor.
 *
 * m and C are learned only from evaluations that succeeded: if fewer than half of a population do, the weights of the
 * missing ones change nothing.
 *
 * A search that starts from trials which others have made begins as in Nomura et al. 2021 ("Warm Starting CMA-ES for
 * Hyperparameter Optimization"): N(m, σ²C) is the Gaussian with the mean and the covariance of a mixture, N(a, α²I)
 * around each action a of the best tenth.
 */
import { add, dotMultiply, identity, multiply, norm, subtract, sum, transpose, type Matrix } from 'mathjs';
import { bestFirst, bestTenth, clip, meanAction, type Agent, type Problem, type Trial } from './agent.ts';
import { integer, isProgram, number } from './run/flags.ts';
import { program } from './run/program.ts';
import { symmetricEigen } from './symmetric-eigen.ts';

interface CmaEsOptions {
  /** Actions per iteration, λ; 4 + ⌊3 ln D⌋ if left out. */
  readonly population?: number;
  /** σ of the first population, in units of the action (the whole range is 2). */
  readonly sigma: number;
  /** The lower bound of the mean standard deviation of a population. */
  readonly sigmaFloor: number;
}

/** α of a warm start, the paper's .1 of a range. */
const WARM_SPREAD = 0.2;

/** The strategy's constants for D dimensions and a population of λ: the tutorial's table 1. */
export function strategy(size: number, lambda: number) {
  const mu = Math.floor(lambda / 2);
  const raw = Array.from({ length: mu }, (_, i) => Math.log((lambda + 1) / 2) - Math.log(i + 1)); // (49)
  const weights = raw.map((w) => w / sum(raw)); // (53), only the positive weights
  const muEff = 1 / sum(weights.map((w) => w * w)); // (8)
  const cSigma = (muEff + 2) / (size + muEff + 5); // (55)
  const dSigma = 1 + 2 * Math.max(0, Math.sqrt((muEff - 1) / (size + 1)) - 1) + cSigma; // (55)
  const cC = (4 + muEff / size) / (size + 4 + (2 * muEff) / size); // (56)
  const c1 = 2 / ((size + 1.3) ** 2 + muEff); // (57)
  const cMu = Math.min(1 - c1, (2 * (1 / 4 + muEff + 1 / muEff - 2)) / ((size + 2) ** 2 + muEff)); // (58)
  const expectedNorm = Math.sqrt(size) * (1 - 1 / (4 * size) + 1 / (21 * size ** 2)); // E‖N(0, I)‖
  const patience = Math.max(1, Math.floor(1 / (10 * size * (c1 + cMu)))); // iterations until C has changed much: B.2
  return { mu, weights, muEff, cSigma, dSigma, cC, c1, cMu, expectedNorm, patience };
}

const zeros = (size: number): number[] => Array.from({ length: size }, () => 0);
const outer = (v: number[]): number[][] => v.map((a) => dotMultiply(v, a)); // [D, D]

/** C = B D² Bᵀ. @returns B, the eigenvectors as columns [D, D], and D, the roots of the eigenvalues [D] */
function decompose(C: number[][]): { B: number[][]; D: number[] } {
  const { values, vectors } = symmetricEigen(C);
  const B = transpose(vectors.map((vector) => [...vector]));
  return { B, D: values.map((value) => Math.sqrt(Math.max(value, 1e-20))) };
}

export function cmaEs({ size, start, random }: Problem, options: CmaEsOptions): Agent {
  const lambda = options.population ?? 4 + Math.floor(3 * Math.log(size)); // (48)
  const { mu, weights, cSigma, dSigma, cC, c1, cMu, expectedNorm, patience } = strategy(size, lambda);
  let m = [...start]; // [D]
  let sigma = options.sigma;
  let C = (identity(size) as Matrix).toArray() as number[][]; // [D, D]
  let { B, D } = decompose(C); // of a C that is at most `patience` iterations old
  let pSigma = zeros(size); // [D], the path of σ: the sum of recent steps, as if C were I
  let pC = zeros(size); // [D], the path of C
  let iteration = 0;

  const draw = (): number[] => {
    const z = zeros(size).map(() => random.normal()); // (38)
    const y = multiply(B, dotMultiply(D, z)); // (39)
    return clip(add(m, dotMultiply(y, sigma))); // (40)
  };

  /** Keeps σ from being too small. */
  const raiseSigma = (): void => {
    const spread = Math.sqrt(sum(D.map((d) => d * d)) / size); // the standard deviation of a population with σ = 1, averaged over directions
    sigma = Math.max(sigma, options.sigmaFloor / spread);
  };

  return {
    ask: () => Array.from({ length: lambda }, draw),

    warmStart(trials: readonly Trial[]) {
      const actions = bestTenth(trials); // [n, D]
      m = meanAction(actions);
      const steps = actions.map((action) => subtract(action, m));
      const within = multiply(transpose(steps), steps).map((row) => row.map((v) => v / steps.length)); // [D, D]
      const covariance = within.map((row, i) => row.map((v, j) => v + (i === j ? WARM_SPREAD ** 2 : 0)));
      const roots = decompose(covariance).D;
      sigma = Math.exp(sum(roots.map(Math.log)) / size); // so that the determinant of C is 1
      C = covariance.map((row) => row.map((v) => v / sigma ** 2));
      ({ B, D } = decompose(C));
      raiseSigma();
    },

    tell(trials: readonly Trial[]) {
      const best = bestFirst(trials).slice(0, mu);
      if (best.length === 0) return;
      iteration++;
      const y = best.map(({ action }) => subtract([...action], m).map((step) => step / sigma)); // [μ, D]
      const taken = weights.slice(0, y.length);
      const missing = weights.slice(y.length).reduce((rest, w) => rest + w, 0);
      const yW = multiply(taken, y); // (41), [D]
      const muEffTaken = 1 / sum(taken.map((w) => w * w)); // so √μ_eff ⟨y⟩_w is as long, however many are missing
      m = clip(add(m, dotMultiply(yW, sigma))); // (42) with c_m = 1

      const whitened = multiply(
        B,
        multiply(transpose(B), yW).map((v, i) => v / D[i]!),
      ); // C^(-1/2) ⟨y⟩_w
      pSigma = add(
        dotMultiply(pSigma, 1 - cSigma),
        dotMultiply(whitened, Math.sqrt(cSigma * (2 - cSigma) * muEffTaken)), // (43)
      );
      const length = Number(norm(pSigma));
      sigma *= Math.exp(Math.min(1, (cSigma / dSigma) * (length / expectedNorm - 1))); // (44)

      // A path that is long for its age means that σ is far too small: C waits until σ has grown.
      const settled = length / Math.sqrt(1 - (1 - cSigma) ** (2 * iteration)) < (1.4 + 2 / (size + 1)) * expectedNorm;
      const h = settled ? 1 : 0;
      pC = add(dotMultiply(pC, 1 - cC), dotMultiply(yW, h * Math.sqrt(cC * (2 - cC) * muEffTaken))); // (45)
      const kept = 1 - c1 - cMu + (1 - h) * c1 * cC * (2 - cC) + cMu * missing;
      const rankMu = multiply(
        transpose(y),
        y.map((row, i) => dotMultiply(row, weights[i]!)),
      ); // Σ w_i y_i y_iᵀ
      C = add(add(dotMultiply(C, kept), dotMultiply(outer(pC), c1)), dotMultiply(rankMu, cMu)); // (47)
      if (iteration % patience === 0) ({ B, D } = decompose(C));
      raiseSigma();
    },

    recommend: () => [...m],
    state: () => ({ mu: m, sigma, deviations: C.map((row, i) => sigma * Math.sqrt(row[i]!)) }),
  };
}

export const cmaEsProgram = program<CmaEsOptions>('cma-es', cmaEs, (command) =>
  command
    .description(
      'CMA-ES: a Gaussian; its whole covariance and its step size are learned from the better half of its draws.',
    )
    .option('--population <n>', 'actions per iteration, λ (default: 4 + 3 ln D, rounded down)', integer(4))
    .option('--sigma <s>', 'σ at the start, in action units (the range is 2)', number(1e-6, 10), 0.4)
    .option('--sigma-floor <s>', 'least mean standard deviation of a population', number(0, 10), 0.05),
);

if (isProgram(import.meta.url)) void cmaEsProgram();
