/**
 * Chooses the backend of tfjs: the first of tfjs-node-gpu, tfjs-node and wasm that loads.
 *
 * The training code knows @tensorflow/tfjs-core alone; this file is the only one that knows where backends come from.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { join, resolve, sep } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { BACKEND_NAMES, type BackendName, type BackendPreference } from '../../runtime.ts';
import { registerWasmBatchNorm } from './wasm-batch-norm.ts';
import { registerWasmGradients } from './wasm-gradients.ts';

type NativeName = Exclude<BackendName, 'wasm'>;

export interface Backend {
  readonly name: BackendName;
  /** As in `tfjs 4.22.0, libtensorflow 2.21.0`. */
  readonly version: string;
  /** The backends that were tried before this one, and why each did not load. */
  readonly skipped: readonly { readonly name: BackendName; readonly reason: string }[];
  /** How to get a faster backend, in a sentence; only for wasm. */
  readonly advice?: string;
}

const projectRoot = resolve(import.meta.dirname, '../../..');

/**
 * The folder where `npm run setup:native` puts this backend: outside node_modules, so that `npm ci` does not delete it.
 */
export function nativeFolder(name: NativeName): string {
  return join(projectRoot, '.native', name);
}

const loaded = new Map<string, Backend>();

/**
 * Loads a backend and makes it the current one.
 *
 * Everything runs on one thread: this project starts one process per core. Call it before other code uses tfjs, since
 * libtensorflow reads its number of threads once.
 *
 * @param preference `auto`: the first that loads; a name: this backend or none
 * @param folders    the folders with a `node_modules` to search for native packages; when left out, those where npm
 *                   and `npm run setup:native` put them
 * @throws {Error} naming what was tried, and why each failed, when nothing loads
 */
export async function loadBackend(
  preference: BackendPreference = 'auto',
  folders?: readonly string[],
): Promise<Backend> {
  const key = [preference, ...(folders ?? [])].join('\n');
  const known = loaded.get(key);
  if (known) {
    await tf.setBackend(known.name === 'wasm' ? 'wasm' : 'tensorflow');
    return known;
  }
  const candidates = preference === 'auto' ? BACKEND_NAMES : [preference];
  const skipped: { name: BackendName; reason: string }[] = [];
  for (const name of candidates) {
    try {
      const version = name === 'wasm' ? await loadWasm() : await loadNative(name, folders);
      const advice = name === 'wasm' ? 'npm run setup:native makes training more than twice as fast.' : undefined;
      const backend = { name, version, skipped, ...(advice && { advice }) };
      loaded.set(key, backend);
      loaded.set(name, backend); // a process has at most one backend of a name, wherever it comes from
      return backend;
    } catch (error) {
      skipped.push({ name, reason: firstLine(error) });
    }
  }
  const reasons = skipped.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
  throw new Error(`tfjs backend: expected ${preference === 'auto' ? 'one that loads' : preference}, got ${reasons}`);
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0]!.trim();
}

function packageFolder(name: NativeName, folders: readonly string[] = [projectRoot, nativeFolder(name)]) {
  return folders.find((path) => existsSync(join(path, 'node_modules', '@tensorflow', name, 'package.json')));
}

/** The backends that are installed, fastest first; nothing is loaded, so one of them may still turn out broken. */
export function installedBackends(): BackendName[] {
  return BACKEND_NAMES.filter((name) => name === 'wasm' || packageFolder(name) !== undefined);
}

async function loadNative(name: NativeName, folders: readonly string[] | undefined): Promise<string> {
  const folder = packageFolder(name, folders);
  if (folder === undefined) throw new Error('not installed');
  process.env.TF_NUM_INTRAOP_THREADS = '1';
  process.env.TF_NUM_INTEROP_THREADS = '-1'; // graphs run on the thread of their caller: no hand-over, no waiting
  process.env.TF_ENABLE_ONEDNN_OPTS ??= '1'; // off on some processors, where dilated convolutions then fail
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  const require = createRequire(join(folder, 'package.json'));
  restoreUtil(require);
  bindFirst(join(folder, 'node_modules', '@tensorflow', name));
  require(`@tensorflow/${name}`);
  if (!(await tf.setBackend('tensorflow'))) throw new Error('its backend did not start');
  const backend = tf.backend() as tf.KernelBackend & { binding: { TF_Version: string }; isUsingGpuDevice: boolean };
  if (name === 'tfjs-node-gpu' && !backend.isUsingGpuDevice) {
    tf.removeBackend('tensorflow'); // tfjs-node registers under the same name
    throw new Error('no GPU that libtensorflow can use');
  }
  return `tfjs ${tf.version_core}, libtensorflow ${backend.binding.TF_Version}`;
}

/**
 * Loads the binding so that libtensorflow finds its own LLVM before any other. Mesa, which may draw in this process, shows
 * its LLVM to all that is loaded later, and libtensorflow would end in a segmentation fault.
 */
function bindFirst(folder: string): void {
  const { RTLD_NOW, RTLD_DEEPBIND } = constants.dlopen;
  const binding = join(folder, 'lib/napi-v8/tfjs_binding.node');
  if (RTLD_DEEPBIND === undefined || !existsSync(binding)) return;
  process.dlopen({ exports: {} }, binding, RTLD_NOW | RTLD_DEEPBIND);
}

/** Puts back two functions that Node 23 removed from its `util` and that tfjs-node 4.22 still calls. */
function restoreUtil(require: NodeJS.Require): void {
  const util = require('node:util') as Record<string, unknown>;
  util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  util.isArray ??= Array.isArray;
}

async function loadWasm(): Promise<string> {
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  const folder = join(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'), '..');
  wasm.setWasmPaths(folder + sep);
  wasm.setThreadsCount(1);
  const release = keepListeners('uncaughtException', 'unhandledRejection');
  const started = await tf.setBackend('wasm');
  release();
  if (!started) throw new Error('WebAssembly did not start');
  registerWasmGradients();
  registerWasmBatchNorm();
  const simd = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT');
  return `tfjs ${tf.version_core}${simd ? ', SIMD' : ''}`;
}

/**
 * Remembers the listeners to these events of the process; the returned function removes those that were added since.
 *
 * Emscripten's loader adds listeners that turn every unhandled rejection into a crash and print its whole source.
 */
function keepListeners(...events: ('uncaughtException' | 'unhandledRejection')[]): () => void {
  const emitter: NodeJS.EventEmitter = process;
  const before = events.map((event) => emitter.listeners(event));
  return () =>
    events.forEach((event, i) => {
      for (const listener of emitter.listeners(event)) {
        if (!before[i]!.includes(listener)) emitter.removeListener(event, listener as () => void);
      }
    });
}

/** A backend in one line: its name and version, and how to get a faster one. */
export function describeBackend({ name, version, advice }: Backend): string {
  return `${name} (${version})${advice === undefined ? '' : `; ${advice}`}`;
}
