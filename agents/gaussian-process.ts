/**
 * Bayesian optimisation with a Gaussian process (Rasmussen & Williams 2006, ch. 2 and 5; Jones et al. 1998).
 *
 * Rewards are modelled as y = m + f(a) + noise, with f a Gaussian process over actions: Matérn 5/2, a length scale for
 * each component, since few of many parameters matter. Length scales and noise are chosen by their marginal likelihood and
 * a prior. The next action has the highest expected improvement over the best *posterior mean*, not over the best noisy
 * reward, which is the luckiest. The further actions of a batch are chosen as if the actions before them had the rewards
 * that the model expects (Kriging believer: Ginsbourger et al. 2010). This does not change the mean, and removes the
 * uncertainty around them. The recommendation is the highest posterior mean near the best evaluated action; where evaluations
 * have failed, also those of others, it is that action.
 *
 * Failed evaluations have no reward to model. A second process models success: 1 for an evaluation that succeeded, 0
 * for one that failed. The next action is one that is likely to succeed (a probabilistic constraint, as in Gelbart, Snoek
 * & Adams 2014). A bad reward in place of a failure would put cliffs into f, and random failures would look like noise.
 *
 * Integers, booleans and choices: actions with the same θ are one point, whose components are the canonical ones
 * (Garrido-Merchán & Hernández-Lobato 2020). Otherwise the process would look for slopes between equal rewards.
 *
 * Trials that others have made under another specification (a match of distributions, a short training) are a lower
 * fidelity: a process g is fitted to them first, and f(a) = ρ g(a) + δ(a) with δ a process of its own (Kennedy & O'Hagan
 * 2000). Where g was right, a few evaluations tell so; where it was not, δ takes over. The search begins around the best
 * of g.
 *
 * A fit takes some n³ operations: two seconds for 400 evaluations. So of many trials that others have made, only
 * some are learned from: as many from each part of their search, since the best alone would be the luckiest.
 */
import { erf } from 'mathjs';
import { deriveSeed, Random } from '../protocol/random.ts';
import { clip, unitRewards, type Agent, type Problem, type Trial } from './agent.ts';
import { nextRow, solveLower } from '../protocol/cholesky.ts';
import {
  centreOf,
  covariances,
  factorOf,
  fitHyperparameters,
  fittedWeights,
  type Hyperparameters,
  type Prior,
} from '../protocol/gaussian-process.ts';
import { integer, isProgram } from './run/flags.ts';
import { program } from './run/program.ts';

interface GaussianProcessOptions {
  /** Actions of the first iteration, spread evenly; the start is one of them. */
  readonly initial: number;
  /** Actions of each later iteration. */
  readonly batch: number;
}

/** It holds the length scales together while there are few evaluations. */
const PRIOR: Prior = { length: 0.6, lengthWidth: 0.8, noise: 0.3, noiseWidth: 2 };
/** Of success, which is 0 or 1 and says little, all length scales are about the same. */
const PRIOR_OF_SUCCESS: Prior = { ...PRIOR, lengthWidth: 0.35 };
/** Steps towards the best hyperparameters; more gain nothing. */
const STEPS = 20;

/** The most trials of others that a search starts from. */
const MOST_WARM = 200;

/** The least difference of the expected success from its threshold, in standard deviations: 90 % of a normal distribution. */
const SURE = 1.28;

/** How far from the best of g the first actions are drawn, and how far from an evaluated action one is recommended. */
const AROUND_GUIDE = 0.3;
const NEAR = 0.6;

/** What is known of the reward from other trials: g, with mean 0 and variance 1 over these. */
type Guide = (action: readonly number[]) => number;

/** A Gaussian process that is fitted to data. */
export interface Posterior {
  /** The mean of f at an action: n operations, while the standard deviation takes n². */
  mean(action: readonly number[]): number;
  /** The mean and the standard deviation of f at an action, without the noise. */
  at(action: readonly number[]): { mean: number; sd: number };
  /** Counts an action as evaluated, with the reward that the model expects. */
  believe(action: readonly number[]): void;
}

/**
 * The posterior for some hyperparameters; the mean and the variance of f maximise the likelihood.
 *
 * @param actions [n, D]
 * @param rewards [n]
 * @param guide   g, where there is one
 */
export function posterior(
  actions: readonly (readonly number[])[],
  rewards: readonly number[],
  hyperparameters: Hyperparameters,
  guide: Guide = () => 0,
): Posterior {
  const { noise, trust } = hyperparameters;
  const n = rewards.length;
  const [points, guided] = [[...actions], actions.map(guide)]; // those that are believed join them
  const data = { points, guided };
  const L = factorOf(data, hyperparameters);
  const { mean: m, alpha, variance } = fittedWeights(L, rewards);

  /** From the covariances with the evaluated actions: eq. 2.25; α is 0 for actions that are only believed. */
  const meanOf = (k: Float64Array) => {
    let mean = m;
    for (let i = 0; i < n; i++) mean += k[i]! * alpha[i]!;
    return mean;
  };

  return {
    mean: (action) => meanOf(covariances(action, guide(action), data, hyperparameters, n)),
    at(action) {
      const known = guide(action);
      const k = covariances(action, known, data, hyperparameters);
      let rest = 1 + trust * known ** 2;
      for (const v of solveLower(L, k)) rest -= v * v; // eq. 2.26
      return { mean: meanOf(k), sd: Math.sqrt(variance * Math.max(rest, 0)) };
    },
    believe(action) {
      points.push(action);
      guided.push(guide(action));
      const row = covariances(action, guided.at(-1)!, data, hyperparameters);
      row[row.length - 1]! += noise;
      L.push(nextRow(L, row));
    },
  };
}

/** log E[max(0, f − best)] for f ~ N(mean, sd²). The logarithm still orders values that would underflow to 0. */
export function logExpectedImprovement(mean: number, sd: number, best: number): number {
  if (sd === 0) return mean > best ? Math.log(mean - best) : -Infinity;
  const z = (mean - best) / sd;
  const logDensity = -0.5 * (z * z + Math.log(2 * Math.PI));
  // φ(z) + z Φ(z) = φ(z)/z² (1 − 3/z² + 15/z⁴ − …)
  if (z < -5) return Math.log(sd) + logDensity - 2 * Math.log(-z) + Math.log1p(-3 / z ** 2 + 15 / z ** 4);
  return Math.log(sd * (Math.exp(logDensity) + z * 0.5 * (1 + erf(z / Math.SQRT2))));
}

/** A Latin hypercube: in each dimension, one point in each of n equal parts. @returns [n, D] */
export function latinHypercube(n: number, size: number, random: Random): number[][] {
  const columns = Array.from({ length: size }, () => random.shuffle(Array.from({ length: n }, (_, i) => i)));
  return Array.from({ length: n }, (_, i) => columns.map((column) => (2 * (column[i]! + random.uniform())) / n - 1));
}

const within = (value: number, centre: number, most: number) =>
  Math.min(1, centre + most, Math.max(-1, centre - most, value));

/** The posterior with the most likely hyperparameters; where all values are equal, they tell nothing of these. */
function fittedPosterior(
  actions: readonly (readonly number[])[],
  values: readonly number[],
  prior: Prior,
  guide?: Guide,
): { readonly fitted: Posterior; readonly hyperparameters: Hyperparameters } {
  const isFlat = values.every((value) => value === values[0]);
  const data = { points: actions, values, ...(guide && { guided: actions.map(guide) }) };
  const hyperparameters = isFlat ? centreOf(prior, actions[0]!.length) : fitHyperparameters(data, prior, STEPS);
  return { fitted: posterior(actions, values, hyperparameters, guide), hyperparameters };
}

/** A guide from trials of another specification, and the best action by it; undefined where none has a reward. */
function guideFrom(trials: readonly Trial[]): { readonly of: Guide; readonly best: readonly number[] } | undefined {
  const known = trials.filter(({ reward }) => reward !== null);
  if (known.length === 0) return undefined;
  const actions = known.map(({ action }) => action);
  const { fitted: process } = fittedPosterior(actions, unitRewards(known.map(({ reward }) => reward!)), PRIOR);
  const values = actions.map((action) => process.mean(action));
  const centre = values.reduce((sum, value) => sum + value, 0) / values.length;
  const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / values.length) || 1;
  return {
    of: (action) => (process.mean(action) - centre) / spread,
    best: actions[values.indexOf(Math.max(...values))]!,
  };
}

/** Of many trials, as many from each part of their search. */
function some(trials: readonly Trial[]): Trial[] {
  const every = Math.max(1, trials.length / MOST_WARM);
  return Array.from({ length: Math.min(trials.length, MOST_WARM) }, (_, i) => trials[Math.floor(i * every)]!);
}

/** What is expected of an action. */
interface Model {
  readonly reward: Posterior;
  /** Of the rewards. */
  readonly hyperparameters: Hyperparameters;
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
  /** Of recommendations: so a search goes on alike, whether somebody asks for one or not. */
  const seed = random.uint32();
  /** Trials of another specification that failed: these may fail here too, while the others need not succeed. */
  let otherFailures: readonly Trial[] = [];
  /** What is known from the rewards of the others. */
  let guide: ReturnType<typeof guideFrom>;
  let model: Model | undefined;
  /** What is recommended by the model. */
  let advised: number[] | undefined;

  const fit = (): Model => {
    const actions = trials.map(({ action }) => action);
    const noneSucceeded = trials.every(({ reward }) => reward === null);
    const known = trials.filter(({ reward }) => reward !== null || noneSucceeded);
    const { fitted: reward, hyperparameters } = fittedPosterior(
      known.map(({ action }) => action),
      unitRewards(known.map(({ reward }) => reward ?? 0)),
      PRIOR,
      noneSucceeded ? undefined : guide?.of, // where it led all failed
    );
    const incumbents = known
      .map(({ action }) => ({ action, mean: reward.mean(action) }))
      .sort((a, b) => b.mean - a.mean);
    const tried = [...trials, ...otherFailures];
    if (noneSucceeded || tried.every(({ reward }) => reward !== null)) {
      return { reward, hyperparameters, success: undefined, half: 0, incumbents };
    }
    const { fitted: success } = fittedPosterior(
      tried.map(({ action }) => action),
      tried.map(({ reward }) => (reward === null ? 0 : 1)),
      PRIOR_OF_SUCCESS,
    );
    const half = Math.max(...actions.map((action) => success.mean(action))) / 2;
    return { reward, hyperparameters, success, half, incumbents };
  };

  /** How far above the threshold the chance of success is for sure; not below 0 for an action that is likely to succeed. */
  const marginOf = ({ success, half }: Model, action: readonly number[]): number => {
    const chance = success?.at(action);
    return chance ? chance.mean - SURE * chance.sd - half : 0;
  };

  /** An action that differs from another one in a few dimensions, or in all. */
  const drawAround = (centre: readonly number[], sd: number, by = random) => {
    const share = by.uniform();
    return clip(centre.map((v) => (by.uniform() < share ? by.normal(v, sd) : v)));
  };

  /**
   * The action with the highest expected improvement among those that are likely to succeed, or the likeliest to succeed
   * if there is none: of many drawn anywhere and near the best actions, and then of many drawn near the winner.
   */
  const propose = (expected: Model): number[] => {
    const { reward, success, incumbents } = expected;
    const anywhere = () => Array.from({ length: size }, () => random.uniform(-1, 1));
    const best = incumbents[0]!.mean;
    const judge = (action: number[]) => {
      const margin = marginOf(expected, action);
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
    for (const centre of centres)
      for (let i = 0; i < 40; i++) consider(drawAround(centre, 10 ** random.uniform(-2, 0)));
    for (let i = 0; i < 150; i++) consider(drawAround(top.action, 0.3 * 0.97 ** i));
    return top.action;
  };

  const recommend = (): number[] => {
    if (trials.length === 0 && guide) return [...guide.best];
    if (trials.every(({ reward }) => reward === null)) return [...start];
    model ??= fit();
    const best = model.incumbents[0]!.action;
    return [...(model.success ? best : (advised ??= climb(model, best)))];
  };

  /** The action with the highest posterior mean near another one. */
  const climb = ({ reward }: Model, from: readonly number[]): number[] => {
    const climber = new Random(deriveSeed(seed, 'recommendation', trials.length));
    let top = { action: [...from], value: reward.mean(from) };
    for (let i = 0; i < 200; i++) {
      const drawn = drawAround(top.action, 0.4 * 0.985 ** i, climber);
      const action = canonical(drawn.map((v, d) => within(v, from[d]!, NEAR)));
      const value = reward.mean(action);
      if (value > top.value) top = { action, value };
    }
    return top.action;
  };

  const tell = (told: readonly Trial[]): void => {
    trials.push(...told.map(({ action, reward }) => ({ action: canonical(action), reward })));
    model = undefined;
    advised = undefined;
  };

  return {
    warmStart(past) {
      tell(some(past.filter(({ isOther }) => !isOther)));
      const others = some(past.filter(({ isOther }) => isOther)).map((trial) => {
        return { ...trial, action: canonical(trial.action) };
      });
      otherFailures = others.filter(({ reward }) => reward === null);
      guide = guideFrom(others);
    },

    ask() {
      const missing = initial - trials.length;
      if (missing > 0 && guide) {
        const { best } = guide;
        const drawn = () => clip(best.map((v) => random.normal(v, AROUND_GUIDE)));
        return [[...best], ...Array.from({ length: missing - 1 }, drawn)];
      }
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
      const best = recommend(); // fits first, where an evaluation has succeeded
      const { lengths, noise } = model?.hyperparameters ?? centreOf(PRIOR, size);
      return { best, lengths, noise };
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
