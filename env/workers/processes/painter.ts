/**
 * Draws samples for people, in a process of its own: never in the server's, and never in one that evaluates.
 *
 * The process begins with the first picture, and ends when none has been asked for in a while. It draws one job at a
 * time, in their order; a job whose caller has left before its turn is not drawn.
 */
import { DEFAULT_RUNTIME } from '../../runtime.ts';
import type { EncodedStrip } from '../../pictures.ts';
import { codeHashWith } from '../code-hash.ts';
import type { Code, DrawJob, FromWorker } from './messages.ts';
import { WorkerProcess } from './worker-process.ts';

/** The most jobs that wait. */
const MOST_WAITING = 16;
/** A job that takes longer ends with its process: some programs never end. */
const LONGEST_MS = 30_000;
/** A process without a job ends after this time. */
const IDLE_MS = 120_000;

interface Waiting {
  readonly job: DrawJob;
  readonly resolve: (strips: readonly EncodedStrip[]) => void;
  readonly reject: (error: Error) => void;
  readonly signal: AbortSignal;
}

interface Running extends Waiting {
  readonly number: number;
  readonly timer: NodeJS.Timeout;
}

/** There are more jobs than may wait. */
export class PainterBusyError extends Error {
  override readonly name = 'PainterBusyError';
}

export class Painter {
  private process: WorkerProcess | undefined;
  private readonly waiting: Waiting[] = [];
  private running: Running | undefined;
  private idle: NodeJS.Timeout | undefined;
  private count = 0;
  private isClosed = false;
  private readonly code: Code;

  /** @param sources the environments whose samples it draws, as they are now: the pictures of newer code would be others */
  constructor(
    sources: readonly string[],
    private readonly onLine: (line: string) => void = () => {},
  ) {
    this.code = { sources, hash: codeHashWith(sources) };
  }

  /**
   * @param signal aborts when the caller has left
   * @throws {PainterBusyError}; {Error} in a sentence, when the samples cannot be drawn
   */
  draw(job: DrawJob, signal: AbortSignal): Promise<readonly EncodedStrip[]> {
    if (this.isClosed) return Promise.reject(new Error('pictures: the server stops'));
    if (this.waiting.length >= MOST_WAITING) {
      return Promise.reject(new PainterBusyError(`pictures: expected at most ${MOST_WAITING} that wait`));
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ job, resolve, reject, signal });
      this.next();
    });
  }

  /** When it resolves, its process has ended. */
  async close(): Promise<void> {
    this.isClosed = true;
    for (const { reject } of this.waiting.splice(0)) reject(new Error('pictures: the server stops'));
    await this.end();
  }

  private next(): void {
    if (this.running || this.isClosed) return;
    const next = this.waiting.shift();
    if (!next) {
      this.idle ??= setTimeout(() => void this.end(), IDLE_MS).unref();
      return;
    }
    if (next.signal.aborted) {
      next.reject(new Error('pictures: nobody waits for them'));
      return this.next();
    }
    clearTimeout(this.idle);
    this.idle = undefined;
    this.process ??= this.start();
    const late = () => void this.end(`pictures: expected them within ${LONGEST_MS / 1000} s`);
    const timer = setTimeout(late, LONGEST_MS);
    this.running = { ...next, number: ++this.count, timer };
    this.process.send({ kind: 'draw', number: this.count, job: next.job });
  }

  private start(): WorkerProcess {
    const own: WorkerProcess = new WorkerProcess({
      sources: [],
      runtime: DEFAULT_RUNTIME, // nothing is prepared; each job has its own
      code: this.code,
      onMessage: (message) => this.hear(message),
      onExit: (reason) => {
        if (this.process !== own) return;
        this.process = undefined;
        this.settle(`pictures: ${reason}`);
      },
      onLine: this.onLine,
      onBeat: () => {},
    });
    return own;
  }

  private hear(message: FromWorker): void {
    if (message.kind === 'unprepared') return void this.end(`pictures: ${message.reason}`);
    if (message.kind === 'drawn' && message.number === this.running?.number) this.settle(message.drawn);
  }

  /** Ends the job that runs, with its pictures or the reason why there are none. */
  private settle(drawn: readonly EncodedStrip[] | string): void {
    const { running } = this;
    if (!running) return;
    this.running = undefined;
    clearTimeout(running.timer);
    if (typeof drawn === 'string') running.reject(new Error(drawn));
    else running.resolve(drawn);
    this.next();
  }

  /** Ends the process, and the job that runs in it. */
  private async end(reason = 'pictures: their process has ended'): Promise<void> {
    clearTimeout(this.idle);
    this.idle = undefined;
    const { process } = this;
    this.process = undefined;
    process?.kill();
    this.settle(reason); // the next job gets another process
    await process?.exited;
  }
}
