/** The HTTP pages beside the socket, for programs and people that watch a server. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { messageSchemas } from '../../protocol/schema.ts';
import { OUTCOMES } from '../../protocol/messages.ts';
import { optionsSchema } from './describe.ts';
import type { Server } from './dispatch.ts';
import { rolesOf, type Role } from './roles.ts';
import { bearerToken } from './upgrade.ts';

interface Reply {
  readonly status: number;
  readonly type?: string;
  readonly body: object | string;
}

interface Page {
  readonly method: 'GET' | 'DELETE' | 'POST';
  /** The role that may read the page; null for everybody. */
  readonly role: Role | null;
  reply(server: Server, url: URL, rest: string): Reply | Promise<Reply>;
}

const whole = z.coerce.number().int().min(0);

/** The query of /v1/history.jsonl; it is all in the address, so that a browser and curl can ask. */
const historyQuery = z.strictObject({
  session: z.string().optional(),
  env: z.string().optional(),
  step: z.string().optional(),
  outcome: z.enum(OUTCOMES).optional(),
  since: z.iso
    .datetime({ offset: true })
    .transform((text) => Date.parse(text))
    .optional(),
  test: z.stringbool().optional(),
  limit: whole.max(100_000).default(1000),
});

const PAGES: Readonly<Record<string, Page>> = {
  '/healthz': { method: 'GET', role: null, reply: () => ({ status: 200, body: { alive: true } }) },
  '/readyz': {
    method: 'GET',
    role: null,
    reply({ evaluations, draining, environments }) {
      const { readyWorkers: workers, queued } = evaluations.counts;
      const ready = workers > 0 && !draining;
      const body = { ready, workers, queued, draining, environments: environments.map(({ spec }) => spec.env_id) };
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
  '/v1/schema': { method: 'GET', role: 'agent', reply: () => ({ status: 200, body: messageSchemas() }) },
  '/v1/sessions': {
    method: 'GET',
    role: 'observer',
    reply: ({ sessions }) => ({ status: 200, body: { sessions: sessions.all.map((session) => session.summary) } }),
  },
  '/v1/history.jsonl': {
    method: 'GET',
    role: 'observer',
    reply({ store }, url) {
      const query = historyQuery.parse(Object.fromEntries(url.searchParams));
      const lines = store.history(query).map((entry) => `${JSON.stringify(entry)}\n`);
      return { status: 200, type: 'application/x-ndjson', body: lines.join('') };
    },
  },
  '/v1/sessions/': {
    method: 'DELETE',
    role: 'admin',
    reply({ sessions }, _url, id) {
      const session = sessions.all.find((one) => one.id === id);
      if (!session) return { status: 404, body: { error: `session: expected an open one, got ${id}` } };
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

/** The page of a path, and the rest of the path for a page whose key ends with a slash. */
function pageOf(path: string): [page: Page | undefined, rest: string] {
  const exact = Object.hasOwn(PAGES, path) && !path.endsWith('/') ? PAGES[path] : undefined;
  if (exact) return [exact, ''];
  const slash = path.lastIndexOf('/') + 1;
  const parent = path.slice(0, slash);
  return [slash < path.length && Object.hasOwn(PAGES, parent) ? PAGES[parent] : undefined, path.slice(slash)];
}

async function answer(server: Server, request: IncomingMessage): Promise<Reply> {
  const url = new URL(request.url ?? '/', 'http://server');
  const [page, rest] = pageOf(url.pathname);
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
  if (page.method !== 'GET' && request.headers.origin !== undefined) {
    return { status: 403, body: { error: 'origin: expected none' } };
  }
  try {
    return await page.reply(server, url, rest);
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const { path, message } = error.issues[0]!;
    return { status: 400, body: { error: `${path.join('.') || 'query'}: ${message}` } };
  }
}

export function answerHttp(server: Server, request: IncomingMessage, response: ServerResponse): void {
  const send = ({ status, type = 'application/json', body }: Reply) => {
    response.writeHead(status, { 'content-type': type });
    const text = typeof body === 'string' ? body : `${JSON.stringify(body)}\n`;
    response.end(request.method === 'HEAD' ? undefined : text);
  };
  answer(server, request).then(send, (error: unknown) => {
    server.log.error({ error: error instanceof Error ? error.stack : String(error) }, 'defect');
    send({ status: 500, body: { error: 'a defect of the server; its log has the rest' } });
  });
}
