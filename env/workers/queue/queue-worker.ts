import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { Relay, WaitingError, Worker, type Job as RedisJob, type RedisOptions } from 'bullmq';
import type { EvaluationProgress } from '../../evaluate.ts';
import { contentHash } from '../../experiments/identity.ts';
import { loadDefinition } from '../../experiments/load.ts';
import type { BackendPreference, Runtime } from '../../runtime.ts';
import type { Evaluations } from '../evaluations.ts';
import { processEvaluations } from '../processes/process-evaluations.ts';
import {
  BEAT_MS,
  misfit,
  poolEnvironment,
  programId,
  queueName,
  TOPICS,
  type JobProgress,
  type JobResult,
  type Offer,
  type PoolEnvironment,
  type QueuedJob,
  type WorkerRecord,
} from './pool.ts';
import { backendsOf } from './queue-evaluations.ts';
import { MOST_STALLS, STALLED_EVERY_MS } from './queue-workers.ts';
import { PREFIX, redisOptions, within } from './redis.ts';

export interface QueueWorkerOptions {
  readonly url: string;
  /** The number of evaluations at once, each in a process of its own. */
  readonly places: number;
  /** As the server's: see QueueOptions. */
  readonly build: string;
  /** Paths of modules of environments that are not ours. */
  readonly modules: readonly string[];
  /** Folders of images by name. */
  readonly data: ReadonlyMap<string, string>;
  /** Weights, programs and files of this machine. */
  readonly runtime: Omit<Runtime, 'backend' | 'data'>;
  /** The server's when left out. */
  readonly backend?: BackendPreference | undefined;
  readonly log: (event: string, details: Readonly<Record<string, unknown>>) => void;
}

/** The least time between two reports of an evaluation's progress, except with scores. */
const PROGRESS_EVERY_MS = 500;
/** A worker that was refused looks again after this time: its files may have been mended. */
const TRY_AGAIN_MS = 30_000;

/** The time that a Redis has to answer when this program ends. */
const LAST_MS = 5_000;

/** Why an evaluation is aborted here. */
const CANCELLED = 'cancelled';
const GIVEN_BACK = 'given back';
const LOCK_LOST = 'another worker has it';

type Taken = RedisJob<QueuedJob, JobResult>;

/** What this program has made of an offer. */
interface Prepared {
  readonly offer: Offer;
  readonly evaluations: Evaluations;
  readonly runtime: Runtime;
  readonly sourceOf: ReadonlyMap<string, string>;
  readonly backends: Readonly<Record<string, string>>;
}

/**
 * Takes evaluations from Redis and runs them in child processes. This process never computes while it has any, so that it
 * renews its locks in time.
 */
export class QueueWorker {
  readonly id: string;
  private readonly connection: RedisOptions;
  private readonly relay: Relay;
  private offer: Offer | undefined;
  private prepared: Prepared | undefined;
  private taker: Worker<QueuedJob, JobResult> | undefined;
  private state: WorkerRecord['state'] = 'preparing';
  private reason: string | undefined;
  private running = 0;
  /** The joining that goes on; one at a time. */
  private joining = Promise.resolve();
  private again: NodeJS.Timeout | undefined;
  private trouble: string | undefined;
  private readonly beat: NodeJS.Timeout;
  private closing: Promise<void> | undefined;

  constructor(private readonly options: QueueWorkerOptions) {
    this.id = programId();
    this.connection = redisOptions(options.url);
    this.relay = new Relay({ connection: this.connection, prefix: PREFIX, nodeId: this.id, namespace: 'pool' });
    this.relay.on('error', (error: Error) => this.stumble(error));
    void this.listen();
    this.beat = setInterval(() => this.tell(), BEAT_MS);
  }

  /** Takes no more, gives what runs this long to end, gives the rest back, and ends. */
  async drain(ms: number): Promise<void> {
    if (this.closing) return this.closing;
    this.become('leaving');
    const closing = this.taker?.close();
    const until = performance.now() + ms;
    while (this.running > 0 && performance.now() < until) await pause(50);
    this.giveBack();
    await within(LAST_MS, closing);
    await this.stop();
  }

  /** Gives back what runs, and ends. */
  stop(): Promise<void> {
    this.closing ??= within(LAST_MS, this.close());
    return this.closing;
  }

  /** Aborts what runs; each evaluation then waits for another worker. */
  giveBack(): void {
    this.taker?.cancelAllJobs(GIVEN_BACK);
  }

  private async close(): Promise<void> {
    clearTimeout(this.again);
    clearInterval(this.beat);
    await this.leave();
    this.become('gone');
    await this.relay.close();
  }

  private async listen(): Promise<void> {
    try {
      await this.relay.waitUntilReady();
      await this.relay.subscribe<{ job: string }>(TOPICS.cancel(this.id), ({ data }) => {
        this.taker?.cancelJob(data.job, CANCELLED);
      });
      await this.relay.subscribe<Offer>(TOPICS.offer, ({ data }) => this.hear(data));
    } catch (error) {
      if (!this.closing) this.stumble(error as Error);
    }
  }

  /** An offer comes every second; only another one is looked at. */
  private hear(offer: Offer): void {
    this.recover();
    const isKnown = this.offer && contentHash(settingsOf(this.offer)) === contentHash(settingsOf(offer));
    this.offer = offer;
    if (!isKnown) this.join();
  }

  /** Looks at the offer, after what is being done. */
  private join(): void {
    clearTimeout(this.again);
    this.joining = this.joining
      .then(() => this.take())
      .catch((error: unknown) => this.refuse((error as Error).message));
  }

  /** Prepares for the offer, unless it is prepared, and takes evaluations if all fits. */
  private async take(): Promise<void> {
    const offer = this.offer!;
    if (this.closing || this.state === 'leaving') return;
    await this.leaveQueue();
    const prepared = this.prepared;
    if (!prepared || contentHash(coreOf(prepared.offer)) !== contentHash(coreOf(offer))) {
      await this.leave();
      this.become('preparing');
      this.options.log('preparing', { server: offer.host, environments: offer.terms.environments.map(({ id }) => id) });
      this.prepared = await this.prepare(offer);
    }
    const { backends } = this.prepared!;
    const reason = misfit(offer.terms, { ...offer.terms, backends });
    if (reason !== undefined) return this.refuse(reason);
    const name = queueName(offer.terms);
    if (name === undefined) return this.become('preparing'); // the server will choose the backends
    this.openQueue(name, offer);
    this.become('ready');
    this.options.log('ready', { server: offer.host, places: this.options.places, backends });
  }

  /** @throws {Error} in a sentence, when this worker does not fit, or cannot evaluate */
  private async prepare(offer: Offer): Promise<Prepared> {
    const { options } = this;
    const { terms, longestMs } = offer;
    const runtime: Runtime = {
      ...options.runtime,
      backend: options.backend ?? offer.backend,
      ...(offer.data !== undefined && { data: this.folderOf(offer.data) }),
    };
    const { build } = options;
    const before = misfit({ ...terms, environments: [] }, { build, environments: [] });
    if (before !== undefined) throw new Error(before);
    const sourceOf = await sourcesOf(terms.environments, options.modules);
    const environments = await Promise.all(
      [...sourceOf.values()].map(async (source) => poolEnvironment(source, await loadDefinition(source), runtime)),
    );
    const reason = misfit(terms, { build, environments });
    if (reason !== undefined) throw new Error(reason);
    const evaluations = processEvaluations({
      size: options.places,
      sources: [...sourceOf.values()],
      runtime,
      longestMs,
      log: options.log,
    });
    try {
      await evaluations.ready;
    } catch (error) {
      await evaluations.close();
      throw error;
    }
    const backends = backendsOf([...sourceOf.keys()], (id) => evaluations.backendOf(sourceOf.get(id)!));
    return { offer, evaluations, runtime, sourceOf, backends };
  }

  private folderOf(name: string): string {
    const folder = this.options.data.get(name);
    if (folder !== undefined) return folder;
    const known = [...this.options.data.keys()].join(', ') || 'none';
    throw new Error(`data: expected a folder for ${name} (--data ${name}=DIR), got ${known}`);
  }

  private openQueue(name: string, { lockMs }: Offer): void {
    const taker = new Worker<QueuedJob, JobResult>(name, (job, token, signal) => this.run(job, token!, signal!), {
      connection: this.connection,
      prefix: PREFIX,
      name: this.id,
      concurrency: this.options.places,
      lockDuration: lockMs,
      stalledInterval: Math.min(STALLED_EVERY_MS, lockMs),
      maxStalledCount: MOST_STALLS,
      runRetryDelay: BEAT_MS,
    });
    taker.on('error', (error) => this.stumble(error));
    taker.on('lockRenewalFailed', (jobs) => jobs.forEach((job) => taker.cancelJob(job, LOCK_LOST)));
    this.taker = taker;
  }

  private async run(job: Taken, token: string, signal: AbortSignal): Promise<JobResult> {
    const { evaluations, runtime, sourceOf } = this.prepared!;
    const { environment, options, content, request } = job.data;
    const source = sourceOf.get(environment)!;
    const early: EvaluationProgress[] = [];
    let told = -Infinity;
    const onProgress = (progress: EvaluationProgress) => {
      if (progress.phase === 'queue') return;
      if (progress.scored) early.push(progress);
      if (!progress.scored && performance.now() - told < PROGRESS_EVERY_MS) return;
      told = performance.now();
      const report: JobProgress = { worker: this.id, progress };
      job.updateProgress(report).catch((error: Error) => this.stumble(error));
    };
    this.running++;
    try {
      const work = { id: job.id!, source, options, runtime, content, request };
      const evaluation = await evaluations.submit(work, { owner: 'queue', signal: abortOf(signal), onProgress });
      if (evaluation.uncreated) {
        // Or it would be the fastest worker of all, and fail whatever the others could do.
        this.refuse(evaluation.reason!);
        await giveBack(job, token);
      }
      // Unless it has ended all the same.
      const isGivenBack = signal.aborted && signal.reason === GIVEN_BACK;
      if (isGivenBack && evaluation.outcome === 'cancelled') await giveBack(job, token);
      if (signal.aborted && signal.reason === LOCK_LOST) throw new Error(LOCK_LOST);
      const backend = evaluations.backendOf(source);
      return { evaluation: { ...evaluation, worker: this.id, ...(backend !== undefined && { backend }) }, early };
    } finally {
      this.running--;
    }
  }

  /** Takes no evaluations; what runs is given back. */
  private async leaveQueue(): Promise<void> {
    const { taker } = this;
    this.giveBack();
    await taker?.close();
    if (this.taker === taker) this.taker = undefined;
  }

  private async leave(): Promise<void> {
    await this.leaveQueue();
    const { prepared } = this;
    this.prepared = undefined;
    await prepared?.evaluations.close();
  }

  /** Takes no evaluations until something has changed. */
  private refuse(reason: string): void {
    if (this.closing || this.state === 'leaving') return;
    this.become('refused', reason);
    this.options.log('refused', { reason });
    this.joining = this.joining.then(() => this.leave());
    clearTimeout(this.again);
    this.again = setTimeout(() => this.join(), TRY_AGAIN_MS).unref();
  }

  private become(state: WorkerRecord['state'], reason?: string): void {
    this.state = state;
    this.reason = reason;
    this.tell();
  }

  private tell(): void {
    const { id, state, reason, running } = this;
    const { places, build } = this.options;
    const backends = this.prepared?.backends;
    const record: WorkerRecord = { id, host: hostname(), places, running, state, reason, build, backends };
    this.relay.publish(TOPICS.worker(id), record).then(
      () => this.recover(),
      (error: Error) => this.stumble(error),
    );
  }

  /** Says once that Redis is away; BullMQ tries again by itself. */
  private stumble({ message, code = 'no connection' }: NodeJS.ErrnoException): void {
    const reason = message || code;
    // What another worker has now, after a pause of this one: its late result is refused, as it should be.
    if (/lock for job|Missing key for job/.test(reason)) return this.options.log('evaluation lost', { reason });
    if (this.closing || this.trouble === reason) return;
    this.trouble = reason;
    this.options.log('queue lost', { reason });
  }

  private recover(): void {
    if (this.trouble === undefined) return;
    this.trouble = undefined;
    this.options.log('queue found again', {});
  }
}

/** What a worker must prepare anew when it changes. */
function coreOf({ terms, data, backend, longestMs }: Offer): unknown {
  return [terms.build, terms.environments, data, backend, longestMs];
}

/** All of an offer but who makes it. */
function settingsOf(offer: Offer): unknown {
  return [coreOf(offer), offer.terms.backends, offer.lockMs];
}

/** The source of each environment here, by id. @throws {Error} when a module cannot be loaded */
async function sourcesOf(
  environments: readonly PoolEnvironment[],
  modules: readonly string[],
): Promise<Map<string, string>> {
  const own = await Promise.all(modules.map(async (path) => [(await loadDefinition(path)).id, path] as const));
  const known = new Map(own);
  const wanted = environments.map(({ id, module }) => [id, module === undefined ? id : known.get(id)] as const);
  return new Map(wanted.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** Puts an evaluation back, for another worker. @throws {WaitingError} always: so BullMQ learns it */
async function giveBack(job: Taken, token: string): Promise<never> {
  await job.moveToWait(token);
  throw new WaitingError();
}

/** BullMQ's own signal as the platform's. */
function abortOf(signal: AbortSignal): AbortSignal {
  const stop = new AbortController();
  signal.addEventListener('abort', () => stop.abort(), { once: true });
  if (signal.aborted) stop.abort();
  return stop.signal;
}
