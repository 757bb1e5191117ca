/**
 * The interface between an optimiser and the loop that runs it: the agent asks for the evaluation of actions, and is
 * told their rewards.
 *
 * An agent never sees a socket, a simulator or a test score. Given its Random, it must be deterministic: a stopped run
 * continues by telling the agent its past trials again.
 */
import { mean, transpose } from 'mathjs';
import type { Random } from '../protocol/random.ts';

/** An evaluated action. */
export interface Trial {
  /** [D], each from -1 to 1. */
  readonly action: readonly number[];
  /** The validation score, or an estimate if the evaluation was discarded; null if it failed (diverged, infeasible, …). */
  readonly reward: number | null;
  /**
   * It was made under another specification (another task or preset) with the same parameters: its reward tells which
   * actions are better, from 0 to 1 over the trials of that specification, and does not compare with those of this run.
   */
  readonly isOther?: true;
}

export interface Agent {
  /** The actions of the next iteration, [n, D], each component from -1 to 1. They may be evaluated in any order. */
  ask(): number[][];
  /** The trials of the iteration, in the order of `ask`. */
  tell(trials: readonly Trial[]): void;
  /**
   * Trials that others have made, any number of them, at least one with a reward; called before the first `ask`, if at
   * all. An agent that leaves it out learns nothing from them.
   */
  warmStart?(trials: readonly Trial[]): void;
  /** The action, [D], that the agent itself thinks is best, such as the policy's mean; it joins the finalists. */
  recommend?(): number[];
  /** Whether what it is told changes anything; left out where it does. */
  readonly learns?: false;
  /** The figures of the agent's state that are logged after an iteration, such as the policy's mean and σ. */
  state?(): Readonly<Record<string, unknown>>;
}

/** The problem that an agent is created for. */
export interface Problem {
  /** D, the number of components of an action. */
  readonly size: number;
  /** The action where the search starts, [D]. */
  readonly start: readonly number[];
  readonly random: Random;
  /**
   * The one action, [D], that stands for all actions with the same integers, booleans and choices and the same other
   * components. Left out where θ has none of these: then every action stands for itself.
   */
  readonly canonical?: (action: readonly number[]) => number[];
}

/** Puts every component back into [-1, 1]. */
export function clip(action: readonly number[]): number[] {
  return action.map((value) => Math.min(1, Math.max(-1, value)));
}

/** Rewards scaled from 0, the worst, to 1, the best, [n]; all 0 if all are equal. */
export function unitRewards(rewards: readonly number[]): number[] {
  const [worst, best] = [Math.min(...rewards) / 2, Math.max(...rewards) / 2]; // the whole range may not be finite
  return rewards.map((reward) => (best > worst ? (reward / 2 - worst) / (best - worst) : 0));
}

/** The trials that compare: those of this run's specification where one of them has a reward, else all. */
function comparable(trials: readonly Trial[]): readonly Trial[] {
  const own = trials.filter(({ isOther }) => !isOther);
  return own.some(({ reward }) => reward !== null) ? own : trials;
}

/** The trials with a reward that compare, the best first; trials with equal rewards keep their order. */
export function bestFirst(trials: readonly Trial[]): (Trial & { readonly reward: number })[] {
  const succeeded = comparable(trials).flatMap(({ action, reward }) => (reward === null ? [] : [{ action, reward }]));
  return succeeded.sort((a, b) => b.reward - a.reward);
}

/** The actions of the best tenth of the trials that compare, at least one: the best alone is the luckiest. @returns [n, D] */
export function bestTenth(trials: readonly Trial[]): number[][] {
  return bestFirst(trials)
    .slice(0, Math.max(1, Math.floor(comparable(trials).length / 10)))
    .map(({ action }) => [...action]);
}

/** @param actions [n, D]. @returns [D] */
export function meanAction(actions: readonly (readonly number[])[]): number[] {
  return transpose(actions.map((action) => [...action])).map((column) => mean(column));
}
