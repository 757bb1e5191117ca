/** Where evaluations run, as the server sees it. */
import type { Evaluation, EvaluationProgress, EvaluationRequest } from '../evaluate.ts';
import type { Runtime } from '../runtime.ts';

/** One evaluation to run. It is plain JSON, since it is sent to other processes. */
export interface Job {
  /** Names the evaluation, wherever it runs and whatever is started again: of the session and the step. */
  readonly id: string;
  /** The experiment: an id of experiments/index.ts or the path of a module, as on the server's command line. */
  readonly source: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly runtime: Runtime;
  /** As `filesOf` says of the experiment, where it reads any: the files that the evaluation must be made on. */
  readonly content?: string | undefined;
  readonly request: EvaluationRequest;
}

export interface SubmitOptions {
  /** The session that asks: owners take turns. */
  readonly owner: string;
  /** Whether anybody is there who waits for the result; if nobody is, the evaluations of others go first. */
  readonly isWaited?: (() => boolean) | undefined;
  /** Cancels the evaluation, whether it waits or runs. */
  readonly signal?: AbortSignal | undefined;
  /** The time that the evaluation may take from now on, including the time in the queue. */
  readonly deadlineMs?: number | undefined;
  /** Asked when the evaluation begins to run: whether it is also to show what its model predicts. */
  readonly wantsPictures?: (() => boolean) | undefined;
  /** Called while the evaluation waits, when it begins to run, and while it runs. */
  readonly onProgress?: ((progress: EvaluationProgress) => void) | undefined;
}

/** The numbers of evaluations and workers at this moment. */
export interface Counts {
  readonly workers: number;
  /** Workers that can take an evaluation or are running one, and have shown a sign of life lately. */
  readonly readyWorkers: number;
  readonly queued: number;
  readonly running: number;
  /** Workers that have ended since the start without being asked to. */
  readonly restarts: number;
}

/** A program that runs evaluations, as people see it. */
export interface WorkerInfo {
  readonly id: string;
  readonly host: string;
  /** The number of evaluations that it can run at once, and of those that it runs. */
  readonly places: number;
  readonly running: number;
  /**
   * `ready` takes evaluations; `preparing` will; `refused` would give other results than the server asks for, `reason` says
   * why; `leaving` ends what it runs and takes no more; `silent` has shown no sign of life lately.
   */
  readonly state: 'ready' | 'preparing' | 'refused' | 'leaving' | 'silent';
  readonly reason?: string | undefined;
  readonly build?: string;
  /** By environment id; of those that report one. */
  readonly backends?: Readonly<Record<string, string>> | undefined;
}

/** Runs evaluations: owners take turns, and each `submit` resolves with the evaluation's outcome. */
export interface Evaluations {
  /** Resolves when the first worker is ready; rejects with the reason when a worker fails to start before that. */
  readonly ready: Promise<void>;
  readonly counts: Counts;
  /** How long the evaluation that has waited longest has waited, in milliseconds; 0 where none waits. */
  readonly longestWaitMs: number;
  readonly workers: readonly WorkerInfo[];
  /** Why the queue on which other machines work cannot be reached; undefined if it can, and where there is none. */
  readonly failure?: string | undefined;
  /** The backend that an experiment reports, by its source; undefined if it reports none. */
  backendOf(source: string): string | undefined;
  /**
   * Runs one evaluation. It never rejects: what goes wrong is an outcome.
   *
   * `failed` when the evaluation threw an error or its worker ended, `deadline` (also of the server's own longest time), or
   * `cancelled`. One whose worker has stopped is repeated a few times. If an evaluation
   * finishes before it could be stopped, it keeps its real outcome, since the work was done.
   */
  submit(job: Job, options: SubmitOptions): Promise<Evaluation>;
  /** Ends every evaluation as cancelled. When it resolves, no worker process is left. */
  close(): Promise<void>;
}

/** An evaluation that ended without a score; its times are 0. */
export function unscored(outcome: Evaluation['outcome'], reason: string): Evaluation {
  const timing = { queueMs: 0, simulateMs: 0, trainMs: 0, validateMs: 0 };
  return { outcome, reward: null, scores: {}, reason, timing };
}
