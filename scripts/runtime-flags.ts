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
  const found = data === undefined ? undefined : statSync(data, { throwIfNoEntry: false });
  if (data !== undefined && !found?.isDirectory()) {
    throw new Error(`${data}: expected a folder of street images, found ${found ? 'a file' : 'nothing'}`);
  }
  return { ...DEFAULT_RUNTIME, backend, ...(data !== undefined && { data }) };
}
