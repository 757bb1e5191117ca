/** A lock of the operating system on an open file, which ends with its process, however that ends. */
import { spawnSync } from 'node:child_process';

/**
 * Programs that lock the file that they are handed as number 3, and end with 1 if another process has locked it.
 *
 * Node has no call for flock(2). But the lock belongs to the opened file, not to the process that asked for it: when the
 * program has ended, it is ours, for as long as we have the file open.
 */
const PROGRAMS: readonly (readonly [string, ...string[]])[] = [
  ['flock', '-n', '-x', '3'],
  ['perl', '-e', 'open(F, ">>&=3") or exit 2; exit(flock(F, 6) ? 0 : 1)'], // macOS has no flock(1)
];

/**
 * Locks a file until it is closed. Links, other names of the file and other process namespaces lead to the same lock.
 *
 * @param file the descriptor of a file that is open for writing
 * @returns    false when it is locked already, also by this process; undefined when nothing here can lock it
 */
export function lockFile(file: number): boolean | undefined {
  for (const [program, ...words] of PROGRAMS) {
    const { status } = spawnSync(program, words, { stdio: ['ignore', 'ignore', 'ignore', file] });
    if (status === 0 || status === 1) return status === 0;
  }
  return undefined;
}
