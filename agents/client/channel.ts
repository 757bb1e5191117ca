import type { ProtocolError } from '../../protocol/errors.ts';
import type { ClientMessage, ClientMessages, Limits, ServerMessage, ServerMessages } from '../../protocol/messages.ts';

/** For each message that is answered by exactly one message: the type of the answer. */
interface Answers {
  open: 'opened';
  resume: 'resumed';
  close: 'closed';
  reset: 'reset_done';
  cancel: 'cancelling';
  ping: 'pong';
}
export type Question = keyof Answers;
export type Asked<Q extends Question> = Omit<ClientMessages[Q], 't' | 'id'>;
export type ReplyTo<Q extends Question> = ServerMessages[Answers[Q]];

/** A message that waits for its answer. */
export interface Pending {
  readonly message: ClientMessage;
  readonly resolve: (reply: ServerMessage) => void;
  readonly reject: (error: Error) => void;
  /** When the server first refused it for now, in milliseconds of `performance.now()`. */
  refusedAt?: number;
  /** What to send on a new connection in place of `message`, under the same id; undefined if there is nothing left. */
  readonly again?: () => ClientMessage | undefined;
  /** Called for each refused item of a batch; the other items go on. */
  readonly refusedItem?: (error: ProtocolError) => void;
}

/** The part of a client that an environment uses: messages and answers that survive a lost socket. */
export interface Channel {
  readonly limits: Limits;
  /** Whether the server keeps notes. */
  readonly takesNotes: boolean;
  /** Asks, and waits for the answer. If the connection is lost, the question is sent again on the next one. */
  ask<Q extends Question>(question: Q, fields: Asked<Q>): Promise<ReplyTo<Q>>;
  /** A new id for a message. */
  newId(): number;
  /**
   * Sends a message, and sends it again on every new connection, and while the server refuses it for now, until it is
   * answered. One that can never be sent is rejected with a RangeError (its size) or TypeError (its values).
   */
  sendPending(pending: Pending): void;
  /**
   * The time after which to ask again what was refused; undefined if the refusal is final, or has lasted for as long as
   * a lost connection is tried again.
   *
   * @param refusedAt when it was first refused, in milliseconds of `performance.now()`
   */
  retryAfter(error: ProtocolError, refusedAt: number): number | undefined;
  /** Stops waiting for the answer to this message. */
  forget(id: number): void;
  /** Sends a message that needs no answer. */
  tell(message: ClientMessage): void;
  /** Ends a session on this side: later messages about it are ignored. */
  leave(sessionId: string): void;
}

/** Whether a server refuses because it is full: room is a question of time, and its evaluations may take hours. */
export const isOfFullServer = ({ code }: ProtocolError): boolean => code === 'BUSY' || code === 'QUEUE_FULL';
