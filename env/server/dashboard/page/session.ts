/** A session of the page's own: it evaluates a θ as any client does, over the WebSocket of the protocol. */
import type { ClientMessage, Progress, Result, ServerMessage } from '../../../../protocol/messages.ts';
import type { NamedTheta } from '../answers.ts';

const SUBPROTOCOL = 'lts.v1.json';
const PATIENCE_MS = 10_000;

export interface PageEvaluation {
  readonly theta: NamedTheta;
  readonly seed: number;
}

interface Waiting {
  readonly onProgress: (progress: Progress) => void;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
}

/** Distributes over the messages, which a plain Omit does not. */
type Unnumbered<Message> = Message extends unknown ? Omit<Message, 'id'> : never;

export class PageSession {
  /** Called once, when it has ended. */
  onEnd: () => void = () => {};
  private readonly answers = new Map<
    number,
    { resolve: (message: ServerMessage) => void; reject: (error: Error) => void }
  >();
  private readonly steps = new Map<string, Waiting>();
  private id = 0;
  private count = 0;
  private run = '';

  private constructor(private readonly socket: WebSocket) {}

  /** @throws {Error} in a sentence, when the server refuses */
  static async open(
    env_id: string,
    options: Readonly<Record<string, unknown>>,
    auth: { auth?: string },
  ): Promise<PageSession> {
    const socket = new WebSocket(location.origin.replace(/^http/, 'ws'), SUBPROTOCOL);
    const session = new PageSession(socket);
    await new Promise<void>((resolve, reject) => {
      socket.onopen = () => resolve();
      socket.onerror = () => reject(new Error('The server could not be reached, or lets this page open no session.'));
    });
    socket.onerror = null;
    socket.onmessage = ({ data }) => session.hear(JSON.parse(String(data)) as ServerMessage);
    socket.onclose = ({ code, reason }) => session.end(`The session of this page has ended (${reason || code}).`);
    const client = { name: 'page', version: '1', language: 'typescript' };
    const greet = async () => {
      await session.ask({ t: 'hello', protocol: [1], client, capabilities: ['progress', 'note'], ...auth });
      return session.ask({ t: 'open', env_id, options: { ...options } });
    };
    const opened = await greet().catch((error: unknown) => {
      socket.close(1000);
      throw error;
    });
    if (opened.t !== 'opened') throw new Error(`expected opened, got ${opened.t}`);
    session.run = opened.session_id;
    session.tell({ t: 'note', session_id: session.run, topic: 'run', value: { agent: 'playground' } });
    return session;
  }

  /** The run that its evaluations are in. */
  get runId(): string {
    return this.run;
  }

  /** @returns a promise of the result, and the name of the step */
  evaluate(
    { theta, seed }: PageEvaluation,
    onProgress: (progress: Progress) => void,
  ): { step: string; result: Promise<Result> } {
    const step = `playground/${++this.count}`;
    const result = new Promise<Result>((resolve, reject) => {
      this.steps.set(step, { onProgress, resolve, reject });
      const params = theta as Record<string, number | number[]>;
      this.ask({ t: 'step', session_id: this.run, step_id: step, params, seed, reset: true, progress: true }).catch(
        (error: Error) => {
          this.steps.delete(step);
          reject(error);
        },
      );
    });
    return { step, result };
  }

  cancel(step: string): void {
    void this.ask({ t: 'cancel', session_id: this.run, step_id: step }).catch(() => {});
  }

  close(): void {
    this.socket.close(1000);
  }

  private ask(message: Unnumbered<ClientMessage>): Promise<ServerMessage> {
    const id = ++this.id;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`The server did not answer ${message.t}.`)), PATIENCE_MS);
      const settle =
        <T>(end: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          this.answers.delete(id);
          end(value);
        };
      this.answers.set(id, { resolve: settle(resolve), reject: settle(reject) });
      this.tell({ ...message, id });
    });
  }

  private tell(message: object): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private hear(message: ServerMessage): void {
    if (message.t === 'progress') return this.steps.get(message.step_id)?.onProgress(message);
    if (message.t === 'result') {
      const step = this.steps.get(message.step_id);
      this.steps.delete(message.step_id);
      this.tell({ t: 'ack', session_id: this.run, seq: message.seq });
      return step?.resolve(message);
    }
    if (!('re' in message) || message.re === null) return;
    const waiting = this.answers.get(message.re as number);
    if (message.t === 'error') waiting?.reject(new Error(message.message));
    else waiting?.resolve(message);
  }

  private end(why: string): void {
    const error = new Error(why);
    for (const { reject } of this.answers.values()) reject(error);
    for (const { reject } of this.steps.values()) reject(error);
    this.answers.clear();
    this.steps.clear();
    this.onEnd();
  }
}
