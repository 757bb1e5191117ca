/** The environment server: HTTP and WebSocket in front, sessions and evaluations behind. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import { createServer as createSocketServer, type AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { codecOf } from '../../protocol/codec.ts';
import { CLOSE_CODES } from '../../protocol/errors.ts';
import type { Limits } from '../../protocol/messages.ts';
import { firstRepeated, loadDefinition } from '../experiments/load.ts';
import { DEFAULT_RUNTIME, type Runtime } from '../runtime.ts';
import type { Evaluations } from '../workers/evaluations.ts';
import { processEvaluations } from '../workers/processes/process-evaluations.ts';
import { poolEnvironment, type PoolEnvironment } from '../workers/queue/pool.ts';
import { queueEvaluations, type QueueOptions } from '../workers/queue/queue-evaluations.ts';
import { Connection } from './connection.ts';
import { Dashboard } from './dashboard/dashboard.ts';
import { describeExperiment, type ServedEnvironment } from './describe.ts';
import { dispatch, type Server } from './dispatch.ts';
import { answerHttp } from './http.ts';
import { fileHandles, Lobby } from './lobby.ts';
import { workerEvents, type Logger } from './log.ts';
import { RecentLosses } from './recent-losses.ts';
import { RecentPredictions } from './recent-predictions.ts';
import { Sessions } from './sessions.ts';
import { createMetrics, observe } from './metrics.ts';
import { checkTokens, needsToken, rolesOf, type Tokens } from './roles.ts';
import type { SessionSurroundings } from './session.ts';
import { SqliteStore } from './sqlite-store.ts';
import type { Keeping, SessionRecord } from './store.ts';
import { bearerToken, refusal, refuse } from './upgrade.ts';

export interface ServerOptions {
  /** Ids of experiments/index.ts or paths of modules. */
  readonly environments: readonly string[];
  /** 0 takes a free port. */
  readonly port: number;
  readonly host: string;
  /** The number of child processes; 0: evaluations run in this process, or with a queue on its other workers alone. */
  readonly workers: number;
  /** Where workers on other machines are found. */
  readonly queue?: QueueOptions | undefined;
  /** Without any token, everybody may do everything: only for a server that listens to its own machine. */
  readonly tokens?: Tokens;
  readonly origins?: readonly string[];
  /** Names the build: rewards of different builds may differ. */
  readonly build: string;
  readonly version: string;
  readonly log: Logger;
  readonly limits?: Partial<Limits>;
  /** The file that keeps sessions and results when the process ends; without one they are in memory. */
  readonly journal?: string | undefined;
  /** Backend, data folder and weights of the environments; the default runtime when left out. */
  readonly runtime?: Runtime;
  /** Called when an admin asks over HTTP to end the server. */
  readonly onDrainRequest?: () => void;
  /** Whether those who watch may see the hidden θ of benchmarks. */
  readonly reveal?: boolean;
  /** How long, and up to what size, finished evaluations are kept. */
  readonly keeping?: Partial<Keeping>;
  readonly maxConnections?: number;
  readonly helloTimeoutMs?: number;
  readonly heartbeatMs?: number;
  /** The time that a cancelled evaluation has to stop before its worker is killed. */
  readonly cancelGraceMs?: number;
  /** The longest time that an evaluation may run. */
  readonly maxEvaluationMs?: number;
  /** The time without a sign of life after which a worker is killed. */
  readonly workerSilentMs?: number;
}

export interface EnvironmentServer {
  readonly url: string;
  readonly port: number;
  readonly environments: readonly ServedEnvironment[];
  readonly evaluations: Evaluations;
  /** Takes no new work, gives the accepted steps this long to end, and stops. */
  drain(deadlineMs: number): Promise<void>;
  /** Stops now. When it resolves, no socket, timer or worker process is left. */
  stop(): Promise<void>;
}

/** The time between two lines of the log that say what the server waits for. */
const SAY_EVERY_MS = 3000;

const DEFAULT_KEEPING: Keeping = { maxAgeMs: 30 * 24 * 3600 * 1000, maxBytes: 1024 ** 3 };
/** Without a file, everything that is kept takes memory. */
const KEEPING_IN_MEMORY: Keeping = { maxAgeMs: 24 * 3600 * 1000, maxBytes: 32 * 1024 ** 2 };

/** The longest time that an evaluation may run, unless the server is told otherwise; those of the paper take minutes. */
export const MAX_EVALUATION_MS = 2 * 3600 * 1000;
/** The most clients at once, where the system has handles for them. */
const MOST_CONNECTIONS = 1024;
/** The most pages that are sent at once. */
const MOST_ANSWERS = 256;
/** The time for `hello` (rule H6). */
const HELLO_MS = 5000;
/** A socket over which nothing moves while a page is sent is ended after this time. */
const STALLED_MS = 60_000;
/** The time that a client has to answer the closing of its WebSocket. */
const CLOSE_MS = 5000;

/** The share of a server's sessions that one connection may have. */
const CONNECTION_SHARE = 1 / 4;

const DEFAULT_LIMITS: Omit<Limits, 'workers' | 'max_sessions_per_connection'> = {
  max_payload_bytes: 1024 * 1024,
  max_in_flight: 4096,
  max_unacknowledged: 16_384,
  max_batch: 1024, // a larger one would take long to read, in one turn of the event loop
  max_sessions: 256,
  queue_depth: 65_536,
  max_detach_grace_ms: 24 * 3600 * 1000,
  max_messages_per_s: 20_000,
};

/**
 * Starts a server. When it resolves, the server answers and its first worker is ready.
 *
 * @throws {Error} when an environment cannot be loaded, a worker cannot start, a token is empty, the journal is in use,
 *   of another version or not to be written, or the port is taken
 */
export async function startServer(options: ServerOptions): Promise<EnvironmentServer> {
  const { tokens = {}, runtime = DEFAULT_RUNTIME, log, build, version } = options;
  checkTokens(tokens);
  await checkAddress(options);
  const metrics = createMetrics();
  const definitions = await Promise.all(
    options.environments.map(async (source) => ({ source, definition: await loadDefinition(source) })),
  );
  const twice = firstRepeated(definitions.map(({ definition }) => definition.id));
  if (twice !== undefined) throw new Error(`environments: expected an id of its own for each, got ${twice} twice`);
  const inPool = options.queue ? definitions : [];
  const environmentsInPool = Object.fromEntries(
    inPool.map(({ source, definition }) => [source, poolEnvironment(source, definition, runtime)]),
  );
  const onFailure = (error: Error | undefined) => {
    if (error)
      log.error({ error: error.message }, 'new steps and sessions are refused until the journal can be written');
    else log.info('the journal is written again');
  };
  const store = new SqliteStore(options.journal, { onFailure, onDamage: (sentence) => log.error(sentence) });
  const evaluations = evaluationsOf(options, runtime, environmentsInPool);
  let sessions: Sessions | undefined;
  try {
    await aloud(log, 'starting: the first worker prepares the environments', evaluations.ready);
    const environments = definitions.map(({ source, definition }) => {
      const { experiment, spec } = describeExperiment(definition, {}, runtime, evaluations.backendOf(source));
      return { source, definition, spec, about: experiment.about?.() };
    });
    const limits: Limits = {
      ...DEFAULT_LIMITS,
      ...options.limits,
      get workers() {
        return Math.max(1, evaluations.counts.workers);
      },
    };
    limits.max_sessions_per_connection ??= Math.ceil(limits.max_sessions * CONNECTION_SHARE);
    const surroundings: SessionSurroundings = {
      evaluations,
      store,
      metrics,
      limits,
      build,
      runtime,
      log,
      losses: new RecentLosses(),
      predictions: new RecentPredictions(),
    };
    const heartbeatMs = options.heartbeatMs ?? 15_000;
    const shared: Omit<Server, 'dashboard'> = {
      ...surroundings,
      name: 'learning-to-simulate',
      version,
      environments,
      sessions: (sessions = new Sessions(surroundings)),
      heartbeat: { interval_ms: heartbeatMs, timeout_ms: 2 * heartbeatMs },
      tokens,
      host: options.host,
      requestDrain: () => options.onDrainRequest?.(),
      reveal: options.reveal ?? false,
      draining: false,
    };
    const server: Server = Object.assign(shared, { dashboard: new Dashboard(shared) });
    restoreSessions(server);
    return await listen(server, options);
  } catch (error) {
    const closing = evaluations.close();
    sessions?.suspend(); // or what goes on would be written as cancelled
    await closing;
    store.close();
    throw error;
  }
}

function evaluationsOf(
  options: ServerOptions,
  runtime: Runtime,
  environments: Readonly<Record<string, PoolEnvironment>>,
): Evaluations {
  const { log, queue } = options;
  const given = {
    size: options.workers,
    sources: options.environments,
    runtime,
    longestMs: options.maxEvaluationMs ?? MAX_EVALUATION_MS,
    ...(options.workerSilentMs !== undefined && { silentMs: options.workerSilentMs }),
    ...(options.cancelGraceMs !== undefined && { graceMs: options.cancelGraceMs }),
    log: workerEvents(log),
  };
  const outlives = options.journal !== undefined;
  return queue ? queueEvaluations({ ...given, queue, environments, outlives }) : processEvaluations(given);
}

/** Tells at once that nothing can listen there, before anything is begun. @throws {Error} */
async function checkAddress({ host, port }: ServerOptions): Promise<void> {
  const probe = createSocketServer().listen(port, host);
  try {
    await once(probe, 'listening');
  } catch (error) {
    const { message, code = '' } = error as NodeJS.ErrnoException;
    const wanted = /^EADDRINUSE|^EACCES/.test(code) ? 'a free port' : 'an address';
    throw new Error(`address: expected ${wanted} of this machine, got port ${port} of ${host}: ${message}`, {
      cause: error,
    });
  }
  await new Promise((resolve) => probe.close(resolve));
}

/** Waits for something, and says so every few seconds while it takes. */
async function aloud<T>(log: Logger, what: string, work: Promise<T>): Promise<T> {
  const began = performance.now();
  const say = () => log.info({ seconds: Math.round((performance.now() - began) / 1000) }, what);
  const saying = setInterval(say, SAY_EVERY_MS);
  try {
    return await work;
  } finally {
    clearInterval(saying);
  }
}

/** Continues the sessions of an earlier process from the store; a session whose environment has changed is closed. */
function restoreSessions(server: Server): void {
  const { environments, store, sessions, runtime, log } = server;
  for (const record of store.openSessions()) {
    const served = environments.find(({ definition }) => definition.id === record.envId);
    const [described, reason] = served
      ? describeOrSay(served, record.options, runtime)
      : [undefined, 'it is not served'];
    if (!served || described?.spec.spec_hash !== record.specHash) {
      const details = { session: record.id, env: record.envId, ...(reason !== undefined && { reason }) };
      log.warn(details, 'session not restored: its environment is another one now');
      store.closeSession(record.id);
      continue;
    }
    const { source } = served;
    const { episodes, detachGraceMs } = record;
    sessions.restore({ source, ...described, seed: episodes.seed, detachGraceMs }, record);
  }
}

/** An environment with these options, or the reason why it cannot be created. */
function describeOrSay({ definition, spec }: ServedEnvironment, options: SessionRecord['options'], runtime: Runtime) {
  try {
    return [describeExperiment(definition, options, runtime, spec.backend), undefined] as const;
  } catch (error) {
    return [undefined, (error as Error).message] as const;
  }
}

async function listen(server: Server, options: ServerOptions): Promise<EnvironmentServer> {
  const { log, evaluations, limits, sessions, store } = server;
  const connections = new Set<Connection>();
  const { helloTimeoutMs = HELLO_MS } = options;
  let entered = 0;
  let answering = 0;
  const mostAnswers = Math.min(MOST_ANSWERS, Math.floor(fileHandles() / 8));
  const mostConnections = options.maxConnections ?? Math.min(MOST_CONNECTIONS, Math.floor(fileHandles() / 2));
  const lobby = new Lobby({
    waitMs: 2 * helloTimeoutMs,
    onEnded: (count) => log.warn({ count }, 'sockets ended that did not say who they are'),
  });
  const http = createServer((request, response) => {
    const { socket } = request; // it is gone from the request when this has been destroyed
    lobby.leave(socket);
    answering++;
    response.once('close', () => {
      answering--;
      if (!socket.destroyed) lobby.enter(socket);
    });
    if (answering > mostAnswers) response.writeHead(503, { 'retry-after': '5' }).end();
    else answerHttp(server, request, response);
  });
  http.setTimeout(STALLED_MS);
  http.on('connection', (socket) => {
    lobby.enter(socket);
    socket.once('close', () => lobby.leave(socket));
  });
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.max_payload_bytes,
    ...({ closeTimeout: CLOSE_MS } as object), // its types do not have it yet
    // The first known subprotocol of the client's list; `refusal` has checked that there is one.
    handleProtocols: (offers) => [...offers].find((offer) => codecOf(offer)) ?? false,
  });

  http.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    const no = refusal(request, {
      tokens: server.tokens,
      origins: options.origins ?? [],
      host: options.host,
      full: entered >= mostConnections,
    });
    if (no) {
      log.warn({ reason: no[1] }, 'connection refused');
      return refuse(socket, no); // it stays in the lobby, which ends it if the client does not
    }
    const token = bearerToken(request); // a right one: `refusal` has looked at it
    if (token !== undefined && needsToken(server.tokens)) lobby.leave(socket);
    else lobby.upgrade(socket);
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const connection: Connection = new Connection(webSocket, socket, codecOf(webSocket.protocol)!, log, {
        authenticated: rolesOf(server.tokens, token).has('agent'),
        address: request.socket.remoteAddress ?? '',
        metrics: server.metrics,
        maxMessagesPerS: limits.max_messages_per_s,
        onMessage: (message) => dispatch(server, connection, message),
        mayEnter: () => {
          if (entered >= mostConnections) return false;
          entered++;
          lobby.leave(socket);
          return true;
        },
        onClose: () => {
          if (connection.capabilities) entered--;
          clearTimeout(helloTimer);
          connections.delete(connection);
          sessions.connectionLost(connection, connection.capabilities?.has('resume') ?? false);
        },
      });
      const helloTimer = setTimeout(() => {
        if (!connection.capabilities) connection.close(CLOSE_CODES.HELLO_TIMEOUT);
      }, helloTimeoutMs);
      connections.add(connection);
    });
  });

  const heartbeat = setInterval(
    () => connections.forEach((connection) => connection.heartbeat()),
    server.heartbeat.interval_ms,
  );
  const tidy = () => {
    const byDefault = options.journal === undefined ? KEEPING_IN_MEMORY : DEFAULT_KEEPING;
    const keeping = { ...byDefault, ...options.keeping };
    try {
      const forgotten = store.prune(Date.now(), keeping);
      if (forgotten > 0) log.info({ sessions: forgotten }, 'old sessions forgotten');
    } catch (error) {
      log.warn({ error: (error as Error).message }, 'old sessions not forgotten');
    }
  };
  tidy();
  const tidying = setInterval(tidy, options.journal === undefined ? 60_000 : 3600_000).unref();
  observe(server.metrics, evaluations, { sessions: () => sessions.all.length, connections: () => connections.size });
  const backlog = Math.min(511, Math.floor(lobby.most / 2)); // connections that the system holds until a turn takes them
  http.listen({ port: options.port, host: options.host, backlog });
  try {
    await once(http, 'listening');
  } catch (error) {
    for (const timer of [heartbeat, tidying]) clearInterval(timer);
    lobby.close();
    throw error;
  }
  // Such as too few file handles for one more connection.
  http.on('error', (error) => log.warn({ error: error.message }, 'a connection could not be taken'));
  const { port } = http.address() as AddressInfo;

  const stopNow = async () => {
    clearInterval(heartbeat);
    clearInterval(tidying);
    // Before the sessions end, or they would cancel what goes on elsewhere until the next server takes it up.
    const closing = evaluations.close();
    sessions.suspend();
    const undrawn = server.dashboard.close();
    connections.forEach((connection) => connection.close(CLOSE_CODES.RESTART));
    http.close();
    lobby.close();
    // While the workers end, the sockets have time for their closing handshake.
    await closing;
    await undrawn;
    sockets.clients.forEach((socket) => socket.terminate());
    http.closeAllConnections();
    store.close();
  };
  let stopped: Promise<void> | undefined; // If `stop` is called during a drain, the server stops once, not twice.
  const stop = () => (stopped ??= stopNow());
  const drain = async (deadlineMs: number) => {
    server.draining = true;
    connections.forEach((connection) => connection.send({ t: 'draining', deadline_ms: deadlineMs }));
    const deadline = performance.now() + deadlineMs;
    let sayAt = performance.now();
    while (sessions.all.some((session) => session.busy) && performance.now() < deadline) {
      const now = performance.now();
      if (now >= sayAt) {
        sayAt = now + SAY_EVERY_MS;
        const { running, queued } = evaluations.counts;
        const seconds = Math.ceil((deadline - now) / 1000);
        log.warn({ running, queued, seconds }, 'stopping: waits for evaluations to end; a second signal ends them');
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await stop();
  };
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return { url: `ws://${host}:${port}`, port, environments: server.environments, evaluations, drain, stop };
}
