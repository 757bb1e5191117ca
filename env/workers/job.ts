/** What the server's process and a worker's process say to each other. */
import type { Evaluation, EvaluationProgress, EvaluationRequest } from '../evaluate.ts';
import type { Runtime } from '../runtime.ts';

/** One evaluation as a worker gets it. */
export interface Job {
  /** Of the experiment: an id of experiments/index.ts or the path of a module, as on the server's command line. */
  readonly source: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly runtime: Runtime;
  readonly request: EvaluationRequest;
}

/** A job with the number under which the worker reports on it. */
export interface NumberedJob {
  readonly number: number;
  readonly job: Job;
  readonly progress: boolean;
}

export type ToWorker =
  | { readonly kind: 'prepare'; readonly sources: readonly string[]; readonly runtime: Runtime }
  /** To be run one after the other; several where they are quick, since each message costs more than they do. */
  | { readonly kind: 'evaluate'; readonly jobs: readonly NumberedJob[] }
  | { readonly kind: 'cancel'; readonly number: number };

export type FromWorker =
  /** Experiments are loaded; `backends` says of each, by source, what it runs on, where it says so. */
  | { readonly kind: 'ready'; readonly backends: Readonly<Record<string, string>> }
  /** An experiment cannot be loaded, and why: the worker ends. */
  | { readonly kind: 'unprepared'; readonly reason: string }
  | { readonly kind: 'progress'; readonly number: number; readonly progress: EvaluationProgress }
  | { readonly kind: 'done'; readonly results: { readonly number: number; readonly evaluation: Evaluation }[] }
  | { readonly kind: 'cancelled'; readonly number: number }
  /** The evaluation threw: the worker ends, since nobody knows what state it is in. */
  | { readonly kind: 'threw'; readonly number: number; readonly reason: string };

/** Progress as the pool reports it: an evaluation that waits has some too. */
export interface JobProgress extends Omit<EvaluationProgress, 'phase'> {
  readonly phase: EvaluationProgress['phase'] | 'queue';
  /** Time left, where evaluations with the same options have been timed. */
  readonly etaMs?: number;
}

/** How an evaluation ended, whatever happened to its worker. */
export interface JobOutcome extends Omit<Evaluation, 'outcome' | 'timing'> {
  readonly outcome: Evaluation['outcome'] | 'failed' | 'deadline' | 'cancelled';
  readonly timing: Evaluation['timing'] & { readonly queueMs: number };
}
