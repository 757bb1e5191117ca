import { hash, randomBytes, randomUUID } from 'node:crypto';
import { CLOSE_CODES, ProtocolError, shown, type CloseCode } from '../../protocol/errors.ts';
import {
  NOTE_CHARACTERS,
  type Limits,
  type MessageId,
  type Outcome,
  type Result,
  type ServerMessage,
  type ServerMessages,
  type Specification,
} from '../../protocol/messages.ts';
import type { Seed } from '../../protocol/random.ts';
import { pinnedSeeds, observationOf } from '../environment.ts';
import { EpisodeStream } from '../episodes.ts';
import { evaluationSeeds, type Evaluation, type EvaluationProgress, type EvaluationRequest } from '../evaluate.ts';
import { filesOf, type Experiment } from '../experiments/experiment.ts';
import type { Runtime } from '../runtime.ts';
import { unscored, type Evaluations } from '../workers/evaluations.ts';
import type { LiveRun, Underway } from './dashboard/answers.ts';
import type { RecentLosses } from './recent-losses.ts';
import type { RecentPredictions } from './recent-predictions.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';
import { decodedTheta, requestHash, resultOf, type EarlyScores, type StepItem } from './step.ts';
import type { SessionRecord, StepRecord, Store } from './store.ts';

/** The number of results that are read from the store at once. */
const PAGE = 64;

/** The most points of a loss curve that are kept; beyond it, every second one goes. */
const MOST_LOSSES = 64;

/** The most topics of a session. */
const MOST_TOPICS = 16_384;

/** The part of the queue that may be filled by one session; of the rest, every session has its share. */
const SHARED_QUEUE = 3 / 4;

/** The receiver of a session's messages: a connection. */
export interface Listener {
  /** Of the client's machine, as far as the server sees it. */
  readonly address: string;
  send(message: ServerMessage): void;
  /** Whether a message that is sent now overtakes none that waits, and waits for little. */
  readonly hasRoom: boolean;
  /** Sends messages in their turn, when there is room: each is taken from `messages` only then. */
  sendInTurn(messages: Iterable<ServerMessage>): void;
  close(code: CloseCode): void;
}

/** What the sessions of a server share. */
export interface SessionSurroundings {
  readonly evaluations: Evaluations;
  readonly store: Store;
  readonly metrics: Metrics;
  readonly limits: Limits;
  readonly build: string;
  /** Backend, data folder and weights of the experiments. */
  readonly runtime: Runtime;
  readonly log: Logger;
  readonly losses: RecentLosses;
  readonly predictions: RecentPredictions;
}

export interface SessionOptions {
  readonly source: string;
  readonly experiment: Experiment;
  readonly spec: Specification;
  readonly seed: Seed;
  readonly detachGraceMs: number;
  /** Called when no step is queued or running any more. */
  readonly onIdle: () => void;
}

type AcceptedState = ServerMessages['accepted']['steps'][number]['state'];

/** A step that is queued or running. */
interface RunningStep {
  readonly record: StepRecord;
  /** The latest request for the step; null if it came before the server started. */
  re: MessageId | null;
  /** Whether the latest request asks for progress. */
  progress: boolean;
  /** The latest progress, and the loss on its way, [share of the training, loss], for who watches. */
  latest: EvaluationProgress;
  losses: [fraction: number, loss: number][];
  /** The scores of the unfinished model so far. */
  early: EarlyScores;
  readonly stop: AbortController;
  /** The latest batch that asks for the step, and how many of its items do: it counts its results. */
  counted: { readonly onResult: (outcome: Outcome) => void; readonly times: number } | undefined;
}

/**
 * One open environment of one client. It outlives its sockets and, with a journal on the disk, the server's process:
 * steps go on without a connection, and results are kept for `resume` until they are acknowledged.
 */
export class Session {
  readonly id: string;
  readonly episodes: EpisodeStream;
  /** The number of connections that the session has had. */
  private epochs: number;
  private listener: Listener | undefined;
  /** Of its latest connection; undefined for a session of an earlier process that nobody has resumed yet. */
  address: string | undefined;
  private readonly running = new Map<string, RunningStep>();
  private accepted: number;
  private acknowledged: number;
  private seq: number;
  private tests: number;
  /** The number of notes that this process was told. */
  private notes = 0;
  private tokenHash: string;
  /** Stays valid until the client has used its new connection: the reply with the new token may be lost. */
  private previousTokenHash: string | undefined;
  private ended = false;
  private readonly isWaited = () => this.attached;

  /** @param record the record of a session of an earlier process, which goes on */
  /** What the files of its experiment held when it was opened: evaluations of others are refused. */
  private readonly content: string | undefined;

  constructor(
    private readonly surroundings: SessionSurroundings,
    readonly options: SessionOptions,
    record?: SessionRecord,
  ) {
    const { store } = surroundings;
    this.id = record?.id ?? randomUUID();
    this.content = filesOf(options.experiment);
    this.episodes = new EpisodeStream(record?.episodes ?? options.seed);
    this.epochs = record?.epoch ?? 0;
    this.accepted = record?.steps ?? 0;
    this.acknowledged = record?.acknowledged ?? 0;
    this.tokenHash = record?.tokenHash ?? '';
    this.previousTokenHash = record?.previousTokenHash;
    const { seq, tests } = record ? store.counts(record.id) : { seq: 0, tests: 0 };
    this.seq = Math.max(seq, this.acknowledged);
    this.tests = tests;
    if (record) for (const step of store.unfinishedSteps(record.id)) this.start(this.begin(step));
  }

  get busy(): boolean {
    return this.running.size > 0;
  }

  get attached(): boolean {
    return this.listener !== undefined;
  }

  /** The number of steps that asked for test scores. */
  get testEvaluations(): number {
    return this.tests;
  }

  get epoch(): number {
    return this.epochs;
  }

  /** What an observer sees of the session. */
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

  /** What changes while it goes on, for those who watch. */
  get watched(): LiveRun {
    const { env_id, spec_hash } = this.options.spec;
    return {
      ...{ run: this.id, env_id, spec_hash, attached: this.attached },
      ...{ in_flight: this.running.size, seq: this.seq, notes: this.notes },
    };
  }

  /** The evaluations that run at this moment, as an observer sees them. */
  get underway(): Underway[] {
    const running = [...this.running.values()].filter(({ latest }) => latest.phase !== 'queue');
    return running.map(({ record, latest, losses, early }) => ({
      session_id: this.id,
      step_id: record.id,
      theta: record.request.theta,
      phase: latest.phase,
      fraction: latest.fraction,
      ...(latest.etaMs !== undefined && { eta_ms: Math.round(latest.etaMs) }),
      losses,
      early,
    }));
  }

  isHeardBy(listener: Listener): boolean {
    return this.listener === listener;
  }

  isToken(token: string): boolean {
    const hash = hashOf(token);
    return hash === this.tokenHash || hash === this.previousTokenHash;
  }

  /**
   * Gives the session to a connection, under a new epoch and a new token.
   *
   * @param shown the token that the client resumes with. It stays valid until the client has used the new connection, so
   *   the reply with the new token may be lost any number of times
   * @returns the new token, and `previous`, the connection that had the session
   */
  attach(listener: Listener, shown?: string): { token: string; previous: Listener | undefined } {
    const previous = this.listener;
    const token = randomBytes(24).toString('base64url');
    this.listener = listener;
    this.address = listener.address;
    this.epochs++;
    this.previousTokenHash = shown === undefined ? undefined : hashOf(shown);
    this.tokenHash = hashOf(token);
    this.save();
    return { token, previous };
  }

  /** Called when the client has used the connection on which the newest token was sent: the old token ends. */
  confirmToken(): void {
    if (this.previousTokenHash === undefined) return;
    this.previousTokenHash = undefined;
    this.save();
  }

  /** Takes the session from a connection; false, and no change, if another connection has it now. */
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
   * Accepts a step, or finds the step if it was sent before.
   *
   * @param ask the request; `onResult` is called with the outcome, even if the result exists already, unless another
   *   `onResult` has asked for the step meanwhile
   * @returns the `state` to answer with, and `proceed`, to be called after the answer: it evaluates the step, or sends
   *   its result again
   * @throws {ProtocolError} with nothing changed
   */
  step(
    item: StepItem,
    ask: { re: MessageId; progress: boolean; onResult?: (outcome: Outcome) => void },
  ): { readonly state: AcceptedState; readonly proceed: () => void } {
    const hash = requestHash(item);
    const running = this.running.get(item.step_id);
    const finished = running ? undefined : this.surroundings.store.findStep(this.id, item.step_id);
    const known = running?.record ?? finished;
    if (known && known.hash !== hash) {
      const message = `step_id: expected a new one for a different request, got ${item.step_id} again`;
      throw new ProtocolError('STEP_ID_CONFLICT', message, { at: '/step_id', got: shown(item.step_id) });
    }
    if (finished) {
      const result = finished.result!;
      const proceed = () => {
        this.sendResult(result, { re: ask.re, replayed: true });
        ask.onResult?.(result.outcome);
      };
      return { state: 'replayed', proceed };
    }
    const step = running ?? this.accept(item, hash, ask.progress);
    step.re = ask.re;
    step.progress = ask.progress;
    const { onResult } = ask;
    const times = step.counted && step.counted.onResult === onResult ? step.counted.times : 0;
    if (onResult) step.counted = { onResult, times: times + 1 };
    return running ? { state: 'attached', proceed: () => {} } : { state: 'queued', proceed: () => this.start(step) };
  }

  /**
   * Finds a step to cancel.
   *
   * @returns the `state` to answer with, and `proceed`, to be called after the answer: it cancels the step
   * @throws {ProtocolError} STEP_NOT_FOUND
   */
  cancel(stepId: string): { readonly state: 'queued' | 'running' | 'finished'; readonly proceed: () => void } {
    const step = this.running.get(stepId);
    if (step) {
      return { state: step.latest.phase === 'queue' ? 'queued' : 'running', proceed: () => step.stop.abort() };
    }
    if (!this.surroundings.store.findStep(this.id, stepId)) {
      throw new ProtocolError('STEP_NOT_FOUND', `step_id: expected a step of this session, got ${stepId}`);
    }
    return { state: 'finished', proceed: () => {} };
  }

  /** Ends the connection of its client, which hears at `resume` what has become of the session. */
  hangUp(): void {
    this.listener?.close(CLOSE_CODES.RESTART);
  }

  /** Cancels the steps that are queued or running; the session sends and writes nothing any more. */
  end(): void {
    this.ended = true;
    this.listener = undefined;
    for (const { stop } of this.running.values()) stop.abort();
  }

  /** Keeps what the client knows about its search. @throws {ProtocolError} when it is too much, with nothing changed */
  note(topic: string, value: Readonly<Record<string, unknown>>): void {
    const { store } = this.surroundings;
    refuseWhileFailing(store, 'note');
    const { length } = JSON.stringify(value);
    if (length > NOTE_CHARACTERS) {
      const message = `value: expected at most ${NOTE_CHARACTERS} characters of JSON, got ${length}`;
      throw new ProtocolError('BAD_MESSAGE', message, { at: '/value', rule: 'too_big' });
    }
    if (store.topics(this.id) >= MOST_TOPICS && !store.note(this.id, topic)) {
      const message = `topic: expected one of the ${MOST_TOPICS} that the session has, got ${shown(topic)}`;
      throw new ProtocolError('BAD_MESSAGE', message, { at: '/topic', rule: 'too_many' });
    }
    store.addNote(this.id, { topic, value, at: Date.now() });
    this.notes++;
  }

  acknowledge(seq: number): void {
    this.acknowledged = Math.max(this.acknowledged, Math.min(seq, this.seq));
    this.save();
  }

  /**
   * What a resuming client has missed: the number of results after `lastSeq`, the `seq` of the last of them (see
   * `replay`), and the steps that are queued or running.
   *
   * @throws {ProtocolError} RESUME_GAP when `lastSeq` is below the acknowledged results or above the last result
   */
  missedSince(lastSeq: number): { count: number; last: number; inFlight: string[] } {
    if (lastSeq < this.acknowledged || lastSeq > this.seq) {
      const rule = `${this.acknowledged}..${this.seq}`;
      throw new ProtocolError('RESUME_GAP', `last_seq: expected ${rule}, got ${lastSeq}`, { at: '/last_seq' });
    }
    this.acknowledge(lastSeq);
    return { ...this.surroundings.store.countSince(this.id, lastSeq), inFlight: [...this.running.keys()] };
  }

  /** The results after one `seq`, up to another, read page by page as they are taken; none after the epoch. */
  *replay(epoch: number, after: number, last: number): Generator<Result> {
    for (let seq = after; seq < last;) {
      const page = this.surroundings.store.resultsSince(this.id, seq, PAGE);
      for (const result of page) {
        if (this.ended || this.epoch !== epoch || result.seq > last) return;
        yield { ...result, re: null, replayed: true };
      }
      if (page.length === 0) return;
      seq = page.at(-1)!.seq;
    }
  }

  /** Sends a result that the store has; one that must wait for its turn is read from the store again. */
  private sendResult(result: Result, how: Pick<Result, 're' | 'replayed'>): void {
    const { listener } = this;
    if (listener?.hasRoom) listener.send({ ...result, ...how });
    else listener?.sendInTurn(this.resultFor(result.step_id, this.epoch, how));
  }

  private *resultFor(stepId: string, epoch: number, how: Pick<Result, 're' | 'replayed'>): Generator<Result> {
    if (this.ended || this.epoch !== epoch) return;
    const result = this.surroundings.store.findStep(this.id, stepId)?.result;
    if (result) yield { ...result, ...how };
  }

  /** Accepts a new step. Its progress carries early scores if the first request asks for progress. */
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
    this.surroundings.store.addStep(this.id, record);
    return this.begin(record);
  }

  private checkLimits(item: StepItem): void {
    const { evaluations, limits, store } = this.surroundings;
    refuseWhileFailing(store, 'step');
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
    const { queued } = evaluations.counts;
    if (queued < limits.queue_depth * SHARED_QUEUE) return;
    // The rest of the queue is divided, so that each session gets in.
    const share = Math.max(1, Math.floor((limits.queue_depth * (1 - SHARED_QUEUE)) / limits.max_sessions));
    if (queued >= limits.queue_depth || this.running.size >= share) {
      throw new ProtocolError('QUEUE_FULL', `step: expected at most ${limits.queue_depth} waiting`, later);
    }
  }

  private begin(record: StepRecord): RunningStep {
    const stop = new AbortController();
    const step: RunningStep = {
      record,
      re: null,
      progress: false,
      latest: { phase: 'queue', fraction: 0 },
      losses: [],
      early: [],
      stop,
      counted: undefined,
    };
    this.running.set(record.id, step);
    return step;
  }

  private start(step: RunningStep): void {
    this.evaluate(step).catch((error: unknown) => {
      this.surroundings.log.error({ error: error instanceof Error ? error.stack : String(error) }, 'defect');
    });
  }

  /** Evaluates a step, writes its result to the store, and sends it. */
  private async evaluate(step: RunningStep): Promise<void> {
    const { evaluations, store, metrics, runtime, predictions } = this.surroundings;
    const { source, spec, onIdle } = this.options;
    const { record, stop } = step;
    const began = performance.now();
    let evaluation: Evaluation;
    try {
      evaluation = await evaluations.submit(
        {
          id: jobId(this.id, record),
          source,
          options: spec.options,
          runtime,
          content: this.content,
          request: record.request,
        },
        {
          owner: this.id,
          signal: stop.signal,
          isWaited: this.isWaited,
          deadlineMs: record.deadlineMs,
          wantsPictures: () => predictions.claim(this.id),
          onProgress: (progress) => this.report(step, progress),
        },
      );
    } catch (error) {
      evaluation = unscored('failed', `the server could not begin it: ${(error as Error).message}`);
    }
    metrics.evaluated(evaluation);
    this.tell(record, evaluation, performance.now() - began - evaluation.timing.queueMs);
    if (step.losses.length > 1) this.surroundings.losses.keep(this.id, record.id, step.losses);
    if (evaluation.pictures) predictions.keep(this.id, { step: record.id, shown: evaluation.pictures });
    if (this.ended) return;
    const result = this.resultOf(step, evaluation);
    await store.addResult(record, result);
    this.running.delete(record.id);
    if (this.ended) return;
    // The step may have been requested again while its result was written: the latest request gets it.
    this.sendResult(result, { re: step.re });
    const { onResult, times } = step.counted ?? { times: 0 };
    for (let i = 0; i < times; i++) onResult!(result.outcome);
    if (!this.busy) onIdle();
  }

  private tell({ id: step }: StepRecord, { outcome, reward, reason }: Evaluation, ms: number): void {
    const seconds = Math.round(ms) / 1000;
    const why = reason === undefined || reason === '' ? {} : { reason };
    this.surroundings.log.info({ outcome, reward, seconds, session: this.id, step, ...why }, 'evaluation ended');
  }

  private resultOf({ record, re, early }: RunningStep, evaluation: Evaluation): Result {
    const { spec, experiment } = this.options;
    const about = {
      session_id: this.id,
      re,
      seq: ++this.seq,
      test_evaluations: this.tests,
      metrics: experiment.task.metrics,
      spec,
      build: this.surroundings.build,
    };
    return resultOf(about, record, evaluation, early);
  }

  private report(step: RunningStep, progress: EvaluationProgress): void {
    const { phase, fraction, metrics, scored, etaMs } = progress;
    step.latest = progress;
    if (phase === 'simulate') step.losses = [];
    if (phase === 'train' && Number.isFinite(metrics?.['loss'])) {
      step.losses.push([fraction, metrics!['loss']!]);
      if (step.losses.length > MOST_LOSSES) step.losses = step.losses.filter((_, i) => i % 2 === 1);
    }
    const finite = metrics && Object.fromEntries(Object.entries(metrics).filter(([, value]) => Number.isFinite(value)));
    if (scored && finite) {
      // An evaluation that is tried again, after a crash of its worker, scores at the same places again.
      step.early = [...step.early.filter((known) => known.fraction !== fraction), { fraction, scores: finite }];
    }
    if (!step.progress) return;
    const place = { re: step.re, session_id: this.id, step_id: step.record.id };
    this.listener?.send({
      t: 'progress',
      ...place,
      phase,
      fraction,
      ...(finite && { metrics: finite }),
      ...(etaMs !== undefined && { eta_ms: etaMs }),
    });
  }

  private save(): void {
    const { spec, detachGraceMs } = this.options;
    this.surroundings.store.saveSession({
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

/** @throws {ProtocolError} QUEUE_FULL while the store cannot write: what is taken now might be lost */
export function refuseWhileFailing({ failure }: Store, what: 'step' | 'open' | 'note'): void {
  if (failure === undefined) return;
  const message = `${what}: expected a server that can write its journal, got: ${failure}`;
  throw new ProtocolError('QUEUE_FULL', message, { retryAfterMs: 2000 });
}

/**
 * Names the evaluation of a step, the same after a restart: of another request under the name of this step, a queue knows
 * nothing. A queue forbids `:` in it, and digits alone.
 */
function jobId(session: string, { id, request }: { readonly id: string; readonly request: EvaluationRequest }): string {
  return `step-${hash('sha256', JSON.stringify([session, id, request])).slice(0, 32)}`;
}

function hashOf(token: string): string {
  return hash('sha256', token);
}
