/** The flags for backend and data, of all programs that evaluate or train. */
import { statSync } from 'node:fs';
import { Option } from 'commander';
import { absolutePath } from '../agents/run/flags.ts';
import { openWebgl } from '../env/render/webgl/context.ts';
import {
  BACKEND_NAMES,
  DEFAULT_RUNTIME,
  RENDERER_NAMES,
  type BackendPreference,
  type RendererName,
  type Runtime,
} from '../env/runtime.ts';

export interface RuntimeFlags {
  readonly backend: BackendPreference;
  readonly data?: string;
  readonly renderer?: RendererName;
}

export function backendFlag(): Option {
  return new Option('--backend <name>', 'backend of TensorFlow.js; auto: the first that loads')
    .choices(['auto', ...BACKEND_NAMES])
    .default(DEFAULT_RUNTIME.backend);
}

export function dataFlag(): Option {
  const meaning = 'photographs that θ is scored on, for Program-v0 and the environments that end in Real-v0';
  return new Option('--data <folder>', meaning).argParser(absolutePath);
}

export function rendererFlag(): Option {
  return new Option('--renderer <name>', 'what draws: our rasteriser, or WebGL (after npm run setup:webgl)')
    .choices(RENDERER_NAMES)
    .default(DEFAULT_RUNTIME.renderer);
}

/**
 * @throws {Error} naming the folder of `--data`, when there is none: also where nothing reads it; or in a sentence, when the
 *   renderer is not installed or finds nothing that draws
 */
export function runtimeOf({ backend, data, renderer = DEFAULT_RUNTIME.renderer }: RuntimeFlags): Runtime {
  const folder = data === undefined ? {} : { data: folderOf({ folder: data }) };
  if (renderer === 'webgl') openWebgl(); // before other processes start, which draw through the same display
  return { ...DEFAULT_RUNTIME, backend, renderer, ...folder };
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
