/** The complete lists of error codes (the connection stays open) and close codes (it does not). */

/** Every code of an `error` message: whether the same request may succeed later, and what the code means. */
export const ERROR_CODES = {
  BAD_MESSAGE: [false, 'the bytes are no message, or a field has the wrong type; `at` says which'],
  UNKNOWN_TYPE: [false, 'the field `t` names no message of this protocol version'],
  HELLO_EXPECTED: [true, 'the first message must be `hello`'],
  ALREADY_WELCOME: [false, '`hello` was already answered on this connection'],
  UNSUPPORTED_VERSION: [false, 'client and server share no protocol version; the socket closes with 4406'],
  UNAUTHENTICATED: [false, 'a token is needed, or this one is wrong; the socket closes with 4403'],
  ENV_NOT_FOUND: [false, 'this server does not serve that environment id; `welcome` lists the ones it does'],
  BAD_OPTIONS: [false, 'the environment does not take these options; `at` says which'],
  SESSION_NOT_FOUND: [
    false,
    'no such session on this connection: never opened, closed, expired, or a wrong resume token',
  ],
  RESUME_GAP: [false, '`last_seq` is below what was acknowledged, whose results are gone, or above the last result'],
  NEEDS_RESET: [false, 'the episode has ended (or none was begun): send `reset`, or give the step `reset: true`'],
  BAD_ACTION: [false, 'the action or θ breaks a rule; `at` and `rule` say where and which'],
  STEP_ID_CONFLICT: [false, 'this step_id was used before with a different request'],
  STEP_NOT_FOUND: [false, 'this session has no such step'],
  BUSY: [true, 'the session has as many steps in flight, or results to acknowledge, as it may'],
  QUEUE_FULL: [true, 'the server has as many evaluations waiting as it may, or cannot write its journal'],
  TOO_MANY_SESSIONS: [true, 'the server, or this connection, has as many sessions as it may'],
  RATE_LIMITED: [true, 'more messages a second than `limits.max_messages_per_s`; wait for `retry_after_ms`'],
  DRAINING: [true, 'the server is about to stop and takes no new work'],
  INTERNAL: [true, 'a defect of the server; its log has the rest'],
} as const satisfies Record<string, readonly [retryable: boolean, meaning: string]>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Why a socket was closed. Codes from 4000 are ours; RFC 6455 and its registry define the others. */
export const CLOSE_CODES = {
  NORMAL: [1000, 'the client is done'],
  GOING_AWAY: [1001, 'the process at the other end is stopping'],
  TOO_BIG: [1009, 'a message was larger than `limits.max_payload_bytes`'],
  RESTART: [1012, 'the server stops or restarts: try again later'],
  FULL: [1013, 'the server has as many connections as it takes: try again later'],
  SLOW_READER: [4008, 'the client reads too slowly: reconnect and resume'],
  FORBIDDEN: [4403, 'no valid token'],
  VERSION: [4406, 'no common protocol version'],
  HELLO_TIMEOUT: [4408, 'no `hello` in time'],
  TAKEN_OVER: [4409, 'a session of this connection was resumed on another one'],
} as const satisfies Record<string, readonly [code: number, meaning: string]>;

export type CloseCode = (typeof CLOSE_CODES)[keyof typeof CLOSE_CODES];

/** Where an error lies and what was expected there. */
export interface ErrorPlace {
  /** JSON pointer into the request, such as `/action/3`. */
  readonly at?: string | undefined;
  /** The broken rule in one word: `shape`, `range`, `not_finite` … */
  readonly rule?: string | undefined;
  /** The value found there, shortened. */
  readonly got?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly stepId?: string | undefined;
}

/** The server sends it as an `error` message; the client throws it when it receives one. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly retryable: boolean;
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly place: ErrorPlace = {},
  ) {
    super(message);
    this.retryable = ERROR_CODES[code][0];
  }

  get at(): string | undefined {
    return this.place.at;
  }
}

/** The part of a value at a path of keys; undefined if the path leads nowhere. */
export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (node, key) =>
      typeof node === 'object' && node !== null ? (node as Record<PropertyKey, unknown>)[key] : undefined,
    value,
  );
}

/** A text as a terminal may show it: on one line, and with its control characters as escapes, which then do nothing. */
export function printable(text: string): string {
  return text
    .replace(/\s*[\n\r\u2028\u2029]\s*/g, ' ')
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A value as an error shows it: as JSON if possible, NaN by name, at most 80 characters, none a control character. */
export function shown(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint' || value === undefined) return String(value);
  let text: string;
  try {
    text = JSON.stringify(value) ?? typeof value;
  } catch {
    text = typeof value;
  }
  const plain = text.replace(/[\u007f-\u009f]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
  return shortened(plain, 80);
}

/** A text that somebody else may have written, cut to at most this number of characters, none of them half a pair. */
export function shortened(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 3).replace(/[\ud800-\udbff]$/, '')}...` : text;
}
