import { closeSync, existsSync, openSync, readFileSync, readSync, rmSync, writeSync } from 'node:fs';

/** A step as one array: the columns of the table `steps`, in their order. */
export type StepRow = readonly [
  sessionId: string,
  stepId: string,
  number: number,
  hash: string,
  seed: number,
  episodes: object,
  request: object | null,
  deadlineMs: number | null,
  test: 0 | 1,
  acceptedAt: number,
  seq: number | null,
  result: object | null,
];

/** Where a line lies in a file: its offset times LINE_BYTES, and its length. */
type Place = number;

/** More than a line can have: a message has at most a mebibyte, unless the server was told otherwise. */
const LINE_BYTES = 2 ** 24;

function placeOf(offset: number, length: number): Place {
  if (length >= LINE_BYTES) throw new RangeError(`journal: expected a line below ${LINE_BYTES} bytes, got ${length}`);
  return offset * LINE_BYTES + length;
}

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
 * A line is a step (an array) or a session (an object). Later lines replace earlier ones of the same step or session,
 * so that reading a file twice does no harm. A line that was cut by the end of the process is not read.
 */
export class Segment {
  /**
   * The latest row of each step, under `<session id> <step id>`: as it is until it is written, then as its place in
   * the file, so that a hundred thousand of them take little memory; as JSON where there is no file.
   */
  private readonly rows = new Map<string, StepRow | Place | string>();
  readonly sessions = new Map<string, SessionEntry[]>();
  private readonly unwritten = new Set<string>();
  private unwrittenSessions: string[] = [];
  private readonly file: number | undefined;
  private fileBytes = 0;

  /** @param path of its file; in memory without one */
  constructor(private readonly path: string | undefined) {
    if (path !== undefined && existsSync(path)) this.read(readFileSync(path, 'utf8'));
    this.file = path === undefined ? undefined : openSync(path, 'a+');
  }

  /** The keys of the steps, in the order in which they came. */
  get keys(): Iterable<string> {
    return this.rows.keys();
  }

  forget(key: string): void {
    this.rows.delete(key);
  }

  get size(): number {
    return this.rows.size + this.sessions.size;
  }

  get hasUnwritten(): boolean {
    return this.unwritten.size > 0 || this.unwrittenSessions.length > 0;
  }

  addStep(row: StepRow): void {
    const key = stepKey(row[0], row[1]);
    this.rows.set(key, row);
    this.unwritten.add(key);
  }

  addSession(entry: SessionEntry): void {
    this.keepSession(entry);
    this.unwrittenSessions.push(JSON.stringify(entry));
  }

  /** A row as it was, or will be, written. */
  lineOf(key: string): string | undefined {
    const row = this.rows.get(key);
    if (typeof row === 'number') return this.readLine(row);
    return row === undefined || typeof row === 'string' ? row : JSON.stringify(row);
  }

  rowOf(key: string): StepRow | undefined {
    const row = this.rows.get(key);
    if (typeof row === 'object') return row;
    const line = this.lineOf(key);
    return line === undefined ? undefined : (JSON.parse(line) as StepRow);
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

  private readLine(place: Place): string {
    const length = place % LINE_BYTES;
    const bytes = Buffer.allocUnsafe(length);
    readSync(this.file!, bytes, 0, length, (place - length) / LINE_BYTES);
    return bytes.toString();
  }

  /** Ends the segment: the database has it all. */
  remove(): void {
    if (this.file === undefined) return;
    closeSync(this.file);
    rmSync(this.path!, { force: true });
  }

  private read(text: string): void {
    this.fileBytes = Buffer.byteLength(text);
    for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) {
      if (line === '') continue;
      if (line.startsWith('[')) {
        const [sessionId, stepId] = JSON.parse(line) as StepRow;
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
