import type { Evaluation, EvaluationProgress } from '../evaluate.ts';
import { Costs } from './costs.ts';
import { unscored, type Counts, type Evaluations, type Job, type SubmitOptions } from './evaluations.ts';
import { FairQueue } from './fair-queue.ts';

/** A row of workers, each of which makes one evaluation at a time. */
export interface Workers {
  readonly size: number;
  /** Settles with the first worker: rejects with its reason when that one cannot start. */
  readonly ready: Promise<void>;
  readonly readyCount: number;
  readonly runningCount: number;
  readonly restarts: number;
  readonly hasFree: boolean;
  /** Called when a worker has become free. */
  onFree: () => void;
  /** Called with the reason when no worker starts any more, however often it is tried. */
  onHopeless: (reason: string) => void;
  backendOf(source: string): string | undefined;
  /** Gives a job to a free worker. An evaluation that the signal stopped ends as `cancelled`, or as itself if it was faster. */
  run(job: Job, signal: AbortSignal, onProgress: (progress: EvaluationProgress) => void): Promise<Evaluation>;
  close(): Promise<void>;
}

/** Who waits is told so this often. */
const QUEUE_REPORT_MS = 1_000;

type Stop = 'deadline' | 'cancelled';

/** An evaluation that waits or runs. */
interface Entry {
  readonly job: Job;
  readonly options: SubmitOptions;
  readonly submitted: number;
  started?: number;
  /** Aborted where it is to end early, with why as the reason; the first one counts. */
  readonly stopping: AbortController;
  readonly end: (evaluation: Evaluation) => void;
}

/** Evaluations that wait for their turn in this process's memory, and run in a row of workers. */
export class QueuedEvaluations implements Evaluations {
  readonly ready: Promise<void>;
  private readonly queue = new FairQueue<Entry>();
  private readonly costs = new Costs();
  private readonly reports: NodeJS.Timeout;

  constructor(private readonly workers: Workers) {
    this.ready = workers.ready;
    workers.onFree = () => this.feed();
    workers.onHopeless = (reason) => this.endAll(unscored('failed', `no worker starts: ${reason}`));
    this.reports = setInterval(() => this.reportQueue(), QUEUE_REPORT_MS).unref();
  }

  get counts(): Counts {
    const { size, readyCount, runningCount, restarts } = this.workers;
    return { workers: size, readyWorkers: readyCount, queued: this.queue.size, running: runningCount, restarts };
  }

  backendOf(source: string): string | undefined {
    return this.workers.backendOf(source);
  }

  submit(job: Job, options: SubmitOptions): Promise<Evaluation> {
    const { owner, signal, deadlineMs } = options;
    return new Promise((resolve) => {
      const stopping = new AbortController();
      const stop = (why: Stop) => {
        stopping.abort(why);
        // One that runs is stopped by its worker, which has the signal.
        if (this.queue.remove(owner, entry)) this.finish(entry, unscored('cancelled', ''));
      };
      const cancel = () => stop('cancelled');
      const timer = deadlineMs === undefined ? undefined : setTimeout(() => stop('deadline'), deadlineMs);
      signal?.addEventListener('abort', cancel, { once: true });
      const end = (evaluation: Evaluation) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', cancel);
        resolve(evaluation);
      };
      const entry: Entry = { job, options, submitted: performance.now(), stopping, end };
      this.queue.add(owner, entry);
      if (signal?.aborted) cancel();
      else this.feed();
    });
  }

  async close(): Promise<void> {
    clearInterval(this.reports);
    this.endAll(unscored('cancelled', 'the server stopped'));
    await this.workers.close();
  }

  /** Hands what waits to free workers. */
  private feed(): void {
    while (this.queue.size > 0 && this.workers.hasFree) void this.start(this.queue.take()!);
  }

  private async start(entry: Entry): Promise<void> {
    const { job, options, stopping } = entry;
    entry.started = performance.now();
    const report = (progress: EvaluationProgress) => options.onProgress?.({ ...progress, ...this.timeLeft(entry) });
    report({ phase: 'simulate', fraction: 0 });
    const evaluation = await this.workers.run(job, stopping.signal, (progress) => {
      if (!stopping.signal.aborted) report(progress);
    });
    if (evaluation.outcome === 'ok') this.costs.add(job, evaluation.timing);
    this.finish(entry, evaluation);
  }

  private finish({ options, submitted, started, stopping, end }: Entry, evaluation: Evaluation): void {
    const timing = { ...evaluation.timing, queueMs: (started ?? performance.now()) - submitted };
    const stopped = evaluation.outcome === 'cancelled' && stopping.signal.aborted;
    end({ ...evaluation, timing, ...(stopped && stopOutcome(stopping.signal.reason as Stop, options)) });
  }

  /** Ends everything that waits. */
  private endAll(evaluation: Evaluation): void {
    for (let waiting = this.queue.take(); waiting; waiting = this.queue.take()) this.finish(waiting, evaluation);
  }

  /** What such evaluations took lately; for one that waits, with its share of the queue. */
  private timeLeft({ job, started }: Entry): { etaMs?: number } {
    const ms = this.costs.of(job);
    if (ms === undefined) return {};
    if (started !== undefined) return { etaMs: Math.max(0, ms - (performance.now() - started)) };
    return { etaMs: ms * (1 + this.queue.size / this.workers.size) };
  }

  private reportQueue(): void {
    for (const entry of this.queue.items()) {
      entry.options.onProgress?.({ phase: 'queue', fraction: 0, ...this.timeLeft(entry) });
    }
  }
}

function stopOutcome(why: Stop, { deadlineMs }: SubmitOptions): Pick<Evaluation, 'outcome' | 'reason'> {
  return why === 'deadline'
    ? { outcome: 'deadline', reason: `expected an end within ${deadlineMs} ms` }
    : { outcome: 'cancelled', reason: 'cancelled on request' };
}
