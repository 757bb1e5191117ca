/**
 * Data sets that are kept, to be used again for the same program, θ, seed and images.
 *
 * A set is a folder whose name is the hash of all that decides it. It comes under this name when it is whole, by one
 * renaming; whoever uses it has links of its own to the files, so that a set may be removed at any time.
 */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { isAlive } from '../is-alive.ts';
import { makeFolder } from '../../protocol/make-folder.ts';

const REMOVAL = { recursive: true, force: true, maxRetries: 5, retryDelay: 50 } as const;

/** The names of sets, and of those that are not whole. */
const OWN = /^[0-9a-f]{32}(\.\d+\.part)?$/;

export class SetCache {
  /** @param mostBytes beyond this, the sets that nobody has used for longest are removed */
  constructor(
    private readonly folder: string,
    private readonly mostBytes: number,
  ) {}

  /** Puts the files of a set into a folder that is not there yet. @returns whether there was such a set */
  take(what: unknown, into: string): boolean {
    const set = this.place(what);
    if (!existsSync(set)) return false;
    try {
      linkFiles(set, into);
      const now = new Date();
      utimesSync(set, now, now); // says when it was used last
      return true;
    } catch {
      discard(into); // it was removed meanwhile
      return false;
    }
  }

  /** Keeps a whole set. What goes wrong here harms nothing but the cache: the set is then drawn again. */
  put(what: unknown, from: string): void {
    const set = this.place(what);
    if (existsSync(set)) return;
    const part = `${set}.${process.pid}.part`;
    try {
      makeFolder(this.folder);
      linkFiles(from, part);
      renameSync(part, set);
      this.shrink();
    } catch {
      discard(part); // another worker was faster, or the disk is full
    }
  }

  private place(what: unknown): string {
    return join(this.folder, createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, 32));
  }

  /** Removes the oldest sets beyond the size, and what ended processes have begun. */
  private shrink(): void {
    const sets: { path: string; bytes: number; used: number }[] = [];
    for (const name of readdirSync(this.folder)) {
      if (!OWN.test(name)) continue; // whoever has put it there
      const path = join(this.folder, name);
      const [, pid] = /\.(\d+)\.part$/.exec(name) ?? [];
      if (pid === undefined) sets.push({ path, bytes: bytesIn(path), used: statSync(path).mtimeMs });
      else if (!isAlive(Number(pid))) discard(path);
    }
    let bytes = sets.reduce((sum, set) => sum + set.bytes, 0);
    for (const set of sets.sort((a, b) => a.used - b.used)) {
      if (bytes <= this.mostBytes) return;
      const part = `${set.path}.${process.pid}.part`; // under its own name it is whole, until its end
      renameSync(set.path, part);
      discard(part);
      bytes -= set.bytes;
    }
  }
}

/** Removes what is of no use any more; where that fails, it harms nobody. */
function discard(path: string): void {
  try {
    rmSync(path, REMOVAL);
  } catch {
    // its folder is no folder, or cannot be written
  }
}

/**
 * Links each file below a folder into another one, which is made; copies it where the file system has no such link.
 *
 * @throws {Error} naming what is neither a file nor a folder: of a symbolic link nobody knows whether it will stay
 */
function linkFiles(from: string, to: string): void {
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) linkFiles(source, target);
    else if (entry.isFile()) linkOrCopy(source, target);
    else throw new Error(`${source}: expected a file or a folder`);
  }
}

function linkOrCopy(source: string, target: string): void {
  try {
    linkSync(source, target);
  } catch (error) {
    if (!['EXDEV', 'EPERM', 'ENOTSUP', 'EMLINK'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    copyFileSync(source, target);
  }
}

function bytesIn(folder: string): number {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce(
      (sum, entry) => sum + (statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
}
