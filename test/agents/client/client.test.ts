import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { connect, ConnectionError, ProtocolError, type Client, type Progress } from '../../../agents/client/index.ts';
import { decode } from '../../../protocol/codec.ts';
import { deriveSeed } from '../../../protocol/random.ts';
import type { Codec } from '../../../protocol/messages.ts';
import type { EnvironmentServer } from '../../../env/server/server.ts';
import { startBanditServer } from '../../env/server/bandit-server.ts';

const ACTION = [0, 0, 0, 0, 0, 0];
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

for (const protocol of ['msgpack', 'json'] as Codec[]) {
  describe(`the client (${protocol})`, () => {
    let server: EnvironmentServer;
    let client: Client;
    before(async () => {
      server = await startBanditServer({ workers: 2, limits: { max_in_flight: 200 } });
      client = await connect(server.url, { protocol });
    });
    after(async () => {
      await client.close();
      await server.stop();
    });

    it("knows the server's environments and limits", () => {
      assert.deepEqual(
        client.envs.map(({ env_id }) => env_id),
        ['Bandit-v0'],
      );
      assert.equal(client.limits.workers, 2);
    });

    it('gives each of many evaluations in flight its own result', async () => {
      const environment = await client.open({ env_id: 'Bandit-v0', options: { delayMs: 1 } });
      const seeds = Array.from({ length: 150 }, (_, seed) => seed);
      const results = await Promise.all(seeds.map((seed) => environment.evaluate({ action: ACTION, seed })));
      assert.deepEqual(
        results.map(({ seed }) => seed),
        seeds,
      );
      await environment.close();
    });

    it('waits and asks again when the server has too much to do @slow', async () => {
      const environment = await client.open({ env_id: 'Bandit-v0' });
      const results = await Promise.all(Array.from({ length: 300 }, () => environment.evaluate({ action: ACTION })));
      assert.equal(new Set(results.map(({ step_id }) => step_id)).size, 300);
      await environment.close();
    });

    it('reports progress to its own step', async () => {
      const environment = await client.open({ env_id: 'Bandit-v0', options: { delayMs: 700 } });
      const heard: Progress[] = [];
      const quiet = environment.evaluate({ action: ACTION });
      const { step_id } = await environment.evaluate(
        { action: ACTION },
        { onProgress: (progress) => heard.push(progress) },
      );
      await quiet;
      assert.ok(heard.length >= 1 && heard.every((progress) => progress.step_id === step_id));
      await environment.close();
    });

    it('evaluates a batch: results in the order of the requests, progress, refusals, more than the server takes @slow', async () => {
      const environment = await client.open({ env_id: 'Bandit-v0', options: { delayMs: 1 } });
      const requests = Array.from({ length: 300 }, (_, seed) => ({ action: ACTION, seed }));
      const results = await environment.evaluateBatch(requests);
      assert.deepEqual(
        results.map(({ seed }) => seed),
        requests.map(({ seed }) => seed),
      );
      const bad = [{ action: ACTION }, { action: [0, 0, 3, 0, 0, 0] }];
      await assert.rejects(environment.evaluateBatch(bad), { code: 'BAD_ACTION', at: '/items/1/action/2' });
      const slow = await client.open({ env_id: 'Bandit-v0', options: { delayMs: 600 } });
      const phases = new Set<string>();
      await slow.evaluateBatch(bad.slice(0, 1), { onProgress: ({ phase }) => phases.add(phase) });
      assert.deepEqual([...phases], ['simulate', 'train']);
      await environment.close();
      await slow.close();
    });

    it('[P13] a step that waits is told so, and how long it will take where that is known @slow', async () => {
      const environment = await client.open({ env_id: 'Bandit-v0', options: { delayMs: 700 } });
      const heard: Progress[] = [];
      await environment.evaluate({ action: ACTION });
      const onProgress = (progress: Progress) => heard.push(progress);
      await environment.evaluateBatch(
        Array.from({ length: 5 }, () => ({ action: ACTION })),
        { onProgress },
      );
      const waiting = heard.filter(({ phase }) => phase === 'queue');
      const training = heard.filter(({ phase }) => phase === 'train');
      assert.ok(waiting.length > 0 && waiting.every(({ eta_ms = 0 }) => eta_ms >= 700));
      assert.ok(training.length > 0 && training.every(({ eta_ms = 9999 }) => eta_ms <= 2000));
      await environment.close();
    });

    it('[S6] [P11] another client continues the session of a client that is gone', async () => {
      const first = await connect(server.url, { protocol, reconnectForMs: 0 });
      const environment = await first.open({ env_id: 'Bandit-v0', options: { delayMs: 100, noise: 1 }, seed: 3 });
      const { ticket } = environment;
      const done = await environment.evaluate({ action: ACTION, step_id: 'one' });
      environment.evaluate({ action: ACTION, step_id: 'two' }).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 30));
      first.loseConnection();
      const second = await connect(server.url, { protocol });
      const resumed = await second.resume(ticket);
      assert.deepEqual(resumed.spec, environment.spec);
      const [one, two] = await Promise.all(
        ['one', 'two'].map((step_id) => resumed.evaluate({ action: ACTION, step_id })),
      );
      assert.deepEqual([one!.reward, one!.replayed], [done.reward, true]);
      assert.equal(two!.seed, deriveSeed(3, 'episode', 1));
      await assert.rejects(second.resume({ ...ticket, resume_token: 'wrong' }), { code: 'SESSION_NOT_FOUND' });
      await second.close();
    });

    it("throws the server's refusals, with code and place", async () => {
      const environment = await client.open({ env_id: 'Bandit-v0' });
      await assert.rejects(environment.evaluate({ action: [0, 0, 3, 0, 0, 0] }), {
        name: 'ProtocolError',
        code: 'BAD_ACTION',
        at: '/action/2',
      });
      await assert.rejects(environment.step({ action: ACTION }), { code: 'NEEDS_RESET' });
      await assert.rejects(client.open({ env_id: 'Nowhere-v0' }), { code: 'ENV_NOT_FOUND' });
      await environment.close();
    });

    it('[P10] a step whose signal aborts is cancelled, and the next one has its own result', async () => {
      const environment = await client.open({ env_id: 'Bandit-v0', options: { delayMs: 400 } });
      const abort = new AbortController();
      const cancelled = environment.evaluate({ action: ACTION, seed: 1 }, { signal: abort.signal });
      const next = environment.evaluate({ action: ACTION, seed: 2 });
      setTimeout(() => abort.abort(), 50);
      const [first, second] = await Promise.all([cancelled, next]);
      assert.deepEqual([first.outcome, first.reward, first.seed], ['cancelled', null, 1]);
      assert.deepEqual([second.outcome, second.seed], ['ok', 2]);
      await assert.rejects(environment.evaluate({ action: ACTION }, { signal: abort.signal }), { name: 'AbortError' });
      await environment.close();
    });

    it('refuses two evaluations under one name, of which one would wait for ever', async () => {
      const environment = await client.open({ env_id: 'Bandit-v0', options: { delayMs: 200 } });
      const first = environment.evaluate({ action: ACTION, step_id: 'x' });
      const twice = /step_id: expected one that no evaluation under way has, got "x"/;
      await assert.rejects(environment.evaluate({ action: ACTION, step_id: 'x' }), twice);
      await assert.rejects(environment.evaluateBatch([{ action: ACTION, step_id: 'x' }]), twice);
      const same = [1, 2].map(() => ({ action: ACTION, step_id: 'y' }));
      await assert.rejects(environment.evaluateBatch(same), /another one for each request, got "y" twice/);
      assert.equal((await first).outcome, 'ok');
      await environment.close();
    });

    it('[P10] what a full server has not taken yet is not evaluated after it was cancelled', async () => {
      const full = await startBanditServer({ workers: 1, limits: { max_in_flight: 1 } });
      const own = await connect(full.url, { protocol });
      const environment = await own.open({ env_id: 'Bandit-v0', options: { delayMs: 800 } });
      const running = environment.evaluate({ action: ACTION, step_id: 'first' });
      const abort = new AbortController();
      const waiting = environment.evaluate({ action: ACTION, step_id: 'second' }, { signal: abort.signal });
      setTimeout(() => abort.abort(), 150);
      await assert.rejects(waiting, /step second: cancelled before the server took it/);
      assert.equal((await running).outcome, 'ok');
      await new Promise((resolve) => setTimeout(resolve, 1500));
      assert.equal(full.evaluations.counts.running, 0);
      await own.close();
      await full.stop();
    });

    it('[S6] continues after a lost connection: each evaluation is made once and gets its own result', async () => {
      const environment = await client.open({ env_id: 'Bandit-v0', options: { delayMs: 60 }, seed: 9 });
      const results = Array.from({ length: 20 }, () => environment.evaluate({ action: ACTION }));
      for (let i = 0; i < 3; i++) {
        await new Promise((resolve) => setTimeout(resolve, 150));
        client.loseConnection();
      }
      const seeds = (await Promise.all(results)).map(({ seed }) => seed);
      // Were a step evaluated twice, it would have used up another episode of the stream.
      assert.deepEqual(
        seeds,
        Array.from({ length: 20 }, (_, i) => deriveSeed(9, 'episode', i)),
      );
      const seqs = (await Promise.all(results)).map(({ seq }) => seq);
      assert.deepEqual(
        seqs.sort((a, b) => a - b),
        Array.from({ length: 20 }, (_, i) => i + 1),
      );
      assert.equal((await environment.evaluate({ action: ACTION })).seed, deriveSeed(9, 'episode', 20));
      await environment.close();
    });

    it('[S6] reset and open survive a lost connection', async () => {
      const environment = await client.open({ env_id: 'Bandit-v0' });
      client.loseConnection();
      const [, other] = await Promise.all([environment.reset({ seed: 4 }), client.open({ env_id: 'Bandit-v0' })]);
      assert.equal((await environment.step({ action: ACTION })).seed, deriveSeed(4, 'episode', 0));
      assert.equal((await other.evaluate({ action: ACTION })).outcome, 'ok');
    });
  });
}

describe('the client', () => {
  it('names the server that it could not reach, or the reason for the refusal', async () => {
    await assert.rejects(connect('ws://127.0.0.1:1'), {
      name: 'ConnectionError',
      message: /127\.0\.0\.1:1.*ECONNREFUSED.*no server listens there/,
    });
    await assert.rejects(connect('localhost:1'), { message: 'url: expected ws://… or wss://…, got localhost:1' });
    const server = await startBanditServer({ tokens: { agent: 'secret' } });
    await assert.rejects(connect(server.url), { name: 'ProtocolError', code: 'UNAUTHENTICATED' });
    await assert.rejects(connect(server.url, { token: 'wrong' }), {
      message: /: expected the token of this server, got another one \(HTTP 401\)$/,
    });
    await assert.rejects(connect(server.url.replace('ws:', 'wss:')), {
      message: /: expected a server that speaks TLS, as wss:\/\/ says, got one that does not; try ws:\/\/$/,
    });
    await (await connect(server.url, { token: 'secret' })).close();
    await server.stop();
  });

  it('gives up at once when an answer breaks the protocol: asking again would give the same answer', async () => {
    const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(sockets, 'listening');
    let opens = 0;
    sockets.on('connection', (socket) =>
      socket.on('message', (data) => {
        const { t, id: re } = decode('json', data as Buffer, false) as { t: string; id: number };
        opens += t === 'open' ? 1 : 0;
        const welcome = { t: 'welcome', re, protocol: 1, server: { name: '', version: '', build: '' } };
        const rest = {
          connection_id: '',
          capabilities: [],
          heartbeat: { interval_ms: 1e4, timeout_ms: 1e4 },
          envs: [],
        };
        const names = ['workers', 'max_payload_bytes', 'max_in_flight', 'max_unacknowledged', 'max_batch'];
        names.push('max_sessions', 'queue_depth', 'max_detach_grace_ms', 'max_messages_per_s');
        const limits = Object.fromEntries(names.map((name) => [name, 1000]));
        socket.send(
          JSON.stringify(t === 'hello' ? { ...welcome, ...rest, limits } : { t: 'opened', re, epoch: 'one' }),
        );
      }),
    );
    const client = await connect(`ws://127.0.0.1:${(sockets.address() as AddressInfo).port}`, { protocol: 'json' });
    await assert.rejects(client.open({ env_id: 'Bandit-v0' }), {
      name: 'ConnectionError',
      message: /expected an answer that keeps to the protocol: \/session_id/,
    });
    await pause(300); // A new connection would be there by now, with the same question.
    await client.close();
    assert.equal(opens, 1);
    sockets.clients.forEach((socket) => socket.terminate());
    sockets.close();
  });

  it('rejects pending requests when the server does not come back', async () => {
    const server = await startBanditServer();
    const client = await connect(server.url, { reconnectForMs: 200 });
    const environment = await client.open({ env_id: 'Bandit-v0', options: { delayMs: 10_000 } });
    const lost = environment.evaluate({ action: ACTION });
    const failed = assert.rejects(lost, (error) => error instanceof ConnectionError);
    await server.stop();
    await failed;
    await assert.rejects(environment.evaluate({ action: ACTION }), ConnectionError);
  });

  it('says that the connection is lost, what it waits for, and that it is there again @slow', async () => {
    const heard: string[] = [];
    const say = (sentence: string) => heard.push(sentence);
    const first = await startBanditServer();
    const client = await connect(first.url, { say });
    const environment = await client.open({ env_id: 'Bandit-v0' });
    await first.stop();
    await pause(6000);
    const lost = new RegExp(`^${first.url}: the connection was closed .*; trying again for 60 s$`);
    assert.match(heard[0] ?? '', lost);
    assert.match(heard[1] ?? '', /waiting for the server to come back, 5 s so far$/);
    const second = await startBanditServer({ port: first.port });
    // Another server does not know the session: the environment ends, but the client goes on.
    await assert.rejects(environment.evaluate({ action: ACTION }), { code: 'SESSION_NOT_FOUND' });
    assert.equal(heard.at(-1), `${first.url}: connected again`);
    await client.close();
    await second.stop();
  });

  it('closes at once when the server is gone, or goes at the same moment', async () => {
    const server = await startBanditServer();
    const [before, during] = [await connect(server.url), await connect(server.url)];
    await Promise.all([before, during].map((client) => client.open({ env_id: 'Bandit-v0' })));
    const closed = during.close();
    during.loseConnection();
    await closed;
    await server.stop();
    await before.close();
  });

  it('[S5] reports that its session ended with the connection', async () => {
    const server = await startBanditServer();
    const client = await connect(server.url);
    const environment = await client.open({ env_id: 'Bandit-v0', detach_grace_ms: 0 });
    client.loseConnection();
    await assert.rejects(environment.evaluate({ action: ACTION }), (error) => {
      return error instanceof ProtocolError && error.code === 'SESSION_NOT_FOUND';
    });
    await client.close();
    await server.stop();
  });
});
