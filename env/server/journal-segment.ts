import { closeSync, existsSync, openSync, readFileSync, readSync, rmSync, writeSync } from 'node:fs';
import type { ServerMessages } from '../../protocol/messages.ts';
import { rowOf, type StepRecord, type StepRow } from './step-record.ts';

type Result = ServerMessages['result'];

/** A step on its way to the file: its line is made once, when it is written, and often its result is there then. */
interface Unwritten {
  readonly sessionId: string;
  readonly step: StepRecord;
  readonly result: Result | undefined;
}

/** Where a line lies in a file: its offset times LINE_BYTES, and its length. */
type Place = number;

/** More than a line can have: a message has at most a mebibyte, unless the server was told otherwise. */
const LINE_BYTES = 2 ** 24;

function placeOf(offset: number, length: number): Place {
  if (length >= LINE_BYTES) throw new RangeError(`journal: expected a line below ${LINE_BYTES} bytes, got ${length}`);
  return offset * LINE_BYTES + length;
}

function spanOf(place: Place): { offset: number; length: number } {
  const length = place % LINE_BYTES;
  return { offset: (place - length) / LINE_BYTES, length };
}

/** Between a step and its result; within JSON it is written as \t. */
const TAB = '\t';

/** What is to be written of a session: its record, or that it was closed. */
export interface SessionEntry {
  readonly id: string;
  readonly envId?: string;
  readonly record?: object;
  readonly closed: boolean;
}

/**
 * One file of the write-ahead log, and the same in memory: what the database does not have yet.
 *
 * A line is a step (an array, and after a tab its result) or a session (an object), as JSON. Later lines replace earlier
 * ones of the same step or session, so that reading a file twice does no harm. A line that was cut by the end of the
 * process is not read.
 */
export class Segment {
  /**
   * The latest row of each step, under `<session id> <step id>`: as it is until it is written, then as its place in
   * the file, so that a hundred thousand of them take little memory; as a line where there is no file.
   */
  private readonly rows = new Map<string, Unwritten | Place | string>();
  readonly sessions = new Map<string, SessionEntry[]>();
  private readonly unwritten = new Set<string>();
  private unwrittenSessions: string[] = [];
  private readonly file: number | undefined;
  private fileBytes = 0;
  /** All of the file, while one line after the other is taken from it. */
  private content: Buffer | undefined;

  /** @param path of its file; in memory without one */
  constructor(private readonly path: string | undefined) {
    if (path !== undefined && existsSync(path)) this.load(readFileSync(path, 'utf8'));
    this.file = path === undefined ? undefined : openSync(path, 'a+');
  }

  /** The keys of the steps, in the order in which they came. */
  get keys(): Iterable<string> {
    return this.rows.keys();
  }

  /** Takes out the first `count` steps, as the database has them; results as JSON, in bytes where there is a file. */
  takeSteps(count: number): { readonly row: StepRow; readonly result: string | Uint8Array | null }[] {
    const { rows } = this;
    const keys: string[] = [];
    for (const key of rows.keys()) {
      if (keys.length === count) break;
      keys.push(key);
    }
    return keys.map((key) => {
      const place = rows.get(key);
      const step = typeof place === 'number' ? this.stepAt(place) : this.stepOf(key)!;
      rows.delete(key);
      return step;
    });
  }

  /** A step in the file, whose result is not made a string: the database takes bytes at once. */
  private stepAt(place: Place): { row: StepRow; result: Uint8Array | null } {
    this.content ??= this.read(0, this.fileBytes);
    const { offset, length } = spanOf(place);
    const line = this.content.subarray(offset, offset + length);
    const tab = line.indexOf(TAB);
    const row = JSON.parse(line.toString('utf8', 0, tab < 0 ? length : tab)) as StepRow;
    return { row, result: tab < 0 ? null : line.subarray(tab + 1) };
  }

  get size(): number {
    return this.rows.size + this.sessions.size;
  }

  get hasUnwritten(): boolean {
    return this.unwritten.size > 0 || this.unwrittenSessions.length > 0;
  }

  addStep(sessionId: string, step: StepRecord, result?: Result): void {
    const key = stepKey(sessionId, step.id);
    this.rows.set(key, { sessionId, step, result });
    this.unwritten.add(key);
  }

  addSession(entry: SessionEntry): void {
    this.keepSession(entry);
    this.unwrittenSessions.push(JSON.stringify(entry));
  }

  stepOf(key: string): { readonly row: StepRow; readonly result: string | null } | undefined {
    const line = this.lineOf(key);
    if (line === undefined) return undefined;
    const tab = line.indexOf(TAB);
    const row = JSON.parse(tab < 0 ? line : line.slice(0, tab)) as StepRow;
    return { row, result: tab < 0 ? null : line.slice(tab + 1) };
  }

  /** A step as it was, or will be, written. */
  private lineOf(key: string): string | undefined {
    const known = this.rows.get(key);
    if (typeof known === 'number') return this.readLine(known);
    if (known === undefined || typeof known === 'string') return known;
    const { sessionId, step, result } = known;
    const row = JSON.stringify(rowOf(sessionId, step, result?.seq));
    return result ? `${row}${TAB}${JSON.stringify(result)}` : row;
  }

  /**
   * Hands what was added to the operating system, in one write: a killed process loses nothing of it. A step that was
   * accepted and finished since the last time is written once.
   */
  write(): void {
    if (!this.hasUnwritten) return;
    let text = this.unwrittenSessions.map((line) => `${line}\n`).join('');
    let bytes = Buffer.byteLength(text);
    for (const key of this.unwritten) {
      const line = this.lineOf(key)!;
      const length = Buffer.byteLength(line);
      this.rows.set(key, this.file === undefined ? line : placeOf(this.fileBytes + bytes, length));
      text += `${line}\n`;
      bytes += length + 1;
    }
    this.unwritten.clear();
    this.unwrittenSessions = [];
    if (this.file !== undefined) this.append(text);
  }

  private append(text: string): void {
    const bytes = Buffer.from(text);
    for (let written = 0; written < bytes.length;) written += writeSync(this.file!, bytes, written);
    this.fileBytes += bytes.length;
  }

  private read(offset: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    readSync(this.file!, bytes, 0, length, offset);
    return bytes;
  }

  private readLine(place: Place): string {
    const { offset, length } = spanOf(place);
    return this.read(offset, length).toString();
  }

  /** Ends the segment: the database has it all. */
  remove(): void {
    this.content = undefined;
    if (this.file === undefined) return;
    closeSync(this.file);
    rmSync(this.path!, { force: true });
  }

  private load(text: string): void {
    this.fileBytes = Buffer.byteLength(text);
    for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) {
      if (line === '') continue;
      if (line.startsWith('[')) {
        const [sessionId, stepId] = JSON.parse(line.split(TAB, 1)[0]!) as StepRow;
        this.rows.set(stepKey(sessionId, stepId), line);
      } else {
        this.keepSession(JSON.parse(line) as SessionEntry);
      }
    }
  }

  /** Of a session the last record counts, and that it was closed. */
  private keepSession(entry: SessionEntry): void {
    const known = this.sessions.get(entry.id);
    if (known === undefined || !entry.closed) this.sessions.set(entry.id, [entry]);
    else known.push(entry);
  }
}

export function stepKey(sessionId: string, stepId: string): string {
  return `${sessionId} ${stepId}`;
}
