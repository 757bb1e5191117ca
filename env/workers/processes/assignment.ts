/** An evaluation on its way through the pool, and the places in the pool where one can be. */
import type { Job, JobOutcome, JobProgress } from '../job.ts';
import type { WorkerLike } from './worker-process.ts';

/** An evaluation that was handed in; `done` never rejects. */
export interface Ticket {
  readonly done: Promise<JobOutcome>;
  readonly state: 'queued' | 'running' | 'finished';
  cancel(): void;
}

export interface SubmitOptions {
  /** Who takes turns: a session. */
  readonly owner: string;
  /** Counted from now, waiting included. */
  readonly deadlineMs?: number | undefined;
  readonly onProgress?: ((progress: JobProgress) => void) | undefined;
}

export interface Assignment {
  readonly number: number;
  readonly job: Job;
  readonly options: SubmitOptions;
  readonly submitted: number;
  readonly resolve: (outcome: JobOutcome) => void;
  started?: number;
  slot?: Slot | undefined;
  /** Why it is to end early; the first reason counts. */
  stopping?: 'deadline' | 'cancelled';
  timers: NodeJS.Timeout[];
  state: Ticket['state'];
  /** It was in a worker that ended, with others: the next time it gets a worker for itself. */
  alone?: boolean;
}

/** One place in the row; its process is replaced when it ends. */
export interface Slot {
  process: WorkerLike;
  /** `leaving`: its evaluation threw, and it is about to end. */
  state: 'starting' | 'ready' | 'leaving';
  /** What the process was given and has not answered, in its order, by number. */
  readonly assignments: Map<number, Assignment>;
  /** Processes in a row that ended before they were ready. */
  failedStarts: number;
  /** What the process said about why it cannot start. */
  unprepared?: string | undefined;
}

/** How an evaluation without a score ends. */
export function unscored(outcome: JobOutcome['outcome'], reason: string): Omit<JobOutcome, 'timing'> {
  return { outcome, reward: null, scores: {}, reason };
}
