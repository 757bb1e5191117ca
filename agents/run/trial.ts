/** The evaluation of one action over the socket, as a record of the log. */
import type { RemoteEnvironment } from '../client/index.ts';
import { Watch } from './discard.ts';
import type { EvaluationRecord } from './trial-log.ts';

/** An evaluation that a run asks for. */
export interface TrialRequest {
  /** As in the log, such as `search/12`. */
  readonly key: string;
  /** [D], each from -1 to 1. */
  readonly action: readonly number[];
  readonly seed: number;
  /** Pins the seed of the first weights. */
  readonly initialisation?: number;
  /** Whether the test set is scored as well. */
  readonly test?: boolean;
  /** Of earlier iterations: discards this one when it is weak beside them. */
  readonly past?: readonly EvaluationRecord[] | undefined;
}

/** Evaluates side by side; the records come in the order of the requests. */
export type EvaluateTrials = (requests: readonly TrialRequest[]) => Promise<EvaluationRecord[]>;

/**
 * @param runId with the key, names the step: a server that has evaluated it before a crash gives the same result
 * @throws {Error} when the signal has cancelled it
 */
export async function evaluateTrial(
  environment: RemoteEnvironment,
  runId: string,
  request: TrialRequest,
  signal: AbortSignal,
): Promise<EvaluationRecord> {
  const { key, action, seed, initialisation, test, past } = request;
  const watch = past && new Watch(environment.spec.reward.metric, past);
  const result = await environment.evaluate(
    {
      step_id: `${runId}/${key}`,
      action,
      seed,
      ...(initialisation !== undefined && { seeds: { initialisation } }),
      ...(test && { test }),
    },
    watch ? { signal: AbortSignal.any([signal, watch.signal]), onProgress: watch.onProgress } : { signal },
  );
  const record: EvaluationRecord = {
    type: 'evaluation',
    key,
    action,
    theta: result.theta,
    outcome: result.outcome,
    reward: result.reward,
    scores: result.scores,
    ...(result.test_scores && { testScores: result.test_scores }),
    ...(result.reason !== undefined && { reason: result.reason }),
    seeds: { ...result.seeds },
    timing: { ...result.timing },
    ...(watch && { early: watch.scores }),
    ...watch?.verdict(),
  };
  if (record.outcome === 'cancelled' && signal.aborted) throw new Error('interrupted');
  return record;
}
