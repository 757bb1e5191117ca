import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder } from './make-folder.ts';
import { isRegularFile } from './regular-file.ts';

/**
 * Writes a file under a temporary name, and renames it: under its own name it is whole or does not exist, even if
 * several processes write it. Its folder is made.
 *
 * @param content as a whole, or piece by piece where it may be too large for a string
 * @param mode  of the file, as of `chmod`, also where a killed process has left the temporary one with other rights
 * @param flush whether it is on the disk when it gets its name: otherwise it may be empty after a loss of power
 * @throws {Error} naming the file, when it cannot be written
 */
export function writeWhole(
  path: string,
  content: string | Uint8Array | Iterable<string>,
  { mode = 0o666, flush = false }: { readonly mode?: number; readonly flush?: boolean } = {},
): void {
  isRegularFile(path);
  makeFolder(dirname(path));
  const part = `${path}.${process.pid}.part`;
  try {
    rmSync(part, { force: true });
    const file = openSync(part, 'wx', mode);
    try {
      for (const piece of typeof content === 'string' || content instanceof Uint8Array ? [content] : content)
        writeFileSync(file, piece);
      if (flush) fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(part, path);
  } catch (error) {
    if (existsSync(part)) rmSync(part);
    throw new Error(`${path}: expected to write it, got ${(error as Error).message}`, { cause: error });
  }
}
