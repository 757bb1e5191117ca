/** Kills of the server, with every result compared with that of a server that nobody disturbs. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connect, type RemoteEnvironment } from '../../agents/client/index.ts';
import { SqliteStore } from '../../env/server/sqlite-store.ts';
import type { Random } from '../../protocol/random.ts';
import { end, serveBandit } from '../trust/serving.ts';
import { contentOf, Ledger, requestOf, type Found } from './round.ts';

const OPTIONS = { noise: 0.3 };
const BATCH = 200;
/** Batches that are on their way at once. */
const LANES = 4;

/** Evaluates 0, 1, 2 … in batches, several at once. */
export async function evaluateAll(
  environment: Pick<RemoteEnvironment, 'evaluateBatch'>,
  count: number,
  onResult: (result: Awaited<ReturnType<RemoteEnvironment['evaluateBatch']>>[number]) => void,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const from = next;
      next = Math.min(count, next + BATCH);
      const requests = Array.from({ length: next - from }, (_, i) => requestOf(from + i));
      (await environment.evaluateBatch(requests)).forEach(onResult);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

/** The results of an undisturbed server, by step id. */
export async function truthOf(count: number): Promise<Map<string, string>> {
  const server = await serveBandit(0, '--workers', '0');
  const client = await connect(server.url);
  const truth = new Map<string, string>();
  const environment = await client.open({ env_id: 'Bandit-v0', options: OPTIONS });
  await evaluateAll(environment, count, (result) => truth.set(result.step_id, contentOf(result)));
  await client.close();
  await end(server.process, 'SIGTERM');
  return truth;
}

export async function kills(folder: string, results: number, count: number, random: Random): Promise<Found> {
  const truth = await truthOf(results);
  const journal = join(folder, 'kills.sqlite');
  const flags = ['--workers', '0', '--journal', journal];
  let server = await serveBandit(0, ...flags);
  const client = await connect(server.url, { reconnectForMs: 300_000 });
  const environment = await client.open({ env_id: 'Bandit-v0', options: OPTIONS });
  const ledger = new Ledger(truth);
  let arrived = 0;
  const evaluating = evaluateAll(environment, results, (result) => {
    arrived++;
    ledger.add(result);
  });
  let killed = 0;
  // Spread over the results, each at a moment of its own.
  while (killed < count && arrived < results) {
    const at = Math.min(results - 1, ((killed + random.uniform(0.2, 0.9)) / count) * results);
    while (arrived < at) await pause(5);
    await pause(random.uniform(0, 100));
    await end(server.process, 'SIGKILL');
    server = await serveBandit(server.port, ...flags);
    killed++;
  }
  await evaluating;
  await client.close();
  await end(server.process, 'SIGTERM');
  const store = new SqliteStore(journal);
  let rows = 0;
  for (const page of store.history({ limit: 2 * results })) rows += page.length;
  store.close();
  const { changed, doubled, missing } = ledger;
  const evaluatedTwice = Math.abs(rows - results);
  const figures = {
    kills: killed,
    results: arrived,
    changed,
    doubled,
    lost: missing,
    'twice in the journal': evaluatedTwice,
  };
  return { wrong: changed + doubled + missing + evaluatedTwice, figures };
}
