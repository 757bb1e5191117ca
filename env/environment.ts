/** The environment of protocol/environment.ts in this process; agents/client/ has the one behind a socket. */
import type { Environment, StepRequest } from '../protocol/environment.ts';
import { completeTheta, actionToTheta, ParameterError, type Parameter, type Theta } from '../protocol/parameters.ts';
import type { Seed } from '../protocol/random.ts';
import { evaluate, evaluationSeeds, type EvaluationSeeds } from './evaluate.ts';
import { EpisodeStream } from './episodes.ts';
import type { Experiment } from './experiments/experiment.ts';
import type { Metric } from './tasks/task.ts';

/** A step was requested, but no episode has begun since the last one ended. */
class NeedsResetError extends Error {
  override readonly name = 'NeedsResetError';
  readonly code = 'NEEDS_RESET';
  constructor() {
    super('step: expected reset before it (an episode is one step), got an ended episode');
  }
}

/**
 * The θ that a request asks for: its action, decoded, or its `params`, completed with the defaults.
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

/**
 * The environment of an experiment, evaluated in this process.
 *
 * @param seed of its stream of episodes
 */
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

/** The seeds that a request pins, without the keys that are undefined. */
export function pinnedSeeds(seeds: StepRequest['seeds'] = {}): Partial<EvaluationSeeds> {
  return Object.fromEntries(Object.entries(seeds).filter(([, seed]) => seed !== undefined));
}
