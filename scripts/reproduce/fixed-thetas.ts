/** Scores of θ that nobody searches, evaluated by the same server as the searches. */
import { existsSync } from 'node:fs';
import { connect, type RemoteEnvironment } from '../../agents/client/index.ts';
import { LineLog } from '../../agents/run/line-log.ts';
import { runAll } from '../../agents/run/runner.ts';
import { evaluationsByKey, readTrialLog, type EvaluationRecord, type LogRecord } from '../../agents/run/trial-log.ts';
import type { Theta } from '../../protocol/parameters.ts';
import type { Seed } from '../../protocol/random.ts';
import type { EnvOptions, Scores } from './experiment.ts';
import { Progress } from './progress.ts';

/** θ by name, or as an action. */
export type FixedTheta = ({ readonly theta: Theta } | { readonly action: readonly number[] }) & {
  /** Such as `random/3`. */
  readonly key: string;
  readonly seed: Seed;
};

export interface Scored {
  readonly outcome: string;
  readonly reason?: string | undefined;
  /** Empty unless the outcome is `ok`, and so is `test`. */
  readonly validation: Scores;
  /** Empty where it was not asked for. */
  readonly test: Scores;
}

/** One metric on validation of each θ. @throws {Error} when one has no score */
export async function validationScores(
  laboratory: Omit<Parameters<typeof scoreThetas>[0], 'test'>,
  requests: readonly FixedTheta[],
  metric: string,
): Promise<number[]> {
  const scored = await scoreThetas({ ...laboratory, test: false }, requests);
  return scored.map(({ outcome, reason, validation }, i) => {
    if (outcome === 'ok') return validation[metric]!;
    throw new Error(`${requests[i]!.key}: expected a score, got ${outcome} (${reason})`);
  });
}

/** Outcomes that are the θ's own: evaluated again, it would end in the same. */
const FINAL = ['ok', 'infeasible', 'diverged'];

/**
 * Scores each θ on validation, and on test unless it is not to be looked at. What the log already has is not evaluated
 * again.
 *
 * @throws {Error} when an evaluation fails, or the log's θ under the same key is another
 */
export async function scoreThetas(
  {
    url,
    environment,
    envOptions,
    log: path,
    test = true,
  }: { url: string; environment: string; envOptions: EnvOptions; log: string; test?: boolean },
  requests: readonly FixedTheta[],
): Promise<Scored[]> {
  const client = await connect(url, { name: 'reproduce' });
  try {
    const remote = await client.open({ env_id: environment, options: { ...envOptions } });
    const { env_id: id, spec_hash: specHash, options } = remote.spec;
    const past = existsSync(path) ? readTrialLog(path) : undefined;
    if (past && past.header.environment.specHash !== specHash) {
      throw new Error(
        `${path}: expected ${id} with spec ${specHash}, got ${past.header.environment.specHash}; move it away`,
      );
    }
    const log = new LineLog<LogRecord>(path);
    const progress = new Progress('fixed θ', requests.length);
    try {
      if (!past) {
        const environment = { id, specHash, options };
        log.append({ type: 'run', runId: `fixed-${specHash}`, agent: 'fixed', options: {}, environment });
      }
      const records = await runAll(requests, {
        log,
        known: evaluationsByKey(past?.records ?? []),
        atOnce: client.limits.max_in_flight,
        evaluate: (request, signal) => scoreTheta(remote, request, test, signal),
        differs,
        onLine: ({ key }) => progress.reached(key, 1),
      });
      return records.map(({ outcome, reason, scores, testScores = {} }) => {
        return { outcome, reason, validation: scores, test: testScores };
      });
    } finally {
      progress.stop();
      log.close();
    }
  } finally {
    await client.close();
  }
}

function differs({ seed, ...what }: FixedTheta, logged: EvaluationRecord): string | undefined {
  const [asked, before] = 'theta' in what ? [what.theta, logged.theta] : [what.action, logged.action];
  if (JSON.stringify([before, logged.seeds['seed']]) === JSON.stringify([asked, seed])) return undefined;
  return 'expected the θ and seed of this command, got others; move it away';
}

async function scoreTheta(
  environment: RemoteEnvironment,
  { key, seed, ...what }: FixedTheta,
  test: boolean,
  signal: AbortSignal,
): Promise<EvaluationRecord> {
  const action = 'action' in what ? what.action : [];
  const request = 'theta' in what ? { params: what.theta } : { action };
  const result = await environment.evaluate({ ...request, seed, test }, { signal });
  const { outcome, reward, scores, test_scores: testScores, reason, seeds, timing } = result;
  if (!FINAL.includes(outcome)) throw new Error(`${key}: expected an evaluation that ends, got ${outcome} (${reason})`);
  return {
    type: 'evaluation',
    key,
    action,
    theta: 'theta' in what ? what.theta : result.theta,
    outcome,
    reward,
    scores,
    ...(testScores && { testScores }),
    ...(reason !== undefined && { reason }),
    seeds: { ...seeds, seed },
    timing: { ...timing },
  };
}
