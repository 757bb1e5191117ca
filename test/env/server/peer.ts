/** A peer that says exactly what a test tells it to, right or wrong: it shares the codec with us, and nothing else. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { decode, encode } from '../../../protocol/codec.ts';
import { SUBPROTOCOLS, type Codec } from '../../../protocol/messages.ts';

export type Message = Record<string, unknown> & { t: string };

const PATIENCE_MS = 10_000;

export class Peer {
  /** The close code, when there is one. */
  readonly closed: Promise<number>;
  private readonly inbox: Message[] = [];
  private wake: () => void = () => {};

  private constructor(
    readonly socket: WebSocket,
    readonly codec: Codec,
  ) {
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => {
      this.inbox.push(decode(codec, data as Buffer, isBinary) as Message);
      this.wake();
    });
  }

  /** A socket that has not said hello. */
  static async connect(url: string, codec: Codec = 'json', headers: Record<string, string> = {}): Promise<Peer> {
    const socket = new WebSocket(url, SUBPROTOCOLS[codec], { headers });
    const peer = new Peer(socket, codec);
    await once(socket, 'open');
    return peer;
  }

  /** A socket that was welcomed. */
  static async welcomed(url: string, codec: Codec = 'json'): Promise<Peer> {
    const peer = await Peer.connect(url, codec);
    peer.send({ t: 'hello', id: 'hello', protocol: [1], capabilities: ['resume', 'progress', 'batch'] });
    await peer.next('welcome');
    return peer;
  }

  send(message: object): void {
    this.socket.send(encode(this.codec, message));
  }

  raw(frame: string | Uint8Array): void {
    this.socket.send(frame);
  }

  /** The next message of this type (any type without one); those before it are dropped. */
  async next(type?: string, patienceMs = PATIENCE_MS): Promise<Message> {
    const until = performance.now() + patienceMs;
    for (;;) {
      const at = this.inbox.findIndex((message) => type === undefined || message.t === type);
      if (at >= 0) return this.inbox.splice(0, at + 1)[at]!;
      const left = until - performance.now();
      if (left <= 0) throw new Error(`expected ${type ?? 'a message'} within ${patienceMs} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Sends, and waits for the next message of any type. */
  async ask(message: object, type?: string): Promise<Message> {
    this.send(message);
    return this.next(type);
  }

  /** Opens the bandit and returns the id of the session. */
  async open(options: object = {}, extra: object = {}): Promise<string> {
    const opened = await this.ask({ t: 'open', id: 'open', env_id: 'Bandit-v0', options, seed: 1, ...extra }, 'opened');
    return opened['session_id'] as string;
  }

  close(): void {
    this.socket.close();
  }
}
