import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder, with the missing folders above it.
 *
 * Node's `mkdir` with `recursive` does not return where the file system takes no folder, as in /proc.
 *
 * @throws {Error} naming the folder that cannot be made
 */
export function makeFolder(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  if (found) throw new Error(`${path}: expected a folder, got a file`);
  makeFolder(dirname(resolve(path)));
  try {
    mkdirSync(path);
  } catch (error) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return; // another process was faster
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(`${path}: expected a folder that can be made, got ${code ?? message}`, { cause: error });
  }
}
