import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isRegularFile } from '../../protocol/regular-file.ts';

const ROOT = join(import.meta.dirname, '../..');
/** What decides a reward. */
const FOLDERS = ['env', 'protocol'];
const FILES = ['package-lock.json'];

/**
 * A short hash of the program's own files that decide a reward: it also tells apart what no commit has yet.
 *
 * @param sources ids and paths of environments; the files of the paths count too, without what they import
 */
export function codeHash(sources: readonly string[] = []): string {
  const inFolders = FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  );
  const files = [...inFolders.filter((name) => /\.(ts|wasm)$/.test(name)), ...FILES].sort();
  const hash = createHash('sha256');
  const own = files.map((file) => [file, join(ROOT, file)] as const);
  const given = sources.filter((source) => isRegularFile(source)).map((file) => [file, resolve(file)] as const);
  for (const [name, path] of [...own, ...given]) hash.update(`${name}\n`).update(readFileSync(path));
  return hash.digest('hex').slice(0, 12);
}
