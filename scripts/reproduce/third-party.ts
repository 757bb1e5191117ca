/**
 * Optimisers of other libraries beside our agents, at the same number of evaluations: `npm run reproduce -- third-party`.
 *
 * The others are the examples of agents/python, with their defaults. Our agents have their defaults too, but for the flags
 * that REINFORCE's card names for few evaluations. All evaluate alike ({@link ALIKE}), and choose their θ alike: the best
 * few of the search, and what the optimiser itself recommends, are evaluated again on fresh seeds. The winner is then
 * scored on seeds of its own, the same for all optimisers.
 */
import { readFileSync } from 'node:fs';
import mixture from '../../env/experiments/mixture.ts';
import counting from '../../env/experiments/traffic-counting.ts';
import { createExperiment } from '../../env/experiments/load.ts';
import { DEFAULT_RUNTIME } from '../../env/runtime.ts';
import { writeWhole } from '../../protocol/whole-file.ts';
import { withInterval } from '../../protocol/statistics.ts';
import { markdownTable } from '../markdown.ts';
import { everySearch, repeatedArm } from './arms.ts';
import type { AgentOptions } from './search-log.ts';
import type { Arm, EnvOptions, Study } from './study.ts';
import { readSummary, type ReproductionSummary } from './summary.ts';

/** As `finalists` of the Python package has it. */
const FINALISTS = { finalists: 3, finalistSeeds: 3, reportSeeds: 1 };
const FEW = {
  ...{ ascent: 'natural', learningRate: 1.8, batch: 12, sigma: 0.4, sigmaDecay: 0.95 },
  ...{ advantage: 'ranked', antithetic: true, start: 'centre' },
};

interface Optimisers {
  /** What our agents of this study are told beside {@link FINALISTS}. */
  readonly ours?: AgentOptions;
  /** What TPE is told. */
  readonly tpe?: AgentOptions;
  /** Such that whole iterations of PPO, four batches each, are the whole budget. */
  readonly ppoBatch: number;
  /** Trials of Ax at once: it fits its model once for all of them, which takes seconds with hundreds of trials. */
  readonly axParallel: number;
}

/** Where evaluations have first weights and early scores: all draw new weights for each, and none ends one early. */
export const ALIKE: Pick<Optimisers, 'ours' | 'tpe'> = { ours: { seeds: 'fresh' }, tpe: { prune: false } };

/** All optimisers, ours and those of other libraries. */
export function optimisers({ ppoBatch, axParallel, ours: given = {}, tpe = {} }: Optimisers) {
  const ours = (title: string, agent: string, options = {}) => {
    return { kind: 'search', title: `${title}, ours`, agent, options: { ...FINALISTS, ...given, ...options } } as const;
  };
  const theirs = (title: string, example: string, options = {}) => {
    return { kind: 'example', title, example, options } as const;
  };
  // It fits its model for every evaluation: 400 take it hours.
  const scikitOptimize = theirs('Gaussian process of scikit-optimize, 96 evaluations', 'scikit_optimize');
  return {
    randomSearch: ours('random search', 'random-search'),
    reinforce: ours('REINFORCE', 'reinforce'),
    reinforceFew: ours('REINFORCE for few evaluations', 'reinforce', FEW),
    cem: ours('CEM', 'cem'),
    cmaEs: ours('CMA-ES', 'cma-es'),
    gaussianProcess: ours('Gaussian process', 'gaussian-process'),
    optunaTpe: theirs('TPE of Optuna', 'optuna_tpe', tpe),
    optunaCmaEs: theirs('CMA-ES of Optuna', 'optuna_cma_es'),
    pycma: theirs('pycma', 'pycma_batches'),
    nevergrad: theirs('NGOpt of Nevergrad', 'nevergrad_search'),
    scikitOptimize: { ...scikitOptimize, mostEvaluations: 96 },
    ppo: theirs('PPO of Stable-Baselines3', 'stable_baselines3_ppo', { batch: ppoBatch }),
    ax: theirs('Bayesian optimisation of Ax', 'ax_runner', { parallel: axParallel }),
  } satisfies Record<string, Arm>;
}

/** The mixture and counting, each with what differs. */
function study(
  part: Pick<Study, 'name' | 'environment' | 'backend' | 'metric'>,
  {
    start,
    evaluations,
    envOptions,
    ...rest
  }: Optimisers & {
    readonly start: Arm;
    readonly evaluations: number;
    readonly envOptions: EnvOptions;
  },
): Study {
  const arms = { ...optimisers(rest), start };
  return {
    ...part,
    presets: {
      quick: { searchSeeds: 1, evaluations: everySearch(arms, 16), randomThetas: 0, envOptions },
      standard: { searchSeeds: 3, evaluations: everySearch(arms, evaluations), randomThetas: 0, envOptions },
    },
    arms,
    learned: { seeds: 5 },
    alsoReported: [],
    about:
      'Mean ± half of the 95 % interval (Student’s t) over n seeds of the search (of the start: over seeds). Each found θ is scored on five further seeds, the same for all. The searches saw validation alone.',
    figures: [],
  };
}

const QUICK = { preset: 'quick' };
const startOf = (experiment: { readonly start: Parameters<typeof repeatedArm>[1] }) =>
  repeatedArm('the start', experiment.start);

export const thirdPartyMixture = study(
  { name: 'third-party-mixture', environment: mixture.id, backend: 'libsvm (WebAssembly)', metric: 'accuracy' },
  {
    start: startOf(createExperiment(mixture, {}, DEFAULT_RUNTIME).experiment),
    ...{ evaluations: 400, ppoBatch: 20, axParallel: 20, envOptions: {} },
  },
);

export const thirdPartyCounting = study(
  { name: 'third-party-counting', environment: counting.id, backend: 'TensorFlow.js', metric: 'devianceExplained' },
  {
    start: startOf(createExperiment(counting, QUICK, DEFAULT_RUNTIME).experiment),
    ...{ evaluations: 96, ppoBatch: 12, axParallel: 4, envOptions: QUICK },
    ...ALIKE,
  },
);

/** Both studies in one table, the best on the mixture first. */
export function thirdPartyTable(summaries: Readonly<Record<'mixture' | 'counting', ReproductionSummary>>): string[] {
  const titles = new Map(
    Object.entries(optimisers({ ppoBatch: 1, axParallel: 1 })).map(([name, { title }]) => [name, title]),
  );
  const { mixture: first, counting: second } = summaries;
  const names = Object.keys(first.arms).sort((a, b) => first.arms[b]!.test.mean - first.arms[a]!.test.mean);
  const budget = ({ arms }: ReproductionSummary) =>
    Math.max(...Object.values(arms).map(({ evaluations }) => evaluations));
  const rows = names.map((name) => [
    titles.get(name) ?? 'the start',
    ...[first, second].map(({ arms }) => (arms[name] ? withInterval(arms[name].test, 3) : '')),
  ]);
  const head = [
    `accuracy on \`Mixture-v0\`, ${budget(first)} evaluations`,
    `deviance explained on \`TrafficCounting-v0\` (quick), ${budget(second)} evaluations`,
  ];
  return markdownTable(['optimiser', ...head], rows);
}

/** What stands before and after the part of a page that a program writes. */
const [BEGIN, END] = ['<!-- written by npm run reproduce -- third-party -->', '<!-- until here -->'];

/** @throws {Error} when the page has no such part */
export function withTable(page: string, lines: readonly string[]): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin)
    throw new Error(`agents/README.md: expected ${BEGIN} and ${END}, got a page without them`);
  return `${page.slice(0, begin)}${[BEGIN, '', ...lines, '', END].join('\n')}${page.slice(end + END.length)}`;
}

/** Writes the table into a page, from the results of both studies. */
export function writeTable(page: string, folders: Readonly<Record<'mixture' | 'counting', string>>): void {
  const summaries = { mixture: readSummary(folders.mixture), counting: readSummary(folders.counting) };
  writeWhole(page, withTable(readFileSync(page, 'utf8'), thirdPartyTable(summaries)));
}
