/**
 * Bayesian optimisation with a Gaussian process (Rasmussen & Williams 2006, ch. 2 and 5; Jones et al. 1998).
 *
 * Rewards are modelled as y = m + f(a) + noise, with f a Gaussian process over actions: Matérn 5/2, one length scale.
 * Length scale and noise are chosen on a grid by their marginal likelihood and a broad prior. The next action has the
 * highest expected improvement over the best *posterior mean*, not over the best noisy reward, which is the luckiest.
 * The further actions of a batch are chosen as if the actions before them had the rewards that the model expects
 * (Kriging believer: Ginsbourger et al. 2010). This does not change the mean, and removes the uncertainty around them.
 *
 * Failed evaluations have no reward to model. A second process models success: 1 for an evaluation that succeeded, 0
 * for one that failed. The next action is one that is likely to succeed (a probabilistic constraint, as in Gelbart, Snoek
 * & Adams 2014). A bad reward in place of a failure would put cliffs into f, and random failures would look like noise.
 *
 * Integers, booleans and choices: actions with the same θ are one point, whose components are the canonical ones
 * (Garrido-Merchán & Hernández-Lobato 2020). Otherwise the process would look for slopes between equal rewards.
 *
 * A fit takes about n³ operations: a second for a few hundred evaluations. So of many trials that others have made, only
 * some are learned from: as many from each part of their search, since the best alone would be the luckiest.
 */
import { erf } from 'mathjs';
import type { Random } from '../protocol/random.ts';
import { clip, type Agent, type Problem, type Trial } from './agent.ts';
import { cholesky, logDeterminant, nextRow, solveLower } from '../protocol/cholesky.ts';
import { fittedWeights, matern52 } from '../protocol/gaussian-process.ts';
import { integer, isProgram } from './run/flags.ts';
import { program } from './run/program.ts';

interface GaussianProcessOptions {
  /** Actions of the first iteration, spread evenly; the start is one of them. */
  readonly initial: number;
  /** Actions of each later iteration. */
  readonly batch: number;
}

/** Length scales that are tried, in units of √D, since distances in [-1, 1]^D grow with √D. */
const LENGTHS = [0.1, 0.17, 0.3, 0.5, 0.8, 1.3, 2.1];
/** Variances of the noise that are tried, in units of the variance of f. */
const NOISES = [1e-4, 1e-3, 0.01, 0.03, 0.1, 0.3, 1, 3];
/** With more evaluations than this, a fit starts from the last hyperparameters and tries only their neighbours. */
const WHOLE_GRID = 64;

/** The most trials of others that a search starts from. */
const MOST_WARM = 200;

/** The least difference of the expected success from its threshold, in standard deviations: 90 % of a normal distribution. */
const SURE = 1.28;

/** Indices into LENGTHS and NOISES. */
type Hyperparameters = readonly [length: number, noise: number];

function distance(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(sum);
}

/** A Gaussian process that is fitted to data. */
export interface Posterior {
  readonly logMarginalLikelihood: number;
  /** The mean of f at an action: n operations, while the standard deviation takes n². */
  mean(action: readonly number[]): number;
  /** The mean and the standard deviation of f at an action, without the noise. */
  at(action: readonly number[]): { mean: number; sd: number };
  /** Counts an action as evaluated, with the reward that the model expects. */
  believe(action: readonly number[]): void;
}

/**
 * The posterior for a length scale and a noise; the mean and the variance of f maximise the likelihood.
 *
 * @param actions [n, D]
 * @param rewards [n]
 * @param length  length scale of the kernel, in action units
 * @param noise   variance of the noise, divided by the variance of f
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
  const { mean: m, residuals, alpha } = fittedWeights(L, rewards);
  const variance = residuals.reduce((sum, r, i) => sum + r * alpha[i]!, 0) / n || 1; // if all rewards are equal: any will do

  /** From the covariances with the evaluated actions: eq. 2.25; α is 0 for actions that are only believed. */
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

/** log E[max(0, f − best)] for f ~ N(mean, sd²). The logarithm still orders values that would underflow to 0. */
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

/** The logarithm of the prior of hyperparameters: broad, around a length of half of √D and a noise of a tenth. */
function logPrior([length, noise]: Hyperparameters): number {
  return -0.5 * (Math.log(LENGTHS[length]! / 0.5) ** 2 + (Math.log(NOISES[noise]! / 0.1) / 2) ** 2);
}

/** Rewards scaled from 0, the worst, to 1, the best, [n]; all 0 if all are equal. */
export function unitRewards(rewards: readonly number[]): number[] {
  const [worst, best] = [Math.min(...rewards) / 2, Math.max(...rewards) / 2]; // the whole range may not be finite
  return rewards.map((reward) => (best > worst ? (reward / 2 - worst) / (best - worst) : 0));
}

/** A Gaussian process that is fitted again whenever there are more data. */
function growingProcess() {
  let chosen: Hyperparameters = [3, 4];
  return {
    hyperparameters: () => ({ length: LENGTHS[chosen[0]]!, noise: NOISES[chosen[1]]! }),

    /** The posterior with the most likely hyperparameters: of the whole grid, or uphill from the last ones. */
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
  /** undefined while all evaluations have succeeded, or none. */
  readonly success: Posterior | undefined;
  /** The threshold for likely success: half of the highest expected success of an evaluated action. */
  readonly half: number;
  /** The actions that succeeded with their expected rewards, the highest first; if none succeeded, those that failed. */
  readonly incumbents: readonly { readonly action: readonly number[]; readonly mean: number }[];
}

export function gaussianProcess(
  { size, start, random, canonical = (action) => [...action] }: Problem,
  { initial, batch }: GaussianProcessOptions,
): Agent {
  const trials: Trial[] = []; // [n]
  const [rewards, successes] = [growingProcess(), growingProcess()];
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
   * The action with the highest expected improvement among those that are likely to succeed, or the likeliest to succeed
   * if there is none: of many drawn anywhere and near the best actions, and then of many drawn near the winner.
   */
  const propose = ({ reward, success, half, incumbents }: Model): number[] => {
    const around = (centre: readonly number[], sd: number) => {
      const share = random.uniform(); // moves a few dimensions, or all
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
      const other = judge(canonical(action));
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

  const tell = (told: readonly Trial[]): void => {
    trials.push(...told.map(({ action, reward }) => ({ action: canonical(action), reward })));
    model = undefined;
  };

  return {
    warmStart(past) {
      const every = Math.max(1, past.length / MOST_WARM);
      tell(Array.from({ length: Math.min(past.length, MOST_WARM) }, (_, i) => past[Math.floor(i * every)]!));
    },

    ask() {
      const missing = initial - trials.length;
      if (missing > 0) return [[...start], ...latinHypercube(missing - 1, size, random)];
      const expected = (model ??= fit());
      return Array.from({ length: batch }, () => {
        const action = propose(expected);
        expected.reward.believe(action);
        expected.success?.believe(action);
        return action;
      });
    },

    tell,
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
    .description('Bayesian optimisation: a Gaussian process models the reward and chooses where to try next.')
    .option('--initial <n>', 'actions of the first iteration, spread evenly', integer(2), 16)
    .option('--batch <n>', 'actions of each later iteration', integer(1), 4),
);

if (isProgram(import.meta.url)) void gaussianProcessProgram();
