import { WebSocket } from 'ws';
import { decode, encode } from '../../protocol/codec.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import {
  CAPABILITIES,
  PROTOCOL_VERSION,
  SUBPROTOCOLS,
  parseMessage,
  serverMessages,
  type ClientMessage,
  type Codec,
  type MessageId,
  type ServerMessage,
  type ServerMessages,
} from '../../protocol/messages.ts';

/** Larger than any message that a server may send. */
const MAX_PAYLOAD_BYTES = 64 * 1024 * 1024;
/** The longest time from the start of the connection to the server's welcome. */
const WELCOME_TIMEOUT_MS = 10_000;

export interface ConnectionOptions {
  readonly codec: Codec;
  readonly token?: string | undefined;
  /** The name of the program, sent with `hello`. */
  readonly name: string;
}

/** The socket was lost, or could not be opened. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
}

/** Why a socket could not be opened. */
function wordsOf({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ECONNREFUSED') return `${message}; no server listens there (npm run serve -- --env … starts one)`;
  if (code === 'EPROTO') return 'expected a server that speaks TLS, as wss:// says, got one that does not; try ws://';
  const [, status] = /^Unexpected server response: (\d+)$/.exec(message) ?? [];
  if (status === '401' || status === '403')
    return `expected the token of this server, got another one (HTTP ${status})`;
  return status === undefined ? message : `expected a server of this protocol, got one that answers HTTP ${status}`;
}

/** How a socket was closed. 1006 stands for a close without a word (RFC 6455, 7.1.5). */
function closedBy(code: number, reason: string): string {
  if (code === 1006) return 'lost';
  return `closed (${[code, reason].filter((part) => part !== '').join(' ')})`;
}

/** One socket, from `hello` to its close. */
export class ServerConnection {
  /** Called once, with the reason. The owner sets this and the next two. */
  onClose: (error: ConnectionError) => void = () => {};
  onMessage: (message: ServerMessage) => void = () => {};
  /** Called for an answer that breaks the protocol; asking again would get the same answer. */
  onBrokenAnswer: (re: MessageId | null, error: ConnectionError) => void = () => {};
  private liveness: NodeJS.Timeout | undefined;
  /** The size of a message that the server takes; it says so with its welcome. */
  private mostBytes = Infinity;

  private constructor(
    private readonly socket: WebSocket,
    private readonly codec: Codec,
    private readonly url: string,
  ) {}

  /** @throws {ConnectionError} when no server answers, {ProtocolError} when the server refuses */
  static async open(
    url: string,
    { codec, token, name }: ConnectionOptions,
  ): Promise<{ connection: ServerConnection; welcome: ServerMessages['welcome'] }> {
    if (!/^wss?:\/\/./.test(url)) throw new ConnectionError(`url: expected ws://… or wss://…, got ${url}`);
    const socket = new WebSocket(url, SUBPROTOCOLS[codec], {
      perMessageDeflate: false,
      maxPayload: MAX_PAYLOAD_BYTES,
      handshakeTimeout: WELCOME_TIMEOUT_MS,
      ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
    });
    const connection = new ServerConnection(socket, codec, url);
    const welcome = await connection.greet(name);
    connection.mostBytes = welcome.limits.max_payload_bytes;
    connection.watch(welcome.heartbeat.interval_ms + welcome.heartbeat.timeout_ms);
    return { connection, welcome };
  }

  /**
   * Sends a message, if the socket is open.
   *
   * @throws {RangeError} when the server would refuse it for its size, {TypeError} when it has a value that cannot be sent
   */
  send(message: ClientMessage): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    const frame = encode(this.codec, message);
    const bytes = Buffer.byteLength(frame);
    if (bytes > this.mostBytes) {
      throw new RangeError(`${message.t}: expected at most ${this.mostBytes} bytes, as the server takes, got ${bytes}`);
    }
    this.socket.send(frame);
  }

  close(): void {
    clearTimeout(this.liveness);
    this.socket.close(1000);
  }

  /** Ends the socket without a handshake, as a lost network would. */
  terminate(): void {
    this.socket.terminate();
  }

  private greet(name: string): Promise<ServerMessages['welcome']> {
    const { socket } = this;
    return new Promise((resolve, reject) => {
      // A server that refuses may leave the socket open, which would keep this process.
      const refuse = (error: Error) => {
        reject(error);
        socket.terminate();
      };
      const timer = setTimeout(
        () => refuse(new ConnectionError(`${this.url}: expected welcome within ${WELCOME_TIMEOUT_MS} ms`)),
        WELCOME_TIMEOUT_MS,
      );
      this.onBrokenAnswer = (_re, error) => reject(error);
      socket.once('open', () => {
        const client = { name, version: '1', language: 'typescript' };
        this.send({
          t: 'hello',
          id: 0,
          protocol: [PROTOCOL_VERSION],
          client,
          capabilities: [...CAPABILITIES],
        });
      });
      // A socket that is lost after the welcome is reported by `close`.
      socket.on('error', (error: NodeJS.ErrnoException) => {
        reject(new ConnectionError(`${this.url}: ${wordsOf(error)}`));
      });
      socket.on('close', (code, reason) => {
        clearTimeout(timer);
        clearTimeout(this.liveness);
        const error = new ConnectionError(`${this.url}: the connection was ${closedBy(code, reason.toString())}`);
        reject(error);
        this.onClose(error);
      });
      socket.on('message', (data, isBinary) => {
        const message = this.read(data as Buffer, isBinary);
        if (message?.t === 'error' && message.re === 0) return refuse(protocolError(message));
        if (message?.t !== 'welcome') return message && this.onMessage(message);
        if (message.protocol !== PROTOCOL_VERSION) {
          const text = `${this.url}: expected welcome with protocol ${PROTOCOL_VERSION}, got ${message.protocol}`;
          return refuse(new ConnectionError(text));
        }
        clearTimeout(timer);
        resolve(message);
      });
    });
  }

  /** The message in a frame; undefined if its type is unknown, or if it breaks the protocol: then the socket closes. */
  private read(data: Buffer, isBinary: boolean): ServerMessage | undefined {
    let value: unknown;
    try {
      value = decode(this.codec, data, isBinary);
      return parseMessage(serverMessages, value);
    } catch (error) {
      // A later minor version may have messages that we do not know.
      if (error instanceof ProtocolError && error.code === 'UNKNOWN_TYPE') return undefined;
      const { t, re } = (value ?? {}) as { t?: unknown; re?: MessageId | null };
      const text = `${this.url}: expected an answer that keeps to the protocol: ${(error as Error).message}`;
      // Progress is never needed: the step's answer still comes.
      if (re !== undefined && t !== 'progress') this.onBrokenAnswer(re, new ConnectionError(text));
      this.socket.close(1002, 'a message of the server breaks the protocol');
      return undefined;
    }
  }

  /** Ends the socket when nothing has come for longer than the server's heartbeat allows. */
  private watch(silenceMs: number): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    const liveness = setTimeout(() => this.socket.terminate(), silenceMs).unref();
    this.liveness = liveness;
    const hear = () => void (this.socket.readyState === WebSocket.OPEN && liveness.refresh());
    this.socket.on('ping', hear);
    this.socket.on('message', hear);
  }
}

/** An `error` message as an exception. */
export function protocolError(message: ServerMessages['error']): ProtocolError {
  return new ProtocolError(message.code, message.message, {
    at: message.at,
    rule: message.rule,
    got: message.got,
    retryAfterMs: message.retry_after_ms,
    stepId: message.step_id,
  });
}
