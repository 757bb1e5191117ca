/**
 * The cross-entropy method (Rubinstein 1999; De Boer et al. 2005, "A Tutorial on the Cross-Entropy Method").
 *
 * Draw a population from N(μ, diag σ²), keep the elite, fit μ and σ to the elite, repeat. With few and noisy evaluations
 * σ collapses long before μ is right, so σ has a floor. The elite has no failed evaluation: if too few
 * succeed, the elite is smaller, and changes μ and σ less. Trials that others have made count as one large population.
 */
import { add, dotMultiply, std, transpose } from 'mathjs';
import { bestFirst, clip, meanAction, type Agent, type Problem, type Trial } from './agent.ts';
import { integer, isProgram, number } from './run/flags.ts';
import { program } from './run/program.ts';

interface CemOptions {
  /** Actions per iteration, N. */
  readonly population: number;
  /** The number of best actions that the next distribution is fitted to. */
  readonly elite: number;
  /** σ of the first population, in units of the action (the whole range is 2). */
  readonly sigma: number;
  /** The lower bound of σ, for every component. */
  readonly sigmaFloor: number;
  /** The share of the fitted distribution in the next one, α; the rest is the current distribution. */
  readonly smoothing: number;
}

export function cem({ size, start, random }: Problem, options: CemOptions): Agent {
  const { population, elite, sigma: sigma0, sigmaFloor, smoothing } = options;
  if (elite > population) throw new RangeError(`elite: expected at most the population of ${population}, got ${elite}`);
  let mu = [...start]; // [D]
  let sigma = Array.from({ length: size }, () => sigma0); // [D]

  /** Fits μ and σ to the best `count` of some trials. */
  const fit = (trials: readonly Trial[], count: number): void => {
    const best = bestFirst(trials).slice(0, count);
    if (best.length === 0) return;
    const actions = best.map(({ action }) => [...action]); // [count, D]
    const share = smoothing * (best.length / count);
    const blend = (present: number[], fitted: number[]) =>
      add(dotMultiply(present, 1 - share), dotMultiply(fitted, share));
    mu = blend(mu, meanAction(actions));
    const spread = transpose(actions).map((column) => Number(std(column, 'uncorrected')));
    sigma = blend(sigma, spread).map((s) => Math.max(s, sigmaFloor));
  };

  return {
    ask: () => Array.from({ length: population }, () => clip(mu.map((m, i) => random.normal(m, sigma[i])))),
    tell: (trials) => fit(trials, elite),
    warmStart: (trials) => fit(trials, Math.max(elite, Math.round((trials.length * elite) / population))),
    recommend: () => clip(mu),
    state: () => ({ mu, sigma }),
  };
}

export const cemProgram = program<CemOptions>('cem', cem, (command) =>
  command
    .description('The cross-entropy method: a Gaussian is fitted again and again to the best of its draws.')
    .option('--population <n>', 'actions per iteration', integer(2), 16)
    .option('--elite <n>', 'actions that the next Gaussian is fitted to', integer(1), 4)
    .option('--sigma <s>', 'σ at the start, in action units (the range is 2)', number(0, 10), 0.4)
    .option('--sigma-floor <s>', 'least σ of any component', number(0, 10), 0.1)
    .option('--smoothing <a>', 'share of the fitted Gaussian in the next one', number(0, 1), 0.7),
);

if (isProgram(import.meta.url)) void cemProgram();
