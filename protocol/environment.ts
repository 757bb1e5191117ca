/**
 * The Gym contract, on both sides of the wire: `reset`, then one `step`, then `reset` again.
 *
 * `localEnvironment` in env/ implements it in the same process, `RemoteEnvironment` in agents/client/ over a socket. One
 * test suite runs on both.
 */
import type { EvaluationItem, Result } from './messages.ts';
import type { Seed } from './random.ts';

/** One evaluation as protocol/messages.ts defines it, with exactly one of `action` and `params`. */
export type StepRequest = Omit<EvaluationItem, 'step_id' | 'action'> & {
  /** Names the evaluation: a step sent again under the same name is not evaluated again. A new name by default. */
  readonly step_id?: string | undefined;
  /** [D], each from -1 to 1. */
  readonly action?: readonly number[] | undefined;
  /** Makes the step an episode of its own. */
  readonly reset?: boolean | undefined;
};

/** What every environment returns for a step. Only a server has the outcomes `failed`, `deadline` and `cancelled`. */
export type StepResult = Pick<
  Result,
  | 'observation'
  | 'reward'
  | 'terminated'
  | 'truncated'
  | 'outcome'
  | 'reason'
  | 'scores'
  | 'test_scores'
  | 'theta'
  | 'seed'
  | 'seeds'
>;

export interface Environment {
  /**
   * Begins an episode; a seed starts the stream of episodes anew.
   *
   * @returns the observation, one number per metric: all zeros, since nothing is scored yet
   */
  reset(options?: { readonly seed?: Seed }): Promise<{ readonly observation: readonly number[] }>;
  /**
   * Evaluates an action or θ, and ends the episode.
   *
   * @throws {Error} with the code NEEDS_RESET when the episode has ended; otherwise naming the place in the request that
   *   breaks a rule
   */
  step(request: StepRequest): Promise<StepResult>;
}
