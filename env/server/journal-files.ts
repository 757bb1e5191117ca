/** The files of a journal: the database, the segments beside it, and the note of who owns them. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import sqlite, { type Database } from 'node-sqlite3-wasm';
import { isAlive } from '../is-alive.ts';

/** Of the tables below; a file of another version is refused. */
const VERSION = 2;
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS sessions (
    session_id TEXT PRIMARY KEY,
    env_id TEXT NOT NULL,
    record TEXT NOT NULL,
    closed INTEGER NOT NULL DEFAULT 0
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
    UNIQUE (session_id, step_id)
  );
  CREATE INDEX IF NOT EXISTS results ON steps (session_id, seq) WHERE seq IS NOT NULL;
`;

/** @throws {Error} when the file is of another version */
export function openDatabase(path: string | undefined): Database {
  const database = new sqlite.Database(path ?? ':memory:');
  // One process writes, so it may hold the file.
  for (const pragma of [
    'locking_mode = EXCLUSIVE',
    'journal_mode = WAL',
    // What leaves the log is on the disk.
    'synchronous = FULL',
    'wal_autocheckpoint = 16000',
    'cache_size = -16000',
  ]) {
    database.all(`PRAGMA ${pragma}`);
  }
  const version = Number(database.get('PRAGMA user_version')!['user_version']);
  const empty = Number(database.get('SELECT count(*) AS n FROM sqlite_schema')!['n']) === 0;
  if (!empty && version !== VERSION) {
    database.close();
    throw new Error(
      `journal: expected ${path} to be of version ${VERSION}, got ${version}; give --journal another name`,
    );
  }
  database.exec(`${SCHEMA}; PRAGMA user_version = ${VERSION}`);
  return database;
}

export const segmentPath = (path: string, number: number) => `${path}.${number}.log`;

/** The segments that an earlier process has left, oldest first. */
export function segmentNumbers(path: string): number[] {
  const name = basename(path);
  return readdirSync(dirname(path))
    .filter((file) => file.startsWith(`${name}.`) && /^\d+\.log$/.test(file.slice(name.length + 1)))
    .map((file) => parseInt(file.slice(name.length + 1)))
    .sort((a, b) => a - b);
}

const ownerFile = (path: string) => `${path}.pid`;

/**
 * Makes this process the only owner of a journal.
 *
 * The library locks by a directory, which a killed process leaves behind; our own note of the owner tells whether
 * that one still lives.
 */
export function own(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const owner = existsSync(ownerFile(path)) ? Number(readFileSync(ownerFile(path), 'utf8')) : undefined;
  if (owner !== undefined && owner !== process.pid && isAlive(owner)) {
    throw new Error(`journal: expected ${path} to be free, but the server with process id ${owner} has it`);
  }
  writeFileSync(ownerFile(path), String(process.pid));
  rmSync(`${path}.lock`, { recursive: true, force: true });
}

/** Gives it up, at an orderly end. */
export function disown(path: string): void {
  rmSync(ownerFile(path), { force: true });
}
