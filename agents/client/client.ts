import { printable, ProtocolError } from '../../protocol/errors.ts';
import type { ClientMessage, Codec, Limits, ServerMessage, ServerMessages } from '../../protocol/messages.ts';
import { checkToken } from '../../protocol/token.ts';
import { isOfFullServer, type Asked, type Channel, type Pending, type Question, type ReplyTo } from './channel.ts';
import { RemoteEnvironment, type SessionTicket } from './remote-environment.ts';
import { ConnectionError, protocolError, ServerConnection } from './server-connection.ts';

export interface ConnectOptions {
  readonly protocol?: Codec;
  readonly token?: string;
  /** The name of the program, sent with `hello`. */
  readonly name?: string;
  /**
   * The time for which a lost connection is tried again before all pending requests fail, and for which a request is
   * tried again that the server refuses for now; 0 does not try again.
   */
  readonly reconnectForMs?: number;
  /**
   * Called with a sentence, which a terminal may show, when the connection is lost or restored, and while something else
   * takes long.
   */
  readonly say?: (sentence: string) => void;
}

const RECONNECT_FOR_MS = 60_000;
const LONGEST_RETRY_MS = 5_000;
/** The time after which a refused request is tried again, if the server names none. */
const RETRY_MS = 1_000;
/** Timers of Node take no longer time, and end at once. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;
/** The time between two sentences about the same wait. */
const SAY_EVERY_MS = 5_000;
/** The same for a server that is full, which may be so for hours. */
const SAY_FULL_EVERY_MS = 60_000;

/**
 * Connects to an environment server.
 *
 * @param url such as `ws://127.0.0.1:7077`
 * @throws {ConnectionError} when no server answers, {ProtocolError} when the server refuses, {RangeError} for a token
 *   that cannot be one
 */
export async function connect(url: string, options: ConnectOptions = {}): Promise<Client> {
  if (options.token !== undefined) checkToken('token', options.token);
  const client = new Client(url, options);
  await client.saying('for its welcome', client.connect());
  return client;
}

/**
 * A connection to a server, with any number of open environments.
 *
 * A lost connection is restored, and all pending requests are sent again. Steps are idempotent by their `step_id`, so no
 * evaluation is lost or made twice.
 */
export class Client implements Channel {
  private connection: ServerConnection | undefined;
  private welcome!: ServerMessages['welcome'];
  private readonly pending = new Map<number, Pending>();
  private readonly environments = new Map<string, RemoteEnvironment>();
  private nextId = 1;
  /** Set when the caller closes the client: a connection that is lost now is not restored. */
  private leaving = false;
  private closing = false;
  /** When the server last did something for us. */
  private servedAt = -Infinity;
  private connectedAt = -Infinity;
  /** When the connection was lost, the first time of several in a row between which the server did nothing for us. */
  private lostAt = -Infinity;
  private waitMs = 0;
  private refusalSaidAt = -Infinity;

  constructor(
    private readonly url: string,
    private readonly options: ConnectOptions,
  ) {}

  get envs(): ServerMessages['welcome']['envs'] {
    return this.welcome.envs;
  }

  get limits(): Limits {
    return this.welcome.limits;
  }

  /** @internal */
  get takesNotes(): boolean {
    return this.welcome.capabilities.includes('note');
  }

  get server(): ServerMessages['welcome']['server'] {
    return this.welcome.server;
  }

  /**
   * Opens an environment. Its evaluations take turns with the evaluations of the server's other sessions.
   *
   * @throws {ProtocolError} with code ENV_NOT_FOUND, BAD_OPTIONS …; {ConnectionError} when the connection is lost and not
   *   restored
   */
  async open(request: Asked<'open'>): Promise<RemoteEnvironment> {
    const opened = await this.saying(`until ${request.env_id} is open`, this.ask('open', request));
    const environment = new RemoteEnvironment(this, opened);
    this.environments.set(opened.session_id, environment);
    return environment;
  }

  /**
   * Continues an environment that an earlier client opened and did not close, for example because its process was
   * killed. Steps that are sent again under their old `step_id` are not evaluated again.
   *
   * @param ticket the latest ticket of the earlier client's environment (see `RemoteEnvironment.onTicket`)
   * @throws {ProtocolError} SESSION_NOT_FOUND when the grace of the session is over
   */
  async resume(ticket: SessionTicket): Promise<RemoteEnvironment> {
    for (;;) {
      try {
        const resumed = await this.ask('resume', ticket);
        const environment = new RemoteEnvironment(this, resumed, ticket.last_seq);
        this.environments.set(resumed.session_id, environment);
        return environment;
      } catch (error) {
        // The connection was lost before the answer: the token is still valid, so try again.
        if (!(error instanceof ConnectionError) || this.closing) throw error;
      }
    }
  }

  /**
   * Closes every environment and the connection; pending requests fail.
   *
   * @param keepSessions leaves the sessions on the server, to be resumed with their tickets
   * @returns whether the server has closed every session
   */
  async close({ keepSessions = false }: { readonly keepSessions?: boolean } = {}): Promise<boolean> {
    if (this.closing) return false;
    this.leaving = true;
    // Close the sessions, so that the server does not keep them for a client that will not come back.
    const told = this.connection !== undefined && !keepSessions;
    const open = told ? [...this.environments.values()] : [];
    const closed = await Promise.allSettled(open.map((environment) => environment.close()));
    this.closing = true;
    this.connection?.close();
    this.failAll(new ConnectionError(`${this.url}: the client was closed`));
    return told && closed.every(({ status }) => status === 'fulfilled');
  }

  /** @internal Opens the socket, the first time and after each loss. */
  async connect(): Promise<void> {
    const { protocol = 'msgpack', token, name = 'learning-to-simulate' } = this.options;
    const { connection, welcome } = await ServerConnection.open(this.url, { codec: protocol, token, name });
    if (this.closing) return connection.close();
    this.welcome = welcome;
    this.connection = connection;
    this.connectedAt = performance.now();
    connection.onMessage = (message) => this.hear(message);
    connection.onBrokenAnswer = (re, error) => {
      const asked = this.pending.get(re as number);
      // Without its session or its results, an environment cannot go on.
      if (re === null || asked?.message.t === 'resume') return this.failAll(error);
      this.pending.delete(re as number);
      asked?.reject(error);
    };
    connection.onClose = (error) => {
      if (this.connection === connection) this.connection = undefined;
      // The next connection sends its own `resume`, with the newest token and `last_seq`.
      for (const [id, { message, reject }] of this.pending) {
        if (message.t !== 'resume') continue;
        this.pending.delete(id);
        reject(error);
      }
      if (this.leaving) this.failAll(error);
      else if (!this.closing) void this.reconnect(error);
    };
    void this.restore();
  }

  /** @internal */
  ask<Q extends Question>(question: Q, fields: Asked<Q>): Promise<ReplyTo<Q>> {
    const message = { t: question, id: this.newId(), ...fields } as unknown as ClientMessage;
    // The server answers a question with its own kind of answer, or an error.
    return new Promise((resolve, reject) =>
      this.sendPending({ message, resolve: (reply) => resolve(reply as ReplyTo<Q>), reject }),
    );
  }

  /** @internal */
  newId(): number {
    return this.nextId++;
  }

  /** @internal */
  sendPending(pending: Pending): void {
    if (this.closing) return pending.reject(new ConnectionError(`${this.url}: the client was closed`));
    this.pending.set(pending.message.id as number, pending);
    this.transmit(pending, pending.message);
  }

  /** Sends a message; one that can never be sent is an error to its caller, and is not tried again. */
  private transmit({ message: { id }, reject }: Pending, message: ClientMessage): void {
    try {
      this.connection?.send(message);
    } catch (error) {
      this.pending.delete(id as number);
      reject(error as Error);
    }
  }

  /** @internal */
  tell(message: ClientMessage): void {
    this.connection?.send(message);
  }

  /** @internal */
  forget(id: number): void {
    this.pending.delete(id);
  }

  /** @internal */
  leave(sessionId: string): void {
    this.environments.delete(sessionId);
  }

  /** @internal For tests: loses the socket as a broken network would. */
  loseConnection(): void {
    this.connection?.terminate();
  }

  private hear(message: ServerMessage): void {
    if (message.t !== 'error' && message.t !== 'resumed' && message.t !== 'draining') this.servedAt = performance.now();
    if (message.t === 'result' || message.t === 'progress') {
      this.environments.get(message.session_id)?.hear(message);
      return;
    }
    // A step waits for its result; `accepted` is no answer yet.
    if (message.t === 'accepted' || message.t === 'draining' || message.re === null) return;
    const waiting = this.pending.get(message.re as number);
    if (!waiting) return;
    if (message.t === 'error' && message.step_id !== undefined && waiting.refusedItem) {
      return waiting.refusedItem(protocolError(message));
    }
    if (message.t === 'error' && this.triesAgain(waiting, protocolError(message))) return;
    this.pending.delete(message.re as number);
    // At once, not when the promise has resolved: the results may come in the same turn.
    if (message.t === 'resumed') this.environments.get(message.session_id)?.resumed(message);
    if (message.t === 'error') waiting.reject(protocolError(message));
    else waiting.resolve(message);
  }

  /** @internal */
  retryAfter(error: ProtocolError, refusedAt: number): number | undefined {
    const { code, retryable, place, message } = error;
    const { reconnectForMs = RECONNECT_FOR_MS } = this.options;
    const isFull = isOfFullServer(error);
    const since = code === 'RATE_LIMITED' ? Math.max(refusedAt, this.servedAt) : refusedAt;
    const now = performance.now();
    if (!retryable || (!isFull && now - since >= reconnectForMs)) return undefined;
    if (now - this.refusalSaidAt >= (isFull ? SAY_FULL_EVERY_MS : SAY_EVERY_MS)) {
      this.refusalSaidAt = now;
      this.say(`${this.url}: ${message} (${code}); asking again`);
    }
    return Math.min(place.retryAfterMs ?? RETRY_MS, LONGEST_DELAY_MS);
  }

  /** Whether a refused request is sent again later, under its old id. */
  private triesAgain(waiting: Pending, error: ProtocolError): boolean {
    // A full server is asked without end; the time for other refusals begins after that.
    if (isOfFullServer(error)) delete waiting.refusedAt;
    else waiting.refusedAt ??= performance.now();
    const delay = this.retryAfter(error, waiting.refusedAt ?? performance.now());
    if (delay === undefined) return false;
    const { session_id: session } = waiting.message as { session_id?: string };
    const again = () => {
      if (this.pending.get(waiting.message.id as number) !== waiting) return;
      // The last acknowledgement may have been refused or lost, and the session be full because of it.
      if (error.code === 'BUSY' && session !== undefined) this.environments.get(session)?.acknowledgeAll();
      this.resend(waiting);
    };
    setTimeout(again, delay).unref(); // while the client is connected, its socket keeps the process
    return true;
  }

  private resend(pending: Pending): void {
    const rest = pending.again ? pending.again() : pending.message;
    if (rest) this.transmit(pending, rest);
    else this.pending.delete(pending.message.id as number);
  }

  /** What the server has written may be in the sentence. */
  private say(sentence: string): void {
    this.options.say?.(printable(sentence));
  }

  /** @internal Waits for something, and says so while it takes long. */
  async saying<T>(what: string, work: Promise<T>): Promise<T> {
    const began = performance.now();
    const say = () => {
      const seconds = Math.round((performance.now() - began) / 1000);
      this.say(`${this.url}: waiting ${what}, ${seconds} s so far`);
    };
    const saying = setInterval(say, SAY_EVERY_MS);
    try {
      return await work;
    } finally {
      clearInterval(saying);
    }
  }

  private async reconnect(cause: ConnectionError): Promise<void> {
    const patienceMs = this.options.reconnectForMs ?? RECONNECT_FOR_MS;
    if (patienceMs === 0) return this.failAll(cause);
    const now = performance.now();
    // A connection that ends at once, before anything was done, has not ended the loss.
    const isFirst = this.lostAt === -Infinity;
    if (isFirst || this.servedAt > this.lostAt || now - this.connectedAt > LONGEST_RETRY_MS) {
      this.lostAt = now;
      this.waitMs = 100;
    }
    if (now - this.lostAt > patienceMs) {
      const text = `${cause.message}; every connection was, for ${patienceMs / 1000} s, before anything was done`;
      return this.failAll(new ConnectionError(text));
    }
    this.say(`${cause.message}; trying again for ${patienceMs / 1000} s`);
    await this.saying('for the server to come back', this.tryAgain(cause, patienceMs));
    if (this.connection) this.say(`${this.url}: connected again`);
  }

  private async tryAgain(cause: ConnectionError, patienceMs: number): Promise<void> {
    const giveUpAt = this.lostAt + patienceMs;
    while (!this.closing) {
      await new Promise((resolve) => setTimeout(resolve, this.waitMs));
      this.waitMs = Math.min(2 * this.waitMs, LONGEST_RETRY_MS);
      try {
        return await this.connect();
      } catch (error) {
        // The server would refuse the next attempt too.
        if (error instanceof ProtocolError && !error.retryable) return this.failAll(error);
        if (performance.now() > giveUpAt) {
          return this.failAll(new ConnectionError(`${cause.message}; no server came back for ${patienceMs / 1000} s`));
        }
      }
    }
  }

  /**
   * Resumes all sessions before anything else is sent. What is still pending is sent again then: about a session, when
   * the results that were missed of it are there.
   */
  private async restore(): Promise<void> {
    const { connection } = this;
    const waiting = [...this.pending.values()];
    const sendAgain = (isMeant: (session: string | undefined) => boolean) => {
      if (connection !== this.connection) return;
      for (const pending of waiting) {
        const { id, session_id } = pending.message as { id: number; session_id?: string };
        if (isMeant(session_id) && this.pending.get(id) === pending) this.resend(pending);
      }
    };
    const environments = new Map(this.environments);
    const resumed = [...environments].map(async ([session, environment]) => {
      try {
        await this.ask('resume', environment.ticket);
        await environment.caughtUp;
      } catch (error) {
        if (error instanceof ProtocolError) environment.fail(error);
      }
      sendAgain((other) => other === session);
    });
    sendAgain((session) => session === undefined || !environments.has(session));
    await Promise.all(resumed);
  }

  private failAll(error: Error): void {
    const waiting = [...this.pending.values()];
    this.pending.clear();
    waiting.forEach(({ reject }) => reject(error));
    for (const environment of this.environments.values()) environment.fail(error);
    this.environments.clear();
    this.closing = true;
  }
}
