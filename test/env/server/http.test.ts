import assert from 'node:assert/strict';
import { connect as connectSocket } from 'node:net';
import { createExperiment } from '../../../env/experiments/load.ts';
import { DEFAULT_RUNTIME } from '../../../env/runtime.ts';
import type { HistoryEntry } from '../../../protocol/history.ts';
import type { EnvironmentServer } from '../../../env/server/server.ts';
import { connect } from '../../../agents/client/client.ts';
import bandit from '../../environments/bandit.ts';
import { startBanditServer } from './bandit-server.ts';
import { Peer } from './peer.ts';

const ACTION = [0, 0, 0, 0, 0, 0];

describe('HTTP', () => {
  let open: EnvironmentServer;
  let guarded: EnvironmentServer;
  let drains = 0;
  before(async () => {
    [open, guarded] = await Promise.all([
      startBanditServer({ limits: { max_messages_per_s: 50 }, maxConnections: 3, onDrainRequest: () => drains++ }),
      startBanditServer({ tokens: { agent: 'a', observer: 'o', admin: 'x' } }),
    ]);
  });
  after(() => Promise.all([open.stop(), guarded.stop()]));

  const ask = async (server: EnvironmentServer, path: string, token?: string, init: RequestInit = {}) => {
    const headers = { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...init.headers };
    const response = await fetch(`${server.url.replace('ws', 'http')}${path}`, { ...init, headers });
    return { status: response.status, text: await response.text() };
  };
  const statusOf = async ({ port }: EnvironmentServer, address: string) => {
    const socket = connectSocket(port, '127.0.0.1');
    socket.end(`GET ${address} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    let answer = '';
    for await (const part of socket) answer += String(part);
    return Number(answer.split(' ')[1]);
  };
  const evaluated = async (server: EnvironmentServer, token?: string) => {
    const client = await connect(server.url, { ...(token !== undefined && { token }) });
    const environment = await client.open({ env_id: 'Bandit-v0', options: { noise: 0.5 } });
    const results = [];
    for (const seed of [1, 2, 3]) results.push(await environment.evaluate({ action: ACTION, seed, test: seed === 3 }));
    const infeasible = await client.open({ env_id: 'Bandit-v0', options: { fault: 'infeasible' } });
    await infeasible.evaluate({ action: ACTION });
    const { sessionId } = environment;
    return { client, environment, sessionId, results };
  };

  it('[W1] each page answers only its roles', async () => {
    const pages: [path: string, init: RequestInit, statuses: Record<string, number>][] = [
      ['/healthz', {}, { none: 200, a: 200, o: 200, x: 200 }],
      ['/v1/spec', {}, { none: 401, a: 200, o: 403, x: 200, wrong: 401 }],
      ['/v1/schema', {}, { none: 401, a: 200, o: 403, x: 200 }],
      ['/metrics', {}, { none: 401, a: 403, o: 200, x: 200 }],
      ['/v1/sessions', {}, { none: 401, a: 403, o: 200, x: 200 }],
      ['/v1/workers', {}, { none: 401, a: 403, o: 200, x: 200 }],
      ['/v1/history.jsonl', {}, { none: 401, a: 403, o: 200, x: 200 }],
      ['/v1/sessions/none', { method: 'DELETE' }, { none: 401, a: 403, o: 403, x: 404 }],
    ];
    for (const [path, init, statuses] of pages) {
      for (const [token, expected] of Object.entries(statuses)) {
        const { status } = await ask(guarded, path, token === 'none' ? undefined : token, init);
        assert.equal(status, expected, `${path} with token ${token}`);
      }
    }
    await assert.rejects(connect(guarded.url, { token: 'o' }), /401/, 'an observer opens no session');
    await (await connect(guarded.url, { token: 'x' })).close();
    for (const path of ['/nothing', '/v1', '/v1/sessions/', '/%', '//x'])
      assert.equal((await ask(open, path)).status, 404, path);
    assert.equal((await ask(open, '/healthz', undefined, { method: 'PUT' })).status, 405);
    // An address that `fetch` would not send. A defect of the server would be a 500.
    for (const [address, status] of Object.entries({ '//': 400, '///': 400, 'http://[': 400, '*': 404 })) {
      assert.equal(await statusOf(open, address), status, address);
    }
    assert.equal(await statusOf(open, 'http://elsewhere/healthz'), 200);
    assert.equal((await ask(open, '/?')).status, 200);
  });

  it('[H4] [W1] a token that everybody could show, or nobody, is refused at the start', async () => {
    for (const role of ['agent', 'observer', 'admin']) {
      for (const token of ['', ' ', 'a ', 'two\nlines', 'pässword', 'x'.repeat(1025)]) {
        const refused = { message: new RegExp(`^${role} token: expected 1 to 1024 printable ASCII characters`) };
        await assert.rejects(startBanditServer({ tokens: { [role]: token } }), refused, JSON.stringify(token));
      }
    }
    await assert.rejects(connect(open.url, { token: '' }), /^RangeError: token: expected/);
    for (const auth of ['', ' ']) {
      const peer = await Peer.connect(guarded.url);
      assert.equal((await peer.ask({ t: 'hello', id: 1, protocol: [1], auth }))['code'], 'UNAUTHENTICATED');
    }
    for (const header of ['Bearer', 'Bearer ', 'Bearer  ', 'bearer', '']) {
      const { status } = await ask(guarded, '/v1/spec', undefined, { headers: { authorization: header } });
      assert.equal(status, 401, header);
    }
  });

  it('[W2] [G21] /v1/spec and /v1/schema say what a client, or a program, needs to know', async () => {
    const spec = JSON.parse((await ask(open, '/v1/spec')).text) as {
      environments: {
        env_id: string;
        parameters: unknown[];
        options_schema: { properties: Record<string, { default?: unknown; minimum?: number }> };
      }[];
    };
    assert.equal(spec.environments[0]!.env_id, 'Bandit-v0');
    assert.equal(spec.environments[0]!.parameters.length, 3);
    const { noise } = spec.environments[0]!.options_schema.properties;
    assert.deepEqual([noise!.default, noise!.minimum], [0, 0]);
    const schema = JSON.parse((await ask(open, '/v1/schema')).text) as {
      client: Record<string, { required: string[] }>;
      server: Record<string, { properties: Record<string, { enum?: string[] }> }>;
      programs: { contract: number; simulatorRequest: { required: string[] }; trainerResult: { required: string[] } };
    };
    assert.deepEqual(schema.client['resume']!.required.sort(), ['id', 'last_seq', 'resume_token', 'session_id', 't']);
    assert.ok(schema.server['result']!.properties['outcome']!.enum!.includes('infeasible'));
    const { contract, simulatorRequest, trainerResult } = schema.programs;
    assert.equal(contract, 1);
    assert.ok(['theta', 'seed', 'first', 'count', 'out'].every((name) => simulatorRequest.required.includes(name)));
    assert.deepEqual(trainerResult.required, ['scores']);
  });

  it('[W3] /metrics counts what happened, and /v1/sessions tells no secret', async () => {
    const { client, sessionId } = await evaluated(guarded, 'a');
    const { text } = await ask(guarded, '/metrics', 'o');
    const value = (name: string) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
    assert.equal(value('lts_evaluations_total\\{outcome="ok"\\}'), 3);
    assert.equal(value('lts_evaluations_total\\{outcome="infeasible"\\}'), 1);
    assert.equal(value('lts_evaluation_seconds_count\\{phase="queue"\\}'), 4);
    assert.equal(value('lts_evaluation_seconds_count\\{phase="train"\\}'), 3);
    assert.equal(value('lts_sessions'), 2);
    assert.equal(value('lts_connections'), 1);
    assert.equal(value('lts_worker_restarts'), 0);
    assert.ok(value('lts_received_bytes_total') > 400 && value('lts_sent_bytes_total') > 2000);
    const sessions = (await ask(guarded, '/v1/sessions', 'o')).text;
    assert.ok(sessions.includes(sessionId) && sessions.includes('"results":3') && !/token/.test(sessions));
    await client.close();
  });

  it('[W4] [R3] the history is filtered, and each entry can be evaluated again to the same reward', async () => {
    const { client, sessionId, results } = await evaluated(open);
    const entries = async (query: string) => {
      const { status, text } = await ask(open, `/v1/history.jsonl?${query}`);
      assert.equal(status, 200, text);
      return text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as HistoryEntry);
    };
    const all = await entries(`session=${sessionId}`);
    assert.deepEqual(
      all.map(({ reward }) => reward),
      results.map(({ reward }) => reward).reverse(),
    );
    assert.equal((await entries(`session=${sessionId}&limit=2`)).length, 2);
    assert.equal((await entries(`session=${sessionId}&test=true`)).length, 1);
    assert.equal((await entries(`session=${sessionId}&outcome=infeasible`)).length, 0);
    assert.equal((await entries('outcome=infeasible&env=Bandit-v0')).length, 1);
    assert.equal((await entries('env=Other-v0')).length, 0);
    assert.equal((await entries(`since=${new Date(Date.now() + 60_000).toISOString()}`)).length, 0);
    assert.equal((await entries(`step=${results[0]!.step_id}`))[0]!.reward, results[0]!.reward);
    const times = ['2024-01-01', '2024-01-01T10:30', '2024-01-01%2010:30:00', '2024-01-01t10:30:00.5z'];
    for (const since of [...times, '2024-01-01T10:30:00+02:00', '2024-01-01T10:30:00%2B0200', '2024-02-29']) {
      assert.equal((await entries(`session=${sessionId}&since=${since}`)).length, 3, since);
    }
    const later = new Date(Date.now() + 3600_000).toISOString().slice(0, 19);
    assert.equal((await entries(`session=${sessionId}&since=${later}+02:00`)).length, 3, 'of a zone that is ahead');
    assert.equal((await entries(`session=${sessionId}&since=${later}`)).length, 0);
    assert.equal((await entries(`session=${sessionId}&limit=0`)).length, 0);
    const names = ['session', 'env', 'step', 'outcome', 'since', 'test', 'limit'];
    for (const bad of [
      ...names.flatMap((name) => [`${name}=`, `${name}`, `${name}=ok&${name}=ok`]),
      ...['limit=x', 'limit=1e3', 'limit=0x10', 'limit=-1', 'limit=%205', 'limit=1.5', 'limit=100001', 'test=maybe'],
      ...['since=yesterday', 'since=2024-02-30', 'since=2023-02-29', 'since=2024-13-01', 'since=2024-01-01T25:00'],
      ...['colour=red', "outcome=ok'--", 'step=q%00z', 'session=a%0Ab', `env=${'a'.repeat(129)}`],
    ]) {
      const { status, text } = await ask(open, `/v1/history.jsonl?${bad}`);
      assert.equal(status, 400, bad);
      assert.match(text, /"error":"(limit|since|session|env|step|outcome|test|query): /, bad);
    }
    const { env_id, options, theta, seeds, reward, spec_hash } = { ...all[0]!, ...all[0]!.repro };
    const replay = await client.open({ env_id, options });
    assert.equal(replay.spec.spec_hash, spec_hash);
    assert.equal((await replay.evaluate({ params: theta, seeds })).reward, reward);
    assert.equal(createExperiment(bandit, options, DEFAULT_RUNTIME).options['noise'], 0.5);
    await client.close();
  });

  it('[W5] an admin closes a session and drains the server; a web page does not', async () => {
    const { client, environment, sessionId } = await evaluated(open);
    const remove = { method: 'DELETE' };
    const origin = { headers: { origin: 'http://evil.example' } };
    assert.equal((await ask(open, `/v1/sessions/${sessionId}`, undefined, { ...remove, ...origin })).status, 403);
    assert.equal((await ask(open, `/v1/sessions/${sessionId}`, undefined, remove)).status, 200);
    await assert.rejects(environment.evaluate({ action: ACTION }), { code: 'SESSION_NOT_FOUND' });
    const slow = await client.open({ env_id: 'Bandit-v0', options: { delayMs: 60_000 } });
    const underWay = assert.rejects(slow.evaluate({ action: ACTION }), { code: 'SESSION_NOT_FOUND' });
    assert.equal((await ask(open, `/v1/sessions/${slow.sessionId}`, undefined, remove)).status, 200);
    await underWay; // its client hears of it
    assert.equal((await ask(open, '/v1/drain', undefined, { method: 'POST' })).status, 202);
    assert.equal(drains, 1);
    await client.close();
  });

  it('[L5] too many messages a second are refused one by one, and too many connections with 503', async () => {
    const peer = await Peer.welcomed(open.url);
    for (let i = 0; i < 80; i++) peer.send({ t: 'ping', id: i });
    const answers = [];
    for (let i = 0; i < 80; i++) answers.push(await peer.next());
    const limited = answers.filter((answer) => answer['code'] === 'RATE_LIMITED');
    assert.ok(limited.length >= 20 && limited.length < 40, `${limited.length} were refused`);
    assert.equal(typeof limited[0]!['re'], 'number');
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal((await peer.ask({ t: 'ping', id: 'later' }))['re'], 'later');
    const others = [await Peer.welcomed(open.url), await Peer.welcomed(open.url)];
    await assert.rejects(connect(open.url), /503/);
    [peer, ...others].forEach((one) => one.close());
  });
});
