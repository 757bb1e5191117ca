/**
 * REINFORCE, the policy gradient of the paper (Williams 1992; Ruiz et al. 2019, eq. 3 and Alg. 1).
 *
 * The policy is a Gaussian over actions, π_ω = N(μ, diag σ²), and μ is learned. In each iteration K actions are drawn,
 * each is evaluated, and μ moves along
 *
 *     ∇_μ J ≈ 1/K Σ_k Â_k ∇_μ log π(a_k),     ∇_μ log N(a; μ, σ²) = (a − μ)/σ²
 *
 * with Adam (Kingma & Ba 2015), or along the natural gradient F⁻¹∇_μ J = σ²∇_μ J (Wierstra et al. 2014, sec. 2.4; the
 * policy's Fisher information F is 1/σ²). From the first iteration on, Adam moves each component by about its step size,
 * whether the batch says anything about the component or not. The natural gradient moves it as far as the batch says,
 * which is better for a search of few iterations.
 *
 * The advantage Â is the reward minus a moving-average baseline, as in the paper; or the reward normalised over the
 * batch; or the rank in the batch. σ is fixed, or decays by a constant factor, or is learned for each component like μ,
 * as its logarithm (Williams 1992, sec. 6):
 *
 *     ∇_ln σ log N(a; μ, σ²) = (a − μ)²/σ² − 1,     F = 2
 *
 * A component that strongly affects the reward then soon varies little, and the batch tells more about the others.
 * The agent recommends μ, or its mean over the latest iterations, which is less noisy (Polyak & Juditsky 1992).
 *
 * A failed evaluation gets the worst reward of the search so far, and the lowest rank. Nothing is learned from an
 * iteration in which all evaluations failed.
 *
 * The gradient holds for actions that the policy itself has drawn. So of trials that others have made, the policy gets
 * its first mean: that of the best tenth.
 */
import { add, dotDivide, dotMultiply, dotPow, mean, multiply, std, subtract } from 'mathjs';
import { bestFirst, bestTenth, clip, meanAction, type Agent, type Problem, type Trial } from './agent.ts';
import { choice, integer, isProgram, number } from './run/flags.ts';
import { program } from './run/program.ts';

interface ReinforceOptions {
  /** Actions per iteration, K. */
  readonly batch: number;
  /** σ of the policy at the start, in units of the action (the whole range is 2). */
  readonly sigma: number;
  /** The factor by which σ is multiplied after each iteration. */
  readonly sigmaDecay: number;
  /** The lower bound of σ. */
  readonly sigmaFloor: number;
  /** Whether σ is learned for each component, like μ. */
  readonly learnSigma: boolean;
  readonly ascent: 'adam' | 'natural';
  /** Step size of the ascent. */
  readonly learningRate: number;
  readonly advantage: 'baseline' | 'normalised' | 'ranked';
  /** The share of the old baseline in each update, β. */
  readonly baselineDecay: number;
  /** The share of iterations, the latest ones, over which μ is averaged for the recommendation; 0: only the last. */
  readonly average: number;
  /** Whether actions are drawn in pairs μ ± ε: what both share along ε cancels, which lowers the variance. */
  readonly antithetic: boolean;
}

/** Values for the mean and for the logarithm of the standard deviation of each component, each [D]. */
interface Moments {
  readonly mu: number[];
  readonly logSigma: number[];
}

/** The gradient of log N(x; μ, diag σ²) in μ, (x − μ)/σ², and in ln σ, (x − μ)²/σ² − 1; each [D]. */
export function logDensityGradient(x: number[], mu: number[], sigma: number[]): Moments {
  const z = dotDivide(subtract(x, mu), sigma);
  return { mu: dotDivide(z, sigma), logSigma: z.map((each) => each ** 2 - 1) };
}

/** Rewards minus their mean, divided by their standard deviation, [K]; all 0 if all are equal up to rounding. */
export function normalised(rewards: number[]): number[] {
  const largest = Math.max(...rewards.map(Math.abs));
  const unit = 2 ** Math.max(-1022, Math.floor(Math.log2(largest)) - 1); // changes no digit, and lets no square overflow
  const scaled = rewards.map((reward) => reward / unit);
  const deviation = Number(std(scaled, 'uncorrected'));
  const average = mean(scaled);
  return scaled.map((reward) => (deviation > 1e-12 ? (reward - average) / deviation : 0));
}

/** The advantages of the actions of an iteration. */
interface Advantages {
  /** [K] */
  readonly weights: number[];
  /** The unit of the last iteration's weights, divided by the unit of these. */
  readonly lastUnit: number;
}

/**
 * A moving average of the rewards, and the difference of each reward from it.
 *
 * The differences are divided by the largest so far, so that the unit of the reward does not decide how far μ moves.
 *
 * @param decay the share of the old average in the new one
 */
export function movingBaseline(decay: number) {
  let average: number | undefined; // a quarter of it: the difference of two finite rewards need not be finite
  let unit = 0;
  return {
    /** undefined before the first rewards. */
    value: () => (average === undefined ? undefined : 4 * average),

    /** @returns differences from the average of the iterations before, or from its own mean in the first, -1 to 1 */
    next(rewards: readonly number[]): Advantages {
      const quarters = rewards.map((reward) => reward / 4);
      const [first = 0] = quarters;
      // Summed as differences, which are 0 if all rewards are equal: a rounding error would count as an advantage.
      const batchMean = quarters.reduce((sum, each) => sum + (each - first) / quarters.length, first);
      const before = average ?? batchMean;
      average = before + (1 - decay) * (batchMean - before);
      const differences = quarters.map((each) => each - before);
      const largest = Math.max(unit, ...differences.map(Math.abs));
      if (largest === 0) return { weights: differences, lastUnit: 1 };
      const lastUnit = unit / largest;
      unit = largest;
      return { weights: differences.map((each) => each / unit), lastUnit };
    },
  };
}

/** The rank of each reward, from -1 (worst) to 1 (best), [K]; equal rewards share their mean rank. */
export function ranked(rewards: number[]): number[] {
  if (rewards.length < 2) return rewards.map(() => 0);
  return rewards.map((reward) => {
    const below = rewards.filter((other) => other < reward).length;
    const same = rewards.filter((other) => other === reward).length;
    return (2 * (below + (same - 1) / 2)) / (rewards.length - 1) - 1;
  });
}

/**
 * Adam's ascent (Kingma & Ba 2015, Alg. 1), with β₁ = .9, β₂ = .999.
 *
 * @returns the step to add, [D], from a gradient, and from the unit of the last gradient divided by the unit of this one
 */
export function adam(size: number, learningRate: number): (gradient: number[], lastUnit?: number) => number[] {
  const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8];
  let m = Array.from({ length: size }, () => 0);
  let v = Array.from({ length: size }, () => 0);
  let t = 0;
  return (gradient, lastUnit = 1) => {
    t += 1;
    m = add(dotMultiply(m, beta1 * lastUnit), dotMultiply(gradient, 1 - beta1));
    v = add(dotMultiply(v, beta2 * lastUnit ** 2), dotMultiply(dotPow(gradient, 2), 1 - beta2));
    const mHat = dotDivide(m, 1 - beta1 ** t);
    const vHat = dotDivide(v, 1 - beta2 ** t);
    const scale = dotPow(vHat, 0.5).map((root) => learningRate / (root + epsilon));
    return dotMultiply(mHat, scale);
  };
}

export function reinforce({ size, start, random }: Problem, options: ReinforceOptions): Agent {
  const { batch, ascent, learningRate, learnSigma, sigmaDecay, sigmaFloor, advantage } = options;
  const adamStep = { mu: adam(size, learningRate), logSigma: adam(size, learningRate) };
  let mu = [...start]; // [D]
  const path: number[][] = []; // μ after each iteration
  let sigma = start.map(() => options.sigma); // [D]
  const baseline = movingBaseline(options.baselineDecay); // b
  let worst = Infinity; // the worst reward so far
  let drawn: number[][] = []; // [K, D], before clipping: the density is taken at the drawn actions

  const advantages = (trials: readonly Trial[]): Advantages => {
    const rewards = trials.map(({ reward }) => reward ?? worst);
    const next = baseline.next(rewards);
    if (advantage === 'baseline') return next;
    if (advantage === 'normalised') return { weights: normalised(rewards), lastUnit: 1 };
    return { weights: ranked(trials.map(({ reward }) => reward ?? -Infinity)), lastUnit: 1 };
  };
  /** The steps of μ and ln σ. */
  const step = (gradient: Moments, lastUnit: number): Moments =>
    ascent === 'adam'
      ? { mu: adamStep.mu(gradient.mu, lastUnit), logSigma: adamStep.logSigma(gradient.logSigma, lastUnit) }
      : {
          mu: gradient.mu.map((each, i) => learningRate * sigma[i]! ** 2 * each),
          logSigma: dotMultiply(gradient.logSigma, learningRate / 2),
        };

  const recommend = (): number[] => {
    if (path.length === 0) return [...mu];
    const latest = path.slice(-Math.max(1, Math.round(options.average * path.length)));
    return dotDivide(
      latest.reduce((sum, each) => add(sum, each)),
      latest.length,
    );
  };

  return {
    ask() {
      drawn = [];
      while (drawn.length < batch) {
        const epsilon = sigma.map((deviation) => random.normal(0, deviation));
        drawn.push(add(mu, epsilon));
        if (options.antithetic && drawn.length < batch) drawn.push(subtract(mu, epsilon));
      }
      return drawn.map(clip);
    },

    warmStart(trials: readonly Trial[]) {
      mu = meanAction(bestTenth(trials));
    },

    tell(trials: readonly Trial[]) {
      const worstNow = bestFirst(trials).at(-1);
      if (!worstNow) return;
      worst = Math.min(worst, worstNow.reward);
      const { weights, lastUnit } = advantages(trials);
      const scores = drawn.map((x) => logDensityGradient(x, mu, sigma)); // [K]
      const gradient = (scores: number[][]): number[] => dotDivide(multiply(weights, scores), batch); // [K, D] → [D]
      const move = step(
        {
          mu: gradient(scores.map((score) => score.mu)),
          logSigma: gradient(scores.map((score) => score.logSigma)),
        },
        lastUnit,
      );
      mu = clip(add(mu, move.mu));
      path.push(mu);
      if (learnSigma) sigma = sigma.map((deviation, i) => deviation * Math.exp(move.logSigma[i]!));
      sigma = sigma.map((deviation) => Math.max(deviation * sigmaDecay, sigmaFloor));
    },

    recommend,
    state: () => ({
      ...{ mu, sigma, baseline: baseline.value() },
      ...(options.average > 0 && { recommended: recommend() }),
    }),
  };
}

export const reinforceProgram = program<ReinforceOptions>('reinforce', reinforce, (command) =>
  command
    .description('REINFORCE: a Gaussian policy over θ, moved along the gradient of its expected reward.')
    .option('--batch <n>', 'actions per iteration, K', integer(2), 8)
    .option('--sigma <s>', "the policy's σ at the start, in action units (the range is 2)", number(1e-6, 10), 0.3)
    .option('--sigma-decay <f>', 'factor by which σ is multiplied after each iteration', number(0.01, 1), 0.97)
    .option('--sigma-floor <s>', 'least σ', number(1e-6, 10), 0.05)
    .option('--learn-sigma', 'learn σ for each component, like μ', false)
    .option(
      '--ascent <kind>',
      'adam: as in the paper; natural: along the natural gradient, for few iterations',
      choice('adam', 'natural'),
      'adam',
    )
    .option(
      '--learning-rate <r>',
      'step size of the ascent; with --ascent natural and --advantage ranked, 1 to 2 do well',
      number(0, 10),
      0.1,
    )
    .option(
      '--advantage <kind>',
      'baseline: reward minus its moving average, as in the paper; normalised: over the batch; ranked: rank in the batch',
      choice('baseline', 'normalised', 'ranked'),
      'baseline',
    )
    .option('--baseline-decay <f>', 'share of the old baseline that remains', number(0, 1), 0.8)
    .option('--average <share>', 'recommend the mean of μ over this share of the latest iterations', number(0, 1), 0)
    .option('--antithetic', 'draw actions in pairs on opposite sides of the mean', false),
);

if (isProgram(import.meta.url)) void reinforceProgram();
