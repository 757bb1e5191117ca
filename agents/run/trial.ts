/** The evaluation of one action over the socket, as a record of the log. */
import type { Result } from '../../protocol/messages.ts';
import type { RemoteEnvironment } from '../client/index.ts';
import { Watch } from './discard.ts';
import type { EvaluationRecord } from './trial-log.ts';

/** The number of times that an evaluation is asked for which others cancel. */
const MOST_LIVES = 10;

/** A request for one evaluation of a run. */
export interface TrialRequest {
  /** The key in the log, such as `search/12`. */
  readonly key: string;
  /** [D], each from -1 to 1. */
  readonly action: readonly number[];
  readonly seed: number;
  /** Pins the seed of the first weights. */
  readonly initialisation?: number;
  /** Whether the test set is scored as well. */
  readonly test?: boolean;
  /** The evaluations of earlier iterations: this one is discarded when it is weak compared with them. */
  readonly past?: readonly EvaluationRecord[] | undefined;
}

/** Evaluates several requests at once; the records are in the order of the requests. */
export type EvaluateTrials = (requests: readonly TrialRequest[]) => Promise<EvaluationRecord[]>;

/**
 * @param runId together with the key it names the step, so that a server gives the same result again after a crash
 * @param again whether it has failed in an earlier life of the run, and is asked for once more
 * @throws {Error} when the signal has cancelled it
 */
export async function evaluateTrial(
  environment: RemoteEnvironment,
  runId: string,
  request: TrialRequest,
  signal: AbortSignal,
  again = false,
): Promise<EvaluationRecord> {
  const { key, action, seed, initialisation, test, past } = request;
  const watch = past && new Watch(environment.spec.reward.metric, past);
  const evaluate = (step_id: string) =>
    environment.evaluate(
      {
        step_id,
        action,
        seed,
        ...(initialisation !== undefined && { seeds: { initialisation } }),
        ...(test && { test }),
      },
      watch ? { signal: AbortSignal.any([signal, watch.signal]), onProgress: watch.onProgress } : { signal },
    );
  const evaluateWatched = async (step_id: string) => {
    const result = await evaluate(step_id);
    // Progress is told once, to who was there; the result has its scores for who was not.
    for (const { fraction, scores } of result.early_scores ?? []) watch?.onProgress({ fraction, metrics: scores });
    return result;
  };
  let result = await evaluateWatched(`${runId}/${key}`);
  const isOfEarlierLife = () =>
    result.outcome === 'cancelled' || (again && result.outcome === 'failed' && result.replayed);
  // Cancelled when the run was stopped in the middle of it, in an earlier life: only another name has another result.
  for (let life = 2; isOfEarlierLife() && !watch?.signal.aborted && life <= MOST_LIVES; life++) {
    if (signal.aborted) break;
    result = await evaluateWatched(`${runId}/${key}/${life}`);
  }
  const record: EvaluationRecord = {
    ...recordOf(key, action, result),
    ...(watch && { early: watch.scores }),
    ...watch?.verdict(),
  };
  if (record.outcome === 'cancelled' && signal.aborted) throw new Error('interrupted');
  return record;
}

/** The result of an evaluation as a record of a log. @param action [D]; empty if θ was given by name */
export function recordOf(
  key: string,
  action: readonly number[],
  { theta, outcome, reward, scores, test_scores: testScores, reason, seeds, timing }: Result,
): EvaluationRecord {
  return {
    type: 'evaluation',
    key,
    action,
    theta,
    outcome,
    reward,
    scores,
    ...(testScores && { testScores }),
    ...(reason !== undefined && { reason }),
    seeds: { ...seeds },
    timing: { ...timing },
    endedAt: new Date().toISOString(),
  };
}
