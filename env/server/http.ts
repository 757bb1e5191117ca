/** The HTTP pages beside the socket, for programs and people that watch a server. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { shortened, shown } from '../../protocol/errors.ts';
import { messageSchemas } from '../../protocol/schema.ts';
import { name, OUTCOMES } from '../../protocol/messages.ts';
import { programSchemas } from '../programs/contract.ts';
import { DASHBOARD_PAGES } from './dashboard/pages.ts';
import { optionsSchema } from './describe.ts';
import type { Server } from './dispatch.ts';
import { rolesOf, type Role } from './roles.ts';
import { nextInTurn } from './turns.ts';
import { bearerToken, foreignHost, isOwnOrigin } from './upgrade.ts';

export interface Reply {
  readonly status: number;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * An object is sent as JSON, text and bytes as they are, text in pieces as fast as the client reads it. A function sends
   * what it has for as long as the client stays.
   */
  readonly body: object | string | Buffer | Iterable<string> | ((response: ServerResponse) => void);
}

/** The request of a page. */
export interface Asking {
  readonly request: IncomingMessage;
  /** Aborts when the client has left before its answer. */
  readonly signal: AbortSignal;
}

export interface Page {
  readonly method: 'GET' | 'DELETE' | 'POST';
  /** The role that may read the page; null for everybody. */
  readonly role: Role | null;
  reply(server: Server, url: URL, rest: string, asked: Asking): Reply | Promise<Reply>;
}

/** The longest history that one request may ask for. */
const MOST_ENTRIES = 100_000;

/** The query of /v1/history.jsonl; it is all in the address, so that a browser and curl can ask. */
const historyQuery = z.strictObject({
  session: name.optional(),
  env: name.optional(),
  step: name.optional(),
  outcome: z.enum(OUTCOMES).optional(),
  since: z
    .string()
    .transform(timeOf)
    .refine((time) => !Number.isNaN(time), 'expected a date or a time in ISO 8601, such as 2026-01-31')
    .optional(),
  test: z.stringbool().optional(),
  limit: z
    .string()
    .regex(/^\d{1,6}$/, `expected a whole number up to ${MOST_ENTRIES}`)
    .transform(Number)
    .refine((count) => count <= MOST_ENTRIES, `expected at most ${MOST_ENTRIES}`)
    .default(1000),
});

/** Milliseconds since 1970 at a date, or at a time, of ISO 8601; without a zone it is UTC. NaN for anything else. */
function timeOf(text: string): number {
  // A `+` that nobody has escaped arrives as a space.
  const parts = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+ -]\d\d:?\d\d)?)?$/i.exec(text);
  if (!parts || !z.iso.date().safeParse(parts[1]).success) return Number.NaN;
  const [, date, time = '00:00', zone = 'Z'] = parts;
  return Date.parse(`${date}T${time}${zone.replace(' ', '+').toUpperCase()}`);
}

/** The parameters of a query. @throws {z.ZodError} when one is empty or comes twice: which one is meant? */
export function queryOf({ searchParams }: URL): Record<string, string> {
  for (const key of searchParams.keys()) {
    const [value, second] = searchParams.getAll(key);
    const message = value === '' ? 'expected a value, got nothing' : 'expected it once';
    if (value === '' || second !== undefined) {
      throw new z.ZodError([{ code: 'custom', path: [key], message, input: value }]);
    }
  }
  return Object.fromEntries(searchParams);
}

const PAGES: Readonly<Record<string, Page>> = {
  ...DASHBOARD_PAGES,
  '/healthz': { method: 'GET', role: null, reply: () => ({ status: 200, body: { alive: true } }) },
  '/readyz': {
    method: 'GET',
    role: null,
    reply({ evaluations, draining, environments, store: { failure } }) {
      const { readyWorkers: workers, workers: all, queued, running } = evaluations.counts;
      const ready = workers > 0 && !draining && failure === undefined;
      const journal = failure === undefined ? 'written' : `cannot be written: ${failure}`;
      const ids = environments.map(({ spec }) => spec.env_id);
      const { failure: lost } = evaluations;
      const queue = lost === undefined ? {} : { queue: `cannot be reached: ${lost}` };
      const body = {
        ready,
        workers,
        all_workers: all,
        running,
        queued,
        draining,
        journal,
        ...queue,
        environments: ids,
      };
      return { status: ready ? 200 : 503, body };
    },
  },
  '/metrics': {
    method: 'GET',
    role: 'observer',
    async reply({ metrics: { registry } }) {
      return { status: 200, type: registry.contentType, body: await registry.metrics() };
    },
  },
  '/v1/spec': {
    method: 'GET',
    role: 'agent',
    reply({ environments, limits, version, build }) {
      const described = environments.map(({ spec, definition }) => ({
        ...spec,
        options_schema: optionsSchema(definition),
      }));
      return { status: 200, body: { version, build, limits, environments: described } };
    },
  },
  '/v1/schema': {
    method: 'GET',
    role: 'agent',
    reply: () => ({ status: 200, body: { ...messageSchemas(), programs: programSchemas() } }),
  },
  '/v1/sessions': {
    method: 'GET',
    role: 'observer',
    reply: ({ sessions }) => ({ status: 200, body: { sessions: sessions.all.map((session) => session.summary) } }),
  },
  '/v1/workers': {
    method: 'GET',
    role: 'observer',
    reply: ({ evaluations: { workers, counts, failure = null } }) => ({
      status: 200,
      body: { workers, waiting: counts.queued, queue_failure: failure },
    }),
  },
  '/v1/history.jsonl': {
    method: 'GET',
    role: 'observer',
    reply({ store }, url) {
      const query = historyQuery.parse(queryOf(url));
      return { status: 200, type: 'application/x-ndjson', body: linesOf(store.history(query)) };
    },
  },
  '/v1/sessions/': {
    method: 'DELETE',
    role: 'admin',
    reply({ sessions }, _url, id) {
      const session = sessions.all.find((one) => one.id === id);
      if (!session) return { status: 404, body: { error: `session: expected an open one, got ${shown(id)}` } };
      session.hangUp(); // or its client would wait for what is under way
      sessions.close(session, 'an admin closed it');
      return { status: 200, body: { closed: id } };
    },
  },
  '/v1/drain': {
    method: 'POST',
    role: 'admin',
    reply({ requestDrain }) {
      requestDrain();
      return { status: 202, body: { draining: true } };
    },
  },
};

export function* linesOf(pages: Iterable<readonly object[]>): Generator<string> {
  for (const page of pages) yield page.map((entry) => `${JSON.stringify(entry)}\n`).join('');
}

/** The page of a path, and the rest of the path for a page whose key ends with a slash. */
function pageOf(path: string): [page: Page | undefined, rest: string] {
  const exact = Object.hasOwn(PAGES, path) && (path === '/' || !path.endsWith('/')) ? PAGES[path] : undefined;
  if (exact) return [exact, ''];
  const slash = path.lastIndexOf('/') + 1;
  const parent = path.slice(0, slash);
  const isKnown = parent !== '/' && slash < path.length && Object.hasOwn(PAGES, parent);
  return [isKnown ? PAGES[parent] : undefined, path.slice(slash)];
}

/** For addresses, which are mostly a path and a query. */
const BASE = 'http://server';

async function answer(server: Server, request: IncomingMessage, signal: AbortSignal): Promise<Reply> {
  const { url: address = '/' } = request;
  if (!URL.canParse(address, BASE)) {
    return { status: 400, body: { error: `address: expected a path, got ${shown(address)}` } };
  }
  const foreign = foreignHost(request, server);
  if (foreign !== undefined) return { status: 403, body: { error: foreign } };
  const url = new URL(address, BASE);
  // An address such as `//x` names another server, and no page of it.
  const [page, rest] = address.startsWith('//') ? [undefined, ''] : pageOf(url.pathname);
  if (!page) return { status: 404, body: { error: `expected one of ${Object.keys(PAGES).join(' ')}` } };
  if (request.method !== page.method && !(request.method === 'HEAD' && page.method === 'GET')) {
    return { status: 405, body: { error: `expected ${page.method}` } };
  }
  const roles = rolesOf(server.tokens, bearerToken(request));
  if (page.role !== null && !roles.has(page.role)) {
    const error = `authorization: expected the bearer token of an ${page.role}`;
    return { status: roles.size > 0 ? 403 : 401, body: { error } };
  }
  // A web page of another origin could make a browser send this request; programs send no Origin.
  if (page.method !== 'GET' && request.headers.origin !== undefined && !isOwnOrigin(request)) {
    return { status: 403, body: { error: 'origin: expected none, or that of this server’s own page' } };
  }
  try {
    return await page.reply(server, url, rest, { request, signal });
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const { path, message } = error.issues[0]!;
    return { status: 400, body: { error: shortened(`${path.join('.') || 'query'}: ${message}`, 300) } };
  }
}

export function answerHttp(server: Server, request: IncomingMessage, response: ServerResponse): void {
  const send = ({ status, type = 'application/json', headers, body }: Reply): void | Promise<void> => {
    response.writeHead(status, { 'content-type': type, ...headers });
    if (request.method === 'HEAD') return void response.end();
    if (typeof body === 'function') return (body as (response: ServerResponse) => void)(response);
    if (Buffer.isBuffer(body)) return void response.end(body);
    if (typeof body === 'object' && Symbol.iterator in body) return sendPieces(body, response);
    response.end(typeof body === 'string' ? body : `${JSON.stringify(body)}\n`);
  };
  const tell = (error: unknown) =>
    server.log.error({ error: error instanceof Error ? error.stack : String(error) }, 'defect');
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  answer(server, request, gone.signal)
    .then(send, (error: unknown) => {
      tell(error);
      return send({ status: 500, body: { error: 'a defect of the server; its log has the rest' } });
    })
    .catch((error: unknown) => {
      tell(error);
      response.destroy(); // the client sees that the end is missing
    });
}

/** Sends pieces as fast as the client reads them, each made in a turn of its own. */
async function sendPieces(pieces: Iterable<string>, response: ServerResponse): Promise<void> {
  const turns = async function* () {
    const iterator = pieces[Symbol.iterator]();
    for (;;) {
      const { value, done } = await nextInTurn(iterator);
      if (done) return;
      yield value;
    }
  };
  try {
    await pipeline(turns, response);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error; // else the client has left
  }
}
