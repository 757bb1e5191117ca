/** The messages between the server's process and a worker's process. */
import type { Theta } from '../../../protocol/parameters.ts';
import type { Seed } from '../../../protocol/random.ts';
import type { Evaluation, EvaluationProgress } from '../../evaluate.ts';
import type { EncodedStrip } from '../../pictures.ts';
import type { Runtime } from '../../runtime.ts';
import type { Job } from '../evaluations.ts';

/** Samples to draw. */
export interface DrawJob extends Pick<Job, 'source' | 'options' | 'runtime'> {
  readonly theta: Theta;
  readonly seed: Seed;
}

/** What the parent runs: a process that finds other code on the disk must not work for it. */
export interface Code {
  readonly sources: readonly string[];
  /** `codeHashWith` of these sources (code-hash.ts). */
  readonly hash: string;
}

export type ToWorker =
  | { readonly kind: 'prepare'; readonly sources: readonly string[]; readonly runtime: Runtime; readonly code?: Code }
  /** One at a time; the worker's reports carry the same number. */
  | { readonly kind: 'evaluate'; readonly number: number; readonly job: Job }
  | { readonly kind: 'cancel'; readonly number: number }
  /** Draws samples for people. */
  | { readonly kind: 'draw'; readonly number: number; readonly job: DrawJob };

export type FromWorker =
  /** The experiments are loaded; `backends` has the backend of each that reports one, by source. */
  | { readonly kind: 'ready'; readonly backends: Readonly<Record<string, string>> }
  /** An experiment cannot be loaded, or the code is another, with the reason; the worker ends. */
  | { readonly kind: 'unprepared'; readonly reason: string }
  | { readonly kind: 'progress'; readonly number: number; readonly progress: EvaluationProgress }
  | { readonly kind: 'done'; readonly number: number; readonly evaluation: Evaluation }
  | { readonly kind: 'cancelled'; readonly number: number }
  /** The samples, or why they cannot be drawn, in a sentence. */
  | { readonly kind: 'drawn'; readonly number: number; readonly drawn: readonly EncodedStrip[] | string }
  /** The evaluation threw an error, or its experiment could not be created; the worker ends, since its state is unknown. */
  | { readonly kind: 'threw'; readonly number: number; readonly reason: string; readonly uncreated?: true };
