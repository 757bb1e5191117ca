import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../..');
/** What decides a reward. */
const FOLDERS = ['env', 'protocol'];
const FILES = ['package-lock.json'];

/** A short hash of the program's own files that decide a reward: it also tells apart what no commit has yet. */
export function codeHash(): string {
  const inFolders = FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  );
  const files = [...inFolders.filter((name) => /\.(ts|wasm)$/.test(name)), ...FILES].sort();
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file}\n`).update(readFileSync(join(ROOT, file)));
  return hash.digest('hex').slice(0, 12);
}
