/**
 * What a server must not forget: its sessions, their steps and their results.
 *
 * A result is written before it is sent, so that after a crash nobody pays for it again. It is written twice: at once
 * to a file that is only appended to (one write a turn of the event loop), and later, some hundred at a time, to one
 * SQLite file that opens in anything:
 *
 *     select session_id, step_id, json_extract(result, '$.reward') from steps order by session_id, seq
 *
 * The log outlives the process, not the machine: nobody waits for the disk before a result is sent. The database does
 * wait for it, and gets what is in the log within QUIET_MS, or MOST_BEHIND_ROWS later under constant load.
 */
import type { Database, Statement } from 'node-sqlite3-wasm';
import type { ServerMessages } from '../../protocol/messages.ts';
import type { EpisodeStream } from '../episodes.ts';
import { openDatabase, own, disown, segmentNumbers, segmentPath } from './journal-files.ts';
import { Segment, stepKey, type SessionEntry } from './journal-segment.ts';
import { stepRecord, type StepRecord } from './step-record.ts';

type Result = ServerMessages['result'];

type EpisodeState = EpisodeStream['state'];

/** All of a session that outlives the server's process. */
export interface SessionRecord {
  readonly id: string;
  readonly envId: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly specHash: string;
  readonly episodes: EpisodeState;
  /** How many steps had been accepted when this was written. */
  readonly steps: number;
  readonly epoch: number;
  /** SHA-256; the tokens themselves are the client's. */
  readonly tokenHash: string;
  readonly previousTokenHash?: string | undefined;
  readonly detachGraceMs: number;
  readonly acknowledged: number;
}

const ADD_STEP = `
  INSERT INTO steps VALUES (${Array(11).fill('?').join(', ')}, CAST(? AS TEXT))
  ON CONFLICT (session_id, step_id) DO UPDATE
  SET request = excluded.request, seq = excluded.seq, result = excluded.result`;

/** A step that was accepted is written after so long, or with the next result. */
const STEP_DELAY_MS = 2;
/** A segment is closed when it has so many rows. */
const SEGMENT_ROWS = 4096;
/** The database is brought up to date when nothing was written for so long … */
const QUIET_MS = 200;
/** … or when it lacks so many rows (some 6 MB of memory): to put a row there costs as much as the rest of a quick step. */
const MOST_BEHIND_ROWS = 32_768;
/** Rows that are put into the database in one go: some 10 ms. */
const SLICE_ROWS = 256;

export class Journal {
  private readonly database: Database;
  private readonly statements: Record<'session' | 'close' | 'step' | 'find', Statement>;
  /** What the database does not have yet, oldest first; the last one is written to. */
  private readonly segments: Segment[];
  private nextSegment: number;
  private scheduled = false;
  private applying = false;
  private later: NodeJS.Timeout | undefined;
  private quiet: NodeJS.Timeout | undefined;
  private afterWrite: (() => void)[] = [];

  /** @param path of the file, made where there is none; nothing is kept without one */
  constructor(private readonly path: string | undefined) {
    if (path !== undefined) own(path);
    this.database = openDatabase(path);
    this.statements = {
      session: this.database.prepare('INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, 0)'),
      close: this.database.prepare('UPDATE sessions SET closed = 1 WHERE session_id = ?'),
      step: this.database.prepare(ADD_STEP),
      find: this.database.prepare('SELECT hash, result FROM steps WHERE session_id = ? AND step_id = ?'),
    };
    const left = path === undefined ? [] : segmentNumbers(path);
    this.nextSegment = Math.max(0, ...left) + 1;
    this.segments = left.map((number) => new Segment(segmentPath(path!, number)));
    this.segments.push(this.newSegment());
    this.applyAll();
  }

  saveSession(session: SessionRecord): void {
    this.addSession({ id: session.id, envId: session.envId, record: session, closed: false });
  }

  closeSession(id: string): void {
    this.addSession({ id, closed: true });
  }

  addStep(sessionId: string, step: StepRecord): void {
    this.current.addStep(sessionId, step);
    // Not at once: when it is lost with the process, the client sends it again; often its result is there first, and
    // then the timer finds nothing.
    this.later ??= setTimeout(() => {
      this.later = undefined;
      if (this.current.hasUnwritten) this.flush();
    }, STEP_DELAY_MS);
  }

  /** @param then called when the result can no longer be lost */
  addResult(step: StepRecord, result: Result, then: () => void): void {
    this.current.addStep(result.session_id, step, result);
    this.afterWrite.push(then);
    this.schedule();
  }

  findStep(sessionId: string, stepId: string): { readonly hash: string; readonly result?: Result } | undefined {
    const key = stepKey(sessionId, stepId);
    for (let i = this.segments.length - 1; i >= 0; i--) {
      const step = this.segments[i]!.stepOf(key);
      if (step) return foundStep(step.row[3], step.result);
    }
    const row = this.statements.find.get([sessionId, stepId]);
    return row ? foundStep(row['hash'] as string, row['result'] as string | null) : undefined;
  }

  /** The results of a session after `seq`, in order. */
  resultsSince(sessionId: string, seq: number): Result[] {
    const sql = 'SELECT seq, result FROM steps WHERE session_id = ? AND seq > ?';
    const results = this.database
      .all(sql, [sessionId, seq])
      .map((row) => JSON.parse(row['result'] as string) as Result);
    for (const segment of this.segments) {
      for (const key of segment.keys) {
        if (!key.startsWith(`${sessionId} `)) continue;
        const { row, result } = segment.stepOf(key)!;
        if (result !== null && row[10]! > seq) results.push(JSON.parse(result) as Result);
      }
    }
    const bySeq = new Map(results.map((result) => [result.seq, result]));
    return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
  }

  /** Steps that were accepted and have no result, in the order of acceptance. */
  unfinishedSteps(sessionId: string): StepRecord[] {
    this.applyAll();
    const sql = 'SELECT * FROM steps WHERE session_id = ? AND seq IS NULL ORDER BY number';
    return this.database.all(sql, [sessionId]).map(stepRecord);
  }

  /** The sessions that were not closed, each with what its last steps have changed. */
  openSessions(): SessionRecord[] {
    this.applyAll();
    const last = 'SELECT * FROM steps WHERE session_id = ? ORDER BY number DESC LIMIT 1';
    return this.database.all('SELECT record FROM sessions WHERE closed = 0').map((row) => {
      const session = JSON.parse(row['record'] as string) as SessionRecord;
      const found = this.database.get(last, [session.id]);
      const { episodes, number } = found ? stepRecord(found) : { episodes: session.episodes, number: 0 };
      return number > session.steps ? { ...session, episodes, steps: number } : session;
    });
  }

  /** How many results a session has, and how many of its steps look at the test set. */
  counts(sessionId: string): { results: number; tests: number } {
    this.applyAll();
    const sql = 'SELECT count(seq) AS results, coalesce(sum(test), 0) AS tests FROM steps WHERE session_id = ?';
    const row = this.database.get(sql, [sessionId])!;
    return { results: Number(row['results']), tests: Number(row['tests']) };
  }

  /** Rows of the tables above, with everything in them that was written so far. */
  query(sql: string, values: (string | number)[] = []): Record<string, unknown>[] {
    this.applyAll();
    return this.database.all(sql, values);
  }

  /** Forgets closed sessions and their steps. */
  forget(sessionIds: readonly string[]): void {
    this.applyAll();
    this.database.exec('BEGIN');
    for (const id of sessionIds) {
      this.database.run('DELETE FROM steps WHERE session_id = ?', [id]);
      this.database.run('DELETE FROM sessions WHERE session_id = ? AND closed = 1', [id]);
    }
    this.database.exec('COMMIT');
  }

  close(): void {
    clearTimeout(this.later);
    this.flush();
    clearTimeout(this.quiet);
    this.applyAll();
    this.segments.forEach((segment) => segment.remove());
    for (const statement of Object.values(this.statements)) statement.finalize();
    this.database.close();
    if (this.path !== undefined) disown(this.path);
  }

  /** Writes what is to be written, now, and tells those who wait for it. */
  flush(): void {
    this.scheduled = false;
    this.current.write();
    const callbacks = this.afterWrite;
    this.afterWrite = [];
    for (const callback of callbacks) callback();
    if (this.current.size >= SEGMENT_ROWS) this.segments.push(this.newSegment());
    if (this.segments.length * SEGMENT_ROWS > MOST_BEHIND_ROWS) return this.applySoon();
    if (this.quiet) this.quiet.refresh();
    else this.quiet = setTimeout(() => this.applySoon(), QUIET_MS).unref();
  }

  private get current(): Segment {
    return this.segments.at(-1)!;
  }

  private newSegment(): Segment {
    return new Segment(this.path === undefined ? undefined : segmentPath(this.path, this.nextSegment++));
  }

  private addSession(entry: SessionEntry): void {
    this.current.addSession(entry);
    this.schedule();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => this.scheduled && this.flush());
  }

  /** Puts what the database lacks into it, a slice a turn of the event loop. */
  private applySoon(): void {
    if (this.applying) return;
    this.current.write();
    if (this.current.size > 0) this.segments.push(this.newSegment());
    this.applying = true;
    const next = () => {
      this.applying = this.segments.length > 1;
      if (!this.applying) return;
      this.applySlice(this.segments[0]!);
      setImmediate(next);
    };
    setImmediate(next);
  }

  /**
   * Puts some rows into the database. With the last ones a segment is committed, and then removed: to commit each slice
   * would write the same pages of the indices again and again.
   */
  private applySlice(segment: Segment): void {
    if (!this.database.inTransaction) this.database.exec('BEGIN');
    for (const entries of segment.sessions.values()) {
      for (const { id, envId, record } of entries) {
        if (record) this.statements.session.run([id, envId!, JSON.stringify(record)]);
        else this.statements.close.run([id]);
      }
    }
    segment.sessions.clear();
    for (const { row, result } of segment.takeSteps(SLICE_ROWS)) this.statements.step.run([...row, result]);
    if (segment.size > 0) return;
    this.database.exec('COMMIT');
    segment.remove();
    this.segments.shift();
  }

  /** Brings the database up to date, now. */
  private applyAll(): void {
    if (this.segments.length === 1 && this.current.size === 0) return;
    this.current.write();
    this.segments.push(this.newSegment());
    while (this.segments.length > 1) this.applySlice(this.segments[0]!);
  }
}

function foundStep(hash: string, result: string | null): ReturnType<Journal['findStep']> {
  return result === null ? { hash } : { hash, result: JSON.parse(result) as Result };
}
