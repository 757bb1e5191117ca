/**
 * The Gym contract, in this process: `reset`, then one `step`, then `reset` again.
 *
 * The client of agents/client/client.ts keeps the same contract over a socket; one test suite runs on both.
 */
import type { Outcome } from '../protocol/messages.ts';
import { completeTheta, actionToTheta, ParameterError, type Parameter, type Theta } from '../protocol/parameters.ts';
import type { Seed } from '../protocol/random.ts';
import { evaluate, evaluationSeeds, type EvaluationSeeds } from './evaluate.ts';
import { EpisodeStream } from './episodes.ts';
import type { Experiment } from './experiments/experiment.ts';
import type { Metric } from './tasks/task.ts';

/** What is evaluated: exactly one of `action` and `params`. */
export interface StepRequest {
  /** [D], each from -1 to 1. */
  readonly action?: readonly number[] | undefined;
  /** θ by name; what is left out takes its default. */
  readonly params?: Theta | undefined;
  /** Overrides the seed that the episode would have. */
  readonly seed?: Seed | undefined;
  /** Pins single sources of noise. */
  readonly seeds?: { readonly [S in keyof EvaluationSeeds]?: Seed | undefined } | undefined;
  /** Scores the test set too. */
  readonly test?: boolean | undefined;
  /** Makes the step an episode of its own. */
  readonly reset?: boolean | undefined;
}

export interface StepResult {
  readonly observation: readonly number[];
  readonly reward: number | null;
  readonly terminated: true;
  readonly truncated: false;
  /** What a local environment cannot meet (a lost worker, a deadline, a cancellation) a remote one can. */
  readonly outcome: Outcome;
  readonly reason?: string | undefined;
  readonly scores: Readonly<Record<string, number>>;
  readonly test_scores?: Readonly<Record<string, number>> | undefined;
  readonly theta: Theta;
  readonly seed: Seed;
  readonly seeds: EvaluationSeeds;
}

export interface Environment {
  reset(options?: { seed?: Seed }): Promise<{ observation: readonly number[] }>;
  /** @throws {Error} with code NEEDS_RESET when the episode has ended, BAD_ACTION when the request breaks a rule */
  step(request: StepRequest): Promise<StepResult>;
}

/** A step was asked for, but no episode was begun since the last one ended. */
export class NeedsResetError extends Error {
  override readonly name = 'NeedsResetError';
  readonly code = 'NEEDS_RESET';
  constructor() {
    super('step: expected reset before it (an episode is one step), got an ended episode');
  }
}

/**
 * θ of a request.
 *
 * @throws {ParameterError} naming the component or parameter, or when not exactly one of `action`, `params` is given
 */
export function requestedTheta(parameters: readonly Parameter[], request: StepRequest): Theta {
  const { action, params } = request;
  if (action !== undefined && params === undefined) return actionToTheta(parameters, action);
  if (params !== undefined && action === undefined) return completeTheta(parameters, params);
  const found = action === undefined ? 'neither' : 'both';
  throw new ParameterError('/action', 'shape', `step: expected exactly one of action and params, got ${found}`);
}

/** The scores in the order of the metrics; zeros where there are none. */
export function observationOf(metrics: readonly Metric[], scores: Readonly<Record<string, number>> = {}): number[] {
  return metrics.map((metric) => scores[metric.name] ?? 0);
}

/** The environment of an experiment, evaluated here and now. */
export function localEnvironment(experiment: Experiment, seed: Seed): Environment {
  const { simulator, task } = experiment;
  const episodes = new EpisodeStream(seed);
  return {
    async reset(options = {}) {
      episodes.reset(options.seed);
      return { observation: observationOf(task.metrics) };
    },
    async step(request) {
      if (!episodes.allows(request)) throw new NeedsResetError();
      const theta = requestedTheta(simulator.parameters, request);
      const seed = episodes.begin(request);
      const seeds = evaluationSeeds(seed, pinnedSeeds(request.seeds));
      const { outcome, reward, scores, testScores, reason } = await evaluate(experiment, {
        theta,
        seeds,
        test: request.test ?? false,
      });
      return {
        observation: observationOf(task.metrics, scores),
        reward,
        terminated: true,
        truncated: false,
        outcome,
        ...(reason !== undefined && { reason }),
        scores,
        ...(testScores && { test_scores: testScores }),
        theta,
        seed,
        seeds,
      };
    },
  };
}

/** The seeds that a request pins, without the keys that it leaves open. */
export function pinnedSeeds(seeds: StepRequest['seeds'] = {}): Partial<EvaluationSeeds> {
  return Object.fromEntries(Object.entries(seeds).filter(([, seed]) => seed !== undefined));
}
