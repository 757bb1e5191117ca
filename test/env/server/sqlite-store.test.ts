import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { name, type Result } from '../../../protocol/messages.ts';
import { SqliteStore } from '../../../env/server/sqlite-store.ts';
import type { SessionRecord, StepRecord, Store } from '../../../env/server/store.ts';

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
async function finish(store: Store, sessionId: string, count: number): Promise<void> {
  store.saveSession(session(sessionId));
  const all = Array.from({ length: count }, (_, i) => {
    store.addStep(sessionId, step(i + 1));
    return store.addResult(step(i + 1), result(sessionId, i + 1));
  });
  await Promise.all(all);
}

describe('the store in SQLite', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lts-store-'));
  let count = 0;
  const newPath = () => join(folder, `${count++}.sqlite`);
  after(() => rmSync(folder, { recursive: true }));

  /** Does something to a store in another process, which then kills itself; gives what that one printed. */
  function killedAfter(path: string, what: string): string {
    const module = (file: string) => JSON.stringify(new URL(`../../../env/server/${file}`, import.meta.url).href);
    const code = `
      const { SqliteStore } = await import(${module('sqlite-store.ts')});
      const store = new SqliteStore(${JSON.stringify(path)});
      const session = (id) => ({ ...${JSON.stringify(session('ID'))}, id });
      const step = (n) => ({ ...${JSON.stringify(step(1))}, id: 's' + n, hash: 'h' + n, number: n, episodes: { seed: 1, count: n, begun: false } });
      const result = (n) => ({ ...${JSON.stringify(result('a', 1))}, step_id: 's' + n, seq: n, reward: n });
      ${what}
      process.kill(process.pid, 'SIGKILL');
      await new Promise(() => {});`;
    try {
      return execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
      });
    } catch (error) {
      const { signal, stdout } = error as { signal: string; stdout: string };
      assert.equal(signal, 'SIGKILL');
      return stdout;
    }
  }

  it('[S11] loses no result whose addResult has resolved when its process is killed', () => {
    const path = newPath();
    const told = killedAfter(
      path,
      `store.saveSession(session('a'));
       let told = 0;
       for (let n = 1; n <= 200; n++) {
         store.addStep('a', step(n));
         void store.addResult(step(n), result(n)).then(() => told++);
         if (n % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
       }
       process.stdout.write(String(told));`,
    );
    const next = new SqliteStore(path);
    const kept = next.resultsSince('a', 0, 1000);
    assert.ok(Number(told) >= 190, told);
    assert.ok(kept.length >= Number(told), `${kept.length} kept, ${told} told of`);
    assert.deepEqual(
      kept.map(({ reward }) => reward),
      kept.map((_, i) => i + 1),
    );
    assert.equal(next.openSessions().length, 1);
    next.close();
  });

  it('[S11] resolves addResult only when the result is written', async () => {
    const store = new SqliteStore(newPath());
    store.saveSession(session('a'));
    store.addStep('a', step(1));
    let told = false;
    const written = store.addResult(step(1), result('a', 1)).then(() => (told = true));
    await Promise.resolve();
    assert.equal(told, false);
    assert.equal(store.findStep('a', 's1')!.result!.reward, 1, 'though it is to be found');
    await written;
    assert.deepEqual(store.counts('a'), { seq: 1, tests: 0 });
    store.close();
  });

  it('[S11] finds accepted steps without a result after its process was killed', () => {
    const path = newPath();
    killedAfter(
      path,
      `store.saveSession(session('a'));
       for (const n of [1, 2, 3]) store.addStep('a', step(n));
       await store.addResult(step(1), result(1));`,
    );
    const next = new SqliteStore(path);
    assert.deepEqual(
      next.unfinishedSteps('a').map(({ id, number, episodes }) => [id, number, episodes.count]),
      [
        ['s2', 2, 2],
        ['s3', 3, 3],
      ],
    );
    assert.deepEqual(next.unfinishedSteps('a')[0]!.request, step(1).request);
    assert.deepEqual([next.openSessions()[0]!.episodes.count, next.openSessions()[0]!.steps], [3, 3]);
    assert.equal(next.findStep('a', 's2')!.result, undefined);
    next.close();
  });

  it('[S11] has every result in the file itself, without the log beside it, after a second @slow', async () => {
    const path = newPath();
    const store = new SqliteStore(path);
    await finish(store, 'a', 20);
    store.findStep('a', 's7');
    await new Promise((resolve) => setTimeout(resolve, 1300));
    const alone = newPath();
    copyFileSync(path, alone); // without the log beside it
    const found = new SqliteStore(alone);
    assert.equal(found.counts('a').seq, 20);
    found.close();
    store.close();
  });

  it('writes an accepted step within milliseconds, even if nothing else comes', async () => {
    const path = newPath();
    const store = new SqliteStore(path);
    store.saveSession(session('a'));
    store.addStep('a', step(1));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const { database } = store as unknown as { database: { get(sql: string): { n: number } } };
    assert.equal(database.get('SELECT count(*) AS n FROM steps').n, 1);
    store.close();
  });

  it('finds steps and results, in order', async () => {
    const store = new SqliteStore(newPath());
    const many = 5000;
    await finish(store, 'a', many);
    await finish(store, 'b', 3);
    const wanted = [1, 4096, 4097, many];
    assert.deepEqual(
      wanted.map((n) => store.findStep('a', `s${n}`)?.result?.reward),
      wanted,
    );
    assert.equal(store.findStep('a', 's0'), undefined);
    assert.deepEqual(
      store.resultsSince('a', many - 2, 10).map(({ seq }) => seq),
      [many - 1, many],
    );
    assert.deepEqual(store.counts('a'), { seq: many, tests: many / 2 });
    store.close();
  });

  it('[W4] forgets closed sessions by age and by size, and no open one', async () => {
    const store = new SqliteStore(undefined);
    for (const id of ['old', 'older', 'open']) await finish(store, id, 3);
    store.closeSession('old');
    store.closeSession('older');
    const all = { limit: 100 };
    assert.equal([...store.history(all)].flat().length, 9);
    assert.equal(store.prune(5000, { maxAgeMs: 3000, maxBytes: 1e9 }), 0);
    const maxBytes = 6 * JSON.stringify(result('older', 1)).length + 20;
    assert.equal(store.prune(5000, { maxAgeMs: 1e9, maxBytes }), 1);
    assert.equal([...store.history(all)].flat().length, 6);
    assert.equal(store.prune(9000, { maxAgeMs: 3000, maxBytes: 1e9 }), 1);
    assert.deepEqual(new Set([...store.history(all)].flat().map(({ session_id }) => session_id)), new Set(['open']));
    store.close();
  });

  it('refuses a database of another version, and then leaves no note of an owner', () => {
    const path = newPath();
    const other = new SqliteStore(path);
    (other as unknown as { database: { exec(sql: string): void } }).database.exec('PRAGMA user_version = 1');
    other.close();
    assert.throws(() => new SqliteStore(path), /journal: expected .* to be of version 3, got 1/);
    assert.equal(existsSync(`${path}.pid`), false);
  });

  it('[T7] keeps every name that a client may give whole, and apart from every other @slow', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 12 });
    const allowed = fc.uniqueArray(
      text.filter((one) => name.safeParse(one).success),
      { minLength: 30, maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(allowed, async (names) => {
        const store = new SqliteStore(undefined);
        store.saveSession(session('a'));
        await Promise.all(
          names.map((id, i) => store.addResult({ ...step(i + 1), id }, { ...result('a', i + 1), step_id: id })),
        );
        for (const [i, id] of names.entries()) {
          assert.equal(store.findStep('a', id)!.result!.reward, i + 1);
          assert.deepEqual(
            [...store.history({ step: id, limit: 9 })].flat().map(({ reward }) => reward),
            [i + 1],
          );
        }
        store.close();
      }),
      { numRuns: 30 },
    );
    for (const cut of ['q\0z', 'q\n', '\x7f', '\x9b', 'q\ud800', '\udfff', '']) {
      assert.equal(name.safeParse(cut).success, false, JSON.stringify(cut));
    }
    for (const whole of ['q', 'Ωμέγα 🚗', 'a'.repeat(128)]) assert.equal(name.safeParse(whole).success, true, whole);
  });

  it('[S11] keeps everything while the disk is full, says which file, and writes it when there is room @slow', async () => {
    const path = newPath();
    const heard: (string | undefined)[] = [];
    const store = new SqliteStore(path, { onFailure: (error) => heard.push(error?.message) });
    const { database } = store as unknown as { database: { exec(sql: string): void } };
    database.exec('PRAGMA max_page_count = 20'); // SQLite then says what it says of a full disk
    store.saveSession(session('a'));
    let told = 0;
    let asked = 0;
    while (store.failure === undefined && asked < 5000) {
      const n = ++asked;
      void store.addResult(step(n), result('a', n)).then(() => told++);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const before = told;
    assert.ok(before > 10 && before < asked, `${before} of ${asked}`);
    assert.match(heard[0]!, /^journal: expected .*\.sqlite to be a journal with room .*: .*full/);
    assert.match(store.failure!, /^[^/]*full$/);
    assert.equal(store.resultsSince('a', 0, 10_000).length, before, 'what was told of can be read');
    assert.equal([...store.history({ limit: 9999 })].flat().length, before);
    await new Promise((resolve) => setTimeout(resolve, 1200));
    assert.deepEqual([told, heard.length], [before, 1], 'it is said once');
    database.exec('PRAGMA max_page_count = 4294967294');
    await new Promise((resolve) => setTimeout(resolve, 1200));
    assert.deepEqual([told, heard.length, heard[1], store.failure], [asked, 2, undefined, undefined]);
    store.close();
    const next = new SqliteStore(path);
    assert.equal(next.counts('a').seq, asked);
    next.close();
  });

  it('[S11] resolves no result after its file was deleted or replaced, until it is there again @slow', async () => {
    for (const suffix of ['', '-wal']) {
      const path = newPath();
      const heard: (string | undefined)[] = [];
      const store = new SqliteStore(path, { onFailure: (error) => heard.push(error?.message) });
      await finish(store, 'a', 3);
      renameSync(path + suffix, `${path}.away`);
      if (suffix === '') writeFileSync(path, '');
      let told = false;
      void store.addResult(step(4), result('a', 4)).then(() => (told = true));
      await new Promise((resolve) => setTimeout(resolve, 20));
      const got = suffix === '' ? 'another file in its place' : 'nothing there';
      assert.deepEqual([told, heard], [false, [`journal: expected ${path}${suffix} to be there still, got ${got}`]]);
      renameSync(`${path}.away`, path + suffix);
      await new Promise((resolve) => setTimeout(resolve, 1200));
      assert.deepEqual([told, store.failure], [true, undefined]);
      store.close();
    }
  });

  it('[S11] never gives a changed result for a flipped bit: it is mended, set aside by name, or the file is refused @slow', async () => {
    const whole = newPath();
    const store = new SqliteStore(whole);
    await finish(store, 'a', 120);
    await finish(store, 'b', 40);
    store.addStep('a', step(121));
    store.closeSession('b');
    store.close();
    const bytes = readFileSync(whole);
    let [refused, mended, aside] = [0, 0, 0];
    const places = 150;
    for (let i = 0; i < places; i++) {
      const path = newPath();
      const copy = Buffer.from(bytes);
      const at = Math.floor(((i + 0.5) * bytes.length) / places);
      copy[at]! ^= 1 << (i % 8);
      writeFileSync(path, copy);
      const said: string[] = [];
      let damaged: SqliteStore;
      try {
        damaged = new SqliteStore(path, { onDamage: (sentence) => said.push(sentence) });
      } catch (error) {
        refused++;
        assert.match((error as Error).message, /^journal: expected .*\.sqlite /, `byte ${at}`);
        continue;
      }
      const opened = damaged.openSessions();
      const results = damaged.resultsSince('a', 0, 1000);
      const history = [...damaged.history({ limit: 1000 })].flat();
      const unfinished = damaged.unfinishedSteps('a');
      for (const one of results) assert.deepEqual(one, result('a', one.seq), `byte ${at}`);
      for (const { session_id, seq, reward, options } of history) {
        assert.deepEqual([reward, options], [result(session_id, seq).reward, { a: 1 }], `byte ${at}`);
      }
      for (const one of unfinished) assert.deepEqual(one, step(121), `byte ${at}`);
      const found = [opened.length, results.length, history.length, unfinished.length];
      const missing = JSON.stringify(found) !== '[1,120,160,1]';
      if (missing)
        assert.ok(
          said.some((sentence) => /^journal: .* is damaged in .* set aside/.test(sentence)),
          `${at}: ${found.join()}`,
        );
      if (missing) aside++;
      else if (said.length > 0) mended++;
      if (opened.length === 1) assert.ok(damaged.counts('a').seq >= results.length, `byte ${at}`);
      damaged.close();
    }
    assert.ok(aside > 30 && refused > 0 && aside + refused + mended < places, `${aside} ${refused} ${mended}`);
  });

  it('[S11] says so when the log beside the file is damaged, which SQLite itself does not', () => {
    const path = newPath();
    killedAfter(
      path,
      `store.saveSession(session('a'));
       for (let n = 1; n <= 40; n++) await store.addResult(step(n), result(n));`,
    );
    const log = readFileSync(`${path}-wal`);
    const after = (at: number | undefined) => {
      const copy = newPath();
      copyFileSync(path, copy);
      const bytes = Buffer.from(log);
      if (at !== undefined) bytes[at]! ^= 4;
      writeFileSync(`${copy}-wal`, bytes);
      const said: string[] = [];
      const store = new SqliteStore(copy, { onDamage: (sentence) => said.push(sentence) });
      const { length } = store.resultsSince('a', 0, 100);
      store.close();
      return [length, said.length];
    };
    assert.deepEqual(after(undefined), [40, 0]);
    for (const at of [0, 10, 17, 30, 40, 60, Math.floor(log.length / 2), Math.floor(log.length / 3)]) {
      const [kept, said] = after(at);
      assert.ok(kept! < 40, `byte ${at}`);
      assert.equal(said, 1, `byte ${at}`);
    }
  });

  it('[S11] gives no `seq` twice, and goes on, after the row of the last result was damaged', async () => {
    const path = newPath();
    const store = new SqliteStore(path);
    await finish(store, 'a', 5);
    const { database } = store as unknown as { database: { exec(sql: string): void } };
    database.exec(`UPDATE steps SET result = replace(result, '"reward":5', '"reward":7') WHERE step_id = 's5'`);
    database.exec(`UPDATE steps SET result = replace(result, '"reward":2', '"reward":3') WHERE step_id = 's2'`);
    store.close();
    const said: string[] = [];
    const next = new SqliteStore(path, { onDamage: (sentence) => said.push(sentence) });
    assert.deepEqual(
      said.map((sentence) => /step "\w+" of session "a"/.exec(sentence)?.[0]),
      ['step "s2" of session "a"', 'step "s5" of session "a"'],
    );
    assert.deepEqual(
      next.resultsSince('a', 0, 9).map(({ seq }) => seq),
      [1, 3, 4],
    );
    assert.equal(next.findStep('a', 's5'), undefined, 'it is evaluated again when it is asked for');
    assert.deepEqual([next.counts('a').seq, next.countSince('a', 1)], [5, { count: 2, last: 4 }]);
    next.close();
  });

  it('[S11] takes a file of version 2, whose rows have no checksums', async () => {
    const path = newPath();
    const store = new SqliteStore(path);
    await finish(store, 'a', 5);
    const { database } = store as unknown as { database: { exec(sql: string): void } };
    for (const table of ['sessions', 'steps']) database.exec(`ALTER TABLE ${table} DROP COLUMN checksum`);
    database.exec('DROP TABLE damaged; PRAGMA user_version = 2');
    (store as unknown as { statements: object }).statements = {};
    store.close();
    const next = new SqliteStore(path);
    assert.equal(next.resultsSince('a', 0, 9).length, 5);
    await next.addResult(step(6), result('a', 6));
    assert.equal(next.counts('a').seq, 6);
    next.close();
  });

  it('names the file that is no journal, and leaves it as it was', () => {
    const path = newPath();
    writeFileSync(path, 'notes about streets, longer than the head of a database\n'.repeat(20));
    const before = readFileSync(path, 'utf8');
    assert.throws(() => new SqliteStore(path), /journal: expected .*\.sqlite to be a journal .* not a database/);
    assert.equal(readFileSync(path, 'utf8'), before);
    assert.equal(existsSync(`${path}.pid`) || existsSync(`${path}.lock`), false);
    for (const device of [folder, '/dev/null']) {
      assert.throws(() => new SqliteStore(device), /journal: expected a file, got /, device);
    }
  });

  it('refuses a file beside which an older version has left results', () => {
    const path = newPath();
    writeFileSync(`${path}.3.log`, '');
    assert.throws(() => new SqliteStore(path), /expected no \d+\.sqlite\.3\.log beside .*\.sqlite/);
    rmSync(`${path}.3.log`);
    new SqliteStore(path).close();
  });
});
