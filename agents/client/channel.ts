import type { ProtocolError } from '../../protocol/errors.ts';
import type { ClientMessage, ClientMessages, Limits, ServerMessage, ServerMessages } from '../../protocol/messages.ts';

/** Messages that are answered by one other message, and by which. */
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
export type Answer<Q extends Question> = ServerMessages[Answers[Q]];

/** A message that waits for its answer. */
export interface Pending {
  readonly message: ClientMessage;
  readonly resolve: (reply: ServerMessage) => void;
  readonly reject: (error: Error) => void;
  /** Told of each item of a batch that is refused; the batch goes on. */
  readonly refusedItem?: (error: ProtocolError) => void;
}

/** What an environment needs of the way to its server: messages and answers that outlive a lost socket. */
export interface Channel {
  readonly limits: Limits;
  /** Asks, and waits for the answer; asked again on the next connection when this one is lost. */
  ask<Q extends Question>(question: Q, fields: Asked<Q>): Promise<Answer<Q>>;
  /** Of a message; each has its own. */
  newId(): number;
  /** Sends what is answered, or repeated on the next connection until it is. */
  sendPending(pending: Pending): void;
  /** Nobody waits for the answer to this message any more. */
  forget(id: number): void;
  /** Sends what needs no answer. */
  tell(message: ClientMessage): void;
  /** The session is over: nothing that the server says of it is heard any more. */
  leave(sessionId: string): void;
}
