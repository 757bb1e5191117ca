/** One step: what was asked, and the message that answers it. */
import { hash } from 'node:crypto';
import { ProtocolError, shown, valueAt } from '../../protocol/errors.ts';
import type { EvaluationItem, MessageId, ServerMessages, Specification } from '../../protocol/messages.ts';
import { ParameterError } from '../../protocol/parameters.ts';
import { observationOf, requestedTheta } from '../environment.ts';
import type { Experiment } from '../experiments/experiment.ts';
import type { JobOutcome } from '../workers/job.ts';
import type { StepRecord } from './step-record.ts';

type Result = ServerMessages['result'];

export type StepItem = EvaluationItem & { readonly reset?: boolean | undefined };

interface SessionOfResult {
  readonly id: string;
  readonly testEvaluations: number;
  readonly options: { readonly spec: Specification; readonly build: string; readonly experiment: Experiment };
}

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

/** Whole microseconds: more digits would say nothing, and cost bytes in the journal and on the wire. */
const microseconds = (ms: number) => Math.round(ms * 1000) / 1000;

/**
 * The result message of a step that ended.
 *
 * @param place `re` is the latest request that asked for it, null where that was before the server started
 */
export function resultOf(
  session: SessionOfResult,
  step: StepRecord,
  { outcome, reward, scores, testScores, reason, timing }: JobOutcome,
  { re, seq }: { re: MessageId | null; seq: number },
): Result {
  const { spec, build, experiment } = session.options;
  return {
    t: 'result',
    re,
    session_id: session.id,
    step_id: step.id,
    seq,
    outcome,
    reward,
    observation: observationOf(experiment.task.metrics, scores),
    terminated: true,
    truncated: false,
    scores,
    ...(testScores && { test_scores: testScores }),
    ...(reason !== undefined && { reason }),
    theta: step.request.theta,
    seed: step.seed,
    seeds: step.request.seeds,
    test_evaluations: session.testEvaluations,
    timing: {
      queue_ms: microseconds(timing.queueMs),
      simulate_ms: microseconds(timing.simulateMs),
      train_ms: microseconds(timing.trainMs),
      validate_ms: microseconds(timing.validateMs),
    },
    repro: { spec_hash: spec.spec_hash, build, ...(spec.backend !== undefined && { backend: spec.backend }) },
  };
}
