/** One step: what was asked, and the message that answers it. */
import { hash } from 'node:crypto';
import { ProtocolError, shown, valueAt } from '../../protocol/errors.ts';
import type { EvaluationItem, MessageId, Result, Specification } from '../../protocol/messages.ts';
import { ParameterError } from '../../protocol/parameters.ts';
import { observationOf, requestedTheta } from '../environment.ts';
import type { Evaluation } from '../evaluate.ts';
import type { Experiment } from '../experiments/experiment.ts';
import type { Metric } from '../tasks/task.ts';
import type { StepRecord } from './store.ts';

export type StepItem = EvaluationItem & { readonly reset?: boolean | undefined };

/** Of what decides a result: `id`, `progress` and whether the step came in a batch make no difference. */
export function requestHash({ action, params, reset, seed, seeds, test, deadline_ms }: StepItem): string {
  const ordered = params && Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1));
  const pinned = seeds && [seeds.simulation, seeds.initialisation, seeds.order];
  return hash('sha256', JSON.stringify([action, ordered, reset, seed, pinned, test, deadline_ms]), 'base64url').slice(
    0,
    22,
  );
}

/** @throws {ProtocolError} BAD_ACTION */
export function decodedTheta(experiment: Experiment, item: StepItem) {
  try {
    return requestedTheta(experiment.simulator.parameters, item);
  } catch (error) {
    if (!(error instanceof ParameterError)) throw error;
    const got = shown(valueAt(item, error.path.split('/').slice(1)));
    throw new ProtocolError('BAD_ACTION', error.message, { at: error.path, rule: error.rule, got });
  }
}

/** What the result of a step says beside what was asked and what came of it. */
interface About {
  readonly session_id: string;
  /** The latest request that asked for it, null where that was before the server started. */
  readonly re: MessageId | null;
  readonly seq: number;
  readonly test_evaluations: number;
  readonly metrics: readonly Metric[];
  readonly spec: Specification;
  readonly build: string;
}

/** Whole microseconds: more digits would say nothing, and cost bytes in the journal and on the wire. */
const microseconds = (ms: number) => Math.round(ms * 1000) / 1000;

/** The result message of a step that ended. */
export function resultOf(
  { session_id, re, seq, test_evaluations, metrics, spec, build }: About,
  step: StepRecord,
  { outcome, reward, scores, testScores, reason, timing }: Evaluation,
): Result {
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
    ...(reason !== undefined && { reason }),
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
    repro: { spec_hash: spec.spec_hash, build, ...(spec.backend !== undefined && { backend: spec.backend }) },
  };
}
