/** Where evaluations run, as the server sees it. */
import type { Evaluation, EvaluationProgress, EvaluationRequest } from '../evaluate.ts';
import type { Runtime } from '../runtime.ts';

/** One evaluation to be made. It is plain JSON, since it travels to other processes. */
export interface Job {
  /** Of the experiment: an id of experiments/index.ts or the path of a module, as on the server's command line. */
  readonly source: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly runtime: Runtime;
  /** Of the experiment's target, where it has one: the files that the evaluation must be made on. */
  readonly content?: string | undefined;
  readonly request: EvaluationRequest;
}

export interface SubmitOptions {
  /** Who takes turns: a session. */
  readonly owner: string;
  /** Cancels the evaluation, whether it waits or runs. */
  readonly signal?: AbortSignal | undefined;
  /** Counted from now, waiting included. */
  readonly deadlineMs?: number | undefined;
  /** Told while it waits, when it begins to run, and while it runs. */
  readonly onProgress?: ((progress: EvaluationProgress) => void) | undefined;
}

/** Numbers of evaluations and workers at this moment. */
export interface Counts {
  readonly workers: number;
  /** Workers that can take an evaluation, or have one. */
  readonly readyWorkers: number;
  readonly queued: number;
  readonly running: number;
  /** Workers that ended without being asked to, since the start. */
  readonly restarts: number;
}

/** Takes evaluations, lets those who ask take turns, and answers each with what came of it. */
export interface Evaluations {
  /** Settles with the first worker: rejects with its reason when that one cannot start. */
  readonly ready: Promise<void>;
  readonly counts: Counts;
  /** What an experiment says that it runs on, by its source; undefined where it says nothing. */
  backendOf(source: string): string | undefined;
  /**
   * Makes one evaluation. What goes wrong is an outcome: `failed` where the worker ended, `deadline`, or `cancelled`;
   * where an evaluation comes to its end before it could be stopped, it has its real outcome, since it was paid for.
   */
  submit(job: Job, options: SubmitOptions): Promise<Evaluation>;
  /** Ends every evaluation as cancelled; nothing that was started is left when it resolves. */
  close(): Promise<void>;
}

/** How an evaluation without a score ends. */
export function unscored(outcome: Evaluation['outcome'], reason: string): Evaluation {
  const timing = { queueMs: 0, simulateMs: 0, trainMs: 0, validateMs: 0 };
  return { outcome, reward: null, scores: {}, reason, timing };
}
