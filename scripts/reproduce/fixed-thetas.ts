/** Scores of θ that nobody searches, evaluated by the same server as the searches. */
import { connect, type RemoteEnvironment } from '../../agents/client/index.ts';
import { runAll } from '../../agents/run/runner.ts';
import { recordOf } from '../../agents/run/trial.ts';
import type { EvaluationRecord } from '../../agents/run/trial-log.ts';
import { checkOutcomes } from './evidence.ts';
import { goOn, openEvaluationLog, serverOf, type Laboratory } from './laboratory.ts';
import { logPath } from './logs.ts';
import { Pace } from './pace.ts';
import type { EnvOptions, FixedTheta, FixedThetas } from './study.ts';

/** Outcomes that are the θ's own: evaluated again, it would end in the same. */
const FINAL = ['ok', 'infeasible', 'diverged'];

/**
 * Scores each θ on validation, and on test where it is to be looked at, unless the log has it.
 *
 * @throws {Error} when an evaluation fails, or the log's θ under the same key is another
 */
export async function scoreThetas(
  laboratory: Laboratory,
  environment: string,
  envOptions: EnvOptions,
  thetas: FixedThetas,
): Promise<void> {
  const { log: name, test, requests } = thetas;
  const client = await connect(serverOf(laboratory), { name: 'reproduce', say: console.error });
  // The server ends then too: the client would wait for it to come back.
  const leave = () => void client.close({ keepSessions: true });
  laboratory.programs.signal.addEventListener('abort', leave);
  try {
    const remote = await client.open({ env_id: environment, options: { ...envOptions } });
    const { log, known } = await openEvaluationLog(logPath(laboratory.logs, name), 'fixed', remote.spec);
    const pace = new Pace(name, requests.length);
    try {
      const records = await runAll(requests, {
        log,
        known,
        atOnce: client.limits.max_in_flight,
        evaluate: (request, signal) => scoreTheta(remote, request, test, signal),
        differs,
        onLine: ({ key }) => pace.reached(key, 1),
      });
      checkOutcomes(thetas, records);
    } finally {
      pace.stop();
      log.close();
    }
  } catch (error) {
    goOn(laboratory);
    throw error;
  } finally {
    laboratory.programs.signal.removeEventListener('abort', leave);
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
  const { outcome, reason, seeds } = result;
  if (!FINAL.includes(outcome)) throw new Error(`${key}: expected an evaluation that ends, got ${outcome} (${reason})`);
  const theta = 'theta' in what ? what.theta : result.theta;
  return { ...recordOf(key, action, result), theta, seeds: { ...seeds, seed } };
}
