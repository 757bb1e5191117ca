import { randomBytes } from 'node:crypto';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Environment, StepRequest } from '../../protocol/environment.ts';
import type {
  ClientMessages,
  EvaluationItem,
  Progress,
  Result,
  ServerMessages,
  Specification,
} from '../../protocol/messages.ts';
import type { Asked, Channel } from './channel.ts';
import { ConnectionError } from './server-connection.ts';

/** What it takes to resume a session; a secret. */
export type SessionTicket = Asked<'resume'>;

export interface StepOptions {
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Cancels the step: its result then has the outcome `cancelled`, or is the real one where that was faster. */
  readonly signal?: AbortSignal | undefined;
}

/** Results are acknowledged in groups of this size: the server keeps them until then. */
const ACKNOWLEDGE_EVERY = 64;

interface WaitingStep {
  /** Of the request that waits for it; that of a batch waits for all its steps. */
  readonly id?: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
  readonly onProgress: StepOptions['onProgress'];
}

/** A request as a message has it. */
function itemOf(request: Omit<StepRequest, 'reset'>, step_id: string): EvaluationItem {
  // Field by field: copies by spread cost more than all else that a client does for a step.
  const { action, params, seed, seeds, test, deadline_ms } = request;
  return { step_id, action: action && [...action], params, seed, seeds, test, deadline_ms };
}

/** The server has too much to do just now. */
function isFull(error: Error): error is ProtocolError {
  return error instanceof ProtocolError && (error.code === 'BUSY' || error.code === 'QUEUE_FULL');
}

/** An open environment. Any number of evaluations may be under way; each promise gets its own result. */
export class RemoteEnvironment implements Environment {
  readonly sessionId: string;
  readonly spec: Specification;
  /** Of the stream that episodes draw their seeds from, where a step brings none. */
  readonly seed: number;
  private readonly steps = new Map<string, WaitingStep>();
  /** Of the step ids that are made here: no other client of this session has it. */
  private readonly prefix = randomBytes(9).toString('base64url');
  private stepCount = 0;
  private token: string;
  private lastSeq: number;
  private acknowledged: number;
  /** Called with every new ticket, before anything is done under it: a caller that keeps it can resume after a crash. */
  onTicket: (ticket: SessionTicket) => void = () => {};

  /** @internal */
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
  }

  /** Begins an episode, as Gymnasium's `reset`; a seed starts the stream of episodes anew. */
  async reset({ seed }: { seed?: number } = {}): Promise<{ observation: number[] }> {
    const { observation } = await this.channel.ask('reset', { session_id: this.sessionId, seed });
    return { observation };
  }

  /**
   * Evaluates, as Gymnasium's `step`: the one step of the episode that `reset` began.
   *
   * @throws {ProtocolError} with code NEEDS_RESET, BAD_ACTION …; the outcome of a bad evaluation is no exception
   * @throws {ConnectionError} when the connection was lost and could not be restored
   */
  step(request: StepRequest, options: StepOptions = {}): Promise<Result> {
    return this.begin(request, request.reset, options);
  }

  /** An episode of its own, reset and step at once: any number may be under way. What an optimiser calls. */
  evaluate(request: StepRequest, options: StepOptions = {}): Promise<Result> {
    return this.begin(request, true, options);
  }

  /** Ids that follow each other: a server that keeps them in order puts them side by side, unlike random ones. */
  private newStepId(): string {
    return `${this.prefix}.${++this.stepCount}`;
  }

  private async begin(
    request: StepRequest,
    reset: boolean | undefined,
    { signal, onProgress }: StepOptions,
  ): Promise<Result> {
    signal?.throwIfAborted();
    const step_id = request.step_id ?? this.newStepId();
    const result = new Promise<Result>((resolve, reject) =>
      this.send(request, { step_id, reset }, { resolve, reject, onProgress }),
    );
    if (!signal) return result;
    const cancel = () => this.cancel(step_id);
    signal.addEventListener('abort', cancel, { once: true });
    return result.finally(() => signal.removeEventListener('abort', cancel));
  }

  /**
   * Evaluates many at once, in one message: what a population-based optimiser calls.
   *
   * @returns the results in the order of the requests, though they come in any
   * @throws {ProtocolError} of the first request that is refused; the others are evaluated all the same
   */
  async evaluateBatch(
    requests: readonly Omit<StepRequest, 'reset'>[],
    { onProgress, signal }: StepOptions = {},
  ): Promise<Result[]> {
    signal?.throwIfAborted();
    const items = requests.map((request) => itemOf(request, request.step_id ?? this.newStepId()));
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

  /** Sends a batch; its items settle one by one, by `hear` or here when they are refused. */
  private sendBatch(items: readonly EvaluationItem[], onProgress: StepOptions['onProgress']): void {
    const message: ClientMessages['step_batch'] = {
      t: 'step_batch',
      id: this.channel.newId(),
      session_id: this.sessionId,
      items: [...items],
      progress: onProgress !== undefined,
    };
    const refused = (error: Error) => {
      const { stepId } = error instanceof ProtocolError ? error.place : {};
      const these = stepId === undefined ? items : items.filter(({ step_id }) => step_id === stepId);
      if (!isFull(error)) return these.forEach(({ step_id }) => this.refuse(step_id, error));
      const again = () =>
        this.sendBatch(
          these.filter(({ step_id }) => this.steps.has(step_id)),
          onProgress,
        );
      setTimeout(again, error.place.retryAfterMs ?? 1000);
    };
    if (items.length > 0)
      this.channel.sendPending({ message, resolve: () => {}, reject: refused, refusedItem: refused });
  }

  private refuse(step_id: string, error: Error): void {
    const step = this.steps.get(step_id);
    this.steps.delete(step_id);
    step?.reject(error);
  }

  /** Ends the session; steps that are under way are cancelled and fail. */
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
    const refused = (error: Error) => {
      this.steps.delete(step_id);
      if (!isFull(error)) return waiting.reject(error);
      setTimeout(() => this.send(request, own, waiting), error.place.retryAfterMs ?? 1000);
    };
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
    this.channel.sendPending({ message, resolve: () => {}, reject: refused });
  }

  private cancel(step_id: string): void {
    // Its result says how it went; that there was nothing to cancel any more is no error.
    this.channel.ask('cancel', { session_id: this.sessionId, step_id }).catch(() => {});
  }

  /** @internal */
  hear(message: Result | Progress): void {
    const step = this.steps.get(message.step_id);
    if (message.t === 'progress') return step?.onProgress?.(message);
    this.lastSeq = Math.max(this.lastSeq, message.seq);
    this.acknowledge();
    if (!step) return;
    this.steps.delete(message.step_id);
    if (step.id !== undefined) this.channel.forget(step.id);
    step.resolve(message);
  }

  /** When those who wait for the results have had them: what they wrote down then is written. */
  private acknowledge(): void {
    const seq = this.lastSeq;
    if (seq - this.acknowledged < ACKNOWLEDGE_EVERY) return;
    this.acknowledged = seq;
    setImmediate(() => this.channel.tell({ t: 'ack', session_id: this.sessionId, seq }));
  }

  /** What another client needs to go on with this session. */
  get ticket(): SessionTicket {
    return { session_id: this.sessionId, resume_token: this.token, last_seq: this.lastSeq };
  }

  /** @internal */
  resumed(reply: ServerMessages['resumed']): void {
    this.token = reply.resume_token;
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
