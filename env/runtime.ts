/** What experiments run on. The server is told when it starts; no client can choose it. */
import { join } from 'node:path';

/** What TensorFlow.js can run on, fastest first. */
export const BACKEND_NAMES = ['tfjs-node-gpu', 'tfjs-node', 'wasm'] as const;
export type BackendName = (typeof BACKEND_NAMES)[number];
/** `auto`: the first that loads; a name: that one or none. */
export type BackendPreference = 'auto' | BackendName;

/** What can draw images: our own rasteriser, or three's WebGLRenderer where `npm run setup:webgl` has installed it. */
export const RENDERER_NAMES = ['software', 'webgl'] as const;
export type RendererName = (typeof RENDERER_NAMES)[number];

/** Plain JSON: it travels with each job to the process that evaluates. Of it, only the renderer is part of `spec_hash`. */
export interface Runtime {
  /** The backend of TensorFlow.js. */
  readonly backend: BackendPreference;
  /** What draws the images of a simulator that draws. */
  readonly renderer: RendererName;
  /** The folder of real images, for the environments that need one. */
  readonly data?: string;
  /** The folder of the weights that trainings may start from. */
  readonly weights: string;
}

export const DEFAULT_RUNTIME: Runtime = { backend: 'auto', renderer: 'software', weights: join('runs', 'pretrained') };
