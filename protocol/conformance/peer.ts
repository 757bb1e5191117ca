/** A client that sends exactly what a check tells it to, correct or not. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { decode, encode } from '../codec.ts';
import { parseMessage, serverMessages, SUBPROTOCOLS, type Codec, type ServerMessages } from '../messages.ts';

export type Message = Record<string, unknown> & { t: string };

const PATIENCE_MS = 20_000;

export class Peer {
  /** Resolves with the close code when the socket closes. */
  readonly closed: Promise<number>;
  /** Errors about messages that break the schema of their type; every check expects none. */
  readonly malformed: string[] = [];
  private readonly inbox: Message[] = [];
  private wake: () => void = () => {};

  private constructor(
    readonly socket: WebSocket,
    readonly codec: Codec,
    private readonly patienceMs: number,
  ) {
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => {
      const message = decode(codec, data as Buffer, isBinary) as Message;
      try {
        parseMessage(serverMessages, message);
      } catch (error) {
        this.malformed.push(`${message.t}: ${(error as Error).message}`);
      }
      this.inbox.push(message);
      this.wake();
    });
  }

  /** Connects, without sending `hello`. */
  static async connect(url: string, codec: Codec, token?: string, patienceMs = PATIENCE_MS): Promise<Peer> {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const socket = new WebSocket(url, SUBPROTOCOLS[codec], { headers, perMessageDeflate: false });
    const peer = new Peer(socket, codec, patienceMs);
    await once(socket, 'open');
    return peer;
  }

  send(message: object): void {
    this.socket.send(encode(this.codec, message));
  }

  raw(frame: string | Uint8Array): void {
    this.socket.send(frame);
  }

  /**
   * The next message of one of these types, or of any type if none is given; messages before it are dropped.
   *
   * @throws {Error} when it does not come in time
   */
  async next(...types: string[]): Promise<Message> {
    const until = performance.now() + this.patienceMs;
    for (;;) {
      const at = this.inbox.findIndex(({ t }) => types.length === 0 || types.includes(t));
      if (at >= 0) return this.inbox.splice(0, at + 1)[at]!;
      const left = until - performance.now();
      if (left <= 0) throw new Error(`expected ${types.join(' or ') || 'a message'} within ${this.patienceMs} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /**
   * Sends a message, and waits for the next message of this type.
   *
   * @throws {Error} when an error comes instead, or nothing in time
   */
  async ask<T extends keyof ServerMessages>(message: object, type: T): Promise<ServerMessages[T]> {
    this.send(message);
    const answer = await this.next(type, 'error');
    if (answer.t !== type) throw new Error(`expected ${type}, got ${JSON.stringify(answer)}`);
    return answer as unknown as ServerMessages[T];
  }

  /** Sends a message that must be refused, and returns the error that answers it. */
  async refused(message: object): Promise<ServerMessages['error']> {
    this.send(message);
    const answer = await this.next();
    if (answer.t !== 'error') throw new Error(`expected an error, got ${JSON.stringify(answer).slice(0, 200)}`);
    return answer as unknown as ServerMessages['error'];
  }

  /** Whether the connection still answers. */
  async lives(): Promise<boolean> {
    return (await this.ask({ t: 'ping', id: 'lives' }, 'pong')).re === 'lives';
  }

  /**
   * Checks that no more messages come: `ping` is answered in its turn, so everything before it has been answered.
   *
   * @throws {Error} with the first message that comes
   */
  async silent(): Promise<void> {
    await this.lives();
    await new Promise((resolve) => setTimeout(resolve, 100));
    if (this.inbox.length > 0) throw new Error(`expected nothing more, got ${JSON.stringify(this.inbox[0])}`);
  }

  close(): void {
    this.socket.close();
  }
}
