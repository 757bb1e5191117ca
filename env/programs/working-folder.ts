/**
 * The folders in which programs work: one for each evaluation, in one for each worker, which is locked for as long as
 * the worker lives. So what a killed worker has left is found and removed, and nothing else.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { lockFile } from '../../protocol/file-lock.ts';
import { makeFolder } from '../../protocol/make-folder.ts';

/** Where working folders are kept, below the folder of all workers. */
const KEPT = 'kept';
/** A lock file that is younger may be of a worker that is about to lock it. */
const YOUNG_MS = 60_000;
/** A worker's process has its name in this variable of its environment. */
export const WORKER_VARIABLE = 'LTS_WORKER';

const REMOVAL = { recursive: true, force: true, maxRetries: 5, retryDelay: 50 } as const;

/** This process, as its folder is named. */
const worker = process.env[WORKER_VARIABLE] ?? randomUUID();
/** The lock files of this process, by the folder of all workers. They stay open until it ends. */
const locks = new Map<string, number>();
let folders = 0;

const lockOf = (root: string, name: string) => join(root, `${name}.lock`);

/** This process's own folder below `root`. @throws {Error} naming the folder that cannot be made */
export function workerFolder(root: string): string {
  const own = join(root, worker);
  if (!locks.has(root)) {
    makeFolder(root);
    const lock = openSync(lockOf(root, worker), 'w');
    lockFile(lock);
    if (locks.size === 0) process.once('exit', removeOwn);
    locks.set(root, lock);
  }
  makeFolder(own);
  return own;
}

function removeOwn(): void {
  for (const root of locks.keys()) [join(root, worker), lockOf(root, worker)].forEach((path) => rmSync(path, REMOVAL));
}

/** Removes what workers below `root` have left that were killed, and their server with them. */
export function removeAbandoned(root: string): void {
  if (!existsSync(root)) return;
  for (const entry of readdirSync(root)) {
    const [, name] = /^(.+)\.lock$/.exec(entry) ?? [];
    if (name === undefined) continue;
    const path = join(root, entry);
    const { mtimeMs = Infinity } = statSync(path, { throwIfNoEntry: false }) ?? {};
    if (Date.now() - mtimeMs < YOUNG_MS) continue;
    let lock: number | undefined;
    try {
      lock = openSync(path, 'r+');
      if (lockFile(lock)) [join(root, name), path].forEach((each) => rmSync(each, REMOVAL));
    } catch {
      // another worker was faster
    } finally {
      if (lock !== undefined) closeSync(lock);
    }
  }
}

/** Removes what a worker below `root` has left, after its end. */
export async function removeFolderOf(root: string, name: string): Promise<void> {
  await Promise.all([join(root, name), lockOf(root, name)].map((path) => rm(path, REMOVAL)));
}

/** The working folder of one evaluation. */
export class WorkingFolder {
  /** Where it lies. It is there. */
  readonly path: string;

  /**
   * @param root   of all workers
   * @param name   begins its name
   * @param isKept whether it stays
   * @throws {Error} naming the folder that cannot be made
   */
  constructor(
    root: string,
    name: string,
    readonly isKept: boolean,
  ) {
    const number = ++folders;
    this.path = isKept
      ? join(root, KEPT, `${name}-${worker.slice(0, 8)}-${number}`)
      : join(workerFolder(root), `${number}`);
    makeFolder(this.path);
  }

  /** A folder in it, which is made. */
  folder(name: string): string {
    const path = join(this.path, name);
    makeFolder(path);
    return path;
  }

  /** Removes it, where it is not kept; what cannot be removed now is tried again at the end of the worker. */
  async end(): Promise<void> {
    if (!this.isKept) await rm(this.path, REMOVAL).catch(() => {});
  }
}
