/** The logs of a study: plain ones in a folder of runs/, from which it goes on, and compressed ones beside its results. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { parseLines } from '../../agents/run/line-log.ts';
import type { LogRecord } from '../../agents/run/trial-log.ts';
import { isOfSearch, searchTrials } from './search-log.ts';
import type { Preset } from './study.ts';

/** How logs were made; written when they have all that the study needs. */
export interface StudyRecord {
  readonly study: string;
  /** What made them, to be run again. */
  readonly command: string;
  /** Of this repository; with `+changes` where the working tree differed from it. */
  readonly commit: string;
  readonly backend: string;
  /** What it ran on, in a line. */
  readonly machine: string;
  /** Logs of another identity are of other evaluations. */
  readonly identity: string;
  readonly preset: Preset;
}

const RECORD = 'study.json';
const PLAIN = '.jsonl';
const KEPT = '.jsonl.gz';

export const logPath = (folder: string, name: string) => join(folder, `${name}${PLAIN}`);

/** undefined where the folder does not have all logs of a study. */
export function readRecord(folder: string): StudyRecord | undefined {
  const path = join(folder, RECORD);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as StudyRecord) : undefined;
}

export function writeRecord(folder: string, record: StudyRecord): void {
  writeFileSync(join(folder, RECORD), `${JSON.stringify(record, undefined, 2)}\n`);
}

/** The lines of a log, plain or compressed. @throws {Error} naming the file that is not there or is broken */
export function readLog(folder: string, name: string): LogRecord[] {
  const [plain, kept] = [logPath(folder, name), join(folder, `${name}${KEPT}`)];
  if (existsSync(plain)) return parseLines(plain, readFileSync(plain));
  if (existsSync(kept)) return parseLines(kept, gunzipSync(readFileSync(kept)));
  throw new Error(`${plain}: expected a log, got no such file`);
}

/** The names of the logs with this ending. */
function namesOf(folder: string, ending: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((file) => (file.endsWith(ending) ? [file.slice(0, -ending.length)] : []));
}

/** Compresses whole logs and their record into another folder, in place of what is there. */
export function keepLogs(folder: string, kept: string, makeLean = false): void {
  mkdirSync(kept, { recursive: true });
  rmSync(join(kept, RECORD), { force: true }); // until all of them are there
  for (const name of namesOf(kept, KEPT)) rmSync(join(kept, `${name}${KEPT}`));
  for (const name of namesOf(folder, PLAIN)) {
    const records = readLog(folder, name);
    const lines = (makeLean ? lean(records) : records).map((record) => `${JSON.stringify(record)}\n`);
    writeFileSync(join(kept, `${name}${KEPT}`), gzip(lines.join('')));
  }
  writeRecord(kept, readRecord(folder)!);
}

/** The same bytes for the same text, on every machine: without the time, and without the name of the system. */
function gzip(text: string): Buffer {
  const bytes = gzipSync(text, { level: 9 });
  bytes.fill(0, 4, 8); // MTIME (RFC 1952, section 2.3)
  bytes[9] = 255; // OS: unknown
  return bytes;
}

/**
 * Writes the kept logs that a folder lacks into it, so that a study goes on from them.
 *
 * @returns how many; none where those that are kept are of other evaluations
 */
export function restoreLogs(kept: string, folder: string, identity: string): number {
  if (readRecord(kept)?.identity !== identity) return 0;
  mkdirSync(folder, { recursive: true });
  const missing = namesOf(kept, KEPT).filter((name) => !existsSync(logPath(folder, name)));
  for (const name of missing) {
    writeFileSync(logPath(folder, name), gunzipSync(readFileSync(join(kept, `${name}${KEPT}`))));
  }
  return missing.length;
}

/**
 * A log without what its agent draws again from its seed: the actions of a search, but for those that were the best when
 * they came, and what follows from them. Nothing that is reported needs them.
 */
function lean(records: readonly LogRecord[]): LogRecord[] {
  let best = -Infinity;
  const bests = new Set<LogRecord>();
  for (const trial of searchTrials(records)) {
    if (trial.reward === null || trial.reward <= best) continue;
    best = trial.reward;
    bests.add(trial);
  }
  return records.map((record) => {
    if (!isOfSearch(record)) return record;
    return { ...record, theta: {}, seeds: {}, timing: {}, ...(!bests.has(record) && { action: [] }) };
  });
}

/** Whether no agent can go on from a log, as actions that it asked for are not in it. */
export function isLean(records: readonly LogRecord[]): boolean {
  return records.some((record) => isOfSearch(record) && record.action.length === 0);
}
