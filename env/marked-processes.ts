/**
 * Processes that are known by a mark in their environment, which all that they start inherits: also those that have left
 * their process group, and whose parent has ended.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Killing goes on until no process is left that could start another one, but not for ever. */
const MOST_ROUNDS = 20;

/** The processes, except this one, that were started with this variable in their environment. */
export function markedProcesses(variable: string, value: string): number[] {
  const mark = `${variable}=${value}`;
  return (process.platform === 'linux' ? fromProc(mark) : fromPs(mark)).filter((pid) => pid !== process.pid);
}

/** Ends the processes with this variable in their environment, at once. @param value that no other process has */
export function killMarked(variable: string, value: string): void {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const pids = markedProcesses(variable, value);
    if (pids.length === 0) return;
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // it has ended meanwhile
      }
    }
  }
}

/** A process that has ended and was not yet reaped has no environment. @see proc_pid_environ(5) */
function fromProc(mark: string): number[] {
  const sought = `\0${mark}\0`;
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      return `\0${readFileSync(`/proc/${name}/environ`, 'latin1')}`.includes(sought) ? [Number(name)] : [];
    } catch {
      return []; // it has ended, or is another user's
    }
  });
}

/** macOS shows the environment of one's own processes after their words. */
function fromPs(mark: string): number[] {
  try {
    const flags = ['-A', '-E', '-ww', '-o', 'pid=,command='];
    const lines = execFileSync('ps', flags, {
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return lines.split('\n').flatMap((line) => (` ${line} `.includes(` ${mark} `) ? [Number.parseInt(line, 10)] : []));
  } catch {
    return []; // there is no such `ps`: process groups must do
  }
}
