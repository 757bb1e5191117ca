/** On what experiments run: what a server is told when it starts, and no client may choose. */
import { join } from 'node:path';
import type { BackendPreference } from './tasks/tensorflow/backend.ts';

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
