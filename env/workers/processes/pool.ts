/** Where evaluations run: a row of worker processes, fed fairly from one queue. */
import type { Evaluation } from '../../evaluate.ts';
import { DEFAULT_RUNTIME, type Runtime } from '../../runtime.ts';
import { unscored, type Assignment, type Slot, type SubmitOptions, type Ticket } from './assignment.ts';
import { FairQueue } from '../fair-queue.ts';
import type { FromWorker, Job, JobOutcome } from '../job.ts';
import { OwnProcess } from './own-process.ts';
import { isChatter, WorkerProcess, type WorkerLike } from './worker-process.ts';

export type { Ticket } from './assignment.ts';

export interface PoolOptions {
  /** How many processes; 0 for none, and evaluations in this one (see own-process.ts). */
  readonly size: number;
  /** Experiments that are loaded before a worker calls itself ready. */
  readonly sources: readonly string[];
  /** With which they are loaded; the default one when left out. */
  readonly runtime?: Runtime;
  readonly variables?: Readonly<Record<string, string>>;
  /** How long a cancelled evaluation may take to stop before its worker is killed. */
  readonly graceMs?: number;
  /** Told of every evaluation that ended. */
  readonly onOutcome?: (outcome: JobOutcome) => void;
  readonly log?: (event: string, details: Readonly<Record<string, unknown>>) => void;
}

const GRACE_MS = 2_000;
/** Who waits is told so this often. */
const QUEUE_REPORT_MS = 1_000;
/** So much work is given to a worker at once, where it is known how long a job takes … */
const CHUNK_MS = 2;
/** … and no more jobs than this. */
const CHUNK_JOBS = 64;
/** A worker that cannot start is tried again after 0.2 s, 0.4 s, … at most this long. */
const LONGEST_RETRY_MS = 10_000;
/** After so many failed starts of every worker in a row, what waits fails. */
const HOPELESS_STARTS = 3;

class PoolTicket implements Ticket {
  constructor(
    readonly done: Promise<JobOutcome>,
    private readonly assignment: Assignment,
    readonly cancel: () => void,
  ) {}

  get state(): Ticket['state'] {
    return this.assignment.state;
  }
}

/** The timing of an evaluation that did not come to its end. */
function waitedOnly({ started, submitted }: Assignment): JobOutcome['timing'] {
  return { queueMs: (started ?? performance.now()) - submitted, simulateMs: 0, trainMs: 0, validateMs: 0 };
}

export class WorkerPool {
  private readonly queue = new FairQueue<Assignment>();
  private readonly slots: Slot[] = [];
  private readonly retries = new Set<NodeJS.Timeout>();
  /** Of the jobs with these options, how long they took lately, in milliseconds. */
  private readonly cost = new WeakMap<Job['options'], number>();
  private feeding = false;
  private readonly queueReports: NodeJS.Timeout;
  private nextNumber = 0;
  private stopped = false;
  private backends: Readonly<Record<string, string>> = {};
  private settleReady!: { resolve: () => void; reject: (error: Error) => void };
  /** Settles with the first worker: rejects with its reason when that one cannot start. */
  readonly ready: Promise<void>;
  /** Workers that ended without being asked to. */
  crashes = 0;

  constructor(private readonly options: PoolOptions) {
    this.ready = new Promise((resolve, reject) => (this.settleReady = { resolve, reject }));
    this.ready.catch(() => {});
    this.queueReports = setInterval(() => this.reportQueue(), QUEUE_REPORT_MS).unref();
    for (let i = 0; i < this.size; i++) this.slots.push(this.start());
  }

  get size(): number {
    return Math.max(1, this.options.size);
  }

  get queued(): number {
    return this.queue.size;
  }

  get running(): number {
    return this.slots.filter((slot) => slot.assignments.size > 0).length;
  }

  /** Evaluations that a worker has, while `running` counts the workers that have some. */
  get evaluating(): number {
    return this.slots.reduce((sum, slot) => sum + slot.assignments.size, 0);
  }

  get readyWorkers(): number {
    return this.slots.filter((slot) => slot.state === 'ready').length;
  }

  get pids(): number[] {
    return this.slots.flatMap((slot) => slot.process.pid ?? []);
  }

  /** What an experiment says that it runs on, by its source. */
  backendOf(source: string): string | undefined {
    return this.backends[source];
  }

  submit(job: Job, options: SubmitOptions): Ticket {
    let resolve!: (outcome: JobOutcome) => void;
    const done = new Promise<JobOutcome>((settle) => (resolve = settle));
    const assignment: Assignment = {
      number: this.nextNumber++,
      job,
      options,
      submitted: performance.now(),
      resolve,
      timers: [],
      state: 'queued',
    };
    if (options.deadlineMs !== undefined) {
      assignment.timers.push(setTimeout(() => this.end(assignment, 'deadline'), options.deadlineMs));
    }
    this.queue.add(options.owner, assignment);
    this.feedSoon();
    return new PoolTicket(done, assignment, () => this.end(assignment, 'cancelled'));
  }

  /** Ends every evaluation as cancelled and every worker; no process is left when it resolves. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.queueReports);
    this.retries.forEach(clearTimeout);
    for (let waiting = this.queue.take(); waiting; waiting = this.queue.take()) {
      this.finish(waiting, unscored('cancelled', 'the server stopped'));
    }
    for (const slot of this.slots) {
      for (const assignment of slot.assignments.values()) {
        this.finish(assignment, unscored('cancelled', 'the server stopped'));
      }
      slot.process.kill();
    }
    await Promise.all(this.slots.map((slot) => slot.process.exited));
  }

  private start(): Slot {
    const slot = { state: 'starting', failedStarts: 0, assignments: new Map<number, Assignment>() } as Slot;
    slot.process = this.fork(slot);
    return slot;
  }

  private fork(slot: Slot): WorkerLike {
    slot.unprepared = undefined;
    const { sources, runtime = DEFAULT_RUNTIME, variables, size } = this.options;
    const Place = size === 0 ? OwnProcess : WorkerProcess;
    const process: WorkerLike = new Place({
      sources,
      runtime,
      ...(variables && { variables }),
      onMessage: (message) => this.hear(slot, message),
      onExit: (reason) => this.replace(slot, reason),
      onLine: (line) =>
        this.options.log?.(isChatter(line) ? 'worker mutters' : 'worker says', { pid: process.pid, line }),
    });
    return process;
  }

  private hear(slot: Slot, message: FromWorker): void {
    if (message.kind === 'ready') {
      slot.state = 'ready';
      slot.failedStarts = 0;
      this.backends = message.backends;
      this.settleReady.resolve();
      this.feed();
      return;
    }
    if (message.kind === 'unprepared') {
      slot.unprepared = message.reason;
      return;
    }
    if (message.kind === 'done') {
      for (const { number, evaluation } of message.results) {
        const done = slot.assignments.get(number);
        if (done) this.scored(done, evaluation);
      }
      return this.feed();
    }
    const assignment = slot.assignments.get(message.number);
    if (!assignment) return;
    switch (message.kind) {
      case 'progress':
        if (!assignment.stopping) assignment.options.onProgress?.({ ...message.progress, ...this.eta(assignment) });
        return;
      case 'cancelled':
        this.finish(assignment, this.stopOutcome(assignment));
        break;
      case 'threw':
        slot.state = 'leaving';
        this.finish(assignment, unscored('failed', message.reason));
        for (const other of slot.assignments.values()) this.requeue(other);
    }
    this.feed();
  }

  private scored(assignment: Assignment, evaluation: Evaluation): void {
    const { simulateMs, trainMs, validateMs } = evaluation.timing;
    const timing = { queueMs: assignment.started! - assignment.submitted, simulateMs, trainMs, validateMs };
    const { options } = assignment.job;
    const before = this.cost.get(options);
    const ms = simulateMs + trainMs + validateMs;
    this.cost.set(options, before === undefined ? ms : Math.max(ms, 0.8 * before + 0.2 * ms));
    this.finish(assignment, { ...evaluation, timing });
  }

  /** Time left: what evaluations with these options took lately, and for one that waits, its share of the queue. */
  private eta(assignment: Assignment): { etaMs?: number } {
    const ms = this.cost.get(assignment.job.options);
    if (ms === undefined) return {};
    const { started } = assignment;
    if (started !== undefined) return { etaMs: Math.max(0, ms - (performance.now() - started)) };
    return { etaMs: ms * (1 + this.queue.size / this.size) };
  }

  private reportQueue(): void {
    for (const assignment of this.queue.items()) {
      assignment.options.onProgress?.({ phase: 'queue', fraction: 0, ...this.eta(assignment) });
    }
  }

  /** Feeds when all that is submitted in this turn is there. */
  private feedSoon(): void {
    if (this.feeding) return;
    this.feeding = true;
    queueMicrotask(() => {
      this.feeding = false;
      this.feed();
    });
  }

  /** Hands waiting evaluations to free workers, fairly shared where several go at once. */
  private feed(): void {
    if (this.queue.size === 0) return;
    const free = this.slots.filter((slot) => slot.state === 'ready' && slot.assignments.size === 0);
    for (const [i, slot] of free.entries()) {
      if (this.queue.size === 0) return;
      const share = Math.ceil(this.queue.size / (free.length - i));
      const jobs = this.takeChunk(Math.min(share, CHUNK_JOBS)).map((assignment) => {
        assignment.state = 'running';
        assignment.started = performance.now();
        assignment.slot = slot;
        slot.assignments.set(assignment.number, assignment);
        const progress = assignment.options.onProgress !== undefined;
        return { number: assignment.number, job: assignment.job, progress };
      });
      slot.process.send({ kind: 'evaluate', jobs });
    }
  }

  /** The next job; with those after it while all of them are known to be done within CHUNK_MS. */
  private takeChunk(most: number): Assignment[] {
    const chunk: Assignment[] = [];
    let ms = 0;
    for (let next = this.queue.peek(); next && chunk.length < most; next = this.queue.peek()) {
      ms += next.alone ? Infinity : (this.cost.get(next.job.options) ?? Infinity);
      if (chunk.length > 0 && ms > CHUNK_MS) break;
      chunk.push(this.queue.take()!);
    }
    return chunk;
  }

  /** Gives back what a worker was given and has not begun, or nobody knows whether it has. */
  private requeue(assignment: Assignment): void {
    assignment.slot?.assignments.delete(assignment.number);
    assignment.slot = undefined;
    if (assignment.stopping) return this.finish(assignment, this.stopOutcome(assignment));
    assignment.state = 'queued';
    assignment.alone = true;
    this.queue.add(assignment.options.owner, assignment);
  }

  /** Ends an evaluation early: at once when it waits; after asking, and a grace, when it runs. */
  private end(assignment: Assignment, why: 'deadline' | 'cancelled'): void {
    if (assignment.state === 'finished' || assignment.stopping) return;
    assignment.stopping = why;
    if (this.queue.remove(assignment.options.owner, assignment)) {
      return this.finish(assignment, this.stopOutcome(assignment));
    }
    assignment.slot?.process.send({ kind: 'cancel', number: assignment.number });
    // A worker that does not answer is killed; what else it was given is run again elsewhere.
    const grace = setTimeout(() => assignment.slot?.process.kill(), this.options.graceMs ?? GRACE_MS);
    assignment.timers.push(grace);
  }

  private stopOutcome({ stopping, options }: Assignment): Omit<JobOutcome, 'timing'> {
    return stopping === 'deadline'
      ? unscored('deadline', `expected an end within ${options.deadlineMs} ms`)
      : unscored('cancelled', 'cancelled on request');
  }

  private finish(assignment: Assignment, given: Omit<JobOutcome, 'timing'> & Partial<JobOutcome>): void {
    assignment.timers.forEach(clearTimeout);
    assignment.state = 'finished';
    assignment.slot?.assignments.delete(assignment.number);
    assignment.slot = undefined;
    const outcome = given.timing ? (given as JobOutcome) : { ...given, timing: waitedOnly(assignment) };
    this.options.onOutcome?.(outcome);
    assignment.resolve(outcome);
  }

  /** A worker has ended: its evaluation ends with it, and another worker takes its place. */
  private replace(slot: Slot, end: string): void {
    if (this.stopped) return;
    const reason = slot.unprepared ?? end;
    const { state } = slot;
    const assignments = [...slot.assignments.values()];
    slot.state = 'starting';
    if (!assignments.some(({ stopping }) => stopping)) {
      this.crashes++;
      this.options.log?.('worker ended', { pid: slot.process.pid, reason });
    }
    const [only] = assignments;
    if (assignments.length === 1 && !only!.stopping) this.finish(only!, unscored('failed', reason));
    // Which of several has ended the worker nobody knows: each gets a worker for itself.
    else for (const assignment of assignments) this.requeue(assignment);
    if (state === 'starting') this.startFailed(slot, reason);
    else slot.failedStarts = 0;
    const waitMs = slot.failedStarts === 0 ? 0 : Math.min(LONGEST_RETRY_MS, 100 * 2 ** slot.failedStarts);
    const retry = setTimeout(() => {
      this.retries.delete(retry);
      slot.process = this.fork(slot);
    }, waitMs);
    this.retries.add(retry);
  }

  /** Where no worker starts any more, what waits fails with the reason instead of waiting for ever. */
  private startFailed(slot: Slot, reason: string): void {
    slot.failedStarts++;
    this.settleReady.reject(new Error(reason));
    if (this.slots.some((other) => other.failedStarts < HOPELESS_STARTS)) return;
    for (let waiting = this.queue.take(); waiting; waiting = this.queue.take()) {
      this.finish(waiting, unscored('failed', `no worker starts: ${reason}`));
    }
  }
}
