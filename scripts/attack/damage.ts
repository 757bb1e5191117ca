/** Damaged journals: the server starts or refuses with a sentence, and gives nothing wrong and nothing twice. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, ProtocolError, type SessionTicket } from '../../agents/client/index.ts';
import { createLog } from '../../env/server/log.ts';
import { startServer, type EnvironmentServer } from '../../env/server/server.ts';
import type { Result } from '../../protocol/messages.ts';
import type { Random } from '../../protocol/random.ts';
import { BANDIT, end, serveBandit } from '../trust/serving.ts';
import { contentOf, Ledger, requestOf, type Found } from './round.ts';

const RESULTS = 200;
const OPTIONS = { noise: 0.3 };

/** A journal, with its log, as a killed server leaves it. */
async function journalOf(path: string): Promise<{ truth: Map<string, string>; ticket: SessionTicket }> {
  const server = await serveBandit(0, '--workers', '0', '--journal', path);
  const client = await connect(server.url);
  const environment = await client.open({ env_id: 'Bandit-v0', options: OPTIONS, detach_grace_ms: 3_600_000 });
  const requests = Array.from({ length: RESULTS }, (_, n) => requestOf(n));
  const truth = new Map<string, string>();
  // The first part is in the file itself when the log has been put there, the rest in the log.
  for (const part of [requests.slice(0, RESULTS / 2), requests.slice(RESULTS / 2)]) {
    for (const result of await environment.evaluateBatch(part)) truth.set(result.step_id, contentOf(result));
    await new Promise((resolve) => setTimeout(resolve, 1500));
  }
  const { ticket } = environment;
  await end(server.process, 'SIGKILL');
  await client.close();
  return { truth, ticket };
}

type Kind =
  | 'a bit of the database'
  | 'a bit of its log'
  | 'the end of the database'
  | 'the end of its log'
  | 'a page of the database';
const KINDS: readonly Kind[] = [
  'a bit of the database',
  'a bit of its log',
  'the end of the database',
  'the end of its log',
  'a page of the database',
];

function damage(path: string, kind: Kind, random: Random): void {
  const file = kind.endsWith('log') && existsSync(`${path}-wal`) ? `${path}-wal` : path;
  const bytes = readFileSync(file);
  const at = random.integer(bytes.length);
  if (kind.startsWith('the end')) return truncateSync(file, at);
  if (kind.startsWith('a bit')) bytes[at] = bytes[at]! ^ (1 << random.integer(8));
  else bytes.fill(0, at - (at % 4096), at - (at % 4096) + 4096);
  writeFileSync(file, bytes);
}

export async function damages(folder: string, count: number, random: Random): Promise<Found> {
  const original = join(folder, 'whole.sqlite');
  const { truth, ticket } = await journalOf(original);
  const found = { started: 0, refused: 0, 'not a sentence': 0, changed: 0, doubled: 0, 'results set aside': 0 };
  for (let place = 0; place < count; place++) {
    const own = join(folder, `damaged-${place}`);
    mkdirSync(own);
    const path = join(own, 'journal.sqlite');
    for (const end of ['', '-wal']) if (existsSync(original + end)) copyFileSync(original + end, path + end);
    damage(path, KINDS[place % KINDS.length]!, random);
    const server = await startOn(path).catch((error: Error) => {
      found.refused++;
      if (!/expected .*, (got|but)/s.test(error.message)) found['not a sentence']++;
      return undefined;
    });
    if (server) {
      found.started++;
      const ledger = new Ledger(truth);
      found['results set aside'] += RESULTS - (await readAll(server, ticket, ledger));
      found.changed += ledger.changed;
      found.doubled += ledger.doubled;
      await server.stop();
    }
    rmSync(own, { recursive: true });
  }
  const { changed, doubled, 'not a sentence': speechless } = found;
  return { wrong: changed + doubled + speechless, figures: { places: count, ...found } };
}

function startOn(journal: string): Promise<EnvironmentServer> {
  const same = { build: 'attack', version: '0', log: createLog('silent'), port: 0, host: '127.0.0.1', workers: 0 };
  return startServer({ ...same, environments: [BANDIT], journal });
}

/** Reads what the journal gives, in every way, and asks for everything again. @returns the number of results it had */
async function readAll(server: EnvironmentServer, ticket: SessionTicket, ledger: Ledger): Promise<number> {
  const client = await connect(server.url, { reconnectForMs: 0 });
  const response = await fetch(`${server.url.replace('ws', 'http')}/v1/history.jsonl?limit=100000`);
  const lines = (await response.text()).split('\n').filter((line) => line !== '');
  const results = lines.map((line) => JSON.parse(line) as Result);
  results.forEach((result) => ledger.add(result));
  try {
    const environment = await client.resume(ticket);
    const requests = Array.from({ length: RESULTS }, (_, n) => requestOf(n));
    (await environment.evaluateBatch(requests)).forEach((result) => ledger.add(result, true));
  } catch (error) {
    // The session's record was damaged, or its last results are lost.
    const isSaid = error instanceof ProtocolError && ['SESSION_NOT_FOUND', 'RESUME_GAP'].includes(error.code);
    if (!isSaid) throw error;
  }
  await client.close();
  return results.length;
}
