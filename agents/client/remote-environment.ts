import { randomBytes } from 'node:crypto';
import { ProtocolError, shown } from '../../protocol/errors.ts';
import type { Environment, StepRequest } from '../../protocol/environment.ts';
import {
  NOTE_CHARACTERS,
  type ClientMessages,
  type EvaluationItem,
  type Progress,
  type Result,
  type ServerMessages,
  type Specification,
} from '../../protocol/messages.ts';
import type { Parameter, Theta } from '../../protocol/parameters.ts';
import { isOfFullServer, type Asked, type Channel } from './channel.ts';
import { ConnectionError } from './server-connection.ts';

/** What a client needs to resume a session: id, token and the highest `seq` received. Keep it secret. */
export type SessionTicket = Asked<'resume'>;

export interface StepOptions {
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /**
   * Cancels the step: its result then has the outcome `cancelled`, or the real outcome if that was faster. One that a full
   * server has not taken yet has no result: its promise rejects.
   */
  readonly signal?: AbortSignal | undefined;
}

/** Results are acknowledged in groups of this size. */
const ACKNOWLEDGE_EVERY = 64;

interface WaitingStep {
  /** The id of the step's own request; steps of a batch have none, since one request waits for all of them. */
  readonly id?: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
  readonly onProgress: StepOptions['onProgress'];
}

/** A request as an item of a message. */
function itemOf(request: Omit<StepRequest, 'reset'>, step_id: string): EvaluationItem {
  // Field by field: a copy by spread costs more time than everything else that a client does for a step.
  const { action, params, seed, seeds, test, deadline_ms } = request;
  return { step_id, action: action && [...action], params, seed, seeds, test, deadline_ms };
}

/** Whether a value has the type of a parameter's values, and that type in words. */
function valueRule(parameter: Parameter, value: unknown): [fits: boolean, expected: string] {
  switch (parameter.kind) {
    case 'continuous':
    case 'integer':
      return [typeof value === 'number', 'a number'];
    case 'boolean':
      return [typeof value === 'boolean', 'true or false'];
    case 'categorical':
      return [typeof value === 'string', 'a choice'];
    case 'simplex': {
      const size = parameter.labels.length;
      return [Array.isArray(value) && value.length === size, `${size} numbers`];
    }
  }
}

/** @throws {ConnectionError} when θ has no value for one of the parameters */
function checkTheta(place: string, { parameters }: Specification, theta: Theta): void {
  for (const parameter of parameters) {
    const value = Object.hasOwn(theta, parameter.name) ? theta[parameter.name] : undefined;
    const [fits, expected] = valueRule(parameter, value);
    if (fits) continue;
    throw new ConnectionError(`${place}: expected ${expected} for ${parameter.name} of θ, got ${shown(value)}`);
  }
}

/** @throws {ConnectionError} when a result says less than its outcome promises, or is of another environment */
function checkResult(spec: Specification, { step_id, outcome, reward, theta, scores, repro }: Result): void {
  const place = `the server's result of step ${step_id}`;
  if ((outcome === 'ok') !== (reward !== null)) {
    const expected = outcome === 'ok' ? 'a reward' : 'no reward';
    throw new ConnectionError(`${place}: expected ${expected} with the outcome ${outcome}, got ${shown(reward)}`);
  }
  if (outcome === 'ok' && !Object.hasOwn(scores, spec.reward.metric)) {
    throw new ConnectionError(`${place}: expected a score ${spec.reward.metric}, got ${shown(scores)}`);
  }
  if (repro.spec_hash !== spec.spec_hash) {
    throw new ConnectionError(`${place}: expected spec_hash ${spec.spec_hash}, got ${shown(repro.spec_hash)}`);
  }
  checkTheta(place, spec, theta);
}

/** An open environment. Any number of evaluations may run at once; each promise gets its own result. */
export class RemoteEnvironment implements Environment {
  readonly sessionId: string;
  readonly spec: Specification;
  /** The seed of the stream that gives episodes their seeds, unless a step has its own. */
  readonly seed: number;
  private readonly steps = new Map<string, WaitingStep>();
  /** The prefix of the step ids that are made here: no other client of this session has the same. */
  private readonly prefix = randomBytes(9).toString('base64url');
  private stepCount = 0;
  private token: string;
  private lastSeq: number;
  private acknowledged: number;
  /** The number of results that come again after a `resume`. */
  private missed = 0;
  private onCaughtUp: () => void = () => {};
  /** Why nothing can be evaluated here any more. */
  private broken: Error | undefined;
  /** @internal Resolves when they have come. */
  caughtUp = Promise.resolve();
  /**
   * Called with every new ticket, before anything is done with it: a new token, or results that the server need not keep
   * any longer. A program that stores it can resume after a crash.
   */
  onTicket: (ticket: SessionTicket) => void = () => {};

  /** @internal @throws {ConnectionError} when the server's specification is incomplete */
  constructor(
    private readonly channel: Channel,
    opened: ServerMessages['opened'] | ServerMessages['resumed'],
    lastSeq = 0,
  ) {
    this.lastSeq = this.acknowledged = lastSeq;
    this.sessionId = opened.session_id;
    this.spec = opened.spec;
    this.seed = opened.seed;
    this.token = opened.resume_token;
    const { spec } = opened;
    checkTheta(`the server's start of ${spec.env_id}`, spec, spec.start);
    checkTheta(`the server's default of ${spec.env_id}`, spec, spec.default);
  }

  /** Begins an episode, like Gymnasium's `reset`; a seed starts the stream of episodes anew. */
  async reset({ seed }: { seed?: number } = {}): Promise<{ observation: number[] }> {
    const { observation } = await this.channel.ask('reset', { session_id: this.sessionId, seed });
    return { observation };
  }

  /**
   * Evaluates an action or θ, like Gymnasium's `step`: the one step of the episode that `reset` began. An evaluation
   * that fails is a result with another outcome than `ok`, not an exception.
   *
   * @throws {ProtocolError} with code NEEDS_RESET, BAD_ACTION …
   * @throws {ConnectionError} when the connection was lost and could not be restored
   */
  step(request: StepRequest, options: StepOptions = {}): Promise<Result> {
    return this.begin(request, request.reset, options);
  }

  /** Reset and step at once: an episode of its own. Any number may run at once. Optimisers call this. */
  evaluate(request: StepRequest, options: StepOptions = {}): Promise<Result> {
    return this.begin(request, true, options);
  }

  /** Ids that follow each other: a server that sorts by id stores them side by side, unlike random ids. */
  private newStepId(): string {
    return `${this.prefix}.${++this.stepCount}`;
  }

  private async begin(
    request: StepRequest,
    reset: boolean | undefined,
    { signal, onProgress }: StepOptions,
  ): Promise<Result> {
    signal?.throwIfAborted();
    if (this.broken) throw this.broken;
    const step_id = request.step_id ?? this.newStepId();
    this.refuseTwice(step_id);
    const result = new Promise<Result>((resolve, reject) =>
      this.send(request, { step_id, reset }, { resolve, reject, onProgress }),
    );
    if (!signal) return result;
    const cancel = () => this.cancel(step_id);
    signal.addEventListener('abort', cancel, { once: true });
    return result.finally(() => signal.removeEventListener('abort', cancel));
  }

  /**
   * Evaluates many requests at once, in as few messages as the server allows.
   *
   * @returns the results in the order of the requests, whatever order they arrive in
   * @throws {ProtocolError} of the first request that is refused; the others are evaluated all the same
   * @throws {RangeError} when two have the same `step_id`; nothing is sent
   */
  async evaluateBatch(
    requests: readonly Omit<StepRequest, 'reset'>[],
    { onProgress, signal }: StepOptions = {},
  ): Promise<Result[]> {
    signal?.throwIfAborted();
    if (this.broken) throw this.broken;
    const items = requests.map((request) => itemOf(request, request.step_id ?? this.newStepId()));
    const names = new Set<string>();
    for (const { step_id } of items) {
      this.refuseTwice(step_id);
      if (names.size === names.add(step_id).size) {
        throw new RangeError(`step_id: expected another one for each request, got ${shown(step_id)} twice`);
      }
    }
    const most = this.channel.limits.max_batch;
    const results = items.map(
      ({ step_id }) =>
        new Promise<Result>((resolve, reject) => this.steps.set(step_id, { resolve, reject, onProgress })),
    );
    const cancel = () => items.forEach(({ step_id }) => this.steps.has(step_id) && this.cancel(step_id));
    signal?.addEventListener('abort', cancel, { once: true });
    for (let from = 0; from < items.length; from += most) this.sendBatch(items.slice(from, from + most), onProgress);
    try {
      return await Promise.all(results);
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  /**
   * Sends a batch, in two if it is too large. Its items settle one by one: in `hear`, or here when they are refused.
   *
   * @param refusedAt when the server first refused these items for now
   */
  private sendBatch(
    items: readonly EvaluationItem[],
    onProgress: StepOptions['onProgress'],
    refusedAt = Infinity,
  ): void {
    if (items.length === 0) return;
    const message: ClientMessages['step_batch'] = {
      t: 'step_batch',
      id: this.channel.newId(),
      session_id: this.sessionId,
      items: [...items],
      progress: onProgress !== undefined,
    };
    const stillWaited = (some: readonly EvaluationItem[]) => some.filter(({ step_id }) => this.steps.has(step_id));
    const again = () => {
      const rest = stillWaited(items);
      return rest.length > 0 ? { ...message, items: rest } : undefined;
    };
    const later: EvaluationItem[] = [];
    const refusedItem = (error: ProtocolError) => {
      const since = isOfFullServer(error) ? Infinity : Math.min(refusedAt, performance.now());
      const delay = this.channel.retryAfter(error, Math.min(since, performance.now()));
      const item = items.find(({ step_id }) => step_id === error.place.stepId);
      if (delay === undefined || !item) return this.refuse(error.place.stepId!, error);
      if (later.push(item) > 1) return; // it goes with the first one
      setTimeout(() => this.sendBatch(stillWaited(later), onProgress, since), delay);
    };
    const reject = (error: Error) => {
      const cannotBeSent = error instanceof RangeError || error instanceof TypeError;
      if (!cannotBeSent || items.length === 1) return items.forEach(({ step_id }) => this.refuse(step_id, error));
      const half = Math.ceil(items.length / 2);
      this.sendBatch(stillWaited(items.slice(0, half)), onProgress, refusedAt);
      this.sendBatch(stillWaited(items.slice(half)), onProgress, refusedAt);
    };
    this.channel.sendPending({ message, again, resolve: () => {}, reject, refusedItem });
  }

  private refuse(step_id: string, error: Error): void {
    const step = this.steps.get(step_id);
    this.steps.delete(step_id);
    step?.reject(error);
  }

  /**
   * Tells the server what is known about the search, for those who watch it (rule S13). A later note of a topic takes the
   * place of the one before. What is told while the connection is lost, or to a server that keeps no notes, is lost, and
   * so is a note that is too long.
   */
  note(topic: string, value: Readonly<Record<string, unknown>>): void {
    if (!this.channel.takesNotes || this.broken || JSON.stringify(value).length > NOTE_CHARACTERS) return;
    this.channel.tell({ t: 'note', session_id: this.sessionId, topic, value: { ...value } });
  }

  /** Ends the session; its unfinished steps are cancelled, and their promises reject. */
  async close(): Promise<void> {
    this.channel.leave(this.sessionId);
    this.fail(new ConnectionError(`session ${this.sessionId}: closed`));
    await this.channel.ask('close', { session_id: this.sessionId });
  }

  private send(
    request: StepRequest,
    own: { readonly step_id: string; readonly reset: boolean | undefined },
    waiting: Omit<WaitingStep, 'id'>,
  ): void {
    const { step_id, reset } = own;
    const { action, params, seed, seeds, test, deadline_ms } = request;
    const id = this.channel.newId();
    const { resolve, reject, onProgress } = waiting;
    const message: ClientMessages['step'] = {
      t: 'step',
      id,
      session_id: this.sessionId,
      step_id,
      action: action && [...action],
      params,
      seed,
      seeds,
      test,
      deadline_ms,
      reset,
      progress: onProgress !== undefined,
    };
    this.steps.set(step_id, { id, resolve, reject, onProgress });
    this.channel.sendPending({ message, resolve: () => {}, reject: (error) => this.refuse(step_id, error) });
  }

  /** The result says what happened; a step that the server has not taken yet ends here. */
  private cancel(step_id: string): void {
    this.channel.ask('cancel', { session_id: this.sessionId, step_id }).catch((error: unknown) => {
      if (!(error instanceof ProtocolError) || error.code !== 'STEP_NOT_FOUND') return;
      const step = this.steps.get(step_id);
      if (step?.id !== undefined) this.channel.forget(step.id); // or it would be sent again
      this.refuse(step_id, new Error(`step ${step_id}: cancelled before the server took it`, { cause: error }));
      // It may have been sent again while the answer was on its way.
      this.channel.ask('cancel', { session_id: this.sessionId, step_id }).catch(() => {});
    });
  }

  /** @throws {RangeError} when an evaluation under way has this name: one of the two would wait for ever */
  private refuseTwice(step_id: string): void {
    if (!this.steps.has(step_id)) return;
    throw new RangeError(`step_id: expected one that no evaluation under way has, got ${shown(step_id)}`);
  }

  /** @internal */
  hear(message: Result | Progress): void {
    const step = this.steps.get(message.step_id);
    if (message.t === 'progress') return step?.onProgress?.(message);
    this.lastSeq = Math.max(this.lastSeq, message.seq);
    this.acknowledge();
    if (step) {
      this.steps.delete(message.step_id);
      if (step.id !== undefined) this.channel.forget(step.id);
      try {
        checkResult(this.spec, message);
        step.resolve(message);
      } catch (error) {
        step.reject(error as Error);
      }
    }
    if (message.replayed && --this.missed === 0) this.onCaughtUp();
  }

  /** Acknowledges a group of results, after the callers have received them and had a turn to write them down. */
  private acknowledge(): void {
    // Of a server that keeps few results, the group must be smaller than those few.
    const group = Math.min(ACKNOWLEDGE_EVERY, Math.ceil(this.channel.limits.max_unacknowledged / 2));
    if (this.lastSeq - this.acknowledged < group) return;
    this.acknowledged = this.lastSeq;
    setImmediate(() => this.acknowledgeAll());
  }

  /** @internal Acknowledges, perhaps again, all results that the callers have had a turn to write down. */
  acknowledgeAll(): void {
    this.acknowledged = this.lastSeq;
    this.onTicket(this.ticket);
    this.channel.tell({ t: 'ack', session_id: this.sessionId, seq: this.acknowledged });
  }

  /** What another client needs to continue this session. */
  get ticket(): SessionTicket {
    return { session_id: this.sessionId, resume_token: this.token, last_seq: this.lastSeq };
  }

  /** @internal */
  resumed(reply: ServerMessages['resumed']): void {
    const { spec_hash } = reply.spec;
    if (spec_hash !== this.spec.spec_hash) {
      const text = `session ${this.sessionId}: expected spec_hash ${this.spec.spec_hash} as before, got ${spec_hash}`;
      this.broken = new ConnectionError(`${text}: the server has another environment now, and rewards do not compare`);
      return this.fail(this.broken);
    }
    this.token = reply.resume_token;
    this.missed = reply.replayed;
    this.caughtUp = new Promise((resolve) => {
      this.onCaughtUp = resolve;
      if (this.missed === 0) resolve();
    });
    this.onTicket(this.ticket);
  }

  /** @internal */
  fail(error: Error): void {
    for (const { id, reject } of this.steps.values()) {
      if (id !== undefined) this.channel.forget(id);
      reject(error);
    }
    this.steps.clear();
  }
}
