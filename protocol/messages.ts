/**
 * Every message as a schema; the types are inferred from the schemas. README.md beside this file has the rules.
 *
 * Keys are snake_case on the wire and in TypeScript too, so nothing has to be translated. Unknown fields are ignored,
 * so that a later minor version can add fields.
 */
import { z } from 'zod';
import { theta } from './parameters.ts';
import { ERROR_CODES, ProtocolError, shown, valueAt, type ErrorCode } from './errors.ts';
import { specification } from './specification.ts';

export type { Box, Specification } from './specification.ts';

/** Raised when a message changes in a way that an old peer cannot ignore. */
export const PROTOCOL_VERSION = 1;

/** The WebSocket subprotocols, which choose the codec: the same messages as binary or as text. */
export const SUBPROTOCOLS = { msgpack: 'lts.v1.msgpack', json: 'lts.v1.json' } as const;
export type Codec = keyof typeof SUBPROTOCOLS;

/** What a peer may be able to do. Each side names its own capabilities, and uses only those that the other named. */
export const CAPABILITIES = ['progress', 'resume', 'batch', 'note'] as const;
/** The most characters of a note as JSON; a server refuses a longer one. */
export const NOTE_CHARACTERS = 65_536;

/** No control character, which would cut or disguise a name where it is stored or shown, and no half of a surrogate pair. */
const PLAIN = /^[^\u0000-\u001f\u007f-\u009f\ud800-\udfff]*$/u;

/** What a client or the author of an environment calls something (rule T7). */
export const name = z
  .string()
  .min(1, 'expected 1 to 128 characters')
  .max(128, 'expected 1 to 128 characters')
  .regex(PLAIN, 'expected no control characters and no halves of surrogate pairs');
const id = z.union([z.int().min(0), name], {
  error: 'expected a whole number from 0 or a string of 1 to 128 characters, none a control character',
});
const seed = z.int().min(0).max(0xffff_ffff);
const milliseconds = z.number().min(0);
const scores = z.record(z.string(), z.number());

/** The seeds of the three sources of noise: pinned by a client, or derived from the step's one seed. */
const seeds = z.object({ simulation: seed, initialisation: seed, order: seed });

/** An evaluation: a flat action or θ by name (exactly one of them), and its seeds. */
const evaluation = {
  step_id: name,
  action: z.array(z.number()).max(65_536).optional(),
  params: theta.optional(),
  seed: seed.optional(),
  seeds: seeds.partial().optional(),
  /** Also asks for the scores on the test set; the session counts these evaluations. */
  test: z.boolean().optional(),
  /** From acceptance to the end, including the time in the queue. */
  deadline_ms: z.number().min(1).max(2_147_483_647).optional(),
};

export const clientMessages = {
  hello: z.object({
    t: z.literal('hello'),
    id,
    protocol: z.array(z.int()).min(1).max(64),
    client: z.object({ name, version: name, language: name.optional() }).optional(),
    capabilities: z.array(z.string().max(64)).max(64).optional(),
    auth: z.string().max(1024).optional(),
  }),
  open: z.object({
    t: z.literal('open'),
    id,
    env_id: name,
    options: z.record(z.string(), z.unknown()).optional(),
    seed: seed.optional(),
    /** How long the session waits for `resume` after its socket is lost and its steps are done. */
    detach_grace_ms: milliseconds.optional(),
  }),
  resume: z.object({
    t: z.literal('resume'),
    id,
    session_id: name,
    resume_token: z.string().min(1).max(256),
    /** The highest `seq` received, 0 for none. */
    last_seq: z.int().min(0),
  }),
  close: z.object({ t: z.literal('close'), id, session_id: name }),
  reset: z.object({ t: z.literal('reset'), id, session_id: name, seed: seed.optional() }),
  step: z.object({
    t: z.literal('step'),
    id,
    session_id: name,
    ...evaluation,
    /** The step is an episode of its own: it needs no `reset` before it, and any number of them may be in flight. */
    reset: z.boolean().optional(),
    progress: z.boolean().optional(),
  }),
  step_batch: z.object({
    t: z.literal('step_batch'),
    id,
    session_id: name,
    /** Each an episode of its own. */
    items: z.array(z.object(evaluation)).min(1).max(4096),
    progress: z.boolean().optional(),
  }),
  cancel: z.object({ t: z.literal('cancel'), id, session_id: name, step_id: name }),
  ack: z.object({
    t: z.literal('ack'),
    id: id.optional(),
    session_id: name,
    /** Every result up to this `seq` was received; the server may forget them. No reply. */
    seq: z.int().min(0),
  }),
  note: z.object({
    t: z.literal('note'),
    id: id.optional(),
    session_id: name,
    /** A later note of the same topic takes its place. No reply. */
    topic: name,
    value: z.record(z.string(), z.unknown()),
  }),
  ping: z.object({ t: z.literal('ping'), id }),
} as const;

/** A server that promised nothing, or a beat of weeks, would keep its clients waiting for ever. */
const count = z.int().min(1);
const beat = z
  .int()
  .min(1)
  .max(2 ** 30);
const limits = z.object({
  /** The number of evaluations that run at once. */
  workers: count,
  max_payload_bytes: count,
  /** The most steps of one session that may be queued or running. */
  max_in_flight: count,
  /** The most results of one session that may wait for their acknowledgement. */
  max_unacknowledged: count,
  max_batch: count,
  max_sessions: count,
  /** Servers from before this limit leave it out. */
  max_sessions_per_connection: count.optional(),
  /** The most evaluations of all sessions that may wait for a worker. */
  queue_depth: count,
  max_detach_grace_ms: z.int().min(0),
  /** Of one connection, on average over a second. */
  max_messages_per_s: count,
});

export const OUTCOMES = ['ok', 'infeasible', 'diverged', 'failed', 'deadline', 'cancelled'] as const;

const errorCodes = Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]];

export const serverMessages = {
  welcome: z.object({
    t: z.literal('welcome'),
    re: id,
    protocol: z.int(),
    server: z.object({ name: z.string(), version: z.string(), build: z.string() }),
    connection_id: z.string(),
    capabilities: z.array(z.string()),
    limits,
    heartbeat: z.object({ interval_ms: beat, timeout_ms: beat }),
    envs: z.array(z.object({ env_id: z.string(), title: z.string(), spec_hash: z.string() })),
  }),
  opened: z.object({
    t: z.literal('opened'),
    re: id,
    session_id: z.string(),
    resume_token: z.string(),
    epoch: z.int(),
    detach_grace_ms: milliseconds,
    /** The seed of the session's stream of episodes: given by `open`, or drawn by the server. */
    seed,
    spec: specification,
  }),
  resumed: z.object({
    t: z.literal('resumed'),
    re: id,
    session_id: z.string(),
    resume_token: z.string(),
    epoch: z.int(),
    /** The number of results after `last_seq`, which follow this message. */
    replayed: z.int(),
    /** The ids of the steps that are queued or running. */
    in_flight: z.array(z.string()),
    /** `seed` and `spec` as in `opened`, for a client that was restarted and knows only the session's id and token. */
    seed,
    spec: specification,
  }),
  closed: z.object({ t: z.literal('closed'), re: id, session_id: z.string() }),
  reset_done: z.object({
    t: z.literal('reset_done'),
    re: id,
    session_id: z.string(),
    /** One number per metric, all zeros: nothing is scored yet. */
    observation: z.array(z.number()),
    /** The seed of the stream that gives the next episodes their seeds. */
    seed,
  }),
  accepted: z.object({
    t: z.literal('accepted'),
    re: id,
    session_id: z.string(),
    steps: z.array(
      z.object({
        step_id: z.string(),
        /** `attached`: already queued or running; `replayed`: already finished, the result is sent again. */
        state: z.enum(['queued', 'attached', 'replayed']),
      }),
    ),
  }),
  progress: z.object({
    t: z.literal('progress'),
    re: id.nullable(),
    session_id: z.string(),
    step_id: z.string(),
    phase: z.enum(['queue', 'simulate', 'train', 'validate']),
    /** The share of the phase that is done. */
    fraction: z.number().min(0).max(1),
    metrics: scores.optional(),
    /** The time until the result, if the server has timed evaluations with these options before. */
    eta_ms: milliseconds.optional(),
  }),
  result: z.object({
    t: z.literal('result'),
    /** The latest request that asked for it; null when it is replayed after `resume` or the server has restarted. */
    re: id.nullable(),
    session_id: z.string(),
    step_id: z.string(),
    /** 1, 2, 3 … over the results of the session, in the order in which they are sent. */
    seq: z.int().min(1),
    outcome: z.enum(OUTCOMES),
    /** Finite when the outcome is `ok`, otherwise null. Higher is better. */
    reward: z.number().nullable(),
    /** The scores in the order of the metrics, 0 for a metric without one; zeros when the outcome is not `ok`. */
    observation: z.array(z.number()),
    terminated: z.literal(true),
    truncated: z.literal(false),
    /** Scores on validation by name; empty when the outcome is not `ok`. */
    scores,
    test_scores: scores.optional(),
    /** Of the unfinished model, as progress tells them; only if the step was first sent with `progress: true`. */
    early_scores: z.array(z.object({ fraction: z.number().min(0).max(1), scores })).optional(),
    /** Why the outcome is not `ok`. */
    reason: z.string().optional(),
    /** The θ that was evaluated, complete and decoded. */
    theta,
    /** The seed from which the `seeds` that were not pinned are derived. */
    seed,
    seeds,
    /** The number of evaluations of this session that asked for test scores. */
    test_evaluations: z.int(),
    /** Wall-clock times; nothing else in a result depends on the clock. */
    timing: z.object({
      queue_ms: milliseconds,
      simulate_ms: milliseconds,
      train_ms: milliseconds,
      validate_ms: milliseconds,
    }),
    /** The worker that made it, where workers are also on other machines. */
    worker: z.string().optional(),
    repro: z.object({ spec_hash: z.string(), build: z.string(), backend: z.string().optional() }),
    /** Set when the result is sent again. */
    replayed: z.literal(true).optional(),
  }),
  batch_done: z.object({
    t: z.literal('batch_done'),
    re: id,
    session_id: z.string(),
    n_ok: z.int(),
    n_failed: z.int(),
  }),
  cancelling: z.object({
    t: z.literal('cancelling'),
    re: id,
    session_id: z.string(),
    step_id: z.string(),
    /** `finished`: the cancel came too late, and the result was sent already. */
    state: z.enum(['queued', 'running', 'finished']),
  }),
  pong: z.object({ t: z.literal('pong'), re: id }),
  draining: z.object({ t: z.literal('draining'), deadline_ms: milliseconds }),
  error: z.object({
    t: z.literal('error'),
    /** The request that failed; null when its `id` could not be read. */
    re: id.nullable(),
    code: z.enum(errorCodes),
    message: z.string(),
    /** Whether the same request may succeed later. */
    retryable: z.boolean(),
    retry_after_ms: milliseconds.optional(),
    /** The item of a batch that was refused; the other items go on. */
    step_id: z.string().optional(),
    at: z.string().optional(),
    rule: z.string().optional(),
    got: z.string().optional(),
  }),
} as const;

type Messages<Schemas extends Record<string, z.ZodType>> = { [T in keyof Schemas]: z.infer<Schemas[T]> };
export type ClientMessages = Messages<typeof clientMessages>;
export type ServerMessages = Messages<typeof serverMessages>;
export type ClientMessage = ClientMessages[keyof ClientMessages];
export type ServerMessage = ServerMessages[keyof ServerMessages];
/** The result of a step. */
export type Result = ServerMessages['result'];
/** The progress of a step. */
export type Progress = ServerMessages['progress'];

export type MessageId = z.infer<typeof id>;
export type Limits = z.infer<typeof limits>;
export type Outcome = (typeof OUTCOMES)[number];
export type Seeds = z.infer<typeof seeds>;
/** One evaluation as a client asks for it: an item of `step_batch`, or the same fields in a `step`. */
export type EvaluationItem = ClientMessages['step_batch']['items'][number];

/**
 * Checks a decoded value against the schemas of one side's messages.
 *
 * @throws {ProtocolError} UNKNOWN_TYPE, or BAD_MESSAGE (BAD_ACTION when the fault lies in the action or θ), with the
 *   first place that breaks the schema
 */
export function parseMessage<Schemas extends Record<string, z.ZodType>>(
  schemas: Schemas,
  value: unknown,
): z.infer<Schemas[keyof Schemas]> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ProtocolError('BAD_MESSAGE', `message: expected a map, got ${shown(value)}`, { rule: 'shape' });
  }
  const type = (value as { t?: unknown }).t;
  if (typeof type !== 'string') {
    throw new ProtocolError('BAD_MESSAGE', `t: expected a message type, got ${shown(type)}`, {
      at: '/t',
      rule: 'type',
      got: shown(type),
    });
  }
  const schema = Object.hasOwn(schemas, type) ? schemas[type] : undefined;
  if (schema === undefined) {
    const known = Object.keys(schemas).join(', ');
    throw new ProtocolError('UNKNOWN_TYPE', `t: expected one of ${known}, got ${shown(type)}`, {
      at: '/t',
      got: shown(type),
    });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data as z.infer<Schemas[keyof Schemas]>;
  throw schemaError(parsed.error, value);
}

/**
 * The first issue of a zod error as an error of the protocol.
 *
 * @param value the message
 * @param under the path in the message of the part that was checked
 */
export function schemaError(
  error: z.ZodError,
  value: unknown,
  code: ErrorCode = 'BAD_MESSAGE',
  under: readonly string[] = [],
): ProtocolError {
  const issue = error.issues[0]!;
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const path = [...under, ...issue.path, ...unknown];
  const at = `/${path.map(String).join('/')}`;
  const found = valueAt(value, path);
  const got = shown(found);
  const numeric = typeof found === 'number' && !Number.isFinite(found);
  const isOfOtherType = issue.code === 'invalid_type' || issue.code === 'invalid_union';
  const rule = numeric ? 'not_finite' : isOfOtherType ? 'type' : issue.code;
  const inAction = /^(\/items\/\d+)?\/(action|params)(\/|$)/.test(at);
  return new ProtocolError(inAction ? 'BAD_ACTION' : code, `${at}: ${issue.message}, got ${got}`, { at, rule, got });
}
