import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Makes a folder, with the missing folders above it, as agents/run/make-folder.ts does. @throws {Error} naming the folder */
export function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  makeFolder(dirname(resolve(path)));
  try {
    mkdirSync(path);
  } catch (error) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return; // another process was faster
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(`${path}: expected a folder that can be made, got ${code ?? message}`, { cause: error });
  }
}
