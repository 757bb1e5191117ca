/** A lock of the operating system says that a file has an owner, and the note `<file>.pid` beside it who that is. */
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { lockFile } from '../../protocol/file-lock.ts';
import { writeWhole } from '../../protocol/whole-file.ts';
import { isRegularFile } from '../../protocol/regular-file.ts';
import { isAlive } from '../is-alive.ts';

const noteOf = (path: string) => `${path}.pid`;

/** The files that this process owns, each open for its lock. */
const owned = new Map<string, number>();

/**
 * Makes this process the only owner of a journal, which is created if it does not exist.
 *
 * The lock on the file itself holds for every name of the file and in every process namespace (container) of this
 * machine, and ends with the process; a note that was copied with the file means nothing beside it. Where the system has
 * no lock (protocol/file-lock.ts), the note must do: it tells whether the owner still lives, and processes that this one cannot see count as ended.
 *
 * The SQLite library has a lock of its own, a folder that a killed process leaves behind: it is removed.
 *
 * @throws {Error} when a process owns it, also when that is this one
 */
export function own(path: string): void {
  const note = noteOf(path);
  const file = openSync(path, 'a', 0o600);
  try {
    const locked = lockFile(file);
    const [owner = '', about = ''] = read(note).split('\n');
    const [pid] = owner.split(' ');
    const lives = owner !== '' && identity(Number(pid)) === owner;
    if (locked === false || (locked === undefined && lives)) {
      const who = owner === '' ? 'a process that has left no note' : `the server with process id ${pid}`;
      const more = locked === false ? about : 'delete that file if it is wrong';
      throw new Error(`journal: expected ${path} to be free, but ${who} has it (says ${note}: ${more})`);
    }
    writeWhole(note, `${identity(process.pid)}\non ${hostname()} since ${new Date().toISOString()}`, { mode: 0o600 });
    rmSync(`${path}.lock`, { recursive: true, force: true });
    owned.set(path, file);
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** Gives the journal up, at an orderly end; what lies under its name now may be another's. */
export function disown(path: string): void {
  const file = owned.get(path);
  if (file === undefined) return;
  if (read(noteOf(path)).split('\n')[0] === identity(process.pid)) rmSync(noteOf(path), { force: true });
  owned.delete(path);
  closeSync(file);
}

function read(note: string): string {
  try {
    return isRegularFile(note) ? readFileSync(note, 'utf8').trim() : '';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw new Error(`journal: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * What no other process has, not even a later one with the same id: the id, and when the process was started. Undefined
 * when no such process runs; one that has ended and was not yet reaped by its parent does not run.
 */
function identity(pid: number): string | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0 || !isAlive(pid)) return undefined;
  const [state, start] = existsSync('/proc/self/stat') ? fromProc(pid) : fromPs(pid);
  return /^[ZX]/.test(state) ? undefined : `${pid} ${start}`.trim();
}

/** State and start of a process: its start is in clock ticks since the machine's, which has an id. @see proc(5) */
function fromProc(pid: number): [state: string, start: string] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the name before it may have spaces
    const machine = '/proc/sys/kernel/random/boot_id';
    return [fields[0]!, `${fields[19]} ${existsSync(machine) ? readFileSync(machine, 'latin1').trim() : ''}`];
  } catch {
    return ['X', ''];
  }
}

function fromPs(pid: number): [state: string, start: string] {
  try {
    const flags = ['-o', 'stat=', '-o', 'lstart=', '-p', String(pid)];
    const variables = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
    const said = execFileSync('ps', flags, { encoding: 'utf8', env: variables, stdio: ['ignore', 'pipe', 'ignore'] });
    const [state = 'X', ...start] = said.trim().split(/\s+/);
    return [state, start.join(' ')];
  } catch {
    return ['', '']; // Windows has no `ps`: the id must do
  }
}
