import assert from 'node:assert/strict';
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
  });

  it('[W2] /v1/spec and /v1/schema say what a client needs to know', async () => {
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
    };
    assert.deepEqual(schema.client['resume']!.required.sort(), ['id', 'last_seq', 'resume_token', 'session_id', 't']);
    assert.ok(schema.server['result']!.properties['outcome']!.enum!.includes('infeasible'));
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
    for (const bad of ['limit=x', 'since=yesterday', 'colour=red', "outcome=ok'--"]) {
      assert.equal((await ask(open, `/v1/history.jsonl?${bad}`)).status, 400, bad);
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
