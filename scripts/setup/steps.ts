/** What the setup programs share: they run other programs, step by step, and end in a sentence when one is missing. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { makeFolder } from '../../protocol/make-folder.ts';

export const projectRoot = resolve(import.meta.dirname, '../..');

/** A problem that the user can solve; only its message is printed. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}

/** The exit code and the output of a program. */
interface Output {
  readonly code: number;
  readonly text: string;
}

/** Runs a program and waits for its end; with `show`, its output also goes to the terminal. */
function run(program: string, args: readonly string[], cwd: string, show = false): Promise<Output> {
  return new Promise((settle, reject) => {
    const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (show) process.stdout.write(chunk);
      });
    }
    child.on('error', reject);
    child.on('close', (code) => settle({ code: code ?? 1, text }));
  });
}

/** Runs a program and returns its output. @throws {SetupError} when it fails */
export async function must(
  what: string,
  program: string,
  args: readonly string[],
  cwd: string,
  show = false,
): Promise<string> {
  const { code, text } = await run(program, args, cwd, show);
  if (code !== 0) {
    const tail = show ? '' : `\n${text.split('\n').slice(-25).join('\n')}`;
    throw new SetupError(`${what} failed (${program} ended with ${code})${tail}`);
  }
  return text;
}

/** The output of a program, whatever its exit code; undefined where there is no such program. */
export async function outputOf(program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    return (await run(program, args, projectRoot)).text;
  } catch {
    return undefined;
  }
}

async function works(program: string, ...args: string[]): Promise<boolean> {
  try {
    return (await run(program, args, projectRoot)).code === 0;
  } catch {
    return false; // there is no such program
  }
}

/** The first of these programs that runs successfully. */
export async function firstWorking(programs: readonly string[], ...args: string[]): Promise<string | undefined> {
  for (const program of programs) if (await works(program, ...args)) return program;
  return undefined;
}

/** Gives the first of some programs that runs successfully with these arguments. */
export type Find = (programs: readonly string[], ...args: string[]) => Promise<string | undefined>;

/**
 * Empties the folder in which `target` is built. It has another name, so that `target` is always complete.
 *
 * @throws {SetupError} in a sentence, when it can't be removed
 */
export async function emptyStaging(target: string): Promise<string> {
  const staging = `${target}.unfinished`;
  await rm(staging, { recursive: true, force: true }).catch((error: NodeJS.ErrnoException) => {
    throw new SetupError(`expected to remove ${staging}, got ${error.code}; is another setup still running?`);
  });
  makeFolder(staging);
  return staging;
}

/** @throws {SetupError} in a sentence, naming what is missing to compile C++ and how to get it */
export async function checkCompiler(find: Find): Promise<void> {
  for (const programs of [['make'], ['c++', 'g++', 'clang++']]) {
    if (await find(programs, '--version')) continue;
    throw new SetupError(
      `expected ${programs[0]} to build the binding, got none; on Debian: apt install build-essential`,
    );
  }
}

function npm(): [program: string, args: string[]] {
  const path = process.env.npm_execpath;
  return path?.endsWith('.js') ? [process.execPath, [path]] : ['npm', []];
}

/**
 * Installs packages into a folder of their own, without their install scripts, which would download what is not in the
 * registry.
 *
 * @param manifest the folder's package.json
 */
export async function npmInstall(folder: string, manifest: object): Promise<void> {
  makeFolder(folder);
  await writeFile(join(folder, 'package.json'), `${JSON.stringify({ private: true, ...manifest }, null, 2)}\n`);
  const [program, args] = npm();
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'];
  await must('npm install', program, [...args, 'install', ...options], folder);
}

/** Flags for node-gyp: the headers beside the running node match it, and save a download. */
export function nodeHeaders(): string[] {
  const prefix = resolve(process.execPath, '../..');
  return existsSync(join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : [];
}

/** A Python that has pip. @throws {SetupError} in a sentence, naming what is missing and how to get it */
export async function findPython(find: Find): Promise<string> {
  const python = await find(['python3', 'python'], '--version');
  if (!python) {
    throw new SetupError('expected Python 3 to read the wheel with, got none; on Debian: apt install python3');
  }
  if (await find([python], '-m', 'pip', '--version')) return python;
  throw new SetupError('expected pip to download the wheel with, got none; on Debian: apt install python3-pip');
}

/**
 * Downloads Python wheels, without those that they require.
 *
 * @param target flags of pip for another Python or platform than the present one
 * @returns the paths of all wheels in the folder
 */
export async function downloadWheels(
  python: string,
  requirements: readonly string[],
  folder: string,
  target: readonly string[] = [],
): Promise<string[]> {
  makeFolder(folder);
  const flags = ['--disable-pip-version-check', '--no-deps', ...target, '--dest', folder];
  await must('downloading the wheel', python, ['-m', 'pip', 'download', ...flags, ...requirements], projectRoot, true);
  return (await readdir(folder)).filter((name) => name.endsWith('.whl')).map((name) => join(folder, name));
}

/** Prints a step's title, and at its end the time that it took and a remark. */
export async function step<T>(
  title: string,
  work: () => Promise<T>,
  remark: (result: T) => string = () => '',
): Promise<T> {
  const start = performance.now();
  process.stdout.write(`${title} …\n`);
  const result = await work();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  process.stdout.write(`  done in ${seconds} s${remark(result) && `: ${remark(result)}`}\n`);
  return result;
}
