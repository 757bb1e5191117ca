/** A log of JSON objects, one per line. Lines are only appended, and each is on the disk before `append` returns. */
import { closeSync, existsSync, fstatSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { lockFile } from '../../protocol/file-lock.ts';
import { makeFolder } from '../../protocol/make-folder.ts';
import { isRegularFile } from '../../protocol/regular-file.ts';

/** How a JSON object begins. */
const BRACE = '{'.charCodeAt(0);

/** The bytes of the whole lines: a writer that was killed may leave a last line without its newline. */
function wholeLines(bytes: Buffer): Buffer {
  return bytes.subarray(0, bytes.lastIndexOf(10) + 1);
}

/**
 * The lines of a log, which is compressed if its name ends in `.gz`; a last line that was cut off is ignored.
 *
 * @throws {Error} naming the file and the line that is no JSON object, or when the file does not exist
 */
export function readLines<Line>(path: string): Line[] {
  isRegularFile(path, 'file or pipe');
  const bytes = reading(path, 'a file that can be read', () => readFileSync(path));
  if (!path.endsWith('.gz')) return parseLines(path, bytes);
  return parseLines(
    path,
    reading(path, 'a file that gzip has compressed', () => gunzipSync(bytes)),
  );
}

/** @throws {Error} naming the file, what was expected, and why it is not so */
function reading(path: string, expected: string, read: () => Buffer): Buffer {
  try {
    return read();
  } catch (error) {
    throw new Error(`${path}: expected ${expected}, got ${(error as Error).message}`, { cause: error });
  }
}

/**
 * Whether a log lies at a path, to which lines can be added.
 *
 * @throws {Error} naming the path, when it cannot be such a log: it is a folder or a device, or compressed
 */
export function isWritableLog(path: string): boolean {
  if (/\.gz$/i.test(path))
    throw new Error(`${path}: expected a log to write to, got a compressed one; gunzip it first`);
  return isRegularFile(path);
}

/** The lines of a log; none if the file does not exist yet. @throws {Error} as {@link readLines} does for a line */
export function linesSoFar<Line>(path: string): Line[] {
  return existsSync(path) ? readLines(path) : [];
}

function parseLines<Line>(path: string, bytes: Buffer): Line[] {
  const lines = wholeLines(bytes).toString('utf8').split('\n').slice(0, -1);
  return lines.map((line, i) => {
    const refuse = (cause?: unknown) => {
      return new Error(`${path}, line ${i + 1}: expected one JSON object, got ${line.slice(0, 60)}`, { cause });
    };
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (error) {
      throw refuse(error);
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse();
    return value as Line;
  });
}

/** The writing end of a log. */
export class LineLog<Line> {
  private readonly file: number;

  /**
   * Opens a log for appending and removes a last line that was cut off; creates the file if it does not exist. No other
   * process can open it meanwhile, where the system has locks (protocol/file-lock.ts).
   *
   * @param fresh whether the file must have no whole line yet
   * @throws {Error} naming the file, which is left as it is, when it is no log, is open already, or has lines and should
   *   be fresh
   */
  constructor(
    readonly path: string,
    { fresh = false }: { readonly fresh?: boolean } = {},
  ) {
    isWritableLog(path);
    makeFolder(dirname(path));
    this.file = openSync(path, 'a', 0o600);
    try {
      if (lockFile(this.file) === false) {
        throw new Error(
          `${path}: expected a log that nobody writes at the moment, got one that another program has open`,
        );
      }
      const bytes = readFileSync(path);
      const { length } = wholeLines(bytes);
      // Before anything is cut off: each line is an object, whole or not.
      if ([bytes[0], bytes[length]].some((first) => first !== undefined && first !== BRACE)) {
        throw new Error(`${path}: expected a log with a JSON object in each line, got something else`);
      }
      if (fresh && length > 0) throw new Error(`${path}: expected no log yet, got one of ${length} bytes`);
      ftruncateSync(this.file, length);
    } catch (error) {
      closeSync(this.file);
      throw error;
    }
  }

  /** @throws {Error} naming the file when it cannot be written, for example because the disk is full */
  append(line: Line): void {
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    const before = fstatSync(this.file).size;
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(this.file, bytes, at);
      fsyncSync(this.file);
    } catch (error) {
      ftruncateSync(this.file, before); // or the next line would follow on a part of this one
      throw new Error(`${this.path}: expected to write a line, got ${(error as Error).message}`, { cause: error });
    }
  }

  close(): void {
    closeSync(this.file);
  }
}
