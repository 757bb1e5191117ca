import { hostname } from 'node:os';
import { Queue, QueueEvents, Relay, Worker, type RedisOptions } from 'bullmq';
import type { Evaluation, EvaluationProgress } from '../../evaluate.ts';
import { contentHash } from '../../experiments/identity.ts';
import { unscored, type Job, type WorkerInfo } from '../evaluations.ts';
import type { Workers } from '../queued-evaluations.ts';
import {
  areEqual,
  BEAT_MS,
  programId,
  queueName,
  SILENT_MS,
  TOPICS,
  type JobProgress,
  type JobResult,
  type Offer,
  type QueuedJob,
  type Terms,
  type WorkerRecord,
} from './pool.ts';
import { checkRedis, PREFIX, redisOptions, within, withoutPassword } from './redis.ts';

export interface QueueWorkersOptions {
  readonly url: string;
  /** The environments by source, as jobs name them; the terms name them by id. */
  readonly idOf: Readonly<Record<string, string>>;
  readonly offer: Omit<Offer, 'server' | 'host'>;
  /** Whether evaluations that run go on when the server stops, since the next one takes them up. */
  readonly outlives: boolean;
  /** The time that a worker has to end an evaluation that is cancelled; after it, nobody waits for the worker. */
  readonly graceMs: number;
  readonly log?: (event: string, details: Readonly<Record<string, unknown>>) => void;
}

/** How long a finished evaluation stays in Redis for a server that was away, and how many do. */
const KEPT = { age: 24 * 3600, count: 10_000 };
/** How long the terms stay in Redis without a server. */
const OFFER_KEPT_MS = 30 * 24 * 3600 * 1000;
/** An evaluation of which nothing has been heard for so long is looked for in Redis. */
const LOOK_AFTER_MS = 5_000;
/** The time that a Redis has to answer when the server stops. */
const CLOSE_MS = 3_000;
/** The time between two requests to cancel. */
const CANCEL_AGAIN_MS = 500;
/** The time between two searches for evaluations whose worker has lost its lock. */
export const STALLED_EVERY_MS = 10_000;
/** A worker that vanishes takes an evaluation along at most this number of times; then the evaluation may be the cause. */
export const MOST_STALLS = 3;

/** An evaluation that was given to Redis. */
interface Given {
  readonly job: Job;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: EvaluationProgress) => void;
  readonly end: (evaluation: Evaluation | 'returned') => void;
  /** The worker that runs it; undefined while it waits. */
  worker?: string | undefined;
  heardAt: number;
}

/** A worker program that has said that it is there. */
interface Known {
  readonly record: WorkerRecord;
  readonly heardAt: number;
  /** The last event that was logged of it. */
  said?: string | undefined;
}

/** What is open while the pool's queue is known. */
interface Open {
  readonly queue: Queue<QueuedJob, JobResult>;
  readonly events: QueueEvents;
  /** Takes no job; it only looks for those whose worker has vanished, so that they move though no worker is left. */
  readonly checker: Worker;
}

/**
 * Workers on any machine, which take evaluations from BullMQ. Redis is given only as many as these workers have places, so
 * the server's own queue decides the order, and little is lost with a Redis.
 */
export class QueueWorkers implements Workers {
  onFree: () => void = () => {};
  /** Never called: workers may come at any time. */
  onHopeless: (reason: string) => void = () => {};
  readonly ready = Promise.resolve();
  /** The number of evaluations that have moved to another worker since theirs had vanished. */
  restarts = 0;
  private readonly id: string;
  private readonly connection: RedisOptions;
  private readonly known = new Map<string, Known>();
  private readonly given = new Map<string, Given>();
  private relay: Relay | undefined;
  private open: Open | undefined;
  private offer: Offer;
  private beat: NodeJS.Timeout | undefined;
  private trouble: string | undefined;
  private closed = false;

  constructor(private readonly options: QueueWorkersOptions) {
    this.connection = redisOptions(options.url);
    this.id = programId();
    this.offer = { ...options.offer, server: this.id, host: hostname() };
  }

  /**
   * Offers evaluations to workers.
   *
   * @param backends of this server's own processes, where it has any; otherwise the first worker's
   * @throws {Error} when Redis does not answer, loses data of its own accord, or another server has other terms there
   */
  async start(backends: Terms['backends']): Promise<void> {
    const warning = await checkRedis(this.options.url);
    if (warning !== undefined) this.log('queue warns', { warning });
    this.agree({ ...this.offer.terms, backends: this.offer.terms.backends ?? backends });
    this.relay = new Relay({ connection: this.connection, prefix: PREFIX, nodeId: this.id, namespace: 'pool' });
    this.relay.on('error', (error: Error) => this.stumble(error));
    await this.relay.waitUntilReady();
    await this.meetOthers(this.relay);
    await this.relay.subscribe<WorkerRecord>(TOPICS.workers, ({ data }) => this.hear(data));
    this.beat = setInterval(() => this.tick(), BEAT_MS);
    this.tick();
  }

  get list(): WorkerInfo[] {
    return [...this.known.values()].map((one): WorkerInfo => {
      const { state, ...rest } = one.record;
      return { ...rest, state: state === 'gone' || !isLive(one) ? 'silent' : state };
    });
  }

  get size(): number {
    return this.places;
  }

  get readyCount(): number {
    return this.places;
  }

  get runningCount(): number {
    return this.given.size;
  }

  get hasFree(): boolean {
    if (!this.open || this.trouble !== undefined || this.closed) return false;
    let taken = 0;
    for (const { worker } of this.given.values()) {
      const one = worker === undefined ? undefined : this.known.get(worker);
      if (worker === undefined || (one && isLive(one))) taken++; // what a silent worker runs takes no place of the others
    }
    return taken < this.places;
  }

  /** Why Redis cannot be reached at the moment; undefined if it can. */
  get failure(): string | undefined {
    return this.trouble;
  }

  /** An evaluation says its backend itself. */
  backendOf(): undefined {
    return undefined;
  }

  run(job: Job, signal: AbortSignal, onProgress: Given['onProgress']): Promise<Evaluation | 'returned'> {
    if (!this.hasFree) throw new RangeError('run: expected a free worker, got none');
    return new Promise((resolve) => {
      let again: NodeJS.Timeout | undefined;
      let grace: NodeJS.Timeout | undefined;
      const cancel = () => {
        void this.cancel(given);
        again = setInterval(() => void this.cancel(given), CANCEL_AGAIN_MS);
        grace = setTimeout(() => given.end(unscored('cancelled', 'its worker does not answer')), this.options.graceMs);
      };
      const end = (evaluation: Evaluation | 'returned') => {
        clearInterval(again);
        clearTimeout(grace);
        signal.removeEventListener('abort', cancel);
        this.given.delete(job.id);
        resolve(evaluation);
        if (!this.closed) this.onFree();
      };
      const given: Given = { job, signal, onProgress, end, heardAt: performance.now() };
      this.given.set(job.id, given);
      signal.addEventListener('abort', cancel, { once: true });
      if (signal.aborted) cancel();
      else void this.add(given);
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.beat);
    const given = [...this.given.values()];
    for (const one of given) one.end(unscored('cancelled', 'the server stopped'));
    const cancelled = this.options.outlives ? [] : given.map((one) => this.cancel(one));
    const closing = Promise.all(cancelled).then(() => Promise.all([this.shut(), this.relay?.close()]));
    await within(CLOSE_MS, closing);
  }

  /** @throws {Error} when a server that runs has other terms; takes over the backends of an earlier one */
  private async meetOthers(relay: Relay): Promise<void> {
    let heard: Offer | undefined;
    let runs = false;
    const subscription = await relay.subscribe<Offer>(TOPICS.offer, ({ data, retained }) => {
      if (data.server === this.id) return;
      heard = data;
      if (!retained) runs = true;
    });
    // The server that left it may run or not; it says so every second.
    const fits = !heard || areEqual(heard.terms, this.offer.terms);
    const isAlike = fits && (!heard || contentHash(workOf(heard)) === contentHash(workOf(this.offer)));
    if (heard && !isAlike) {
      await new Promise((resolve) => setTimeout(resolve, 2 * BEAT_MS));
      if (runs) {
        const { host, terms } = heard;
        const theirs = `that of the server on ${host} (${terms.build}; ${terms.environments.map(({ id }) => id).join(', ')}; ${JSON.stringify(workOf(heard))})`;
        const how =
          'a Redis, or a database of it (redis://host:port/1), for each build, set of environments, data, backend and longest evaluation';
        throw new Error(`--queue: expected ${how}, got ${theirs}`);
      }
    }
    if (heard && !fits) await this.forget(heard.terms);
    else if (heard) this.agree({ ...this.offer.terms, backends: this.offer.terms.backends ?? heard.terms.backends });
    await subscription.unsubscribe();
  }

  /** Removes what an earlier server with other terms has left in Redis. */
  private async forget(terms: Terms): Promise<void> {
    const name = queueName(terms);
    if (name === undefined) return;
    const queue = new Queue(name, { connection: this.connection, prefix: PREFIX });
    await queue.obliterate({ force: true });
    await queue.close();
  }

  /** Sets the terms, and opens their queue if it is known. */
  private agree(terms: Terms): void {
    this.offer = { ...this.offer, terms };
    const name = queueName(terms);
    if (name === undefined || this.open) return;
    const options = { connection: this.connection, prefix: PREFIX };
    const { lockMs } = this.offer;
    const queue = new Queue<QueuedJob, JobResult>(name, options);
    // From the beginning: an end that came while nobody listened counts, and a stream without a place is read from "now" on
    // each time that it is read, which leaves gaps.
    const events = new QueueEvents(name, { ...options, lastEventId: '0-0' });
    const stalledInterval = Math.min(STALLED_EVERY_MS, lockMs);
    const checker = new Worker(name, null, {
      ...options,
      autorun: false,
      lockDuration: lockMs,
      stalledInterval,
      maxStalledCount: MOST_STALLS,
    });
    const stumble = (error: Error) => this.stumble(error);
    queue.on('error', stumble);
    events.on('error', stumble);
    checker.on('error', stumble);
    events.on('progress', ({ jobId, data }) => this.advance(jobId, data as unknown as JobProgress));
    events.on('completed', ({ jobId, returnvalue }) => this.complete(jobId, returnvalue as unknown as JobResult));
    events.on('failed', ({ jobId, failedReason }) => this.fail(jobId, failedReason));
    events.on('waiting', ({ jobId }) => this.moved(jobId));
    events.on('stalled', ({ jobId }) => this.stalled(jobId));
    events.on('duplicated', ({ jobId }) => void this.look(jobId));
    void checker.startStalledCheckTimer();
    this.open = { queue, events, checker };
    this.onFree();
  }

  private async shut(): Promise<void> {
    if (!this.open) return;
    const { queue, events, checker } = this.open;
    await Promise.all([queue.close(), events.close(), checker.close(true)]);
  }

  /** Once a second. */
  private tick(): void {
    if (!this.relay) return;
    this.relay.publish(TOPICS.offer, this.offer, { retain: OFFER_KEPT_MS }).then(
      () => this.recover(),
      (error: Error) => this.stumble(error),
    );
    const now = performance.now();
    for (const [id, one] of this.known) {
      const silentMs = now - one.heardAt;
      if (one.record.state === 'gone' || silentMs > 60 * SILENT_MS) this.known.delete(id);
      else if (silentMs > SILENT_MS) this.say(one, 'worker silent', {});
    }
    for (const [id, given] of this.given) {
      if (now - given.heardAt < LOOK_AFTER_MS) continue;
      given.heardAt = now;
      void this.look(id);
    }
    this.onFree(); // a place may have come free without a word, with a worker that is silent
  }

  private hear(record: WorkerRecord): void {
    const known = this.known.get(record.id);
    const one: Known = { record, heardAt: performance.now(), said: known?.said };
    this.known.set(record.id, one);
    const { terms } = this.offer;
    const { state, reason, backends } = record;
    if (state === 'refused') this.say(one, 'worker refused', { reason });
    else if (state === 'preparing') this.say(one, 'worker prepares', {});
    else this.say(one, state === 'ready' ? 'worker joined' : `worker ${state}`, {});
    // A worker that is not refused by now fits in all else.
    if (state === 'preparing' && backends && !terms.backends && record.build === terms.build) {
      this.agree({ ...terms, backends });
    }
    this.onFree();
  }

  /** Logs an event of a worker, unless it was the last that was logged of it. */
  private say(one: Known, event: string, details: object): void {
    const said = contentHash([event, details]);
    if (one.said === said) return;
    one.said = said;
    const { id, host, places } = one.record;
    this.log(event, { worker: id, host, places, ...details });
  }

  private get places(): number {
    let places = 0;
    for (const one of this.known.values()) if (one.record.state === 'ready' && isLive(one)) places += one.record.places;
    return places;
  }

  private async add({ job }: Given): Promise<void> {
    const { id, source, options, content, request } = job;
    const data: QueuedJob = { environment: this.options.idOf[source]!, options, content, request };
    try {
      // If it is there already, from before a restart, it stays as it is: `duplicated`.
      await this.open!.queue.add('evaluation', data, { jobId: id, removeOnComplete: KEPT, removeOnFail: KEPT });
    } catch (error) {
      this.stumble(error as Error);
    }
  }

  /** Looks for an evaluation in Redis: it may have ended while nobody listened, or be gone with a Redis that lost data. */
  private async look(id: string): Promise<void> {
    const { queue } = this.open!;
    try {
      const found = await queue.getJob(id);
      const given = this.given.get(id);
      if (!given || this.closed) return;
      if (!found) return await this.add(given);
      if (found.finishedOn === undefined) {
        const isIdle = this.places === 0 && (await found.getState()) === 'waiting';
        if (isIdle && (await queue.remove(id)) === 1) given.end('returned');
        return;
      }
      // It was cancelled for somebody else, before a restart.
      const isCancelled = found.returnvalue?.evaluation.outcome === 'cancelled' && !given.signal.aborted;
      if (isCancelled) {
        await queue.remove(id);
        await this.add(given);
      } else if (found.returnvalue) this.complete(id, found.returnvalue);
      else this.fail(id, found.failedReason ?? '');
    } catch (error) {
      if (!this.closed) this.stumble(error as Error);
    }
  }

  private advance(id: string, { worker, progress }: JobProgress): void {
    const given = this.given.get(id);
    if (!given) return;
    given.worker = worker;
    given.heardAt = performance.now();
    if (given.signal.aborted) void this.cancel(given);
    else given.onProgress(progress);
  }

  private complete(id: string, { evaluation, early }: JobResult): void {
    const given = this.given.get(id);
    if (!given) return;
    if (evaluation.outcome === 'cancelled' && !given.signal.aborted) return void this.look(id);
    for (const progress of early) if (!given.signal.aborted) given.onProgress(progress);
    given.end(evaluation);
  }

  private fail(id: string, reason: string): void {
    const isStalled = /stalled/.test(reason);
    const sentence = `its worker vanished, ${MOST_STALLS + 1} times`;
    this.given.get(id)?.end(unscored('failed', isStalled ? sentence : `its worker could not run it: ${reason}`));
  }

  /** An evaluation waits for a worker again. */
  private moved(id: string): void {
    const given = this.given.get(id);
    if (given) given.worker = undefined;
  }

  private stalled(id: string): void {
    const given = this.given.get(id);
    if (!given) return;
    this.restarts++;
    this.log('evaluation moves', { job: id, worker: given.worker });
    given.worker = undefined;
  }

  /** Takes an evaluation back from Redis, or asks its worker to end it. */
  private async cancel({ job, worker, end }: Given): Promise<void> {
    try {
      if (worker !== undefined) await this.relay!.publish(TOPICS.cancel(worker), { job: job.id });
      else if ((await this.open!.queue.remove(job.id)) === 1) end(unscored('cancelled', 'cancelled on request'));
    } catch (error) {
      this.stumble(error as Error);
    }
  }

  private stumble({ message, code = 'no connection' }: NodeJS.ErrnoException): void {
    const reason = message || code;
    if (this.closed || this.trouble !== undefined || !this.beat) return;
    this.trouble = reason;
    this.log('queue lost', { queue: withoutPassword(this.options.url), reason });
  }

  private recover(): void {
    if (this.trouble === undefined || this.closed) return;
    this.trouble = undefined;
    this.log('queue found again', {});
    this.onFree();
  }

  private log(event: string, details: Readonly<Record<string, unknown>>): void {
    this.options.log?.(event, details);
  }
}

/** Whether a worker program has shown a sign of life lately. */
function isLive({ heardAt }: Known): boolean {
  return performance.now() - heardAt <= SILENT_MS;
}

/** What else two servers must agree on, since a worker can obey one of them only. */
const workOf = ({ data, backend, longestMs, lockMs }: Offer) => ({ data, backend, longestMs, lockMs });
