/** The logs of a study: plain in a folder of runs/ while it is made, and compressed beside its results. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { readLines } from '../../agents/run/line-log.ts';
import { isHidden } from '../../env/streets/hidden-files.ts';
import { makeFolder } from '../../protocol/make-folder.ts';
import { latest, type EvaluationRecord, type LogRecord } from '../../agents/run/trial-log.ts';
import { isOfSearch, searchTrials } from './search-log.ts';
import type { Preset } from './study.ts';
import { writeWhole } from '../../protocol/whole-file.ts';

/** How the logs of a study were made. It is written when they are complete. */
export interface StudyRecord {
  readonly study: string;
  /** The command that made them. */
  readonly command: string;
  /** Of this repository; with `+changes` where the working tree differed from it. */
  readonly commit: string;
  readonly backend: string;
  /** The processors and the version of Node, in a line. */
  readonly machine: string;
  /** Logs with another identity have other evaluations. */
  readonly identity: string;
  readonly preset: Preset;
}

const RECORD = 'study.json';
const PLAIN = '.jsonl';
const KEPT = '.jsonl.gz';

export const logPath = (folder: string, name: string) => join(folder, `${name}${PLAIN}`);

/** undefined if the folder does not have the complete logs of a study. */
export function readRecord(folder: string): StudyRecord | undefined {
  const path = join(folder, RECORD);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as StudyRecord) : undefined;
}

export function writeRecord(folder: string, record: StudyRecord): void {
  writeWhole(join(folder, RECORD), `${JSON.stringify(record, undefined, 2)}\n`);
}

/** The lines of a log, plain or compressed. @throws {Error} naming the file that is not there or is broken */
export function readLog(folder: string, name: string): LogRecord[] {
  const [plain, kept] = [logPath(folder, name), join(folder, `${name}${KEPT}`)];
  const path = [plain, kept].find(existsSync);
  if (path === undefined) throw new Error(`${plain}: expected a log, got no such file`);
  return latest(readLines<LogRecord>(path));
}

/** The names of the logs with this ending. */
function namesOf(folder: string, ending: string): string[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((file) => file.endsWith(ending) && !isHidden(file));
  return files.map((file) => file.slice(0, -ending.length));
}

/** Which evaluations the plain logs of a folder are to have. It is written before the first of them. */
const IDENTITY = 'identity.txt';

/** Whether a folder's logs are those of this identity: it has none yet, or says so. */
export function areOf(folder: string, identity: string): boolean {
  const path = join(folder, IDENTITY);
  if (existsSync(path)) return readFileSync(path, 'utf8') === identity;
  return namesOf(folder, PLAIN).length === 0;
}

export function markLogs(folder: string, identity: string): void {
  writeWhole(join(folder, IDENTITY), identity);
}

/**
 * Compresses logs and their record into another folder, and removes other logs that were there before.
 *
 * @param makeLean whether the logs of searches are made smaller, see {@link lean}
 */
export function keepLogs(folder: string, kept: string, record: StudyRecord, makeLean = false): void {
  makeFolder(kept);
  rmSync(join(kept, RECORD), { force: true }); // the logs are not complete until the last one is written
  const names = namesOf(folder, PLAIN);
  for (const name of names) {
    const records = readLog(folder, name);
    const lines = (makeLean ? lean(records) : records).map((record) => `${JSON.stringify(record)}\n`);
    writeWhole(join(kept, `${name}${KEPT}`), gzip(lines.join('')));
  }
  for (const name of namesOf(kept, KEPT)) if (!names.includes(name)) rmSync(join(kept, `${name}${KEPT}`));
  writeRecord(kept, record);
}

/** Gives the same bytes for the same text: without the time and the operating system. */
function gzip(text: string): Buffer {
  const bytes = gzipSync(text, { level: 9 });
  bytes.fill(0, 4, 8); // MTIME (RFC 1952, section 2.3)
  bytes[9] = 255; // OS: unknown
  return bytes;
}

/**
 * Writes the kept logs into a folder, so that a study continues from them, except for those that have gone on there, or
 * have begun otherwise.
 *
 * @returns the number of logs that were written; 0 if the kept logs have another identity
 */
export function restoreLogs(kept: string, folder: string, identity: string): number {
  if (readRecord(kept)?.identity !== identity) return 0;
  makeFolder(folder);
  const restored = namesOf(kept, KEPT).flatMap((name) => {
    const path = logPath(folder, name);
    const text = gunzipSync(readFileSync(join(kept, `${name}${KEPT}`))).toString('utf8');
    return existsSync(path) && !goesOn(text, readFileSync(path, 'utf8')) ? [] : [{ path, text }];
  });
  for (const { path, text } of restored) writeWhole(path, text);
  return restored.length;
}

/** Whether a log is another one's that has gone on: it begins with the same line, and is longer. */
function goesOn(log: string, other: string): boolean {
  const [lines, otherLines] = [log, other].map((text) => text.split('\n'));
  return lines!.length > otherLines!.length && (lines![0] === otherLines![0] || otherLines!.length === 1);
}

/**
 * Leaves out what the agent would draw again from its seed, and no report needs: the actions of a search, the θ and seeds
 * that belong to them, and times. An action that was the best so far stays.
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
    const left: EvaluationRecord & { endedAt?: string } = { ...record, theta: {}, seeds: {}, timing: {} };
    delete left.endedAt;
    return bests.has(record) ? left : { ...left, action: [] };
  });
}

/** Whether actions are left out of a log: then no agent can continue from it. */
export function isLean(records: readonly LogRecord[]): boolean {
  return records.some((record) => isOfSearch(record) && record.action.length === 0);
}
