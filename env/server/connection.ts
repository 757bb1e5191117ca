import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { decode, encode } from '../../protocol/codec.ts';
import { CLOSE_CODES, ProtocolError, shortened, type CloseCode, type ErrorPlace } from '../../protocol/errors.ts';
import {
  clientMessages,
  parseMessage,
  type ClientMessage,
  type Codec,
  type MessageId,
  type ServerMessage,
} from '../../protocol/messages.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';
import { inTurn } from './turns.ts';

/** With more unsent bytes than this, progress is dropped: no client depends on it. */
const DROP_PROGRESS_BYTES = 256 * 1024;
/** With more unsent bytes than this, results wait: they are read from the store when the socket has drained. */
const PAGE_BYTES = 256 * 1024;
/** A page of them takes at most this time. */
const PAGE_MS = 5;
/** With more unsent bytes than this, the socket is closed, and its sessions wait for a client that reads. */
const SLOW_READER_BYTES = 8 * 1024 * 1024;

/** The most bytes that may come before `hello`, with it and its frame. */
const HELLO_BYTES = 4096;
/** The most characters of an error's sentence and of its `at`: a client may have sent what stands in them. */
const MESSAGE_CHARACTERS = 600;
const AT_CHARACTERS = 200;

/** One socket, from the upgrade to its close: frames in, messages out. */
export class Connection {
  readonly id = randomUUID();
  /** Set by `hello`. */
  capabilities: ReadonlySet<string> | undefined;
  /** Whether the client needs to show no token in `hello`: it did so at the upgrade, or the server has none. */
  authenticated: boolean;
  private alive = true;
  private isHeld = false;
  /** Messages that wait for room, in their order; each is made when its turn comes. */
  private readonly waiting: Iterator<ServerMessage>[] = [];
  /** Whether a page is on its way. */
  private isSending = false;
  /** The frames that came while a long message was answered piece by piece. */
  private backlog: [data: RawData, isBinary: boolean][] | undefined;
  /** The number of messages that may still come, and when it was counted. */
  private allowance: number;
  private countedAt = performance.now();

  constructor(
    private readonly socket: WebSocket,
    /** The stream under the WebSocket. */
    private readonly stream: Duplex,
    readonly codec: Codec,
    private readonly log: Logger,
    private readonly options: {
      readonly authenticated: boolean;
      readonly address: string;
      readonly metrics: Metrics;
      readonly maxMessagesPerS: number;
      readonly onMessage: (message: ClientMessage) => void;
      /** Called when `hello` may be answered by `welcome`; false when there is no room for one more client. */
      readonly mayEnter: () => boolean;
      readonly onClose: () => void;
    },
  ) {
    this.authenticated = options.authenticated;
    this.allowance = options.maxMessagesPerS;
    socket.on('message', (data, isBinary) => this.read(data, isBinary, options.onMessage));
    socket.on('pong', () => (this.alive = true));
    stream.on('drain', () => this.sendSoon());
    this.limitHello();
    // ws closes the socket itself after a broken frame. Without a listener, the error would end the process.
    socket.on('error', (error) => log.warn({ connection: this.id, error: error.message }, 'socket error'));
    socket.once('close', (code) => {
      this.waiting.length = 0;
      log.debug({ connection: this.id, code }, 'connection closed');
      options.onClose();
    });
  }

  /** Lets the client in. @returns false, with the socket closing, when there is no room */
  enter(capabilities: readonly string[]): boolean {
    if (!this.options.mayEnter()) {
      this.close(CLOSE_CODES.FULL);
      return false;
    }
    this.capabilities = new Set(capabilities);
    return true;
  }

  /**
   * Ends a socket that sends much before `hello`: an unfinished frame of the largest size takes memory. The listener comes
   * after that of ws, so what follows a `hello` in the same packet is not counted.
   */
  private limitHello(): void {
    let bytes = 0;
    const count = (chunk: Buffer) => {
      if (this.capabilities) return this.stream.off('data', count);
      bytes += chunk.length;
      if (bytes <= HELLO_BYTES) return;
      this.close(CLOSE_CODES.TOO_BIG);
      this.socket.pause();
    };
    this.stream.on('data', count);
  }

  send(message: ServerMessage): void {
    this.write(message);
  }

  /** @returns the size of the message; 0 if it was not sent */
  private write(message: ServerMessage): number {
    if (this.socket.readyState !== this.socket.OPEN) return 0;
    if (message.t === 'progress' && this.socket.bufferedAmount > DROP_PROGRESS_BYTES) return 0;
    this.hold();
    const frame = encode(this.codec, message);
    this.options.metrics.sent(frame.length);
    this.socket.send(frame);
    if (this.socket.bufferedAmount > SLOW_READER_BYTES) {
      this.log.warn({ connection: this.id }, 'slow reader: closing its socket');
      this.close(CLOSE_CODES.SLOW_READER);
      this.socket.terminate();
    }
    return frame.length;
  }

  get address(): string {
    return this.options.address;
  }

  get hasRoom(): boolean {
    return this.waiting.length === 0 && this.socket.bufferedAmount < PAGE_BYTES;
  }

  /**
   * Sends messages of which there may be many, after those that wait already, and as fast as the client reads.
   *
   * @param messages each is taken when the socket has room for it, so those that wait need no memory
   */
  sendInTurn(messages: Iterable<ServerMessage>): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    this.waiting.push(messages[Symbol.iterator]());
    this.sendSoon();
  }

  private sendSoon(): void {
    if (this.isSending || this.waiting.length === 0) return;
    this.isSending = true;
    inTurn(() => this.sendWaiting());
  }

  /** One page of what waits; the next one comes in its turn, or when the socket has drained. */
  private sendWaiting(): void {
    const until = performance.now() + PAGE_MS;
    let bytes = 0;
    try {
      if (this.socket.readyState !== this.socket.OPEN) this.waiting.length = 0;
      while (this.waiting.length > 0 && this.socket.bufferedAmount < PAGE_BYTES) {
        if (bytes >= PAGE_BYTES || performance.now() > until) {
          // Without these bounds, a socket that takes everything at once would keep the event loop.
          inTurn(() => this.sendWaiting());
          return;
        }
        const { value, done } = this.waiting[0]!.next() as IteratorResult<ServerMessage, undefined>;
        if (done) this.waiting.shift();
        else {
          const sent = this.write(value);
          if (sent === 0) break; // the socket is closing
          bytes += sent;
        }
      }
    } catch (error) {
      // The store cannot be read: whoever resumes later may get what is missing.
      asProtocolError(error, this.log);
      this.close(CLOSE_CODES.RESTART);
    }
    this.isSending = false;
  }

  /** Collects the messages of one turn of the event loop into one write, since a write costs more than a message. */
  private hold(): void {
    if (this.isHeld) return;
    this.isHeld = true;
    this.stream.cork();
    setImmediate(() => {
      this.isHeld = false;
      this.stream.uncork();
    });
  }

  /** Answers a request with an error; the connection lives. */
  fail(re: MessageId | null, error: ProtocolError, stepId?: string): void {
    const { code, message, retryable, place } = error;
    this.options.metrics.refused(code);
    const sentence = shortened(message, MESSAGE_CHARACTERS);
    this.send({ t: 'error', re, code, message: sentence, retryable, ...wirePlace({ stepId, ...place }) });
  }

  close(code: CloseCode): void {
    const [number, reason] = code;
    this.socket.close(number, reason);
  }

  /** Called once per heartbeat: pings the client, or ends the socket if nothing came since the last ping. */
  heartbeat(): void {
    if (!this.alive) {
      this.log.warn({ connection: this.id }, 'no pong: ending the socket');
      return this.socket.terminate();
    }
    this.alive = false;
    this.socket.ping();
  }

  /** Whether one more message is within the rate limit: a token bucket that holds one second's messages. */
  private mayCome(): boolean {
    const { maxMessagesPerS } = this.options;
    const now = performance.now();
    this.allowance = Math.min(maxMessagesPerS, this.allowance + ((now - this.countedAt) / 1000) * maxMessagesPerS);
    this.countedAt = now;
    if (this.allowance < 1) return false;
    this.allowance--;
    return true;
  }

  /**
   * Answers a long message in pieces, with turns of the event loop between them. What the client sends meanwhile waits, so
   * that it has its effect afterwards.
   */
  inPieces(pieces: Iterator<void>): void {
    const backlog: typeof this.backlog = (this.backlog = []);
    this.socket.pause();
    const next = () => {
      try {
        if (!pieces.next().done) return inTurn(next); // also without a client: steps that were accepted must begin
      } catch (error) {
        asProtocolError(error, this.log);
      }
      this.backlog = undefined;
      this.socket.resume();
      // One of them may be long again; those behind it come back here.
      for (const [data, isBinary] of backlog) this.read(data, isBinary, this.options.onMessage);
    };
    inTurn(next);
  }

  private tooMany(): ProtocolError {
    const text = `connection: expected at most ${this.options.maxMessagesPerS} messages a second`;
    return new ProtocolError('RATE_LIMITED', text, { retryAfterMs: 1000 });
  }

  private read(data: RawData, isBinary: boolean, onMessage: (message: ClientMessage) => void): void {
    // What comes after a refusal, such as a second `hello` with another token, is too late.
    if (this.socket.readyState !== this.socket.OPEN) return;
    this.alive = true;
    if (this.backlog) return void this.backlog.push([data, isBinary]);
    this.options.metrics.received((data as Buffer).length);
    let value: unknown;
    try {
      if (!this.mayCome()) return this.fail(idOf(decode(this.codec, data as Buffer, isBinary)), this.tooMany());
      value = decode(this.codec, data as Buffer, isBinary);
      onMessage(parseMessage(clientMessages, value));
    } catch (error) {
      this.fail(idOf(value), asProtocolError(error, this.log));
    }
  }
}

/** The id of a message, even if the message is broken otherwise: it tells the client which one was refused. */
function idOf(value: unknown): MessageId | null {
  const id = clientMessages.ping.shape.id.safeParse((value as { id?: unknown } | null | undefined)?.id);
  return id.success ? id.data : null;
}

/** Turns an unexpected error into INTERNAL; its details go to the log only. */
export function asProtocolError(error: unknown, log: Logger): ProtocolError {
  if (error instanceof ProtocolError) return error;
  log.error({ error: error instanceof Error ? error.stack : String(error) }, 'defect');
  return new ProtocolError('INTERNAL', 'a defect of the server; its log has the rest');
}

function wirePlace({ at, rule, got, retryAfterMs, stepId }: ErrorPlace) {
  return {
    ...(at !== undefined && { at: shortened(at, AT_CHARACTERS) }),
    ...(rule !== undefined && { rule }),
    ...(got !== undefined && { got }),
    ...(retryAfterMs !== undefined && { retry_after_ms: retryAfterMs }),
    ...(stepId !== undefined && { step_id: stepId }),
  };
}
