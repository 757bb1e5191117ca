/** What the server's process and a worker's process say to each other. */
import type { Evaluation, EvaluationProgress } from '../../evaluate.ts';
import type { Runtime } from '../../runtime.ts';
import type { Job } from '../evaluations.ts';

export type ToWorker =
  | { readonly kind: 'prepare'; readonly sources: readonly string[]; readonly runtime: Runtime }
  /** One at a time; the worker reports on it under the number. */
  | { readonly kind: 'evaluate'; readonly number: number; readonly job: Job }
  | { readonly kind: 'cancel'; readonly number: number };

export type FromWorker =
  /** Experiments are loaded; `backends` says of each, by source, what it runs on, where it says so. */
  | { readonly kind: 'ready'; readonly backends: Readonly<Record<string, string>> }
  /** An experiment cannot be loaded, and why: the worker ends. */
  | { readonly kind: 'unprepared'; readonly reason: string }
  | { readonly kind: 'progress'; readonly number: number; readonly progress: EvaluationProgress }
  | { readonly kind: 'done'; readonly number: number; readonly evaluation: Evaluation }
  | { readonly kind: 'cancelled'; readonly number: number }
  /** The evaluation threw: the worker ends, since nobody knows what state it is in. */
  | { readonly kind: 'threw'; readonly number: number; readonly reason: string };
