/** What experiments run on. The server is told when it starts; no client can choose it. */
import { join } from 'node:path';
import type { Parameter, Theta } from '../protocol/parameters.ts';

/** What TensorFlow.js can run on, fastest first. */
export const BACKEND_NAMES = ['tfjs-node-gpu', 'tfjs-node', 'wasm'] as const;
export type BackendName = (typeof BACKEND_NAMES)[number];
/** `auto`: the first that loads; a name: that one or none. */
export type BackendPreference = 'auto' | BackendName;

/** What can draw images: our own rasteriser, or three's WebGLRenderer where `npm run setup:webgl` has installed it. */
export const RENDERER_NAMES = ['software', 'webgl'] as const;
export type RendererName = (typeof RENDERER_NAMES)[number];

/** A program in the place of a simulator or a trainer. */
export interface ProgramRuntime {
  /** Its command line, a template; see env/programs.md. */
  readonly command: string;
  /** Whether it stays up from call to call. */
  readonly warm: boolean;
}

/** The programs of `Program-v0`, and how they are run. What decides a score is in its `spec_hash`. */
export interface ProgramsRuntime {
  readonly simulator?: ProgramRuntime & { readonly parameters: readonly Parameter[]; readonly start: Theta };
  /** The first of the metrics is the reward; null where there is no bound. */
  readonly trainer?: ProgramRuntime & {
    readonly metrics: readonly { readonly name: string; readonly low: number | null; readonly high: number | null }[];
  };
  /** Whether the programs promise equal results for equal seeds. */
  readonly deterministic: boolean;
  /** A program that stays up is started anew after this number of calls. */
  readonly callsPerStart: number;
  /** Threads for a program's libraries of mathematics. */
  readonly threads: number;
  /** The folder of all working folders, as an absolute path, and whether they stay. */
  readonly work: string;
  readonly keep: boolean;
  /** Where data sets are kept to be used again, and up to which size of all. */
  readonly cache?: { readonly folder: string; readonly mostBytes: number };
}

/** Plain JSON: it travels with each job to the process that evaluates. `spec_hash` has of it what decides images and scores. */
export interface Runtime {
  /** The backend of TensorFlow.js. */
  readonly backend: BackendPreference;
  /** What draws the images of a simulator that draws. */
  readonly renderer: RendererName;
  /** The folder of real images, for the environments that need one. */
  readonly data?: string;
  /** For the environment that consists of them. */
  readonly programs?: ProgramsRuntime;
  /** The file of past evaluations, for the environment that looks them up. */
  readonly table?: string;
  /** The folder of the weights that trainings may start from. */
  readonly weights: string;
}

export const DEFAULT_RUNTIME: Runtime = { backend: 'auto', renderer: 'software', weights: join('runs', 'pretrained') };
