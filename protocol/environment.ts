/**
 * The Gym contract, on both sides of the wire: `reset`, then one `step`, then `reset` again.
 *
 * `localEnvironment` of env/ keeps it in its own process, `RemoteEnvironment` of agents/client/ over a socket; one test
 * suite runs on both.
 */
import type { EvaluationItem, Result } from './messages.ts';
import type { Seed } from './random.ts';

/** What is evaluated, and how: an evaluation of protocol/messages.ts, with exactly one of `action` and `params`. */
export type StepRequest = Omit<EvaluationItem, 'step_id' | 'action'> & {
  /** Names the evaluation: sent again under the same name, it is not evaluated again. A new one by default. */
  readonly step_id?: string | undefined;
  /** [D], each from -1 to 1. */
  readonly action?: readonly number[] | undefined;
  /** Makes the step an episode of its own. */
  readonly reset?: boolean | undefined;
};

/** What every environment says of a step. Outcomes that need a server: `failed`, `deadline` and `cancelled`. */
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
  /** Begins an episode; a seed starts the stream of episodes anew. The observation is zeros: nothing is scored yet. */
  reset(options?: { readonly seed?: Seed }): Promise<{ readonly observation: readonly number[] }>;
  /** @throws {Error} with the code NEEDS_RESET when the episode has ended; naming the place where the request breaks a rule */
  step(request: StepRequest): Promise<StepResult>;
}
