/**
 * Bayesian optimisation with a Gaussian process (Rasmussen & Williams 2006, ch. 2 and 5; Jones et al. 1998).
 *
 * Rewards are modelled as y = m + f(a) + noise, with f a Gaussian process over actions: Matérn 5/2, one length scale.
 * Length scale and noise are those with the highest marginal likelihood on a grid. The next action has the highest
 * expected improvement over the best *posterior mean*: the best noisy reward would be the luckiest, not the best.
 * Further actions of a batch are chosen as if the ones before had come out just as the model expects (Kriging
 * believer: Ginsbourger et al. 2010), which leaves the mean as it is and takes the uncertainty around them away.
 *
 * Evaluations that failed have no reward to model. A second process, of 1 where an evaluation succeeded and 0 where it
 * failed, says where that happens; improvement is looked for where it is likely to succeed (a probabilistic constraint,
 * as in Gelbart, Snoek & Adams 2014). Counting failures as some bad reward would put cliffs into f, and where they are
 * mere chance it would see nothing but noise.
 *
 * A fit takes about n³ operations: a second for a few hundred evaluations.
 */
import { erf } from 'mathjs';
import type { Random } from '../protocol/random.ts';
import { clip, type Agent, type Problem, type Trial } from './agent.ts';
import { cholesky, logDeterminant, nextRow, solveLower, solveUpper } from './cholesky.ts';
import { integer, isProgram } from './run/flags.ts';
import { program } from './run/program.ts';

interface GaussianProcessOptions {
  /** Actions of the first iteration, spread evenly; the start is one of them. */
  readonly initial: number;
  /** Actions of each later iteration. */
  readonly batch: number;
}

/** Length scales that are tried, in units of √D: distances in [-1, 1]^D grow with it. */
const LENGTHS = [0.1, 0.17, 0.3, 0.5, 0.8, 1.3, 2.1];
/** Variances of the noise that are tried, in units of the variance of f. */
const NOISES = [1e-4, 1e-3, 0.01, 0.03, 0.1, 0.3, 1, 3];
/** Above so many evaluations a fit starts from the last one's hyperparameters and looks at their neighbours alone. */
const WHOLE_GRID = 64;

/** How many standard deviations of doubt an action must leave that it succeeds: 90 % of the normal distribution. */
const SURE = 1.28;

/** Where in LENGTHS and NOISES. */
type Hyperparameters = readonly [length: number, noise: number];

/** Matérn 5/2 of a distance (Rasmussen & Williams, eq. 4.17), 1 at 0. */
export function matern52(distance: number, length: number): number {
  const r = (Math.sqrt(5) * distance) / length;
  return (1 + r + (r * r) / 3) * Math.exp(-r);
}

function distance(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(sum);
}

/** A Gaussian process that has seen data. */
export interface Posterior {
  readonly logMarginalLikelihood: number;
  /** Mean of f at an action: n operations, where its deviation takes n². */
  mean(action: readonly number[]): number;
  /** Mean and standard deviation of f at an action; the noise is not in it. */
  at(action: readonly number[]): { mean: number; sd: number };
  /** Counts an action as evaluated, with the outcome that the model expects. */
  believe(action: readonly number[]): void;
}

/**
 * The posterior for a length scale and a noise; mean and variance of f are those of the highest likelihood.
 *
 * @param actions [n, D]
 * @param rewards [n]
 * @param length  of the kernel, in action units
 * @param noise   variance of the noise over the variance of f
 */
export function posterior(
  actions: readonly (readonly number[])[],
  rewards: readonly number[],
  length: number,
  noise: number,
): Posterior {
  const n = rewards.length;
  const seen = [...actions];
  const covariances = (a: readonly number[], count: number) =>
    Float64Array.from({ length: count }, (_, j) => matern52(distance(a, seen[j]!), length));
  const row = (i: number) => {
    const result = covariances(seen[i]!, i + 1);
    result[i]! += noise;
    return result;
  };
  const L = cholesky(seen.map((_, i) => row(i)));
  const solve = (b: ArrayLike<number>) => solveUpper(L, solveLower(L, b)); // K⁻¹ b
  const total = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0);

  // Generalised least squares: m = 1ᵀK⁻¹y / 1ᵀK⁻¹1
  const m = total(solve(rewards)) / total(solve(new Float64Array(n).fill(1)));
  const residuals = rewards.map((y) => y - m);
  const alpha = solve(residuals); // K⁻¹ (y − m)
  const variance = residuals.reduce((sum, r, i) => sum + r * alpha[i]!, 0) / n || 1; // all alike: any will do

  /** From the covariances with what was seen: eq. 2.25; α is 0 for what is merely believed. */
  const meanOf = (k: Float64Array) => {
    let mean = m;
    for (let i = 0; i < n; i++) mean += k[i]! * alpha[i]!;
    return mean;
  };

  return {
    logMarginalLikelihood: -0.5 * (n * Math.log(2 * Math.PI * variance) + logDeterminant(L) + n), // eq. 2.30
    mean: (action) => meanOf(covariances(action, n)),
    at(action) {
      const k = covariances(action, seen.length);
      let rest = 1;
      for (const v of solveLower(L, k)) rest -= v * v; // eq. 2.26
      return { mean: meanOf(k), sd: Math.sqrt(variance * Math.max(rest, 0)) };
    },
    believe(action) {
      seen.push(action);
      L.push(nextRow(L, row(seen.length - 1)));
    },
  };
}

/** log E[max(0, f − best)] for f ~ N(mean, sd²): the logarithm still tells apart what underflows to 0. */
export function logExpectedImprovement(mean: number, sd: number, best: number): number {
  if (sd === 0) return mean > best ? Math.log(mean - best) : -Infinity;
  const z = (mean - best) / sd;
  const logDensity = -0.5 * (z * z + Math.log(2 * Math.PI));
  if (z < -5) return Math.log(sd) + logDensity - 2 * Math.log(-z); // φ(z) + z Φ(z) → φ(z)/z²
  return Math.log(sd * (Math.exp(logDensity) + z * 0.5 * (1 + erf(z / Math.SQRT2))));
}

/** A Latin hypercube: in each dimension, one point in each of n equal parts. @returns [n, D] */
export function latinHypercube(n: number, size: number, random: Random): number[][] {
  const columns = Array.from({ length: size }, () => random.shuffle(Array.from({ length: n }, (_, i) => i)));
  return Array.from({ length: n }, (_, i) => columns.map((column) => (2 * (column[i]! + random.uniform())) / n - 1));
}

/** How likely hyperparameters are before any data: broadly around half of √D, and a tenth of noise. */
function logPrior([length, noise]: Hyperparameters): number {
  return -0.5 * (Math.log(LENGTHS[length]! / 0.5) ** 2 + (Math.log(NOISES[noise]! / 0.1) / 2) ** 2);
}

/** Rewards from 0, the worst, to 1, the best: their zero and their unit must not decide anything. */
export function unitRewards(rewards: readonly number[]): number[] {
  const [worst, best] = [Math.min(...rewards) / 2, Math.max(...rewards) / 2]; // the whole range may not be finite
  return rewards.map((reward) => (best > worst ? (reward / 2 - worst) / (best - worst) : 0));
}

/** A Gaussian process that is fitted again and again, as data come in. */
function process() {
  let chosen: Hyperparameters = [3, 4];
  return {
    hyperparameters: () => ({ length: LENGTHS[chosen[0]]!, noise: NOISES[chosen[1]]! }),

    /** The posterior with the most likely hyperparameters: of all, or from the last ones uphill. */
    fit(actions: readonly (readonly number[])[], values: readonly number[]): Posterior {
      const unit = Math.sqrt(actions[0]!.length);
      const known = new Map<string, { fitted: Posterior; value: number }>();
      const judge = (h: Hyperparameters) => {
        const key = h.join();
        if (!known.has(key)) {
          const fitted = posterior(actions, values, LENGTHS[h[0]]! * unit, NOISES[h[1]]!);
          known.set(key, { fitted, value: fitted.logMarginalLikelihood + logPrior(h) });
        }
        return known.get(key)!;
      };
      const near = ([length, noise]: Hyperparameters): Hyperparameters[] =>
        LENGTHS.flatMap((_, i) => NOISES.map((_, j): Hyperparameters => [i, j])).filter(
          ([i, j]) => actions.length <= WHOLE_GRID || Math.abs(i - length) + Math.abs(j - noise) <= 1,
        );
      for (;;) {
        const best = near(chosen).reduce((a, b) => (judge(b).value > judge(a).value ? b : a), chosen);
        if (best === chosen) return judge(chosen).fitted;
        chosen = best;
      }
    },
  };
}

/** What is expected of an action. */
interface Model {
  readonly reward: Posterior;
  /** undefined while all have succeeded, or none. */
  readonly success: Posterior | undefined;
  /** What success is compared with: half of what is expected where it is the likeliest. */
  readonly half: number;
  /** What succeeded, by the reward that is expected of it; while nothing has, what failed. */
  readonly incumbents: readonly { readonly action: readonly number[]; readonly mean: number }[];
}

export function gaussianProcess({ size, start, random }: Problem, { initial, batch }: GaussianProcessOptions): Agent {
  const trials: Trial[] = []; // [n]
  const [rewards, successes] = [process(), process()];
  let model: Model | undefined;

  const fit = (): Model => {
    const actions = trials.map(({ action }) => action);
    const noneSucceeded = trials.every(({ reward }) => reward === null);
    const known = trials.filter(({ reward }) => reward !== null || noneSucceeded);
    const reward = rewards.fit(
      known.map(({ action }) => action),
      unitRewards(known.map(({ reward }) => reward ?? 0)),
    );
    const incumbents = known
      .map(({ action }) => ({ action, mean: reward.mean(action) }))
      .sort((a, b) => b.mean - a.mean);
    if (known.length === trials.length) return { reward, success: undefined, half: 0, incumbents };
    const success = successes.fit(
      actions,
      trials.map(({ reward }) => (reward === null ? 0 : 1)),
    );
    return { reward, success, half: Math.max(...actions.map((action) => success.mean(action))) / 2, incumbents };
  };

  /**
   * The action with the highest expected improvement among those that are likely to succeed, or the likeliest where none
   * is: of many anywhere and near the best ones, then of its own surroundings.
   */
  const propose = ({ reward, success, half, incumbents }: Model): number[] => {
    const around = (centre: readonly number[], sd: number) => {
      const share = random.uniform(); // move few dimensions or all
      return clip(centre.map((v) => (random.uniform() < share ? random.normal(v, sd) : v)));
    };
    const anywhere = () => Array.from({ length: size }, () => random.uniform(-1, 1));
    const best = incumbents[0]!.mean;
    const judge = (action: number[]) => {
      const chance = success?.at(action);
      const margin = chance ? chance.mean - SURE * chance.sd - half : 0;
      if (margin < 0) return { action, likely: false, value: margin };
      const { mean, sd } = reward.at(action);
      return { action, likely: true, value: logExpectedImprovement(mean, sd, best) };
    };
    let top = { action: [...incumbents[0]!.action], likely: success === undefined, value: -Infinity };
    const consider = (action: number[]) => {
      const other = judge(action);
      if (other.likely === top.likely ? other.value > top.value : other.likely) top = other;
    };
    const centres = incumbents.slice(0, 5).map(({ action }) => action);
    for (let i = 0; i < 200; i++) consider(anywhere());
    for (const centre of centres) for (let i = 0; i < 40; i++) consider(around(centre, 10 ** random.uniform(-2, 0)));
    for (let i = 0; i < 150; i++) consider(around(top.action, 0.3 * 0.97 ** i));
    return top.action;
  };

  const recommend = (): number[] => {
    if (trials.every(({ reward }) => reward === null)) return [...start];
    model ??= fit();
    return [...model.incumbents[0]!.action];
  };

  return {
    ask() {
      if (trials.length === 0) return [[...start], ...latinHypercube(initial - 1, size, random)];
      const expected = (model ??= fit());
      return Array.from({ length: batch }, () => {
        const action = propose(expected);
        expected.reward.believe(action);
        expected.success?.believe(action);
        return action;
      });
    },

    tell(told: readonly Trial[]) {
      trials.push(...told);
      model = undefined;
    },

    recommend,
    state() {
      const best = recommend(); // fits first
      const { length, noise } = rewards.hyperparameters();
      return { best, length: length * Math.sqrt(size), noise };
    },
  };
}

export const gaussianProcessProgram = program<GaussianProcessOptions>('gaussian-process', gaussianProcess, (command) =>
  command
    .description('Bayesian optimisation: a Gaussian process of the reward says where improvement is to be expected.')
    .option('--initial <n>', 'actions of the first iteration, spread evenly', integer(2), 16)
    .option('--batch <n>', 'actions of each later iteration', integer(1), 4),
);

if (isProgram(import.meta.url)) void gaussianProcessProgram();
