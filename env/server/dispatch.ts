import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { CLOSE_CODES, ProtocolError, shown } from '../../protocol/errors.ts';
import {
  CAPABILITIES,
  PROTOCOL_VERSION,
  schemaError,
  type ClientMessage,
  type ClientMessages,
  type Outcome,
  type ServerMessages,
} from '../../protocol/messages.ts';
import type { Runtime } from '../runtime.ts';
import { asProtocolError, type Connection } from './connection.ts';
import type { Dashboard } from './dashboard/dashboard.ts';
import { describeExperiment, type ServedEnvironment } from './describe.ts';
import { rolesOf, type Tokens } from './roles.ts';
import type { SessionSurroundings } from './session.ts';
import type { Sessions } from './sessions.ts';

/** The state of the server that the handlers of messages use. */
export interface Server extends SessionSurroundings {
  readonly name: string;
  readonly version: string;
  readonly environments: readonly ServedEnvironment[];
  readonly sessions: Sessions;
  readonly heartbeat: { readonly interval_ms: number; readonly timeout_ms: number };
  readonly tokens: Tokens;
  /** Whether those who watch may see the hidden θ of benchmarks. */
  readonly reveal: boolean;
  readonly dashboard: Dashboard;
  /** The name or address that the server listens on. */
  readonly host: string;
  /** Called when an admin asks the server to end. */
  requestDrain: () => void;
  draining: boolean;
}

/** The default for sessions: long enough for a laptop to change its network. */
const DETACH_GRACE_MS = 60_000;

/**
 * Answers one message.
 *
 * @throws {Error} with nothing changed; the connection sends it as an `error` message
 */
export function dispatch(server: Server, connection: Connection, message: ClientMessage): void {
  if (message.t === 'hello') return hello(server, connection, message);
  if (!connection.capabilities) {
    throw new ProtocolError('HELLO_EXPECTED', `t: expected hello as the first message, got ${message.t}`, { at: '/t' });
  }
  if (message.t === 'ping') return connection.send({ t: 'pong', re: message.id });
  if (message.t === 'open') return open(server, connection, message);
  if (message.t === 'resume') return resume(server, connection, message);
  return inSession(server, connection, message);
}

function inSession(
  server: Server,
  connection: Connection,
  message: Exclude<ClientMessage, { t: 'hello' | 'ping' | 'open' | 'resume' }>,
): void {
  const session = server.sessions.of(connection, message.session_id);
  const about = { re: message.id ?? 0, session_id: session.id };
  switch (message.t) {
    case 'reset': {
      const observation = session.reset(message.seed);
      return connection.send({ t: 'reset_done', ...about, observation, seed: session.episodes.seed });
    }
    case 'step': {
      refuseWhileDraining(server);
      const { id, progress = false, ...item } = message;
      const { state, proceed } = session.step(item, { re: id, progress });
      connection.send({ t: 'accepted', ...about, steps: [{ step_id: item.step_id, state }] });
      return proceed();
    }
    case 'step_batch':
      refuseWhileDraining(server);
      return stepBatch(server, connection, message);
    case 'cancel': {
      const { state, proceed } = session.cancel(message.step_id);
      connection.send({ t: 'cancelling', ...about, step_id: message.step_id, state });
      return proceed();
    }
    case 'ack':
      return session.acknowledge(message.seq);
    case 'note':
      return session.note(message.topic, message.value);
    case 'close':
      server.sessions.close(session, 'the client closed it');
      return connection.send({ t: 'closed', ...about });
  }
}

function hello(server: Server, connection: Connection, message: ClientMessages['hello']): void {
  if (connection.capabilities) throw new ProtocolError('ALREADY_WELCOME', 'hello: expected once a connection');
  if (!connection.authenticated && !rolesOf(server.tokens, message.auth).has('agent')) {
    const error = new ProtocolError('UNAUTHENTICATED', 'auth: expected the token of this server', { at: '/auth' });
    connection.fail(message.id, error);
    return connection.close(CLOSE_CODES.FORBIDDEN);
  }
  if (!message.protocol.includes(PROTOCOL_VERSION)) {
    const text = `protocol: expected a list with ${PROTOCOL_VERSION}, got ${shown(message.protocol)}`;
    connection.fail(message.id, new ProtocolError('UNSUPPORTED_VERSION', text, { at: '/protocol' }));
    return connection.close(CLOSE_CODES.VERSION);
  }
  if (!connection.enter(message.capabilities ?? [])) return;
  connection.send({
    t: 'welcome',
    re: message.id,
    protocol: PROTOCOL_VERSION,
    server: { name: server.name, version: server.version, build: server.build },
    connection_id: connection.id,
    capabilities: [...CAPABILITIES],
    limits: server.limits,
    heartbeat: server.heartbeat,
    envs: server.environments.map(({ spec: { env_id, title, spec_hash } }) => ({ env_id, title, spec_hash })),
  });
}

function open(server: Server, connection: Connection, message: ClientMessages['open']): void {
  refuseWhileDraining(server);
  const served = server.environments.find(({ definition }) => definition.id === message.env_id);
  if (!served) {
    const ids = server.environments.map(({ definition }) => definition.id).join(', ');
    throw new ProtocolError('ENV_NOT_FOUND', `env_id: expected one of ${ids}, got ${message.env_id}`, {
      at: '/env_id',
    });
  }
  const { experiment, spec } = describeOrRefuse(served, message.options ?? {}, server.runtime);
  const grace = Math.min(message.detach_grace_ms ?? DETACH_GRACE_MS, server.limits.max_detach_grace_ms);
  const seed = message.seed ?? randomInt(0x1_0000_0000);
  const { session, token } = server.sessions.open(
    { source: served.source, experiment, spec, seed, detachGraceMs: grace },
    connection,
  );
  connection.send({
    t: 'opened',
    re: message.id,
    session_id: session.id,
    resume_token: token,
    epoch: session.epoch,
    detach_grace_ms: grace,
    seed,
    spec,
  });
}

function describeOrRefuse({ definition, spec }: ServedEnvironment, options: Record<string, unknown>, runtime: Runtime) {
  try {
    return describeExperiment(definition, options, runtime, spec.backend);
  } catch (error) {
    if (error instanceof z.ZodError) throw schemaError(error, { options }, 'BAD_OPTIONS', ['options']);
    // Each option fits its schema, but `create` refuses the combination.
    throw new ProtocolError('BAD_OPTIONS', (error as Error).message, { at: '/options', got: shown(options) });
  }
}

function resume(server: Server, connection: Connection, message: ClientMessages['resume']): void {
  const session = server.sessions.toResume(connection, message.session_id, message.resume_token);
  const { count, last, inFlight } = session.missedSince(message.last_seq);
  const { token, previous } = server.sessions.attach(session, connection, message.resume_token);
  if (previous !== connection) previous?.close(CLOSE_CODES.TAKEN_OVER);
  connection.send({
    t: 'resumed',
    re: message.id,
    session_id: session.id,
    resume_token: token,
    epoch: session.epoch,
    replayed: count,
    in_flight: inFlight,
    seed: session.episodes.seed,
    spec: session.options.spec,
  });
  connection.sendInTurn(session.replay(session.epoch, message.last_seq, last));
}

function stepBatch(server: Server, connection: Connection, message: ClientMessages['step_batch']): void {
  const { items } = message;
  if (items.length > server.limits.max_batch) {
    const text = `items: expected at most ${server.limits.max_batch}, got ${items.length}`;
    throw new ProtocolError('BAD_MESSAGE', text, { at: '/items', rule: 'too_big' });
  }
  const pieces = itemByItem(server, connection, message);
  if (items.length > PIECE) connection.inPieces(pieces);
  else while (!pieces.next().done);
}

/** The number of items of a batch that are accepted in one go. */
const PIECE = 16;

/** Handles each item on its own: a refused item gets an error with its step_id, and the others go on. */
function* itemByItem(
  server: Server,
  connection: Connection,
  message: ClientMessages['step_batch'],
): Generator<undefined, void> {
  const { id: re, session_id, items, progress = false } = message;
  const accepted: ServerMessages['accepted']['steps'] = [];
  const afterwards: (() => void)[] = [];
  const refused: [stepId: string, error: ProtocolError][] = [];
  const onResult = batchCounter(connection, message);
  for (const [i, item] of items.entries()) {
    if (i > 0 && i % PIECE === 0) yield;
    try {
      // Each time, since another connection may have taken the session, and the server begun to drain.
      refuseWhileDraining(server);
      const session = server.sessions.of(connection, session_id);
      const { state, proceed } = session.step({ ...item, reset: true }, { re, progress, onResult });
      accepted.push({ step_id: item.step_id, state });
      afterwards.push(proceed);
    } catch (error) {
      const { code, message, place } = asProtocolError(error, server.log);
      const at = place.at === undefined ? `/items/${i}` : `/items/${i}${place.at}`;
      refused.push([item.step_id, new ProtocolError(code, message, { ...place, at })]);
    }
  }
  connection.send({ t: 'accepted', re, session_id, steps: accepted });
  for (const [stepId, error] of refused) connection.fail(re, error, stepId);
  refused.forEach(() => onResult('failed'));
  for (const [i, proceed] of afterwards.entries()) {
    if (i > 0 && i % PIECE === 0) yield;
    proceed();
  }
}

/**
 * Counts the outcomes of a batch, and says `batch_done` after the last one. It may wait for long, so it holds nothing else
 * of the batch.
 */
function batchCounter(
  connection: Connection,
  { id: re, session_id, items: { length } }: ClientMessages['step_batch'],
): (outcome: Outcome) => void {
  const count = { n_ok: 0, n_failed: 0 };
  return (outcome) => {
    count[outcome === 'ok' ? 'n_ok' : 'n_failed']++;
    if (count.n_ok + count.n_failed < length) return;
    const done = { t: 'batch_done', re, session_id, ...count } as const;
    if (connection.hasRoom) connection.send(done);
    else connection.sendInTurn([done]);
  };
}

function refuseWhileDraining(server: Server): void {
  if (!server.draining) return;
  throw new ProtocolError('DRAINING', 'the server is about to stop and takes no new work', { retryAfterMs: 5000 });
}
