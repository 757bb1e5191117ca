import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect as connectSocket } from 'node:net';
import { connect } from '../../../../agents/client/client.ts';
import type {
  LatestPrediction,
  PictureStrip,
  EvaluationRow,
  ServerState,
  RunDescription,
  RunEntry,
} from '../../../../env/server/dashboard/answers.ts';
import { Feed } from '../../../../env/server/dashboard/feed.ts';
import type { EnvironmentServer } from '../../../../env/server/server.ts';
import type { HistoryEntry } from '../../../../protocol/history.ts';
import { BANDIT, startBanditServer } from '../bandit-server.ts';
import { Peer } from '../peer.ts';

const http = ({ url }: EnvironmentServer) => url.replace('ws', 'http');
const linesOf = <T>(text: string) =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T);

/** The next event of a stream. */
async function* framesOf(server: EnvironmentServer, signal: AbortSignal, token?: string): AsyncGenerator<ServerState> {
  const headers = { ...(token !== undefined && { authorization: `Bearer ${token}` }) };
  const response = await fetch(`${http(server)}/v1/events`, { headers, signal });
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  let rest = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    const events = (rest + chunk).split('\n\n');
    rest = events.pop()!;
    for (const event of events) {
      const data = /^event: state\ndata: (.*)$/.exec(event)?.[1];
      if (data !== undefined) yield JSON.parse(data) as ServerState;
    }
  }
}

describe('pages of the dashboard @slow', () => {
  let open: EnvironmentServer;
  let guarded: EnvironmentServer;
  before(async () => {
    [open, guarded] = await Promise.all([
      startBanditServer(),
      startBanditServer({ tokens: { agent: 'a', observer: 'o', admin: 'x' } }),
    ]);
  });
  after(() => Promise.all([open.stop(), guarded.stop()]));

  const ask = async (server: EnvironmentServer, path: string, token?: string, init: RequestInit = {}) => {
    const headers = { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...init.headers };
    return fetch(`${http(server)}${path}`, { ...init, headers });
  };

  it('[W6] the files of the page need no token, and its policy lets a browser load nothing else', async () => {
    for (const [path, type] of [
      ['/', 'text/html'],
      ['/page.js', 'text/javascript'],
      ['/page.css', 'text/css'],
    ] as const) {
      const response = await ask(guarded, path);
      assert.equal(response.status, 200, path);
      assert.match(response.headers.get('content-type')!, new RegExp(`^${type}`));
      const policy = response.headers.get('content-security-policy')!;
      assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
      assert.ok(!/unsafe|\*|https?:/.test(policy), policy);
      const text = await response.text();
      if (path === '/') assert.ok(!/https?:\/\/|<style|style="|<script>|onclick/.test(text), text);
    }
    const zipped = await ask(guarded, '/page.js', undefined, { headers: { 'accept-encoding': 'gzip' } });
    assert.equal(zipped.headers.get('content-encoding'), 'gzip');
    await zipped.text();
    const visitor = async (token?: string) => (await ask(guarded, '/v1/visitor', token)).json();
    assert.deepEqual(await visitor(), { roles: [], needsToken: true });
    assert.deepEqual(await visitor('o'), { roles: ['observer'], needsToken: true });
    assert.deepEqual(await (await ask(open, '/v1/visitor')).json(), {
      roles: ['agent', 'observer', 'admin'],
      needsToken: false,
    });
  });

  it('[W6] [H5] [W5] the page of a server may connect to it, and no other page', async () => {
    const own = http(open);
    await assert.rejects(Peer.connect(open.url, 'json', { origin: 'http://127.0.0.1:1' }), /403/);
    await assert.rejects(Peer.connect(open.url, 'json', { origin: 'null' }), /403/);
    (await Peer.connect(open.url, 'json', { origin: own })).close();
    const drop = async (origin: string) => {
      const response = await ask(open, '/v1/sessions/none', undefined, { method: 'DELETE', headers: { origin } });
      await response.text();
      return response.status;
    };
    assert.equal(await drop('http://elsewhere.test'), 403);
    assert.equal(await drop(own), 404, 'it was let in, and there is no such session');
  });

  it('[W1] [W7] [W8] who watches needs the token of an observer', async () => {
    for (const path of [
      '/v1/events',
      '/v1/runs.jsonl',
      '/v1/runs/x',
      '/v1/evaluations.jsonl?run=x',
      '/v1/notes.jsonl?run=x',
      '/v1/evaluation?run=x&step=y',
    ]) {
      for (const [token, status] of [
        [undefined, 401],
        ['wrong', 401],
        ['a', 403],
      ] as const) {
        const response = await ask(guarded, path, token);
        assert.equal(response.status, status, `${path} ${token}`);
        await response.text();
      }
      if (path === '/v1/events') continue;
      const known = await ask(guarded, path, 'o');
      assert.equal(known.status, path === '/v1/runs.jsonl' ? 200 : 404, path);
      await known.text();
    }
    for (const query of ['?run=x&after=-1', '']) {
      const response = await ask(open, `/v1/evaluations.jsonl${query}`);
      assert.equal(response.status, 400);
      await response.text();
    }
  });

  it('[W8] a run has its evaluations in order, with θ as a list', async () => {
    const client = await connect(guarded.url, { token: 'a' });
    const environment = await client.open({ env_id: 'Bandit-v0', options: { noise: 0.5 } });
    const { sessionId: run } = environment;
    const results = [];
    for (const [i, x] of [0.1, 0.9, 1 / 3].entries()) {
      const params = { x, weather: [0.7, 0.1, 0.1, 0.1] };
      results.push(await environment.evaluate({ step_id: `s/${i}`, params, seed: i, test: i === 2 }));
    }
    const text = async (path: string) => (await ask(guarded, path, 'o')).text();
    const entry = linesOf<RunEntry>(await text('/v1/runs.jsonl')).find((one) => one.run === run)!;
    assert.deepEqual([entry.env_id, entry.open, entry.seq], ['Bandit-v0', true, 3]);
    const described = JSON.parse(await text(`/v1/runs/${run}`)) as RunDescription;
    assert.deepEqual(
      described.parameters.map(({ name }) => name),
      ['x', 'y', 'weather'],
    );
    assert.deepEqual([described.reward, described.truth, described.shows], ['gain', undefined, false]);
    const rows = linesOf<EvaluationRow>(await text(`/v1/evaluations.jsonl?run=${run}`));
    assert.deepEqual(
      rows.map(({ seq, step_id, reward, seed }) => [seq, step_id, reward, seed]),
      results.map((result, i) => [i + 1, `s/${i}`, result.reward, i]),
    );
    assert.deepEqual(rows[2]!.theta, [0.333333, 0.1, 0.7, 0.1, 0.1, 0.1]);
    assert.deepEqual(rows[2]!.scores, [results[2]!.scores['gain'], results[2]!.scores['distance']]);
    assert.deepEqual([rows[1]!.test, rows[2]!.test], [undefined, results[2]!.test_scores]);
    const later = linesOf<EvaluationRow>(await text(`/v1/evaluations.jsonl?run=${run}&after=2`));
    assert.deepEqual(later, [rows[2]]);
    const { entry: whole } = JSON.parse(await text(`/v1/evaluation?run=${run}&step=${encodeURIComponent('s/2')}`)) as {
      entry: HistoryEntry;
    };
    assert.deepEqual([whole.theta['x'], whole.seeds], [1 / 3, results[2]!.seeds]);
    await client.close();
    assert.equal(linesOf<RunEntry>(await text('/v1/runs.jsonl')).find((one) => one.run === run)!.open, false);
    assert.equal(linesOf(await text(`/v1/evaluations.jsonl?run=${run}`)).length, 3, 'a closed run stays');
  });

  it('[W7] the stream tells what there is: at once, when it has changed, and what runs', async () => {
    const leave = new AbortController();
    const frames = framesOf(open, leave.signal);
    const next = async (isMeant: (frame: ServerState) => boolean) => {
      for (;;) {
        const { value } = (await frames.next()) as { value: ServerState };
        if (isMeant(value)) return value;
      }
    };
    const first = await next(() => true);
    assert.equal(first.server.workers, 1);
    const client = await connect(open.url);
    const environment = await client.open({ env_id: 'Bandit-v0', options: { delayMs: 1500 } });
    const { sessionId } = environment;
    const done = environment.evaluate({ step_id: 'slow', action: [0, 0, 0, 0, 0, 0] });
    const { underway } = await next(({ underway: [one] }) => (one?.losses.length ?? 0) > 1);
    assert.deepEqual([underway[0]!.session_id, underway[0]!.step_id, underway[0]!.phase], [sessionId, 'slow', 'train']);
    assert.ok(underway[0]!.fraction > 0, 'its share is told');
    await done;
    const { runs } = await next(({ runs }) => runs.some(({ run, seq }) => run === sessionId && seq === 1));
    assert.equal(runs.find(({ run }) => run === sessionId)!.in_flight, 0);
    const detail = (await (await ask(open, `/v1/evaluation?run=${sessionId}&step=slow`)).json()) as {
      losses: unknown[];
    };
    assert.ok(detail.losses.length > 1, 'the loss on its way is remembered');
    await client.close();
    leave.abort();
  });

  it('[W7] at most 64 listen at once, and those who have left make room', async () => {
    const sockets = await Promise.all(
      Array.from({ length: 64 }, async () => {
        const socket = connectSocket(open.port, '127.0.0.1');
        socket.write('GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
        await new Promise((resolve) => socket.once('data', resolve));
        return socket;
      }),
    );
    const full = await ask(open, '/v1/events');
    assert.deepEqual([full.status, full.headers.get('retry-after')], [503, '10']);
    await full.text();
    for (const socket of sockets) socket.destroy();
    const until = performance.now() + 5000;
    for (;;) {
      const response = await ask(open, '/v1/events');
      if (response.status === 200) {
        await response.body!.cancel();
        break;
      }
      await response.text();
      assert.ok(performance.now() < until, 'there is room again');
    }
  });
});

describe('pictures @slow', () => {
  let server: EnvironmentServer;
  const runs: Record<string, string> = {};
  before(async () => {
    const tokens = { agent: 'a', observer: 'o', admin: 'x' };
    server = await startBanditServer({ environments: ['Mixture-v0', BANDIT], tokens });
    const client = await connect(server.url, { token: 'a' });
    for (const env_id of ['Mixture-v0', 'Bandit-v0']) {
      const environment = await client.open({ env_id });
      const size = environment.spec.spaces.action.shape[0]!;
      await environment.evaluate({ step_id: 'one', action: new Array<number>(size).fill(0), seed: 1 });
      runs[env_id] = environment.sessionId;
    }
    await client.close();
  });
  after(() => server.stop());

  const ask = async (path: string, body: unknown, token = 'x') => {
    const response = await fetch(`${http(server)}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    const answer = (await response.json()) as { strips: PictureStrip[]; error: string };
    return { status: response.status, ...answer };
  };
  const drawn = async (seed: number, theta = {}) =>
    (await ask('/v1/pictures', { run: runs['Mixture-v0'], theta, seed })).strips[0]!.pictures[0]!;

  it('[W9] are drawn for a θ and a seed, always the same, as PNG', async () => {
    const first = await drawn(1);
    const bytes = Buffer.from(first.png, 'base64');
    assert.equal(bytes.subarray(1, 4).toString(), 'PNG');
    // The width and the height of a PNG are in its header.
    assert.deepEqual([bytes.readUInt32BE(16), bytes.readUInt32BE(20)], [first.width, first.height]);
    assert.equal((await drawn(1)).png, first.png);
    assert.notEqual((await drawn(2)).png, first.png);
    assert.notEqual((await drawn(1, { 'a0.mean.x': 7 })).png, first.png);
  });

  it('[W9] what cannot be drawn is a sentence, and the next picture comes all the same', async () => {
    const run = runs['Mixture-v0'];
    const wrong: [body: unknown, status: number, error: RegExp][] = [
      [{ run, theta: { 'a0.mean.x': 70 }, seed: 1 }, 400, /^a0\.mean\.x: expected -10\.\.10, got 70$/],
      [{ run, theta: { nothing: 1 }, seed: 1 }, 400, /^nothing: expected one of a0\.mean\.x/],
      [{ run, theta: {}, seed: -1 }, 400, /^seed: /],
      [{ run, theta: {}, seed: 1, colour: 'red' }, 400, /colour/],
      ['{', 400, /^body: expected JSON/],
      ['x'.repeat(300_000), 400, /^body: expected at most/],
      [{ run: 'none', theta: {}, seed: 1 }, 404, /^run: expected one/],
      [{ run: runs['Bandit-v0'], theta: {}, seed: 1 }, 400, /Bandit-v0 does not say how its samples are shown/],
    ];
    for (const [body, status, error] of wrong) {
      const answer = await ask('/v1/pictures', body);
      assert.equal(answer.status, status, JSON.stringify(answer));
      assert.match(answer.error, error);
    }
    // A body without an end ends with its socket.
    const socket = connectSocket(server.port, '127.0.0.1').on('error', () => {});
    socket.write(
      'POST /v1/pictures HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\nContent-Length: 999999999\r\n\r\n',
    );
    const pouring = setInterval(() => socket.write('x'.repeat(100_000)), 5);
    await new Promise((resolve) => socket.once('close', resolve));
    clearInterval(pouring);
    assert.equal((await drawn(1)).width, 240);
  });

  it('[W9] predictions repeat an evaluation, for agents alone, and change nothing in the history', async () => {
    const body = { run: runs['Mixture-v0'], step: 'one' };
    const { status, strips } = await ask('/v1/predictions', body, 'a');
    assert.deepEqual([status, strips[0]?.name], [200, 'prediction']);
    assert.equal((await ask('/v1/predictions', body, 'o')).status, 403);
    assert.equal((await ask('/v1/pictures', { run: body.run, theta: {}, seed: 1 }, 'o')).status, 200);
    assert.equal((await ask('/v1/pictures', { run: body.run, theta: {}, seed: 1 }, 'a')).status, 403);
    assert.equal((await ask('/v1/predictions', { ...body, step: 'two' })).status, 404);
    const none = await ask('/v1/predictions', { run: runs['Bandit-v0'], step: 'one' });
    assert.match(none.error, /its model does not show what it predicts/);
    const rows = await fetch(`${http(server)}/v1/evaluations.jsonl?run=${body.run}`, {
      headers: { authorization: 'Bearer x' },
    });
    assert.equal(linesOf(await rows.text()).length, 1);
  });
});

describe('the latest predictions @slow', () => {
  it('[W9] come with an evaluation that begins after somebody has asked, and change nothing in it', async () => {
    const server = await startBanditServer({
      environments: ['Mixture-v0', BANDIT],
      tokens: { agent: 'a', observer: 'o' },
    });
    const client = await connect(server.url, { token: 'a' });
    const latest = async (run: string, known = '', token = 'o') => {
      const query = known === '' ? '' : `&known=${known}`;
      const headers = { authorization: `Bearer ${token}` };
      const response = await fetch(`${http(server)}/v1/latest-predictions?run=${run}${query}`, { headers });
      return { status: response.status, ...((await response.json()) as Partial<LatestPrediction>) };
    };
    const mixture = await client.open({ env_id: 'Mixture-v0' });
    const run = mixture.sessionId;
    const evaluate = (step_id: string) => mixture.evaluate({ step_id, action: new Array<number>(16).fill(0), seed: 1 });
    const unwatched = await evaluate('first');
    assert.deepEqual(await latest(run), { status: 200 }, 'nobody had asked');
    const watched = await evaluate('second');
    const { step, shown } = await latest(run);
    assert.equal(step, 'second');
    assert.deepEqual(
      (shown as PictureStrip[]).map(({ name, pictures }) => [name, pictures[0]!.png.startsWith('iVBORw0KGgo')]),
      [['prediction', true]],
    );
    assert.deepEqual(await latest(run, 'second'), { status: 200 }, 'it is known');
    await evaluate('third');
    assert.equal((await latest(run)).step, 'second', 'at most one in ten seconds');
    assert.deepEqual([watched.reward, watched.scores], [unwatched.reward, unwatched.scores]);
    assert.ok(!('pictures' in watched), 'the client of the run gets no pictures');
    const bandit = await client.open({ env_id: 'Bandit-v0' });
    await latest(bandit.sessionId);
    await bandit.evaluate({ action: [0, 0, 0, 0, 0, 0] });
    assert.equal((await latest(bandit.sessionId)).shown, 'its model does not show what it predicts');
    assert.equal((await latest(run, '', 'a')).status, 403);
    await client.close();
    await server.stop();
  });
});

describe('the feed', () => {
  /** The response to a page, as far as the feed uses it. */
  class FakeResponse extends EventEmitter {
    readonly written: string[] = [];
    writableNeedDrain = false;
    destroyed = false;
    write(text: string): void {
      this.written.push(text);
    }
  }

  it('[W7] writes nothing to a page that does not read, and then the newest state alone', async () => {
    let state = 0;
    const feed = new Feed(() => ({ state }) as unknown as ServerState);
    const [slow, fast] = [new FakeResponse(), new FakeResponse()];
    feed.add(slow as unknown as ServerResponse);
    feed.add(fast as unknown as ServerResponse);
    slow.writableNeedDrain = true;
    const seen = () => fast.written.length;
    while (seen() < 4) {
      state++;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.equal(slow.written.length, 1, 'only the first');
    slow.writableNeedDrain = false;
    while (slow.written.length < 2) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(slow.written[1], `event: state\ndata: {"state":${state}}\n\n`);
    const before = seen();
    await new Promise((resolve) => setTimeout(resolve, 1200));
    assert.equal(seen(), before, 'nothing is told where nothing has changed');
    slow.emit('close');
    fast.emit('close');
  });
});
