/** On what experiments run: what a server is told when it starts, and no client may choose. */
import { join } from 'node:path';

/** What TensorFlow.js can run on, fastest first. */
export const BACKEND_NAMES = ['tfjs-node-gpu', 'tfjs-node', 'wasm'] as const;
export type BackendName = (typeof BACKEND_NAMES)[number];
/** `auto`: the first that loads; a name: that one or none. */
export type BackendPreference = 'auto' | BackendName;

/** Plain JSON: it travels with each job to the process that evaluates. No part of an environment's identity. */
export interface Runtime {
  /** Of TensorFlow.js. */
  readonly backend: BackendPreference;
  /** Folder of real images. */
  readonly data?: string;
  /** Folder of the weights that trainings may start from. */
  readonly weights: string;
}

export const DEFAULT_RUNTIME: Runtime = { backend: 'auto', weights: join('runs', 'pretrained') };
