/**
 * Random search: draws every action uniformly from [-1, 1]^D, and learns nothing.
 *
 * Every other agent is compared with it at the same number of evaluations. The best of N noisy rewards is a lucky one,
 * so the loop evaluates the best few again on fresh seeds before it chooses the winner.
 */
import type { Agent, Problem } from './agent.ts';
import { integer, isProgram } from './run/flags.ts';
import { program } from './run/program.ts';

interface RandomSearchOptions {
  /** Actions per iteration: the number that may be evaluated at once. */
  readonly batch: number;
}

export function randomSearch({ size, random }: Problem, { batch }: RandomSearchOptions): Agent {
  return {
    ask: () => Array.from({ length: batch }, () => Array.from({ length: size }, () => random.uniform(-1, 1))),
    tell: () => {},
    learns: false,
  };
}

export const randomSearchProgram = program<RandomSearchOptions>('random-search', randomSearch, (command) =>
  command
    .description('Random search: actions drawn uniformly from [-1, 1]^D.')
    .option('--batch <n>', 'actions per iteration', integer(1), 8),
);

if (isProgram(import.meta.url)) void randomSearchProgram();
