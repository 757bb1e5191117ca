import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../../../agents/client/client.ts';
import type { EnvironmentServer } from '../../../env/server/server.ts';
import { SqliteStore } from '../../../env/server/sqlite-store.ts';
import { startBanditServer } from './bandit-server.ts';
import { Peer } from './peer.ts';

/** The notes of a run, as those who watch get them. */
async function notesOf({ url }: EnvironmentServer, run: string): Promise<Record<string, unknown>[]> {
  const response = await fetch(`${url.replace('ws', 'http')}/v1/notes.jsonl?run=${run}`);
  const lines = (await response.text()).split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('notes @slow', () => {
  let folder: string;
  let journal: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'notes-'));
    journal = join(folder, 'journal.sqlite');
  });
  after(() => rmSync(folder, { recursive: true }));

  it('[S13] [H9] are kept with the session, the latest of each topic, also by the next process', async () => {
    let server = await startBanditServer({ journal });
    const client = await connect(server.url);
    const environment = await client.open({ env_id: 'Bandit-v0', detach_grace_ms: 60_000 });
    environment.note('run', { agent: 'tester', run_id: 'r1' });
    environment.note('iteration/0', { evaluations: 8, mean: [0, 0, 0, 0, 0, 0], spread: [1, 0, 0, 0, 0, 0] });
    environment.note('iteration/1', { evaluations: 1 });
    environment.note('iteration/1', { evaluations: 16 });
    await environment.evaluate({ action: [0, 0, 0, 0, 0, 0] });
    await client.close({ keepSessions: true });
    await server.stop();
    server = await startBanditServer({ journal });
    const [first, second, ...others] = await notesOf(server, environment.sessionId);
    assert.deepEqual(others, []);
    assert.equal(first!['evaluations'], 8);
    // The mean as θ, and one standard deviation beside it: x is linear in its component of the action.
    assert.deepEqual((first!['mean'] as number[]).slice(0, 2), [0.5, 0.0316228]);
    assert.deepEqual([(first!['low'] as number[])[0], (first!['high'] as number[])[0]], [0, 1]);
    assert.deepEqual({ ...second, number: 0 }, { number: 0, evaluations: 16 });
    assert.ok((second!['number'] as number) > (first!['number'] as number), 'a later note has a higher number');
    const after = await notesOf(server, `${environment.sessionId}&after=${String(first!['number'])}`);
    assert.equal(after.length, 1);
    const runs = await (await fetch(`${server.url.replace('ws', 'http')}/v1/runs.jsonl`)).text();
    assert.deepEqual((JSON.parse(runs) as { about: unknown }).about, { agent: 'tester', run_id: 'r1' });
    await server.stop();
  });

  it('[S13] has no reply, and what is too much is refused and changes nothing', async () => {
    const server = await startBanditServer();
    const peer = await Peer.welcomed(server.url);
    const session_id = await peer.open();
    const note = (topic: string, value: unknown, id?: number) =>
      peer.send({ t: 'note', ...(id !== undefined && { id }), session_id, topic, value });
    note('iteration/0', { evaluations: 1 });
    assert.equal((await peer.ask({ t: 'ping', id: 1 }))['t'], 'pong', 'nothing came for the note');
    note('iteration/0', { evaluations: 2, text: 'x'.repeat(65_536) }, 2);
    const tooBig = await peer.next();
    assert.deepEqual([tooBig['re'], tooBig['code'], tooBig['rule']], [2, 'BAD_MESSAGE', 'too_big']);
    note('iteration/0', [1], 3);
    assert.deepEqual((await peer.next())['at'], '/value');
    peer.send({ t: 'note', id: 4, session_id: 'another', topic: 'run', value: {} });
    assert.equal((await peer.next())['code'], 'SESSION_NOT_FOUND');
    assert.deepEqual(
      (await notesOf(server, session_id)).map(({ evaluations }) => evaluations),
      [1],
    );
    peer.close();
    await server.stop();
  });

  it('[S13] are forgotten with their session', async () => {
    const store = new SqliteStore(undefined);
    const record = {
      ...{ id: 's', envId: 'e', options: {}, specHash: 'h', steps: 0, epoch: 1, tokenHash: '', detachGraceMs: 0 },
      ...{ acknowledged: 0, episodes: { seed: 1, count: 0, open: false } },
    };
    store.saveSession(record as unknown as Parameters<SqliteStore['saveSession']>[0]);
    store.addNote('s', { topic: 'run', value: {}, at: 1 });
    assert.equal(store.topics('s'), 1);
    store.closeSession('s');
    store.prune(Date.now(), { maxAgeMs: 0, maxBytes: 1 });
    assert.equal(store.topics('s'), 0);
    store.close();
  });
});
