import { hostname } from 'node:os';
import type { Evaluation, EvaluationProgress } from '../../evaluate.ts';
import { DEFAULT_RUNTIME, type Runtime } from '../../runtime.ts';
import { codeHashWith } from '../code-hash.ts';
import { unscored, type Job, type WorkerInfo } from '../evaluations.ts';
import type { Workers } from '../queued-evaluations.ts';
import type { Code, FromWorker } from './messages.ts';
import { OwnProcess } from './own-process.ts';
import { isChatter, WorkerProcess, type WorkerLike } from './worker-process.ts';

export interface WorkerProcessesOptions {
  /** The number of child processes; 0 runs the evaluations in this process (see own-process.ts). */
  readonly size: number;
  /** Experiments that are loaded before a worker is ready. */
  readonly sources: readonly string[];
  readonly runtime?: Runtime;
  /** Environment variables in addition to those of this process. */
  readonly variables?: Readonly<Record<string, string>>;
  /** The time that a cancelled evaluation has to stop before its process is killed. */
  readonly graceMs?: number;
  /** The longest time that an evaluation may run; then it ends as with a deadline. */
  readonly longestMs?: number;
  /** After this time without a sign of life, a process counts as stopped (SIGSTOP, a frozen container), and is killed. */
  readonly silentMs?: number;
  readonly log?: (event: string, details: Readonly<Record<string, unknown>>) => void;
}

const GRACE_MS = 2_000;
const SILENT_MS = 30_000;
/** A process that has missed this number of looks gets no evaluation. */
const SUSPICIOUS = 5;
/** The time between two looks at all processes. */
const LOOK_MS = 1_000;
/** A worker that cannot start is tried again after 0.2 s, 0.4 s, … but after at most this time. */
const LONGEST_RETRY_MS = 10_000;
/** When every worker has failed to start this number of times in a row, all waiting evaluations fail. */
const HOPELESS_STARTS = 3;

/** The place of one worker; its process is replaced when it ends. */
interface Slot {
  process: WorkerLike;
  /** `leaving`: its evaluation threw an error, and the process is about to end. */
  state: 'starting' | 'ready' | 'leaving';
  /**
   * The number of looks since its last sign of life. Looks, not time: while this process was stopped too, or its machine
   * asleep, it has not listened.
   */
  missed: number;
  running?: Running | undefined;
  /** The number of processes in a row that ended before they were ready. */
  failedStarts: number;
  /** The reason that the process gave for not starting. */
  unprepared?: string | undefined;
}

/** The evaluation that a process is running. */
interface Running {
  readonly number: number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: EvaluationProgress) => void;
  readonly end: (evaluation: Evaluation | 'stopped') => void;
  readonly began: number;
  /** Asks it to end, and kills its process if it does not. */
  readonly cancel: () => void;
  /** Set when this class ends it, not the signal: what its end means. */
  verdict?: Evaluation | 'stopped';
}

/** Child processes that run one evaluation each at a time. A process that ends is replaced. */
export class WorkerProcesses implements Workers {
  onFree: () => void = () => {};
  onHopeless: (reason: string) => void = () => {};
  readonly ready: Promise<void>;
  restarts = 0;
  private readonly slots: readonly Slot[];
  private readonly retries = new Set<NodeJS.Timeout>();
  private readonly looking: NodeJS.Timeout;
  /** What this process has loaded: one that is replaced later must not load newer code. */
  private readonly code: Code;
  private nextNumber = 0;
  private stopped = false;
  private backends: Readonly<Record<string, string>> = {};
  private isPrepared = false;
  private settleReady!: { resolve: () => void; reject: (error: Error) => void };

  constructor(private readonly options: WorkerProcessesOptions) {
    this.ready = new Promise((resolve, reject) => (this.settleReady = { resolve, reject }));
    this.ready.catch(() => {});
    this.code = { sources: options.sources, hash: codeHashWith(options.sources) };
    this.slots = Array.from({ length: this.size }, () => {
      const slot = { state: 'starting', failedStarts: 0, missed: 0 } as Slot;
      slot.process = this.fork(slot);
      return slot;
    });
    const { silentMs = SILENT_MS } = options;
    const lookMs = Math.min(LOOK_MS, silentMs);
    this.looking = setInterval(() => this.look(silentMs / lookMs), lookMs).unref();
  }

  get size(): number {
    return Math.max(1, this.options.size);
  }

  get readyCount(): number {
    return this.slots.filter(({ state, missed }) => state === 'ready' && missed < SUSPICIOUS).length;
  }

  get runningCount(): number {
    return this.slots.filter(({ running }) => running).length;
  }

  get hasFree(): boolean {
    return this.slots.some(isFree);
  }

  /** All of them as one, since they are on one machine. */
  get list(): WorkerInfo[] {
    const state = this.readyCount > 0 ? 'ready' : 'preparing';
    return [{ id: 'local', host: hostname(), places: this.size, running: this.runningCount, state }];
  }

  get pids(): number[] {
    return this.slots.flatMap((slot) => slot.process.pid ?? []);
  }

  backendOf(source: string): string | undefined {
    return this.backends[source];
  }

  run(job: Job, signal: AbortSignal, onProgress: Running['onProgress']): Promise<Evaluation | 'stopped'> {
    const slot = this.slots.find(isFree);
    if (!slot) throw new RangeError('run: expected a free worker, got none');
    const number = this.nextNumber++;
    return new Promise((resolve) => {
      let grace: NodeJS.Timeout | undefined;
      const cancel = () => {
        const { process } = slot;
        process.send({ kind: 'cancel', number });
        grace ??= setTimeout(() => this.kill(slot), this.options.graceMs ?? GRACE_MS);
      };
      const end = (evaluation: Evaluation | 'stopped') => {
        clearTimeout(grace);
        signal.removeEventListener('abort', cancel);
        slot.running = undefined;
        resolve(evaluation);
      };
      slot.running = { number, signal, onProgress, end, cancel, began: performance.now() };
      signal.addEventListener('abort', cancel, { once: true });
      slot.process.send({ kind: 'evaluate', number, job });
    });
  }

  async close(): Promise<void> {
    this.stopped = true;
    clearInterval(this.looking);
    this.retries.forEach(clearTimeout);
    for (const { running, process } of this.slots) {
      running?.end(unscored('cancelled', 'the server stopped'));
      process.kill();
    }
    await Promise.all(this.slots.map(({ process }) => process.exited));
  }

  /** Ends what runs for too long, and the processes that have shown no life for this number of looks. */
  private look(silentLooks: number): void {
    const { longestMs = Infinity, silentMs = SILENT_MS, log } = this.options;
    const now = performance.now();
    for (const slot of this.slots) {
      const { running, process, state } = slot;
      if (running && !running.verdict && now - running.began > longestMs) {
        const reason = `expected an end within the ${longestMs / 1000} s that this server gives an evaluation`;
        running.verdict = unscored('deadline', reason);
        running.cancel();
      }
      if (state === 'starting' || process.pid === undefined) continue; // this process hears itself
      if (++slot.missed < silentLooks) continue;
      slot.missed = 0;
      log?.('worker stopped', { pid: process.pid, seconds: silentMs / 1000 });
      if (running) running.verdict ??= 'stopped';
      this.kill(slot);
    }
  }

  /** From now on it gets no evaluation: what it still says may free it. */
  private kill(slot: Slot): void {
    if (slot.state === 'ready') slot.state = 'leaving';
    slot.process.kill();
  }

  private fork(slot: Slot): WorkerLike {
    slot.unprepared = undefined;
    slot.missed = 0;
    const { sources, runtime = DEFAULT_RUNTIME, variables, size, log } = this.options;
    const Place = size === 0 ? OwnProcess : WorkerProcess;
    const process: WorkerLike = new Place({
      sources,
      runtime,
      code: this.code,
      ...(variables && { variables }),
      onMessage: (message) => this.hear(slot, message),
      onDeath: () => {
        if (slot.process === process && slot.state === 'ready') slot.state = 'leaving';
      },
      onExit: (reason) => this.replace(slot, reason),
      onBeat: () => {
        const wasSilent = slot.missed >= SUSPICIOUS;
        slot.missed = 0;
        if (wasSilent) this.onFree();
      },
      onLine: (line) => log?.(isChatter(line) ? 'worker mutters' : 'worker says', { pid: process.pid, line }),
    });
    return process;
  }

  private hear(slot: Slot, message: FromWorker): void {
    if (message.kind === 'ready') {
      slot.state = 'ready';
      slot.failedStarts = 0;
      this.backends = message.backends;
      this.isPrepared = true;
      this.settleReady.resolve();
      return this.onFree();
    }
    if (message.kind === 'unprepared') {
      slot.unprepared = message.reason;
      return;
    }
    const { running } = slot;
    if (running?.number !== message.number) return;
    switch (message.kind) {
      case 'progress':
        return running.onProgress(message.progress);
      case 'done':
        running.end(message.evaluation);
        return this.onFree();
      case 'cancelled':
        running.end(running.verdict ?? unscored('cancelled', 'cancelled on request'));
        return this.onFree();
      case 'threw':
        slot.state = 'leaving';
        return running.end({ ...unscored('failed', message.reason), ...(message.uncreated && { uncreated: true }) });
      case 'drawn': // for painter.ts, which has a process of its own
    }
  }

  /** Called when a process has ended: ends its evaluation too, and starts another process in its place. */
  private replace(slot: Slot, end: string): void {
    if (this.stopped) return;
    const { state, running } = slot;
    const reason = slot.unprepared ?? end;
    slot.state = 'starting';
    const isMeant = running?.signal.aborted || typeof running?.verdict === 'object';
    if (!isMeant) {
      this.restarts++;
      // Before any worker is ready, `ready` tells the reason.
      if (this.isPrepared) this.options.log?.('worker ended', { pid: slot.process.pid, reason });
    }
    running?.end(
      running.signal.aborted ? unscored('cancelled', reason) : (running.verdict ?? unscored('failed', reason)),
    );
    if (state === 'starting') this.startFailed(slot, reason);
    else slot.failedStarts = 0;
    const waitMs = slot.failedStarts === 0 ? 0 : Math.min(LONGEST_RETRY_MS, 100 * 2 ** slot.failedStarts);
    const retry = setTimeout(() => {
      this.retries.delete(retry);
      slot.process = this.fork(slot);
    }, waitMs);
    this.retries.add(retry);
  }

  private startFailed(slot: Slot, reason: string): void {
    slot.failedStarts++;
    this.settleReady.reject(new Error(reason));
    if (/\b(EMFILE|ENFILE|EAGAIN|ENOMEM)\b/.test(reason)) return; // the machine has too little at the moment
    if (this.slots.every(({ failedStarts }) => failedStarts >= HOPELESS_STARTS)) this.onHopeless(reason);
  }
}

function isFree({ state, running, missed }: Slot): boolean {
  return state === 'ready' && running === undefined && missed < SUSPICIOUS;
}
