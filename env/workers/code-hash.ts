import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isRegularFile } from '../../protocol/regular-file.ts';
import { BUILT_IN } from '../experiments/index.ts';

const ROOT = join(import.meta.dirname, '../..');
/** What decides a reward, without the page. */
const FOLDERS = ['env', 'protocol'];
const PAGE = join('env', 'server', 'dashboard');
/** It is not in the package of `npm pack`. */
const FILES = ['package-lock.json'];

let program: string | undefined;

/**
 * A short hash of the program's own files that decide a reward, as they were when this process asked first: what it runs.
 * It also tells apart what no commit has yet.
 */
export function codeHash(): string {
  if (program !== undefined) return program;
  const inFolders = FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  );
  const code = inFolders.filter((name) => /\.(ts|wasm)$/.test(name) && !name.startsWith(PAGE));
  const files = [...code, ...FILES.filter((name) => existsSync(join(ROOT, name)))].sort();
  program = hashOf(files.map((name) => [name, join(ROOT, name)]));
  return program;
}

/**
 * {@link codeHash} with the files of the environments that are modules, as they are now; not with what these import.
 *
 * @param sources ids and paths of environments
 */
export function codeHashWith(sources: readonly string[]): string {
  const modules = sources.filter((source) => !Object.hasOwn(BUILT_IN, source) && isRegularFile(source));
  return `${codeHash()} ${hashOf(modules.map((path) => [path, resolve(path)]))}`;
}

function hashOf(files: readonly (readonly [name: string, path: string])[]): string {
  const hash = createHash('sha256');
  for (const [name, path] of files) hash.update(`${name}\n`).update(readFileSync(path));
  return hash.digest('hex').slice(0, 12);
}
