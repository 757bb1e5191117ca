import type { Evaluation, EvaluationProgress } from '../evaluate.ts';
import { Costs, kindOf } from './costs.ts';
import {
  unscored,
  type Counts,
  type Evaluations,
  type Job,
  type SubmitOptions,
  type WorkerInfo,
} from './evaluations.ts';
import { FairQueue } from './fair-queue.ts';

/** Workers, each of which runs one evaluation at a time. */
export interface Workers {
  readonly size: number;
  /** Resolves when the first worker is ready; rejects with the reason when a worker fails to start before that. */
  readonly ready: Promise<void>;
  readonly readyCount: number;
  readonly runningCount: number;
  readonly restarts: number;
  readonly hasFree: boolean;
  readonly list: readonly WorkerInfo[];
  readonly failure?: string | undefined;
  /** Called when a worker has become free. */
  onFree: () => void;
  /** Called with the reason when no worker starts, even after several tries. */
  onHopeless: (reason: string) => void;
  backendOf(source: string): string | undefined;
  /**
   * Gives a job to a free worker. An evaluation that the signal stopped has the outcome `cancelled`, or its real outcome
   * if it finished first. `stopped`: its process has shown no life, and was killed. `returned`: nobody has begun it.
   *
   * @throws {RangeError} when no worker is free
   */
  run(
    job: Job,
    signal: AbortSignal,
    onProgress: (progress: EvaluationProgress) => void,
  ): Promise<Evaluation | 'stopped' | 'returned'>;
  close(): Promise<void>;
}

/** The time between two progress reports of evaluations that wait. */
const QUEUE_REPORT_MS = 1_000;

/** An evaluation whose process has stopped is given to another one, at most this number of times. */
const MOST_REPEATS = 2;

/** The reason of an abort by the deadline. */
const DEADLINE = 'deadline';

/** An evaluation that waits or runs. */
interface Entry {
  readonly job: Job;
  /** Of the job; made once, since the time left is told again and again. */
  readonly kind: string;
  readonly options: SubmitOptions;
  readonly submitted: number;
  started?: number | undefined;
  repeats: number;
  /** Aborts when the evaluation must end early. */
  readonly signal: AbortSignal;
  readonly end: (evaluation: Evaluation) => void;
}

/** Evaluations that wait for their turn in this process's memory and run on `workers`. */
export class QueuedEvaluations implements Evaluations {
  readonly ready: Promise<void>;
  private readonly queue = new FairQueue<Entry>();
  private readonly costs = new Costs();
  private readonly reports: NodeJS.Timeout;

  constructor(private readonly pool: Workers) {
    this.ready = pool.ready;
    pool.onFree = () => this.feed();
    // Nobody has begun them: a worker of a queue gives them back for others.
    pool.onHopeless = (reason) =>
      this.endAll({ ...unscored('failed', `no worker starts: ${reason}`), uncreated: true });
    this.reports = setInterval(() => this.reportQueue(), QUEUE_REPORT_MS).unref();
  }

  get counts(): Counts {
    const { size, readyCount, runningCount, restarts } = this.pool;
    return { workers: size, readyWorkers: readyCount, queued: this.queue.size, running: runningCount, restarts };
  }

  get longestWaitMs(): number {
    const now = performance.now();
    return [...this.queue.items()].reduce((longest, { submitted }) => Math.max(longest, now - submitted), 0);
  }

  get failure(): string | undefined {
    return this.pool.failure;
  }

  get workers(): readonly WorkerInfo[] {
    return this.pool.list;
  }

  backendOf(source: string): string | undefined {
    return this.pool.backendOf(source);
  }

  submit(job: Job, options: SubmitOptions): Promise<Evaluation> {
    const { owner, deadlineMs } = options;
    return new Promise((resolve) => {
      const { signal, forget } = withDeadline(options.signal, deadlineMs);
      // Only for an evaluation that waits: the worker of a running evaluation has the signal itself.
      const stop = () => {
        if (this.queue.remove(owner, entry)) this.finish(entry, unscored('cancelled', ''));
      };
      signal.addEventListener('abort', stop, { once: true });
      const end = (evaluation: Evaluation) => {
        forget();
        signal.removeEventListener('abort', stop);
        resolve(evaluation);
      };
      const entry: Entry = { job, kind: kindOf(job), options, submitted: performance.now(), repeats: 0, signal, end };
      this.queue.add(owner, entry);
      if (signal.aborted) stop();
      else this.feed();
    });
  }

  async close(): Promise<void> {
    clearInterval(this.reports);
    this.endAll(unscored('cancelled', 'the server stopped'));
    await this.pool.close();
  }

  /** Gives waiting evaluations to free workers. */
  private feed(): void {
    while (this.queue.size > 0 && this.pool.hasFree) void this.start(this.queue.take(isWaited)!);
  }

  private async start(entry: Entry): Promise<void> {
    const { job, kind, options, signal } = entry;
    entry.started = performance.now();
    const report = (progress: EvaluationProgress) => options.onProgress?.({ ...progress, ...this.timeLeft(entry) });
    report({ phase: 'simulate', fraction: 0 });
    const wanted = options.wantsPictures?.() ? { ...job, request: { ...job.request, pictures: true } } : job;
    const evaluation = await this.pool.run(wanted, signal, (progress) => {
      if (!signal.aborted) report(progress);
    });
    if (evaluation === 'stopped' || evaluation === 'returned') return this.repeat(entry, evaluation);
    if (evaluation.outcome === 'ok') this.costs.add(kind, evaluation.timing);
    this.finish(entry, evaluation);
  }

  /** Gives an evaluation, whose process has stopped, to another one; the same seeds give the same result. */
  private repeat(entry: Entry, why: 'stopped' | 'returned'): void {
    if (entry.signal.aborted) return this.finish(entry, unscored('cancelled', ''));
    if (why === 'stopped' && entry.repeats++ >= MOST_REPEATS) {
      return this.finish(entry, unscored('failed', `its worker stopped without a word, ${entry.repeats} times`));
    }
    entry.started = undefined;
    this.queue.add(entry.options.owner, entry);
    this.feed();
  }

  private finish({ options, submitted, started, signal, end }: Entry, evaluation: Evaluation): void {
    const timing = { ...evaluation.timing, queueMs: (started ?? performance.now()) - submitted };
    const stopped = evaluation.outcome === 'cancelled' && signal.aborted;
    end({ ...evaluation, timing, ...(stopped && stopOutcome(signal, options)) });
  }

  /** Ends every waiting evaluation. */
  private endAll(evaluation: Evaluation): void {
    for (let waiting = this.queue.take(); waiting; waiting = this.queue.take()) this.finish(waiting, evaluation);
  }

  /** The time left, estimated from recent evaluations of this kind; a waiting evaluation also waits for the queue. */
  private timeLeft({ kind, started }: Entry): { etaMs?: number } {
    const ms = this.costs.of(kind);
    if (ms === undefined) return {};
    if (started !== undefined) return { etaMs: Math.max(0, ms - (performance.now() - started)) };
    return { etaMs: ms * (1 + this.queue.size / Math.max(1, this.pool.size)) };
  }

  private reportQueue(): void {
    for (const entry of this.queue.items()) {
      entry.options.onProgress?.({ phase: 'queue', fraction: 0, ...this.timeLeft(entry) });
    }
  }
}

/** Whether somebody waits for an evaluation. */
function isWaited({ options }: Entry): boolean {
  return options.isWaited?.() ?? true;
}

/** A signal that aborts when `cancel` aborts or the deadline passes; `forget` ends the timer. */
function withDeadline(cancel = new AbortController().signal, deadlineMs: number | undefined) {
  if (deadlineMs === undefined) return { signal: cancel, forget: () => {} };
  const either = new AbortController();
  const onCancel = () => either.abort();
  const timer = setTimeout(() => either.abort(DEADLINE), deadlineMs);
  cancel.addEventListener('abort', onCancel, { once: true });
  if (cancel.aborted) onCancel();
  const forget = () => {
    clearTimeout(timer);
    cancel.removeEventListener('abort', onCancel);
  };
  return { signal: either.signal, forget };
}

function stopOutcome({ reason }: AbortSignal, { deadlineMs }: SubmitOptions): Pick<Evaluation, 'outcome' | 'reason'> {
  return reason === DEADLINE
    ? { outcome: 'deadline', reason: `expected an end within ${deadlineMs} ms` }
    : { outcome: 'cancelled', reason: 'cancelled on request' };
}
