/** The flags for backend and data, of all programs that evaluate or train. */
import { statSync } from 'node:fs';
import { Option } from 'commander';
import { absolutePath } from '../agents/run/flags.ts';
import { BACKEND_NAMES, DEFAULT_RUNTIME, type BackendPreference, type Runtime } from '../env/runtime.ts';

export interface RuntimeFlags {
  readonly backend: BackendPreference;
  readonly data?: string;
}

export function backendFlag(): Option {
  return new Option('--backend <name>', 'backend of TensorFlow.js; auto: the first that loads')
    .choices(['auto', ...BACKEND_NAMES])
    .default(DEFAULT_RUNTIME.backend);
}

export function dataFlag(): Option {
  const meaning = 'images that models are scored on, for TrafficSegmentationReal-v0 and Program-v0';
  return new Option('--data <folder>', meaning).argParser(absolutePath);
}

/** @throws {Error} naming the folder of `--data`, when there is none: also where nothing reads it */
export function runtimeOf({ backend, data }: RuntimeFlags): Runtime {
  return { ...DEFAULT_RUNTIME, backend, ...(data !== undefined && { data: folderOf({ folder: data }) }) };
}

/** A folder, and the name by which machines that have it elsewhere know it. */
export interface NamedFolder {
  readonly name: string;
  readonly folder: string;
}

/** Reads `name=folder`, or a folder whose name is then `data`. */
export function namedFolder(text: string): NamedFolder {
  const [, name = 'data', folder = text] = /^([\w.-]+)=(.+)$/.exec(text) ?? [];
  return { name, folder: absolutePath(folder) };
}

/** @throws {Error} naming the folder, when there is none */
export function folderOf({ folder }: Pick<NamedFolder, 'folder'>): string {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found?.isDirectory()) return folder;
  throw new Error(`${folder}: expected a folder of street images, found ${found ? 'a file' : 'nothing'}`);
}
