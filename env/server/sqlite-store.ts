/**
 * The store in one SQLite file, which any SQLite tool opens:
 *
 *     select session_id, step_id, json_extract(result, '$.reward') from steps order by session_id, seq
 *
 * The changes of one turn of the event loop are one transaction. The end of the process loses no finished transaction,
 * since SQLite hands each to the operating system. The end of the whole machine may lose the transactions of the last
 * second, since they are put on the disk once a second; it never breaks the file (write-ahead log, `synchronous =
 * NORMAL`).
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import sqlite, { type Database, type SQLiteValue, type Statement } from 'node-sqlite3-wasm';
import { shown } from '../../protocol/errors.ts';
import type { HistoryEntry } from '../../protocol/history.ts';
import type { Result } from '../../protocol/messages.ts';
import type { EpisodeState } from '../episodes.ts';
import type { EvaluationRequest } from '../evaluate.ts';
import { makeFolder } from '../../protocol/make-folder.ts';
import type { HistoryFilter } from './history.ts';
import { disown, own } from './owner.ts';
import { hasLostTransactions } from './write-ahead-log.ts';
import type { Keeping, NoteRecord, SessionEntry, SessionRecord, StepRecord, Store } from './store.ts';

/** The version of the tables below; a file of another version is refused. */
const VERSION = 3;
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS sessions (
    session_id TEXT PRIMARY KEY,
    env_id TEXT NOT NULL,
    record TEXT NOT NULL,
    closed INTEGER NOT NULL DEFAULT 0,
    checksum INTEGER
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS steps (
    session_id TEXT NOT NULL,
    step_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    hash TEXT NOT NULL,
    seed INTEGER NOT NULL,
    episodes TEXT NOT NULL,
    request TEXT,
    deadline_ms REAL,
    test INTEGER NOT NULL,
    accepted_at INTEGER NOT NULL,
    seq INTEGER,
    result TEXT,
    checksum INTEGER,
    UNIQUE (session_id, step_id)
  );
  CREATE TABLE IF NOT EXISTS damaged (
    found_at TEXT NOT NULL,
    source TEXT NOT NULL,
    session_id TEXT,
    seq INTEGER,
    content TEXT NOT NULL
  );
  CREATE INDEX IF NOT EXISTS results ON steps (session_id, seq) WHERE seq IS NOT NULL;
  CREATE TABLE IF NOT EXISTS notes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id TEXT NOT NULL,
    topic TEXT NOT NULL,
    value TEXT NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (session_id, topic)
  );
  CREATE INDEX IF NOT EXISTS notes_in_order ON notes (session_id, number);
`;
/** What version 2 did not have: its rows have no checksums. */
const FROM_2 = 'ALTER TABLE sessions ADD COLUMN checksum INTEGER; ALTER TABLE steps ADD COLUMN checksum INTEGER;';
/** The columns of a step that its checksum covers, in their order. */
const STEP_COLUMNS =
  'session_id step_id number hash seed episodes request deadline_ms test accepted_at seq result'.split(' ');
const ADD_STEP = `
  INSERT INTO steps VALUES (${Array(STEP_COLUMNS.length + 1)
    .fill('?')
    .join(', ')})
  ON CONFLICT (session_id, step_id) DO UPDATE
  SET request = excluded.request, seq = excluded.seq, result = excluded.result, checksum = excluded.checksum`;

/** Steps with what a history entry has of their session. CROSS JOIN keeps SQLite from beginning with the sessions. */
const ENTRIES = `SELECT steps.rowid AS row, steps.*, env_id, record FROM steps CROSS JOIN sessions USING (session_id)`;

/** An accepted step is written after this time, or earlier with the next result, which is often its own. */
const STEP_DELAY_MS = 2;
/** Written transactions are put on the disk after this time. */
const DISK_DELAY_MS = 1000;
/** The time after which a failed write is tried again, and between two looks whether the file is still there. */
const LOOK_MS = 1000;

/** The number of rows of the history that are read at once. */
const HISTORY_PAGE = 32;
/** The same of sessions, of each of which more is read. */
const SESSION_PAGE = 16;

/** In a file up to this size, every row is checked at the start; in a larger one, a closed session's when it is read. */
const CHECKED_BYTES = 64 * 1024 ** 2;
/** The number of rows that are checked at once. */
const CHECK_PAGE = 1000;

type Row = Record<string, SQLiteValue>;

/** What a store tells besides its answers. */
export interface StoreEvents {
  /** Called with an error when changes cannot be written any more, and with none when they can be again. */
  readonly onFailure?: (error: Error | undefined) => void;
  /** Called with a sentence for damage that was found and mended, or set aside. */
  readonly onDamage?: (sentence: string) => void;
}

/** A step that the file does not have yet, or has without its result. */
interface Unwritten {
  readonly sessionId: string;
  readonly step: StepRecord;
  readonly result: Result | undefined;
}

/** A note that the file does not have yet. */
interface UnwrittenNote extends Omit<NoteRecord, 'number'> {
  readonly sessionId: string;
}

export class SqliteStore implements Store {
  private readonly database: Database;
  private readonly statements: Record<'session' | 'close' | 'step' | 'note' | 'find', Statement>;
  /** Sessions that the file does not have as they are. */
  private readonly unwritten = new Map<string, SessionRecord>();
  private readonly closed = new Set<string>();
  /** By the ids of session and step (`keyOf`). */
  private readonly steps = new Map<string, Unwritten>();
  /** By the id of the session and the topic. */
  private readonly unwrittenNotes = new Map<string, UnwrittenNote>();
  /** Called when the results that they wait for are written. */
  private waiting: (() => void)[] = [];
  private isDue = false;
  private later: NodeJS.Timeout | undefined;
  private toDisk: NodeJS.Timeout | undefined;
  private readonly path: string | undefined;
  /** The files of the database, with the numbers by which the system knows them. */
  private readonly places: readonly (readonly [file: string, number: string])[];
  private readonly looking: NodeJS.Timeout | undefined;
  private reason: string | undefined;

  /**
   * @param path the file, created if it does not exist; without a path everything is lost with the process
   * @throws {Error} when a process owns the file, it cannot be written, it is no journal of this version, or it is
   *   damaged beyond its rows and indices
   */
  constructor(
    path: string | undefined,
    private readonly events: StoreEvents = {},
  ) {
    this.path = path === undefined ? undefined : naming(path, () => realFile(path));
    this.database = this.path === undefined ? open(':memory:') : openOwned(this.path, events);
    const files = this.path === undefined ? [] : [this.path, `${this.path}-wal`].filter((file) => existsSync(file));
    this.places = files.map((file) => [file, numberOf(file)!]);
    if (files.length > 0) this.looking = setInterval(() => this.look(), LOOK_MS).unref();
    try {
      if (this.path !== undefined) this.check(this.path);
    } catch (error) {
      clearInterval(this.looking);
      this.database.close();
      if (this.path !== undefined) disown(this.path);
      throw error;
    }
    this.statements = {
      session: this.database.prepare('INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, 0, ?)'),
      close: this.database.prepare(
        'UPDATE sessions SET closed = 1, checksum = checksum + 1 WHERE session_id = ? AND closed = 0',
      ),
      step: this.database.prepare(ADD_STEP),
      note: this.database.prepare('INSERT OR REPLACE INTO notes (session_id, topic, value, at) VALUES (?, ?, ?, ?)'),
      find: this.database.prepare('SELECT rowid AS row, * FROM steps WHERE session_id = ? AND step_id = ?'),
    };
  }

  /**
   * Mends what can be mended, and sets damaged rows aside.
   *
   * @throws {Error} when more is damaged
   */
  private check(path: string): void {
    const number = (sql: string) => Number(Object.values(this.database.get(sql)!)[0]);
    const problem = () => String(Object.values(this.database.get('PRAGMA integrity_check(1)')!)[0]);
    try {
      const first = problem();
      const size = number('PRAGMA page_count') * number('PRAGMA page_size');
      // A row that an index does not have, or has under another name, cannot even be removed.
      if (first !== 'ok') this.database.exec('REINDEX');
      this.checkRows(first !== 'ok' || size <= CHECKED_BYTES);
      if (first === 'ok') return;
      if (problem() !== 'ok') this.database.exec('VACUUM');
      const last = problem();
      if (last !== 'ok') throw new Error(last);
      this.events.onDamage?.(`journal: ${path} was damaged (${first}) and has been mended`);
    } catch (error) {
      throw new Error(
        `journal: expected ${path} to be whole, got: ${(error as Error).message}; move it away (sqlite3's .recover may ` +
          'find what it has)',
        { cause: error },
      );
    }
  }

  /** @param all also the steps of closed sessions */
  private checkRows(all: boolean): void {
    const sessions = this.goodSessions();
    const walk = (condition: string, order: string, values: string[]) => {
      const sql = `SELECT rowid AS row, * FROM steps WHERE ${condition} ${order} > ? ORDER BY ${order} LIMIT ${CHECK_PAGE}`;
      const key = order === 'rowid' ? 'row' : order;
      for (let after: SQLiteValue = order === 'rowid' ? -1 : ''; ;) {
        const page = this.database.all(sql, [...values, after]) as Row[];
        this.good(page);
        if (page.length < CHECK_PAGE) return;
        after = page.at(-1)![key]!;
      }
    };
    if (all) return walk('', 'rowid', []);
    for (const { session_id } of sessions) walk('session_id = ? AND', 'step_id', [session_id as string]);
  }

  /** The sessions that were not closed and are not damaged. */
  private goodSessions(): Row[] {
    const rows = this.database.all('SELECT * FROM sessions') as Row[];
    const good = rows.filter((row) => {
      if (isWholeSession(row)) return true;
      this.setAside('sessions', row, 'session_id = ?', row['session_id']!);
      return false;
    });
    return good.filter(({ closed }) => Number(closed) === 0);
  }

  /** Those steps that are as they were written; the others are set aside. */
  private good(rows: readonly Row[]): Row[] {
    return rows.filter((row) => {
      if (isWholeStep(row)) return true;
      this.setAside('steps', row, 'rowid = ?', row['row']!);
      return false;
    });
  }

  /** Moves a row to the table of damaged ones, where people can look at it. */
  private setAside(table: 'sessions' | 'steps', row: Row, condition: string, key: SQLiteValue): void {
    const { session_id = null, step_id, seq = null } = row;
    const what =
      table === 'steps' ? `step ${shown(step_id)} of session ${shown(session_id)}` : `session ${shown(session_id)}`;
    this.events.onDamage?.(
      `journal: ${what} is damaged in ${this.path ?? 'the memory'}, and was set aside in its table "damaged"`,
    );
    const text = JSON.stringify(row, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
    try {
      this.transaction(() => {
        const values = [new Date().toISOString(), table, session_id, seq, text];
        this.database.run('INSERT INTO damaged VALUES (?, ?, ?, ?, ?)', values);
        this.database.run(`DELETE FROM ${table} WHERE ${condition}`, [key]);
      });
    } catch (error) {
      this.events.onFailure?.(error as Error); // it stays, and is found again
    }
  }

  get failure(): string | undefined {
    return this.reason;
  }

  saveSession(session: SessionRecord): void {
    this.unwritten.set(session.id, session);
    this.writeSoon();
  }

  closeSession(id: string): void {
    this.closed.add(id);
    this.writeSoon();
  }

  openSessions(): SessionRecord[] {
    this.writeIfPossible();
    const last = 'SELECT rowid AS row, * FROM steps WHERE session_id = ? ORDER BY number DESC LIMIT 1';
    return this.goodSessions().map((row) => {
      const session = JSON.parse(row['record'] as string) as SessionRecord;
      const found = this.database.get(last, [session.id]);
      const { episodes, number } = found ? stepRecord(found) : { episodes: session.episodes, number: 0 };
      return number > session.steps ? { ...session, episodes, steps: number } : session;
    });
  }

  addStep(sessionId: string, step: StepRecord): void {
    this.steps.set(keyOf(sessionId, step.id), { sessionId, step, result: undefined });
    // If the step is lost with the process, the client sends it again.
    this.later ??= setTimeout(() => this.writeIfPossible(), STEP_DELAY_MS);
  }

  addResult(step: StepRecord, result: Result): Promise<void> {
    this.steps.set(keyOf(result.session_id, step.id), { sessionId: result.session_id, step, result });
    this.writeSoon();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  findStep(sessionId: string, stepId: string): ReturnType<Store['findStep']> {
    const unwritten = this.steps.get(keyOf(sessionId, stepId));
    if (unwritten) {
      const { step, result } = unwritten;
      return { hash: step.hash, ...(result && { result }) };
    }
    // Not `get`: it leaves the statement at its row, and this open reader keeps the log from being put on the disk.
    const [row] = this.good(this.statements.find.all([sessionId, stepId]) as Row[]);
    if (!row) return undefined;
    const result = row['result'] as string | null;
    return { hash: row['hash'] as string, ...(result !== null && { result: JSON.parse(result) as Result }) };
  }

  unfinishedSteps(sessionId: string): StepRecord[] {
    this.writeIfPossible();
    const sql = 'SELECT rowid AS row, * FROM steps WHERE session_id = ? AND seq IS NULL ORDER BY number';
    return this.good(this.database.all(sql, [sessionId]) as Row[]).map(stepRecord);
  }

  resultsSince(sessionId: string, seq: number, limit: number): Result[] {
    this.writeIfPossible();
    const sql = 'SELECT rowid AS row, * FROM steps WHERE session_id = ? AND seq > ? ORDER BY seq LIMIT ?';
    const rows = this.database.all(sql, [sessionId, seq, limit]) as Row[];
    const good = this.good(rows);
    if (good.length < rows.length) throw new Error(`journal: expected whole results of session ${sessionId}`);
    return good.map((row) => JSON.parse(row['result'] as string) as Result);
  }

  countSince(sessionId: string, seq: number): { count: number; last: number } {
    this.writeIfPossible();
    const sql = 'SELECT count(*) AS count, max(seq) AS last FROM steps WHERE session_id = ? AND seq > ?';
    const { count, last } = this.database.get(sql, [sessionId, seq])!;
    return { count: Number(count), last: Number(last ?? seq) };
  }

  counts(sessionId: string): { seq: number; tests: number } {
    this.writeIfPossible();
    const sql = `SELECT coalesce(max(seq), 0) AS seq, count(seq) AS results, coalesce(sum(test), 0) AS tests
      FROM steps WHERE session_id = ?`;
    const { seq, results, tests } = this.database.get(sql, [sessionId])!;
    const lost = this.database.get('SELECT count(seq) AS lost FROM damaged WHERE session_id = ?', [sessionId])!['lost'];
    // Of a damaged row, its `seq` may be what is damaged; but it had one.
    return { seq: Math.max(Number(seq), Number(results) + Number(lost)), tests: Number(tests) };
  }

  addNote(sessionId: string, note: Omit<NoteRecord, 'number'>): void {
    const key = keyOf(sessionId, note.topic);
    this.unwrittenNotes.delete(key); // it comes after the others now
    this.unwrittenNotes.set(key, { sessionId, ...note });
    this.writeSoon();
  }

  topics(sessionId: string): number {
    this.writeIfPossible();
    const { count } = this.database.get('SELECT count(*) AS count FROM notes WHERE session_id = ?', [sessionId])!;
    return Number(count);
  }

  note(sessionId: string, topic: string): NoteRecord | undefined {
    this.writeIfPossible();
    const rows = this.database.all('SELECT * FROM notes WHERE session_id = ? AND topic = ?', [sessionId, topic]);
    return (rows as Row[]).flatMap(noteRecord)[0];
  }

  *notes(sessionId: string, after: number): Generator<NoteRecord[]> {
    this.writeIfPossible();
    const sql = 'SELECT * FROM notes WHERE session_id = ? AND number > ? ORDER BY number LIMIT ?';
    for (let number = after; ;) {
      const rows = this.database.all(sql, [sessionId, number, HISTORY_PAGE]) as Row[];
      yield rows.flatMap(noteRecord);
      if (rows.length < HISTORY_PAGE) return;
      number = Number(rows.at(-1)!['number']);
    }
  }

  *sessions(): Generator<SessionEntry[]> {
    this.writeIfPossible();
    const sql = 'SELECT * FROM sessions WHERE session_id > ? ORDER BY session_id LIMIT ?';
    for (let after: SQLiteValue = ''; ;) {
      const rows = this.database.all(sql, [after, SESSION_PAGE]) as Row[];
      yield rows.filter(isWholeSession).map((row) => this.sessionEntry(row));
      if (rows.length < SESSION_PAGE) return;
      after = rows.at(-1)!['session_id']!;
    }
  }

  session(sessionId: string): SessionEntry | undefined {
    this.writeIfPossible();
    const row = this.database.get('SELECT * FROM sessions WHERE session_id = ?', [sessionId]) as Row | null;
    return row && isWholeSession(row) ? this.sessionEntry(row) : undefined;
  }

  private sessionEntry(row: Row): SessionEntry {
    const id = row['session_id']!;
    const latest = this.database.get(
      'SELECT seq, accepted_at FROM steps WHERE session_id = ? AND seq IS NOT NULL ORDER BY seq DESC LIMIT 1',
      [id],
    );
    const { notes } = this.database.get('SELECT max(number) AS notes FROM notes WHERE session_id = ?', [id])!;
    return {
      record: JSON.parse(row['record'] as string) as SessionRecord,
      open: Number(row['closed']) === 0,
      seq: Number(latest?.['seq'] ?? 0),
      latestAt: Number(latest?.['accepted_at'] ?? 0),
      notes: Number(notes ?? 0),
    };
  }

  *evaluations(sessionId: string, after: number): Generator<HistoryEntry[]> {
    this.writeIfPossible();
    const sql = `${ENTRIES} WHERE steps.session_id = ? AND seq > ? ORDER BY seq LIMIT ?`;
    for (let seq = after; ;) {
      const rows = this.database.all(sql, [sessionId, seq, HISTORY_PAGE]) as Row[];
      yield this.good(rows).map(historyEntry);
      if (rows.length < HISTORY_PAGE) return;
      seq = Number(rows.at(-1)!['seq']);
    }
  }

  evaluation(sessionId: string, stepId: string): HistoryEntry | undefined {
    this.writeIfPossible();
    const sql = `${ENTRIES} WHERE steps.session_id = ? AND step_id = ? AND seq IS NOT NULL`;
    const [row] = this.good(this.database.all(sql, [sessionId, stepId]) as Row[]);
    return row && historyEntry(row);
  }

  *history({ session, env, step, outcome, since, test, limit }: HistoryFilter): Generator<HistoryEntry[]> {
    this.writeIfPossible();
    const conditions: [sql: string, value: string | number | undefined][] = [
      ['+steps.session_id = ?', session],
      ['env_id = ?', env],
      ['+step_id = ?', step],
      ['accepted_at >= ?', since],
      ['test = ?', test === undefined ? undefined : Number(test)],
    ];
    const given = conditions.filter(([, value]) => value !== undefined);
    // CROSS JOIN and + keep SQLite from other indices: each page reads a few rows, whether they match or not.
    const sql = `${ENTRIES}
      WHERE steps.rowid <= ? AND steps.rowid > ?
      AND ${['+seq IS NOT NULL', ...given.map(([condition]) => condition)].join(' AND ')}
      ORDER BY steps.rowid DESC`;
    let left = limit;
    let row = Number(this.database.get('SELECT max(rowid) AS row FROM steps')!['row'] ?? 0);
    for (; row > 0 && left > 0; row -= HISTORY_PAGE) {
      const values = [row, row - HISTORY_PAGE, ...given.map(([, value]) => value!)];
      const entries = this.good(this.database.all(sql, values) as Row[]).map(historyEntry);
      const page = entries.filter((entry) => outcome === undefined || entry.outcome === outcome).slice(0, left);
      left -= page.length;
      yield page;
    }
  }

  /** The space of forgotten sessions is used again; the file does not shrink. */
  prune(now: number, { maxAgeMs, maxBytes }: Keeping): number {
    this.writeIfPossible();
    const closed = this.database.all(
      `SELECT session_id AS id, coalesce(max(accepted_at), 0) AS last,
       coalesce(sum(length(result)), 0) + (SELECT coalesce(sum(length(value)), 0) FROM notes
         WHERE notes.session_id = sessions.session_id) AS bytes
       FROM sessions LEFT JOIN steps USING (session_id) WHERE closed = 1 GROUP BY session_id ORDER BY last`,
    );
    const all = `SELECT (SELECT coalesce(sum(length(result)), 0) FROM steps)
      + (SELECT coalesce(sum(length(value)), 0) FROM notes) AS bytes`;
    let bytes = Number(this.database.get(all)!['bytes']);
    const forgotten: string[] = [];
    for (const { id, last, bytes: own } of closed) {
      if (Number(last) >= now - maxAgeMs && bytes <= maxBytes) break;
      forgotten.push(id as string);
      bytes -= Number(own);
    }
    this.transaction(() => {
      for (const id of forgotten) {
        this.database.run('DELETE FROM steps WHERE session_id = ?', [id]);
        this.database.run('DELETE FROM notes WHERE session_id = ?', [id]);
        this.database.run('DELETE FROM sessions WHERE session_id = ?', [id]);
      }
    });
    return forgotten.length;
  }

  close(): void {
    try {
      this.write();
      this.checkPlaces();
    } finally {
      clearTimeout(this.toDisk);
      clearInterval(this.looking);
      for (const statement of Object.values(this.statements)) statement.finalize();
      // SQLite would delete the log by its name, which may be another database's by now.
      if (this.places.every(([file, number]) => numberOf(file) === number)) this.database.close();
      if (this.path !== undefined) disown(this.path);
    }
  }

  /** Writes at the end of this turn of the event loop, together with the turn's other changes. */
  private writeSoon(): void {
    if (this.isDue) return;
    this.isDue = true;
    process.nextTick(() => this.writeIfPossible());
  }

  /** Writes; after a failure, only `look` tries again. */
  private writeIfPossible(): void {
    this.isDue = false;
    if (this.reason === undefined) this.attempt(() => this.write());
  }

  /** Once in a while: is the file still there, and is there room again? */
  private look(): void {
    this.attempt(() => {
      this.checkPlaces();
      if (this.reason === undefined) return;
      this.write();
      this.checkpoint();
    });
  }

  private attempt(work: () => void): void {
    try {
      work();
      if (this.reason === undefined) return;
      this.reason = undefined;
      this.events.onFailure?.(undefined);
    } catch (error) {
      const failed = this.reason !== undefined;
      this.reason = (((error as Error).cause as Error | undefined) ?? (error as Error)).message;
      if (!failed) this.events.onFailure?.(error as Error);
    }
  }

  /** @throws {Error} when a file of the database was deleted or replaced: what is written there would be lost */
  private checkPlaces(): void {
    for (const [file, number] of this.places) {
      const found = numberOf(file);
      if (found === number) continue;
      const got = found === undefined ? 'nothing there' : 'another file in its place';
      throw new Error(`journal: expected ${file} to be there still, got ${got}`, { cause: new Error(got) });
    }
  }

  private checkpoint(): void {
    naming(this.path, () => this.database.all('PRAGMA wal_checkpoint'));
  }

  /** Writes all unwritten changes in one transaction, and resolves the promises of `addResult`. */
  private write(): void {
    clearTimeout(this.later);
    this.later = undefined;
    this.isDue = false;
    const { unwritten, closed, steps, unwrittenNotes, statements, waiting } = this;
    if (unwritten.size + closed.size + steps.size + unwrittenNotes.size === 0) return;
    this.checkPlaces();
    this.transaction(() => {
      for (const session of unwritten.values()) {
        const values = [session.id, session.envId, JSON.stringify(session)];
        statements.session.run([...values, checksum(values)]);
      }
      for (const id of closed) statements.close.run([id]);
      for (const step of steps.values()) statements.step.run(rowOf(step));
      for (const { sessionId, topic, value, at } of unwrittenNotes.values()) {
        statements.note.run([sessionId, topic, JSON.stringify(value), at]);
      }
    });
    unwritten.clear();
    unwrittenNotes.clear();
    closed.clear();
    steps.clear();
    this.waiting = [];
    for (const tell of waiting) tell();
    this.toDisk ??= setTimeout(() => {
      this.toDisk = undefined;
      if (this.reason === undefined) this.attempt(() => this.checkpoint());
    }, DISK_DELAY_MS).unref();
  }

  /** Makes a change as a whole, or not at all if it throws. */
  private transaction(change: () => void): void {
    naming(this.path, () => {
      this.database.exec('BEGIN');
      try {
        change();
        this.database.exec('COMMIT');
      } catch (error) {
        if (this.database.inTransaction) this.database.exec('ROLLBACK');
        throw error;
      }
    });
  }
}

const keyOf = (sessionId: string, stepId: string) => `${sessionId} ${stepId}`;

/** The number of a file's place on its disk, which no other file has; undefined if there is none. */
function numberOf(file: string): string | undefined {
  const found = statSync(file, { throwIfNoEntry: false });
  return found && `${found.dev} ${found.ino}`;
}

/** The row of a step, in the order of the columns. The request is dropped once there is a result. */
function rowOf({ sessionId, step, result }: Unwritten): (string | number | null)[] {
  const { id, number, hash, seed, request, deadlineMs = null, acceptedAt } = step;
  const asked = result ? null : JSON.stringify(request);
  const answered = result ? JSON.stringify(result) : null;
  const test = request.test ? 1 : 0;
  const episodes = JSON.stringify(step.episodes);
  const seq = result?.seq ?? null;
  const values = [sessionId, id, number, hash, seed, episodes, asked, deadlineMs, test, acceptedAt, seq, answered];
  return [...values, checksum(values)];
}

const checksum = (values: readonly unknown[]) => crc32(JSON.stringify(values));

/** Whether a row is as it was written; one without a checksum must at least have JSON where it should. */
function isWhole(row: Row, covered: () => number, texts: readonly (SQLiteValue | undefined)[]): boolean {
  try {
    if (row['checksum'] !== null) return Number(row['checksum']) === covered();
    for (const text of texts) if (text !== null) JSON.parse(text as string);
    return true;
  } catch {
    return false; // a number that is none, or no JSON
  }
}

function isWholeStep(row: Row): boolean {
  const { episodes, request, result } = row;
  return isWhole(row, () => checksum(STEP_COLUMNS.map((column) => row[column])), [episodes, request, result]);
}

/** `closed` is added, so that a session is closed by adding 1. */
function isWholeSession(row: Row): boolean {
  const { session_id, env_id, record, closed } = row;
  return isWhole(row, () => checksum([session_id, env_id, record]) + Number(closed), [record]);
}

function historyEntry({ env_id, record, accepted_at, result }: Row): HistoryEntry {
  const rest = JSON.parse(result as string) as Omit<Result, 't' | 're'> & { t?: unknown; re?: unknown };
  delete rest.t;
  delete rest.re;
  return {
    env_id: env_id as string,
    options: (JSON.parse(record as string) as SessionRecord).options,
    accepted_at: new Date(Number(accepted_at)).toISOString(),
    ...rest,
  };
}

/** None for a damaged note: nothing depends on it. */
function noteRecord({ number, topic, value, at }: Row): NoteRecord[] {
  try {
    const told = JSON.parse(value as string) as NoteRecord['value'];
    return [{ number: Number(number), topic: topic as string, value: told, at: Number(at) }];
  } catch {
    return [];
  }
}

function stepRecord(row: Record<string, unknown>): StepRecord {
  const { step_id, hash, seed, number, episodes, request, deadline_ms, accepted_at } = row as Record<string, string>;
  return {
    id: step_id!,
    hash: hash!,
    seed: Number(seed),
    request: JSON.parse(request ?? 'null') as EvaluationRequest,
    ...(deadline_ms !== null && { deadlineMs: Number(deadline_ms) }),
    number: Number(number),
    episodes: JSON.parse(episodes!) as EpisodeState,
    acceptedAt: Number(accepted_at),
  };
}

/** A disk with less than this is full: a page of the journal and its index no longer fit. */
const LEAST_SPACE = 65_536;

/** Whether the disk of a file has no room: SQLite says only that it could not write. */
function isFull(path: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    return bavail * bsize < LEAST_SPACE;
  } catch {
    return false;
  }
}

/** Names the file in an error of SQLite or the operating system, which does not. */
function naming<T>(path: string | undefined, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if ((error as Error).message.startsWith('journal: ')) throw error;
    const file = path ?? 'the memory';
    const got = path !== undefined && isFull(path) ? 'no space left on its disk' : (error as Error).message;
    throw new Error(`journal: expected ${file} to be a journal with room to write, got: ${got}`, {
      cause: error,
    });
  }
}

/**
 * The one name of a file, whatever links lead to it; its folder is made if there is none.
 *
 * @throws {Error} when there is a folder or a device in its place
 */
function realFile(path: string): string {
  if (!existsSync(path)) {
    // A link to a file that is not there yet would get a second name.
    if (lstatSync(path, { throwIfNoEntry: false }))
      throw new Error(`journal: expected a file, got a link to none: ${path}`);
    makeFolder(dirname(path));
    return join(realpathSync(dirname(path)), basename(path));
  }
  if (!statSync(path).isFile()) throw new Error(`journal: expected a file, got ${path}`);
  return realpathSync(path);
}

/** @throws {Error} when a process owns the file, or it, or a log beside it, is of another version */
function openOwned(path: string, events: StoreEvents): Database {
  return naming(path, () => {
    own(path);
    try {
      refuseOlderLogs(path);
      tellLost(path, events);
      return open(path);
    } catch (error) {
      disown(path);
      throw error;
    }
  });
}

/** Of a damaged log beside the file, SQLite would leave out the rest in silence; a copy of it is kept. */
function tellLost(path: string, { onDamage }: StoreEvents): void {
  const log = `${path}-wal`;
  if (!existsSync(log) || !hasLostTransactions(readFileSync(log))) return;
  copyFileSync(log, `${log}.damaged`);
  onDamage?.(`journal: ${log} is damaged, and what was written last is lost; a copy of it is ${log}.damaged`);
}

/** @param path `:memory:` for none */
function open(path: string): Database {
  const database = new sqlite.Database(path);
  try {
    prepare(database, path);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** @throws {Error} when the file is of another version */
function prepare(database: Database, path: string): void {
  for (const pragma of [
    'locking_mode = EXCLUSIVE', // Only one process writes, so it may keep the file locked.
    'journal_mode = WAL',
    'synchronous = NORMAL',
    'wal_autocheckpoint = 16000', // pages; DISK_DELAY_MS usually comes first
    'cache_size = -16000', // KiB
  ]) {
    database.all(`PRAGMA ${pragma}`);
  }
  const version = Number(database.get('PRAGMA user_version')!['user_version']);
  const empty = Number(database.get('SELECT count(*) AS n FROM sqlite_schema')!['n']) === 0;
  if (!empty && version === 2) database.exec(`BEGIN; ${FROM_2} PRAGMA user_version = ${VERSION}; COMMIT`);
  else if (!empty && version !== VERSION) {
    throw new Error(
      `journal: expected ${path} to be of version ${VERSION}, got ${version}; give --journal another name`,
    );
  }
  database.exec(`${SCHEMA}; PRAGMA user_version = ${VERSION}`);
  // The hashes of tokens and everybody's results are for the owner only, also in a file of an older server.
  for (const file of [path, `${path}-wal`]) if (existsSync(file)) chmodSync(file, 0o600);
}

/** Earlier versions of this server kept the latest results in logs beside the file until an orderly end. */
function refuseOlderLogs(path: string): void {
  const name = basename(path);
  const log = readdirSync(dirname(path)).find(
    (file) => file.startsWith(`${name}.`) && /^\d+\.log$/.test(file.slice(name.length + 1)),
  );
  if (log === undefined) return;
  throw new Error(
    `journal: expected no ${log} beside ${path}: it has results of an older version of this server, ` +
      'which takes them in when it is started and stopped once more',
  );
}
