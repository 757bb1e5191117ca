import { statSync } from 'node:fs';

/**
 * Whether a file lies at a path, which can be read to its end: a device may have none.
 *
 * @param kind what is read or written there; of a `pipe`, what comes is read until the other end closes it
 * @throws {Error} naming the path, when something else than a file is there
 */
export function isRegularFile(path: string, kind: 'file' | 'file or pipe' = 'file'): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return false;
  if (found.isFile() || (kind === 'file or pipe' && found.isFIFO())) return true;
  throw new Error(`${path}: expected a file, got ${found.isDirectory() ? 'a folder' : 'no regular file'}`);
}
