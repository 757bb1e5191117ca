/** What experiments run on. The server is told when it starts; no client can choose it. */
import { join } from 'node:path';

/** What TensorFlow.js can run on, fastest first. */
export const BACKEND_NAMES = ['tfjs-node-gpu', 'tfjs-node', 'wasm'] as const;
export type BackendName = (typeof BACKEND_NAMES)[number];
/** `auto`: the first that loads; a name: that one or none. */
export type BackendPreference = 'auto' | BackendName;

/** Plain JSON: it travels with each job to the process that evaluates. It is no part of `spec_hash`. */
export interface Runtime {
  /** The backend of TensorFlow.js. */
  readonly backend: BackendPreference;
  /** The folder of real images, for the environments that need one. */
  readonly data?: string;
  /** The folder of the weights that trainings may start from. */
  readonly weights: string;
}

export const DEFAULT_RUNTIME: Runtime = { backend: 'auto', weights: join('runs', 'pretrained') };
