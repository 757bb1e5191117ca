/** The HTTP pages of the dashboard: its files, who asks, the stream of events, and the runs. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { shown } from '../../../protocol/errors.ts';
import { name } from '../../../protocol/messages.ts';
import { theta } from '../../../protocol/parameters.ts';
import { PainterBusyError } from '../../workers/processes/painter.ts';
import type { Server } from '../dispatch.ts';
import { linesOf, queryOf, type Asking, type Page, type Reply } from '../http.ts';
import { needsToken, rolesOf } from '../roles.ts';
import { bearerToken } from '../upgrade.ts';
import type { LatestPrediction, Visitor } from './answers.ts';
import { pageAssets, SECURITY_HEADERS } from './assets.ts';
import { MOST_LISTENERS } from './feed.ts';
import type { DescribedRun } from './runs.ts';

const NDJSON = 'application/x-ndjson';
/** Answers about what changes are never taken from a cache. */
const FRESH = { 'cache-control': 'no-store' } as const;

const number = z
  .string()
  .regex(/^\d{1,15}$/, 'expected a whole number')
  .transform(Number);
const lists = z.strictObject({ run: name, after: number.default(0) });
const one = z.strictObject({ run: name, step: name });
const latest = z.strictObject({ run: name, known: name.optional() });
const wanted = z.strictObject({
  run: name,
  theta,
  seed: z.int().min(0).max(0xffff_ffff),
  large: z.boolean().default(false),
});

/** The size of pictures that are drawn larger than those that models are trained on. */
const LARGE = { width: 160, height: 120 };

const asset = (path: string): Page => ({
  method: 'GET',
  role: null,
  async reply(_server, _url, _rest, { request: { headers } }): Promise<Reply> {
    const { type, text, gzipped } = (await pageAssets())[path]!;
    const common = { ...SECURITY_HEADERS, ...FRESH, vary: 'accept-encoding' };
    if (!/\bgzip\b/.test(String(headers['accept-encoding'] ?? '')))
      return { status: 200, type, headers: common, body: text };
    return { status: 200, type, headers: { ...common, 'content-encoding': 'gzip' }, body: gzipped };
  },
});

/** The most bytes of a request with a body. */
const BODY_BYTES = 256 * 1024;

/** The body of a request as JSON. @throws {z.ZodError} when it is none, or too long */
async function bodyOf({ request }: Asking): Promise<unknown> {
  const refuse = (message: string) => new z.ZodError([{ code: 'custom', path: ['body'], message, input: undefined }]);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= BODY_BYTES) chunks.push(chunk);
    else if (bytes > 8 * BODY_BYTES) break; // it may have no end: the socket ends here, without an answer
  }
  if (bytes > BODY_BYTES) throw refuse(`expected at most ${BODY_BYTES} bytes`);
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw refuse('expected JSON');
  }
}

/** Waits for what may take longer than a silent socket is kept. */
async function patiently<Result>({ request: { socket } }: Asking, work: Promise<Result>): Promise<Result> {
  const { timeout = 0 } = socket;
  socket.setTimeout(0);
  try {
    return await work;
  } finally {
    socket.setTimeout(timeout);
  }
}

/** Scenes of a θ, or of the samples of an evaluation. */
async function drawPictures({ dashboard, runtime }: Server, asking: Asking): Promise<Reply> {
  const { run, theta, seed, large } = wanted.parse(await bodyOf(asking));
  const described = dashboard.runs.describe(run);
  if (!described) return noRun(run);
  const { served, description } = described;
  if (!served || !description.shows) return cannotShow(described);
  const { options } = description;
  const size = large && isSize(options) ? LARGE : {};
  const job = { source: served.source, options: { ...options, ...size }, runtime, theta, seed };
  try {
    const strips = await patiently(asking, dashboard.painter.draw(job, asking.signal));
    return { status: 200, headers: FRESH, body: { strips } };
  } catch (error) {
    const status = error instanceof PainterBusyError ? 503 : 400;
    return { status, body: { error: (error as Error).message } };
  }
}

/** What the model of an evaluation predicts. It is trained again, in its turn with the evaluations of all sessions. */
async function predict(server: Server, asking: Asking): Promise<Reply> {
  const { run, step } = one.parse(await bodyOf(asking));
  const described = server.dashboard.runs.describe(run);
  const entry = server.store.evaluation(run, step);
  if (!described) return noRun(run);
  if (!entry) return noStep(step);
  if (!described.served) return cannotShow(described);
  const { theta, seeds } = entry;
  const job = {
    id: `predictions-${randomUUID()}`,
    source: described.served.source,
    options: described.description.options,
    runtime: server.runtime,
    request: { theta, seeds, test: false, pictures: true },
  };
  const evaluated = server.evaluations.submit(job, { owner: 'dashboard', signal: asking.signal });
  const { outcome, reason, pictures } = await patiently(asking, evaluated);
  if (typeof pictures === 'object') return { status: 200, headers: FRESH, body: { strips: pictures } };
  const error = pictures ?? `it ended as ${outcome}: ${reason ?? ''}`;
  return { status: 400, body: { error: `predictions: ${error}` } };
}

const cannotShow = ({ description: { env_id, unknown } }: DescribedRun): Reply => ({
  status: 400,
  body: { error: `pictures: ${unknown ?? `${env_id} does not say how its samples are shown`}` },
});

/** Whether an environment draws images of a size that can be asked for. */
const isSize = ({ width, height }: Readonly<Record<string, unknown>>) =>
  typeof width === 'number' && typeof height === 'number';

/** The rows of a run after a number, as lines of JSON. */
function listOf(
  { dashboard }: Server,
  url: URL,
  rows: (run: DescribedRun, after: number) => Iterable<readonly object[]>,
): Reply {
  const { run, after } = lists.parse(queryOf(url));
  const described = dashboard.runs.describe(run);
  if (!described) return noRun(run);
  return { status: 200, type: NDJSON, headers: FRESH, body: linesOf(rows(described, after)) };
}

const noStep = (step: string): Reply => ({
  status: 404,
  body: { error: `step: expected a finished one of the run, got ${shown(step)}` },
});

const noRun = (run: string): Reply => ({
  status: 404,
  body: { error: `run: expected one that the server keeps, got ${shown(run)}` },
});

export const DASHBOARD_PAGES: Readonly<Record<string, Page>> = {
  '/': asset('/'),
  '/page.js': asset('/page.js'),
  '/page.css': asset('/page.css'),
  '/v1/visitor': {
    method: 'GET',
    role: null,
    reply({ tokens }, _url, _rest, { request }) {
      const body: Visitor = { roles: [...rolesOf(tokens, bearerToken(request))], needsToken: needsToken(tokens) };
      return { status: 200, headers: FRESH, body };
    },
  },
  '/v1/events': {
    method: 'GET',
    role: 'observer',
    reply({ dashboard: { feed } }) {
      if (feed.isFull) {
        const error = `events: expected at most ${MOST_LISTENERS} listeners at once`;
        return { status: 503, headers: { 'retry-after': '10' }, body: { error } };
      }
      return { status: 200, type: 'text/event-stream', headers: FRESH, body: (response) => feed.add(response) };
    },
  },
  '/v1/runs.jsonl': {
    method: 'GET',
    role: 'observer',
    reply: ({ dashboard }) => ({ status: 200, type: NDJSON, headers: FRESH, body: linesOf(dashboard.runs.list()) }),
  },
  '/v1/runs/': {
    method: 'GET',
    role: 'observer',
    reply({ dashboard }, _url, run) {
      const described = dashboard.runs.describe(run);
      return described ? { status: 200, headers: FRESH, body: described.description } : noRun(run);
    },
  },
  '/v1/evaluations.jsonl': {
    method: 'GET',
    role: 'observer',
    reply: (server, url) => listOf(server, url, (run, after) => server.dashboard.runs.rows(run, after)),
  },
  '/v1/evaluation': {
    method: 'GET',
    role: 'observer',
    reply({ store, losses }, url) {
      const { run, step } = one.parse(queryOf(url));
      const entry = store.evaluation(run, step);
      if (!entry) return noStep(step);
      const known = losses.of(run, step);
      return { status: 200, headers: FRESH, body: { entry, ...(known && { losses: known }) } };
    },
  },
  '/v1/pictures': {
    method: 'POST',
    role: 'observer',
    reply: (server, _url, _rest, asking) => drawPictures(server, asking),
  },
  '/v1/predictions': {
    method: 'POST',
    role: 'agent',
    reply: (server, _url, _rest, asking) => predict(server, asking),
  },
  '/v1/latest-predictions': {
    method: 'GET',
    role: 'observer',
    reply({ predictions }, url) {
      const { run, known } = latest.parse(queryOf(url));
      const prediction = predictions.ask(run);
      const isNew = prediction && prediction.step !== known;
      return { status: 200, headers: FRESH, body: isNew ? (prediction satisfies LatestPrediction) : {} };
    },
  },
  '/v1/notes.jsonl': {
    method: 'GET',
    role: 'observer',
    reply: (server, url) => listOf(server, url, (run, after) => server.dashboard.runs.notes(run, after)),
  },
};
