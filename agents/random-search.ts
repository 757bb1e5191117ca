/**
 * Random search: draws every action uniformly from [-1, 1]^D, and learns nothing.
 *
 * The control that every other agent is measured against, at the same number of evaluations. The best of N noisy
 * rewards is a lucky one; the loop re-evaluates the best few on fresh seeds before it recommends any.
 */
import type { Agent, Problem } from './agent.ts';
import { integer, isProgram } from './run/flags.ts';
import { program } from './run/program.ts';

interface RandomSearchOptions {
  /** Actions an iteration: how many may be evaluated side by side. */
  readonly batch: number;
}

export function randomSearch({ size, random }: Problem, { batch }: RandomSearchOptions): Agent {
  return {
    ask: () => Array.from({ length: batch }, () => Array.from({ length: size }, () => random.uniform(-1, 1))),
    tell: () => {},
  };
}

export const randomSearchProgram = program<RandomSearchOptions>('random-search', randomSearch, (command) =>
  command
    .description('Random search: actions drawn uniformly from [-1, 1]^D.')
    .option('--batch <n>', 'actions an iteration', integer(1), 8),
);

if (isProgram(import.meta.url)) void randomSearchProgram();
