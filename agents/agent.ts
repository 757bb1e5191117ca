/**
 * What an optimiser is to the loop that runs it: it asks for actions to be evaluated, and is told how they did.
 *
 * An agent never sees a socket, a simulator or a test score. It must be deterministic given its Random, so that a
 * stopped run continues by being told its past trials again.
 */
import type { Random } from '../protocol/random.ts';

/** What came of one action. */
export interface Trial {
  /** [D], each from -1 to 1. */
  readonly action: readonly number[];
  /** The validation score, or what it is taken for when it was discarded; null when it failed (diverged, infeasible, crashed, …). */
  readonly reward: number | null;
}

export interface Agent {
  /** The actions of the next iteration, [n, D], each component from -1 to 1. They are evaluated in any order. */
  ask(): number[][];
  /** The trials of the iteration, in the order of `ask`. */
  tell(trials: readonly Trial[]): void;
  /** The action that the agent itself believes in, such as the policy's mean; it joins the finalists. */
  recommend?(): number[];
  /** What to log of the agent's state after an iteration, such as the policy's mean and σ. */
  state?(): Readonly<Record<string, unknown>>;
}

/** What an agent is made from. */
export interface Problem {
  /** D, the number of components of an action. */
  readonly size: number;
  /** The action where the search starts, [D]. */
  readonly start: readonly number[];
  readonly random: Random;
}

/** Puts every component back into [-1, 1]. */
export function clip(action: readonly number[]): number[] {
  return action.map((value) => Math.min(1, Math.max(-1, value)));
}

/** The trials that have a reward, the best first; equal ones in their order. */
export function bestFirst(trials: readonly Trial[]): (Trial & { readonly reward: number })[] {
  const succeeded = trials.flatMap(({ action, reward }) => (reward === null ? [] : [{ action, reward }]));
  return succeeded.sort((a, b) => b.reward - a.reward);
}
