import { hash, randomBytes, randomUUID } from 'node:crypto';
import { ProtocolError, shown, type CloseCode } from '../../protocol/errors.ts';
import type { Limits, MessageId, ServerMessage, ServerMessages, Specification } from '../../protocol/messages.ts';
import type { Seed } from '../../protocol/random.ts';
import { pinnedSeeds, observationOf } from '../environment.ts';
import { EpisodeStream } from '../episodes.ts';
import { evaluationSeeds } from '../evaluate.ts';
import type { Experiment } from '../experiments/experiment.ts';
import type { Runtime } from '../runtime.ts';
import type { JobOutcome, JobProgress } from '../workers/job.ts';
import type { Ticket, WorkerPool } from '../workers/processes/pool.ts';
import { decodedTheta, requestHash, resultOf, type StepItem } from './step.ts';
import { SeenIds } from './seen-ids.ts';
import type { Journal, SessionRecord } from './journal.ts';
import type { StepRecord } from './step-record.ts';

type Result = ServerMessages['result'];

/** Where a session's messages go: a connection, while there is one. */
export interface Listener {
  send(message: ServerMessage): void;
  close(code: CloseCode): void;
}

export interface SessionOptions {
  readonly source: string;
  readonly runtime: Runtime;
  readonly experiment: Experiment;
  readonly spec: Specification;
  readonly seed: Seed;
  readonly detachGraceMs: number;
  readonly limits: Limits;
  readonly build: string;
  readonly pool: WorkerPool;
  readonly journal: Journal;
  /** Nothing is queued or running any more. */
  readonly onIdle: () => void;
}

/** A step that is queued or running. */
interface RunningStep {
  readonly record: StepRecord;
  /** The latest request that asked for it; null where that was before the server started. */
  re: MessageId | null;
  progress: boolean;
  ticket: Ticket | undefined;
  /** Called with the result, once: a batch counts them. */
  waiting: ((result: Result) => void)[];
}

/**
 * One open environment of one client. It outlives its sockets, and with a journal on the disk the server's process:
 * steps go on while nobody listens, and results are kept until they are acknowledged.
 */
export class Session {
  readonly id: string;
  readonly episodes: EpisodeStream;
  /** Counts the connections that the session has had. */
  private epochs: number;
  private listener: Listener | undefined;
  private readonly running = new Map<string, RunningStep>();
  private accepted: number;
  private acknowledged: number;
  private seq: number;
  private tests: number;
  private tokenHash: string;
  /** Still good until the client has shown that it got the new one: the reply that carried it may be lost. */
  private previousTokenHash: string | undefined;
  private ended = false;
  /** Of a session of an earlier process nobody knows which ids it has seen: the journal is asked for each. */
  private readonly seen: SeenIds | undefined;

  /** @param record of a session of an earlier process, which goes on */
  constructor(
    readonly options: SessionOptions,
    record?: SessionRecord,
  ) {
    this.id = record?.id ?? randomUUID();
    this.seen = record ? undefined : new SeenIds();
    this.episodes = new EpisodeStream(record?.episodes ?? options.seed);
    this.epochs = record?.epoch ?? 0;
    this.accepted = record?.steps ?? 0;
    this.acknowledged = record?.acknowledged ?? 0;
    this.tokenHash = record?.tokenHash ?? '';
    this.previousTokenHash = record?.previousTokenHash;
    const { results, tests } = record ? options.journal.counts(record.id) : { results: 0, tests: 0 };
    this.seq = results;
    this.tests = tests;
    if (record) for (const step of options.journal.unfinishedSteps(record.id)) this.run(step);
  }

  get busy(): boolean {
    return this.running.size > 0;
  }

  get attached(): boolean {
    return this.listener !== undefined;
  }

  /** How many steps have looked at the test set. */
  get testEvaluations(): number {
    return this.tests;
  }

  get epoch(): number {
    return this.epochs;
  }

  /** What a person who looks on is told. */
  get summary() {
    const { spec } = this.options;
    return {
      session_id: this.id,
      env_id: spec.env_id,
      spec_hash: spec.spec_hash,
      attached: this.attached,
      epoch: this.epochs,
      in_flight: this.running.size,
      results: this.seq,
      acknowledged: this.acknowledged,
      test_evaluations: this.tests,
    };
  }

  isHeardBy(listener: Listener): boolean {
    return this.listener === listener;
  }

  isToken(token: string): boolean {
    const hash = hashOf(token);
    return hash === this.tokenHash || hash === this.previousTokenHash;
  }

  /**
   * Gives the session to a connection, under a new epoch and a new token; `previous` had it before.
   *
   * @param shown the token that the client resumes with: it works until the client has shown that it got the new one,
   *   however often the reply with a new one is lost
   */
  attach(listener: Listener, shown?: string): { token: string; previous: Listener | undefined } {
    const previous = this.listener;
    const token = randomBytes(24).toString('base64url');
    this.listener = listener;
    this.epochs++;
    this.previousTokenHash = shown === undefined ? undefined : hashOf(shown);
    this.tokenHash = hashOf(token);
    this.save();
    return { token, previous };
  }

  /** The client has used the connection that the newest token was sent on. */
  confirmToken(): void {
    if (this.previousTokenHash === undefined) return;
    this.previousTokenHash = undefined;
    this.save();
  }

  /** Takes the session from a connection; the late close of an old one does nothing. */
  detach(listener: Listener): boolean {
    if (this.listener !== listener) return false;
    this.listener = undefined;
    return true;
  }

  reset(seed?: Seed): number[] {
    this.episodes.reset(seed);
    this.save();
    return observationOf(this.options.experiment.task.metrics);
  }

  /**
   * Accepts a step, or finds it where the same step was sent before.
   *
   * @param onResult called with the result, also where there is one already
   * @throws {ProtocolError} and then nothing has changed
   */
  step(
    item: StepItem,
    ask: { re: MessageId; progress: boolean; onResult?: (result: Result) => void },
  ): ServerMessages['accepted']['steps'][number]['state'] {
    const hash = requestHash(item);
    const running = this.running.get(item.step_id);
    const finished = running ? undefined : this.findFinished(item.step_id);
    const known = running?.record ?? finished;
    if (known && known.hash !== hash) {
      const message = `step_id: expected a new one for a different request, got ${item.step_id} again`;
      throw new ProtocolError('STEP_ID_CONFLICT', message, { at: '/step_id', got: shown(item.step_id) });
    }
    if (finished) {
      const result = finished.result!;
      // After the reply that says so.
      setImmediate(() => {
        if (this.ended) return;
        this.listener?.send({ ...result, re: ask.re, replayed: true });
        ask.onResult?.(result);
      });
      return 'replayed';
    }
    const step = running ?? this.accept(item, hash, ask.progress);
    step.re = ask.re;
    step.progress = ask.progress;
    if (ask.onResult) step.waiting.push(ask.onResult);
    return running ? 'attached' : 'queued';
  }

  private findFinished(stepId: string): ReturnType<Journal['findStep']> {
    return this.seen?.mayHave(stepId) === false ? undefined : this.options.journal.findStep(this.id, stepId);
  }

  /** @throws {ProtocolError} STEP_NOT_FOUND */
  cancel(stepId: string): 'queued' | 'running' | 'finished' {
    const step = this.running.get(stepId);
    if (!step && !this.findFinished(stepId)) {
      throw new ProtocolError('STEP_NOT_FOUND', `step_id: expected a step of this session, got ${stepId}`);
    }
    const state = step?.ticket?.state ?? 'finished';
    // After the reply: a waiting step ends at once.
    queueMicrotask(() => step?.ticket?.cancel());
    return state;
  }

  /** Cancels what is queued or running, and says and writes nothing more. */
  end(): void {
    this.ended = true;
    this.listener = undefined;
    for (const step of this.running.values()) step.ticket?.cancel();
  }

  acknowledge(seq: number): void {
    this.acknowledged = Math.max(this.acknowledged, Math.min(seq, this.seq));
    this.save();
  }

  /**
   * What a resuming client has missed: finished results after `lastSeq`, and the steps that still run.
   *
   * @throws {ProtocolError} RESUME_GAP when it asks for results that it has acknowledged, or that there are not yet
   */
  missedSince(lastSeq: number): { results: Result[]; inFlight: string[] } {
    if (lastSeq < this.acknowledged || lastSeq > this.seq) {
      const rule = `${this.acknowledged}..${this.seq}`;
      throw new ProtocolError('RESUME_GAP', `last_seq: expected ${rule}, got ${lastSeq}`, { at: '/last_seq' });
    }
    this.acknowledge(lastSeq);
    // What is just being written goes to the old connection, rather than twice to the new one.
    this.options.journal.flush();
    const results = this.options.journal.resultsSince(this.id, lastSeq);
    return {
      results: results.map((result) => ({ ...result, re: null, replayed: true })),
      inFlight: [...this.running.keys()],
    };
  }

  /** Takes on a new step; who wants its progress gets early scores with it. */
  private accept(item: StepItem, hash: string, earlyScores: boolean): RunningStep {
    this.checkLimits(item);
    const theta = decodedTheta(this.options.experiment, item);
    const seed = this.episodes.begin(item);
    const seeds = evaluationSeeds(seed, pinnedSeeds(item.seeds));
    const request = { theta, seeds, test: item.test ?? false, ...(earlyScores && { earlyScores }) };
    if (request.test) this.tests++;
    const record: StepRecord = {
      id: item.step_id,
      hash,
      seed,
      request,
      deadlineMs: item.deadline_ms,
      number: ++this.accepted,
      episodes: this.episodes.state,
      acceptedAt: Date.now(),
    };
    this.seen?.add(item.step_id);
    this.options.journal.addStep(this.id, record);
    return this.run(record);
  }

  private checkLimits(item: StepItem): void {
    const { pool, limits } = this.options;
    if (!this.episodes.allows(item)) {
      throw new ProtocolError(
        'NEEDS_RESET',
        'step: expected reset before it (an episode is one step), got an ended episode',
      );
    }
    const later = { retryAfterMs: 1000 };
    if (this.running.size >= limits.max_in_flight) {
      throw new ProtocolError('BUSY', `step: expected at most ${limits.max_in_flight} in flight in a session`, later);
    }
    if (this.seq - this.acknowledged + this.running.size >= limits.max_unacknowledged) {
      const message = `step: expected at most ${limits.max_unacknowledged} results that are not acknowledged`;
      throw new ProtocolError('BUSY', message, later);
    }
    if (pool.queued >= limits.queue_depth) {
      throw new ProtocolError('QUEUE_FULL', `step: expected at most ${limits.queue_depth} waiting`, later);
    }
  }

  private run(record: StepRecord): RunningStep {
    const { pool, source, runtime, spec } = this.options;
    const step: RunningStep = { record, re: null, progress: false, waiting: [], ticket: undefined };
    this.running.set(record.id, step);
    step.ticket = pool.submit(
      { source, options: spec.options, runtime, request: record.request },
      { owner: this.id, deadlineMs: record.deadlineMs, onProgress: (progress) => this.report(step, progress) },
    );
    void step.ticket.done.then((outcome) => this.finish(step, outcome));
    return step;
  }

  private report(step: RunningStep, { phase, fraction, metrics, etaMs }: JobProgress): void {
    if (!step.progress) return;
    const place = { re: step.re, session_id: this.id, step_id: step.record.id };
    const finite = metrics && Object.fromEntries(Object.entries(metrics).filter(([, value]) => Number.isFinite(value)));
    this.listener?.send({
      t: 'progress',
      ...place,
      phase,
      fraction,
      ...(finite && { metrics: finite }),
      ...(etaMs !== undefined && { eta_ms: etaMs }),
    });
  }

  private finish(step: RunningStep, outcome: JobOutcome): void {
    if (this.ended) return;
    const { record, re } = step;
    const result = resultOf(this, record, outcome, { re, seq: ++this.seq });
    this.running.delete(record.id);
    this.options.journal.addResult(record, result, () => {
      if (this.ended) return;
      this.listener?.send(result);
      step.waiting.forEach((tell) => tell(result));
      if (!this.busy) this.options.onIdle();
    });
  }

  private save(): void {
    const { journal, spec, detachGraceMs } = this.options;
    journal.saveSession({
      id: this.id,
      envId: spec.env_id,
      options: spec.options,
      specHash: spec.spec_hash,
      episodes: this.episodes.state,
      steps: this.accepted,
      epoch: this.epochs,
      tokenHash: this.tokenHash,
      previousTokenHash: this.previousTokenHash,
      detachGraceMs,
      acknowledged: this.acknowledged,
    });
  }
}

function hashOf(token: string): string {
  return hash('sha256', token);
}
