/** A log of JSON objects, one a line: only ever appended to, each line on the disk before its writer goes on. */
import { closeSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** The bytes of the lines that are whole: a writer that was killed may leave a last one without its newline. */
function wholeLines(bytes: Buffer): Buffer {
  return bytes.subarray(0, bytes.lastIndexOf(10) + 1);
}

/**
 * The lines of a log; a last line that was cut off in the writing is none.
 *
 * @throws {Error} naming the file and the line that is no JSON object, or where there is no such file
 */
export function readLines<Line>(path: string): Line[] {
  return parseLines(path, readFileSync(path));
}

/** The same of a log whose bytes came from elsewhere, as from a compressed file. */
export function parseLines<Line>(path: string, bytes: Buffer): Line[] {
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
   * Opens a log to go on with, without a last line that was cut off; one that is not there is begun.
   *
   * @param fresh whether it must not be there yet
   */
  constructor(
    readonly path: string,
    { fresh = false }: { readonly fresh?: boolean } = {},
  ) {
    mkdirSync(dirname(path), { recursive: true });
    this.file = openSync(path, fresh ? 'ax' : 'a');
    ftruncateSync(this.file, wholeLines(readFileSync(path)).length);
  }

  append(line: Line): void {
    writeSync(this.file, `${JSON.stringify(line)}\n`);
    fsyncSync(this.file);
  }

  close(): void {
    closeSync(this.file);
  }
}
