/** The note `<file>.pid` beside a file says which process owns it. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isAlive } from '../is-alive.ts';
import { makeFolder } from '../make-folder.ts';

const noteOf = (path: string) => `${path}.pid`;

/**
 * Makes this process the only owner of a journal.
 *
 * The SQLite library locks a file with a folder, and a killed process leaves this folder behind. Our own note tells
 * whether the owner still lives; if it does not, the folder is removed.
 *
 * @throws {Error} when another process owns it
 */
export function own(path: string): void {
  makeFolder(dirname(path));
  const owner = existsSync(noteOf(path)) ? Number(readFileSync(noteOf(path), 'utf8')) : undefined;
  if (owner !== undefined && owner !== process.pid && isAlive(owner)) {
    throw new Error(`journal: expected ${path} to be free, but the server with process id ${owner} has it`);
  }
  writeFileSync(noteOf(path), String(process.pid));
  rmSync(`${path}.lock`, { recursive: true, force: true });
}

/** Gives the journal up, at an orderly end. */
export function disown(path: string): void {
  rmSync(noteOf(path), { force: true });
}
