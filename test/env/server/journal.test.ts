import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerMessages } from '../../../protocol/messages.ts';
import { history, prune } from '../../../env/server/history.ts';
import { Journal, type SessionRecord } from '../../../env/server/journal.ts';
import type { StepRecord } from '../../../env/server/step-record.ts';

type Result = ServerMessages['result'];

const SEEDS = { simulation: 1, initialisation: 2, order: 3 };

function session(id: string): SessionRecord {
  const episodes = { seed: 1, count: 0, begun: false };
  const rest = { epoch: 1, tokenHash: 'x', detachGraceMs: 1000, acknowledged: 0, steps: 0, specHash: 'h', episodes };
  return { id, envId: 'E-v0', options: { a: 1 }, ...rest };
}

function step(number: number, acceptedAt = 1000 * number): StepRecord {
  const request = { theta: { x: number }, seeds: SEEDS, test: number % 2 === 0 };
  const episodes = { seed: 1, count: number, begun: false };
  return { id: `s${number}`, hash: `h${number}`, seed: number, request, number, episodes, acceptedAt };
}

function result(sessionId: string, number: number): Result {
  return {
    t: 'result',
    re: 1,
    session_id: sessionId,
    step_id: `s${number}`,
    seq: number,
    outcome: 'ok',
    reward: number,
  } as Result;
}

/** Finishes steps 1 to `count` of a session. */
function finish(journal: Journal, sessionId: string, count: number): void {
  journal.saveSession(session(sessionId));
  for (let n = 1; n <= count; n++) {
    journal.addStep(sessionId, step(n));
    journal.addResult(step(n), result(sessionId, n), () => {});
  }
  journal.flush();
}

describe('the journal', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lts-journal-'));
  let count = 0;
  const newPath = () => join(folder, `${count++}.sqlite`);
  after(() => rmSync(folder, { recursive: true }));

  it('[S11] tells of a result only when it is on the disk', () => {
    const path = newPath();
    const journal = new Journal(path);
    journal.saveSession(session('a'));
    journal.addStep('a', step(1));
    let told = false;
    journal.addResult(step(1), result('a', 1), () => (told = true));
    assert.equal(told, false);
    journal.flush();
    assert.equal(told, true);
    // Another process, after a crash of this one: no note of an owner that lives, and the files as they are.
    rmSync(`${path}.pid`);
    const next = new Journal(path);
    assert.equal(next.findStep('a', 's1')!.result!.reward, 1);
    assert.deepEqual(next.counts('a'), { results: 1, tests: 0 });
    next.close();
  });

  it('[S11] takes up steps that were accepted, and does not stumble over a line that was cut', () => {
    const path = newPath();
    const journal = new Journal(path);
    finish(journal, 'a', 2);
    journal.addStep('a', step(3));
    journal.flush();
    rmSync(`${path}.pid`);
    const log = readdirSync(folder).filter((name) => name.startsWith(`${count - 1}.sqlite.`) && name.endsWith('.log'));
    appendFileSync(join(folder, log.at(-1)!), '["a","s4",4,');
    const next = new Journal(path);
    assert.deepEqual(next.unfinishedSteps('a'), [step(3)]);
    assert.deepEqual(next.openSessions()[0]!.episodes, step(3).episodes);
    assert.equal(next.findStep('a', 's4'), undefined);
    next.close();
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.endsWith('.log') && name.startsWith(`${count - 1}.`)),
      [],
    );
  });

  it('[S11] has every result when its process ends while a segment goes into the database', async () => {
    const path = newPath();
    const journal = new Journal(path);
    const many = 1000;
    finish(journal, 'a', many);
    (journal as unknown as { applySoon(): void }).applySoon();
    await new Promise((resolve) => setImmediate(resolve));
    const rowsThere = (journal as unknown as { database: { get(sql: string): { n: number } } }).database.get(
      'SELECT count(*) AS n FROM steps',
    ).n;
    assert.ok(rowsThere > 0 && rowsThere < many, `some rows are there, ${rowsThere}`);
    // What the next process would find.
    const copy = newPath();
    for (const file of readdirSync(folder)) {
      const full = join(folder, file);
      if (full.startsWith(path) && /\.log$|-wal$|sqlite$/.test(file)) copyFileSync(full, full.replace(path, copy));
    }
    journal.close();
    const next = new Journal(copy);
    assert.deepEqual(next.counts('a'), { results: many, tests: many / 2 });
    assert.deepEqual(
      next.resultsSince('a', 0).map(({ reward }) => reward),
      Array.from({ length: many }, (_, i) => i + 1),
    );
    next.close();
  });

  it('finds steps and results wherever they are: in memory, in a file, in the database', async () => {
    const journal = new Journal(newPath());
    const many = 10_000; // more than two segments
    finish(journal, 'a', many);
    const wanted = [1, 4096, 4097, many];
    const found = () => wanted.map((n) => journal.findStep('a', `s${n}`)?.result?.reward);
    assert.deepEqual(found(), wanted);
    assert.equal(journal.resultsSince('a', many - 3).length, 3);
    assert.deepEqual(
      journal.resultsSince('a', many - 2).map(({ seq }) => seq),
      [many - 1, many],
    );
    await new Promise((resolve) => setTimeout(resolve, 250));
    assert.deepEqual(found(), wanted, 'while it goes into the database');
    assert.deepEqual(journal.counts('a'), { results: many, tests: many / 2 });
    assert.deepEqual(found(), wanted, 'from the database');
    assert.equal(journal.resultsSince('a', 0).length, many);
    journal.close();
  });

  it('[W4] forgets closed sessions by age and by size, and no open one', () => {
    const journal = new Journal(undefined);
    for (const id of ['old', 'older', 'open']) finish(journal, id, 3);
    journal.closeSession('old');
    journal.closeSession('older');
    const all = { limit: 100 };
    assert.equal(history(journal, all).length, 9);
    assert.equal(prune(journal, 5000, { maxAgeMs: 3000, maxBytes: 1e9 }), 0);
    assert.equal(
      prune(journal, 5000, { maxAgeMs: 1e9, maxBytes: 6 * JSON.stringify(result('older', 1)).length + 20 }),
      1,
    );
    assert.equal(history(journal, all).length, 6);
    assert.equal(prune(journal, 9000, { maxAgeMs: 3000, maxBytes: 1e9 }), 1);
    assert.deepEqual(new Set(history(journal, all).map(({ session_id }) => session_id)), new Set(['open']));
    journal.close();
  });

  it('refuses a database that is another one, or another version', () => {
    const path = newPath();
    writeFileSync(path, '');
    new Journal(path).close();
    assert.ok(existsSync(path));
    const other = new Journal(path);
    other.query('SELECT 1');
    (other as unknown as { database: { exec(sql: string): void } }).database.exec('PRAGMA user_version = 1');
    other.close();
    assert.throws(() => new Journal(path), /journal: expected .* to be of version 2, got 1/);
  });
});
