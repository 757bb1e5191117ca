import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder } from './make-folder.ts';
import { isRegularFile } from './regular-file.ts';

/**
 * Writes a file under a temporary name, and renames it: under its own name it is whole or does not exist, even if
 * several processes write it. Its folder is made.
 *
 * @param mode of the file, as of `chmod`
 * @throws {Error} naming the file, when it cannot be written
 */
export function writeWhole(path: string, content: string | Uint8Array, mode = 0o666): void {
  isRegularFile(path);
  makeFolder(dirname(path));
  const part = `${path}.${process.pid}.part`;
  try {
    writeFileSync(part, content, { mode });
    renameSync(part, path);
  } catch (error) {
    if (existsSync(part)) rmSync(part);
    throw new Error(`${path}: expected to write it, got ${(error as Error).message}`, { cause: error });
  }
}
