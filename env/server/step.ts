/** One step: the hash and the θ of a request, and the result message. */
import { hash } from 'node:crypto';
import { ProtocolError, shortened, shown, valueAt } from '../../protocol/errors.ts';
import type { EvaluationItem, MessageId, Result, Specification } from '../../protocol/messages.ts';
import { ParameterError } from '../../protocol/parameters.ts';
import { observationOf, requestedTheta } from '../environment.ts';
import type { Evaluation } from '../evaluate.ts';
import type { Experiment } from '../experiments/experiment.ts';
import type { Metric, Scores } from '../tasks/task.ts';
import type { StepRecord } from './store.ts';

export type StepItem = EvaluationItem & { readonly reset?: boolean | undefined };

/** A hash of everything in a request that decides the result: not `id`, `progress`, or whether it came in a batch. */
export function requestHash({ action, params, reset, seed, seeds, test, deadline_ms }: StepItem): string {
  const ordered = params && Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1));
  const pinned = seeds && [seeds.simulation, seeds.initialisation, seeds.order];
  return hash('sha256', JSON.stringify([action, ordered, reset, seed, pinned, test, deadline_ms]), 'base64url').slice(
    0,
    22,
  );
}

/**
 * The θ of a step's action or `params`.
 *
 * @throws {ProtocolError} BAD_ACTION
 */
export function decodedTheta(experiment: Experiment, item: StepItem) {
  try {
    return requestedTheta(experiment.simulator.parameters, item);
  } catch (error) {
    if (!(error instanceof ParameterError)) throw error;
    const got = shown(valueAt(item, error.path.split('/').slice(1)));
    throw new ProtocolError('BAD_ACTION', error.message, { at: error.path, rule: error.rule, got });
  }
}

/** What a result message has besides the step and its evaluation. */
interface About {
  readonly session_id: string;
  /** The latest request for the step; null if it came before the server started. */
  readonly re: MessageId | null;
  readonly seq: number;
  readonly test_evaluations: number;
  readonly metrics: readonly Metric[];
  readonly spec: Specification;
  readonly build: string;
}

/** Rounds to microseconds: more digits would mean nothing, and cost bytes in the journal and on the wire. */
const microseconds = (ms: number) => Math.round(ms * 1000) / 1000;

/** Scores of an unfinished model, each after a share of the training. */
export type EarlyScores = readonly { readonly fraction: number; readonly scores: Scores }[];

/** The most characters of a reason: it may be the words of any program. */
const REASON_CHARACTERS = 2000;

/** The result message of a step that ended. */
export function resultOf(
  about: About,
  step: StepRecord,
  { outcome, reward, scores, testScores, reason, timing, worker, backend = about.spec.backend }: Evaluation,
  early: EarlyScores = [],
): Result {
  const { session_id, re, seq, test_evaluations, metrics, spec, build } = about;
  return {
    t: 'result',
    re,
    session_id,
    step_id: step.id,
    seq,
    outcome,
    reward,
    observation: observationOf(metrics, scores),
    terminated: true,
    truncated: false,
    scores,
    ...(testScores && { test_scores: testScores }),
    ...(early.length > 0 && { early_scores: [...early] }),
    ...(reason !== undefined && { reason: shortened(reason, REASON_CHARACTERS) }),
    theta: step.request.theta,
    seed: step.seed,
    seeds: step.request.seeds,
    test_evaluations,
    timing: {
      queue_ms: microseconds(timing.queueMs),
      simulate_ms: microseconds(timing.simulateMs),
      train_ms: microseconds(timing.trainMs),
      validate_ms: microseconds(timing.validateMs),
    },
    ...(worker !== undefined && { worker }),
    repro: { spec_hash: spec.spec_hash, build, ...(backend !== undefined && { backend }) },
  };
}
