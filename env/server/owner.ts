/** The note `<file>.pid` beside a file says which process owns it. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isAlive } from '../is-alive.ts';

const noteOf = (path: string) => `${path}.pid`;

/**
 * Makes this process the only owner of a journal.
 *
 * The SQLite library locks a file with a folder, and a killed process leaves this folder behind. Our own note tells
 * whether the owner still lives; if it does not, the folder is removed. Processes that this one cannot see, on other
 * machines or in other containers, count as ended.
 *
 * @throws {Error} when a process owns it, also when that is this one
 */
export function own(path: string): void {
  const note = noteOf(path);
  const owner = read(note);
  const [pid] = owner.split(' ');
  if (owner !== '' && identity(Number(pid)) === owner) {
    throw new Error(
      `journal: expected ${path} to be free, but the server with process id ${pid} has it (says ${note}: ` +
        'delete that file if it is wrong)',
    );
  }
  // Renamed, so that no end of this process or of the disk's space leaves half a note.
  const whole = `${note}.${process.pid}`;
  try {
    writeFileSync(whole, identity(process.pid)!);
    renameSync(whole, note);
  } finally {
    rmSync(whole, { force: true });
  }
  rmSync(`${path}.lock`, { recursive: true, force: true });
}

/** Gives the journal up, at an orderly end. */
export function disown(path: string): void {
  rmSync(noteOf(path), { force: true });
}

function read(note: string): string {
  try {
    return readFileSync(note, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
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
