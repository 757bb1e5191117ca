/**
 * The processes above and below a program. What a person started ends whole: with the wrappers that started it (npm,
 * npx, tsx), and with what it has started itself.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { Worker } from 'node:worker_threads';

/** The environment variable by which a program tells those that it starts its process id. */
const STARTER = 'LTS_PARENT';

const IS_TSX = /^(\S+ )?(\S*\/)?(tsx|tsx\/dist\/cli\.\w+)( |$)/;
const IS_SHELL = /^(\S*\/)?\w*sh -c /;
const IS_PACKAGE_MANAGER =
  /^(\S+ )?(\S*\/)?(npm|npx|npm-cli\.js|npx-cli\.js|pnpm(\.cjs)?|yarn(\.js|\.cjs)?|--run)( |$)/;

interface Process {
  readonly pid: number;
  readonly parent: number;
}

/** The parent of a process; undefined where there is no such process. */
function parentOf(pid: number): number | undefined {
  try {
    const line =
      process.platform === 'linux'
        ? readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) \S+ /s, '') // the name may have spaces and brackets
        : execFileSync('ps', ['-o', 'ppid=', '-p', `${pid}`], { encoding: 'utf8' });
    return Number.parseInt(line, 10);
  } catch {
    return undefined;
  }
}

function commandLineOf(pid: number): string {
  try {
    return process.platform === 'linux'
      ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
      : execFileSync('ps', ['-o', 'command=', '-p', `${pid}`], { encoding: 'utf8' }).trim();
  } catch {
    return '';
  }
}

/**
 * Whether a program with these command lines above it, nearest first, was started by wrappers, and by how many: tsx, the
 * shell of a package manager, and the package manager. A shell of its own is none.
 */
export function wrappersIn(above: readonly string[]): number {
  let count = IS_TSX.test(above[0] ?? '') ? 1 : 0;
  const shell = IS_SHELL.test(above[count] ?? '') ? 1 : 0;
  if (IS_PACKAGE_MANAGER.test(above[count + shell] ?? '')) count += shell + 1;
  return count;
}

/** This process and its wrappers except the last, each with its parent. */
function wrapped(): Process[] {
  const line: Process[] = [];
  for (let pid = process.pid; line.length < 3;) {
    const parent = pid === process.pid ? process.ppid : parentOf(pid);
    if (parent === undefined || parent <= 1) break;
    line.push({ pid, parent });
    pid = parent;
  }
  const count = wrappersIn(line.map(({ parent }) => commandLineOf(parent)));
  return line.slice(0, count > 0 ? count : process.env[STARTER] === String(process.ppid) ? 1 : 0);
}

/**
 * Looks twice a second whether each process still has its parent, and ends this one when one has not. It is a thread, since a
 * program that computes has no turn of its event loop; plain JavaScript in a string, since the thread needs no loader.
 */
const WATCH = `
  const { execFileSync } = require('node:child_process');
  const { readFileSync } = require('node:fs');
  const { workerData } = require('node:worker_threads');
  const stat = (pid) => readFileSync('/proc/' + pid + '/stat', 'latin1').split(') ').at(-1).split(' ')[1];
  const ps = (pid) => execFileSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' });
  const parentOf = (pid) => {
    try {
      return pid === process.pid ? process.ppid : Number(process.platform === 'linux' ? stat(pid) : ps(pid));
    } catch {}
  };
  const watch = setInterval(() => {
    if (workerData.every(({ pid, parent }) => parentOf(pid) === parent)) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 500);`;

/**
 * Whether npm or npx has ended already that started this program, which was not yet there to see it. npm tells the
 * command that it runs in the environment.
 */
function isOrphan(): boolean {
  const { [STARTER]: starter, npm_lifecycle_script: command = '' } = process.env;
  if (starter !== undefined || !/^(exec node|["']?tsx)\b/.test(command)) return false;
  let above = process.ppid;
  for (const wrapper of [IS_TSX, IS_SHELL]) if (wrapper.test(commandLineOf(above))) above = parentOf(above) ?? 1;
  return above === 1 && !IS_PACKAGE_MANAGER.test(commandLineOf(1));
}

/**
 * Ends this program, by SIGTERM, when a wrapper that started it has ended, or the program of ours that did.
 *
 * A signal to npm, npx or tsx may end these and not reach the program: a shell between them does not pass it on, and
 * SIGKILL cannot be passed on.
 */
export function endWithWrappers(): void {
  if (isOrphan()) process.exit(128 + constants.signals.SIGTERM);
  const line = wrapped();
  process.env[STARTER] = String(process.pid);
  if (line.length > 0) new Worker(WATCH, { eval: true, execArgv: [], workerData: line }).unref();
}

/** All processes, where they can be listed. */
function processes(): Process[] {
  if (process.platform === 'linux') {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return pids.map(Number).map((pid) => ({ pid, parent: parentOf(pid) ?? 0 }));
  }
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  return lines
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([pid, parent]) => ({ pid: pid!, parent: parent! }));
}

function killDescendants(): void {
  const all = processes();
  const doomed = new Set([process.pid]);
  // A child may stand before its parent in the list.
  for (let before = 0; before < doomed.size;) {
    before = doomed.size;
    for (const { pid, parent } of all) if (doomed.has(parent)) doomed.add(pid);
  }
  doomed.delete(process.pid);
  for (const pid of doomed) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it has ended meanwhile
    }
  }
}

/**
 * From now on, what this program has started ends when it ends, also by SIGINT or SIGTERM. Where the program listens to
 * these itself, it decides when it ends.
 */
export function endDescendants(): void {
  process.once('exit', killDescendants);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (process.listenerCount(signal) === 1) process.exit(128 + constants.signals[signal]);
    });
  }
}
