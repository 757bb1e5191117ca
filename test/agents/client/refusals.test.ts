import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocketServer, type WebSocket } from 'ws';
import { connect, ConnectionError, type Client } from '../../../agents/client/index.ts';
import type { EnvironmentServer } from '../../../env/server/server.ts';
import { BANDIT, startBanditServer } from '../../env/server/bandit-server.ts';
import { Peer, type Message } from '../../env/server/peer.ts';

const ACTION = [0, 0, 0, 0, 0, 0];
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * A server between the client and a real one, which may answer a step itself, or leave, and change what the real one
 * says.
 */
async function between(
  url: string,
  onStep: (step: Message, client: WebSocket) => boolean = () => false,
  change: (message: Message) => Message = (message) => message,
) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'lts.v1.json' });
  server.on('connection', (client) => {
    const early: Message[] = [];
    let send: (message: Message) => unknown = (message) => early.push(message);
    client.on('message', (data) => {
      const message = JSON.parse((data as Buffer).toString()) as Message;
      if (!message.t.startsWith('step') || !onStep(message, client)) send(message);
    });
    void Peer.connect(url).then((peer) => {
      peer.socket.on('message', (data) =>
        client.send(JSON.stringify(change(JSON.parse((data as Buffer).toString()) as Message))),
      );
      send = (message) => peer.send(message);
      early.forEach(send);
      client.on('close', () => peer.close());
    });
  });
  await once(server, 'listening');
  const close = () => {
    server.clients.forEach((client) => client.terminate());
    server.close();
  };
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, close, server };
}

describe('what a server refuses for now', () => {
  const refusal = (code: string, { id: re }: Message, rest: object = {}) =>
    JSON.stringify({ t: 'error', re, code, message: `${code} for \u001b[2J\nnow`, retryable: true, ...rest });

  for (const code of ['DRAINING', 'RATE_LIMITED', 'INTERNAL', 'QUEUE_FULL', 'BUSY']) {
    it(`[E4] is asked for again after its delay: ${code}`, async () => {
      const server = await startBanditServer({ workers: 0 });
      const asked: number[] = [];
      const middle = await between(server.url, (message, client) => {
        if (asked.push(performance.now()) > 2) return false;
        client.send(refusal(code, message, { retry_after_ms: 150 }));
        return true;
      });
      const client = await connect(middle.url, { protocol: 'json' });
      const environment = await client.open({ env_id: 'Bandit-v0' });
      assert.equal((await environment.evaluate({ action: ACTION })).outcome, 'ok');
      assert.equal(asked.length, 3);
      assert.ok(asked[1]! - asked[0]! >= 140 && asked[2]! - asked[1]! >= 140, asked.join());
      asked.length = 0;
      assert.equal((await environment.evaluateBatch([{ action: ACTION }, { action: ACTION }])).length, 2);
      assert.equal(asked.length, 3);
      await client.close();
      middle.close();
      await server.stop();
    });
  }

  it('is an error when it is refused for as long as a lost connection is tried again', async () => {
    const server = await startBanditServer({ workers: 0 });
    const middle = await between(server.url, (message, client) => {
      client.send(refusal('INTERNAL', message, { retry_after_ms: 50 }));
      return true;
    });
    const said: string[] = [];
    const say = (sentence: string) => said.push(sentence);
    const client = await connect(middle.url, { protocol: 'json', reconnectForMs: 400, say });
    const environment = await client.open({ env_id: 'Bandit-v0' });
    const began = performance.now();
    await assert.rejects(environment.evaluate({ action: ACTION }), { code: 'INTERNAL' });
    assert.ok(performance.now() - began >= 400);
    assert.deepEqual(said, [`${middle.url}: INTERNAL for \\u001b[2J now (INTERNAL); asking again`]); // as a terminal may show it
    await client.close();
    middle.close();
    await server.stop();
  });

  it('[L5] costs no evaluation where the client sends more messages than it may @slow', async () => {
    const server = await startBanditServer({ workers: 0, limits: { max_messages_per_s: 10, max_unacknowledged: 12 } });
    const client = await connect(server.url);
    const environment = await client.open({ env_id: 'Bandit-v0' });
    const results = await Promise.all(Array.from({ length: 25 }, () => environment.evaluate({ action: ACTION })));
    assert.deepEqual(new Set(results.map(({ seq }) => seq)).size, 25);
    await client.close();
    await server.stop();
  });

  it('[L2] waits for the next server where this one drains @slow', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lts-drain-'));
    const journal = join(folder, 'a.sqlite');
    const first = await startBanditServer({ journal });
    const client = await connect(first.url);
    const environment = await client.open({ env_id: 'Bandit-v0', options: { delayMs: 500 } });
    const running = environment.evaluate({ action: ACTION });
    await pause(100);
    const drained = first.drain(10_000);
    const refused = environment.evaluate({ action: ACTION });
    await drained;
    const second = await startBanditServer({ journal, port: first.port });
    assert.deepEqual([(await running).seq, (await refused).seq], [1, 2]);
    await client.close();
    await second.stop();
    rmSync(folder, { recursive: true });
  });
});

describe('a message that cannot be sent', () => {
  it('[T5] is an error to its caller, and the others go on; a batch is split by its bytes', async () => {
    const server = await startBanditServer({ workers: 0, limits: { max_payload_bytes: 3000 } });
    for (const protocol of ['json', 'msgpack'] as const) {
      const client = await connect(server.url, { protocol });
      const environment = await client.open({ env_id: 'Bandit-v0' });
      const requests = Array.from({ length: 200 }, (_, seed) => ({ action: ACTION, seed }));
      const results = await environment.evaluateBatch(requests);
      assert.deepEqual(
        results.map(({ seed }) => seed),
        requests.map(({ seed }) => seed),
      );
      const large = { action: Array.from({ length: 4000 }, () => 0.123) };
      const message = /^step(_batch)?: expected at most 3000 bytes, as the server takes, got \d+$/;
      await assert.rejects(environment.evaluate(large), { name: 'RangeError', message });
      await assert.rejects(environment.evaluateBatch([...requests, { ...large, step_id: 'large' }]), { message });
      const again = await environment.evaluateBatch(requests.map((request, i) => ({ ...request, step_id: `${i}` })));
      assert.equal(again.length, 200);
      const nan = { action: [NaN, 0, 0, 0, 0, 0] };
      await assert.rejects(environment.evaluate(nan), { name: 'TypeError' });
      await assert.rejects(environment.evaluateBatch([{ action: ACTION }, nan]), { name: 'TypeError' });
      let deep: object = {};
      for (let i = 0; i < 31; i++) deep = { deep };
      await assert.rejects(client.open({ env_id: 'Bandit-v0', options: { deep } }), { name: 'TypeError' });
      client.loseConnection(); // what could not be sent is not tried again
      assert.equal((await environment.evaluate({ action: ACTION })).outcome, 'ok');
      await client.close();
    }
    await server.stop();
  });

  it('is asked for again when the very first connection is lost before anything was done', async () => {
    const server = await startBanditServer({ workers: 0 });
    let opened = 0;
    const middle = await between(server.url, undefined, (message) => {
      if (message.t === 'opened' && ++opened === 1) middle.server.clients.forEach((client) => client.terminate());
      return message;
    });
    const client = await connect(middle.url, { protocol: 'json' });
    const environment = await client.open({ env_id: 'Bandit-v0' });
    assert.equal((await environment.evaluate({ action: ACTION })).outcome, 'ok');
    assert.equal(opened, 2);
    await client.close();
    middle.close();
    await server.stop();
  });

  it('is an error after a while when the socket is closed because of it each time @slow', async () => {
    const server = await startBanditServer({ workers: 0 });
    let closed = 0;
    const middle = await between(server.url, (_message, client) => {
      closed++;
      client.close(1009);
      return true;
    });
    const client = await connect(middle.url, { protocol: 'json', reconnectForMs: 800 });
    const environment = await client.open({ env_id: 'Bandit-v0' });
    await assert.rejects(environment.evaluate({ action: ACTION }), (error) => {
      return error instanceof ConnectionError && /1009/.test(error.message);
    });
    assert.ok(closed >= 2 && closed <= 6, `${closed} times`);
    middle.close();
    await server.stop();
  });
});

describe('what a server says', () => {
  let server: EnvironmentServer;
  before(
    async () => (server = await startBanditServer({ workers: 0, environments: [BANDIT, './env/examples/dice.ts'] })),
  );
  after(() => server.stop());

  /** What the client's error says when the server's messages of one type are changed. */
  async function error(type: string, change: (message: Message) => void, use: (client: Client) => Promise<unknown>) {
    const middle = await between(server.url, undefined, (message) => {
      if (message.t === type) change(message);
      return message;
    });
    const client = await connect(middle.url, { protocol: 'json' });
    const failure = await use(client).then(
      () => new Error('expected an error'),
      (thrown: Error) => thrown,
    );
    await client.close();
    middle.close();
    assert.ok(failure instanceof ConnectionError, failure.stack);
    return failure.message;
  }

  const evaluate = async (client: Client) =>
    (await client.open({ env_id: 'Bandit-v0' })).evaluate({ action: ACTION, step_id: 'a' });
  const evaluateTwo = async (client: Client) =>
    (await client.open({ env_id: 'Bandit-v0' })).evaluateBatch([{ action: ACTION, step_id: 'a' }, { action: ACTION }]);

  it('[P6] is an error where a result says less than its outcome promises', async () => {
    const place = /^the server's result of step a: /;
    for (const use of [evaluate, evaluateTwo]) {
      const noReward = await error('result', (result) => (result['reward'] = null), use);
      assert.match(noReward, place);
      assert.match(noReward, /expected a reward with the outcome ok, got null$/);
      const failed = await error('result', (result) => (result['outcome'] = 'failed'), use);
      assert.match(failed, /expected no reward with the outcome failed, got 0\.\d+$/);
      const noScore = await error('result', (result) => (result['scores'] = { toString: 1 }), use);
      assert.match(noScore, /expected a score gain, got \{"toString":1\}$/);
      const part = await error('result', (result) => delete (result['theta'] as Message)['y'], use);
      assert.match(part, /expected a number for y of θ, got undefined$/);
      const short = await error('result', (result) => ((result['theta'] as Message)['weather'] = [1]), use);
      assert.match(short, /expected 4 numbers for weather of θ, got \[1\]$/);
      const other = await error('result', (result) => ((result['repro'] as Message)['spec_hash'] = 'other'), use);
      assert.match(other, /expected spec_hash \w+, got "other"$/);
    }
  });

  it('[P6] is an error where θ has a value of another kind', async () => {
    for (const [name, value, expected] of [
      ['dice', '3', 'a number'],
      ['die', 2, 'a choice'],
      ['bestOfTwo', 1, 'true or false'],
    ] as const) {
      const change = (result: Message) => ((result['theta'] as Message)[name] = value);
      const told = await error('result', change, async (client) =>
        (await client.open({ env_id: 'Dice-v0' })).evaluate({ params: {} }),
      );
      assert.ok(told.endsWith(`expected ${expected} for ${name} of θ, got ${JSON.stringify(value)}`), told);
    }
  });

  it('[R5] is an error that names the kind where a parameter has one of a later version', async () => {
    const change = (opened: Message) => {
      const { parameters } = opened['spec'] as { parameters: { kind: string }[] };
      parameters[1]!.kind = 'date';
    };
    const told = await error('opened', change, evaluate);
    assert.match(told, /spec\/parameters\/1\/kind: expected continuous, .* or categorical \(a later .*, got "date"$/);
  });

  it('[S1] is an error where a specification has half a θ', async () => {
    const change = (place: string) => (opened: Message) => ((opened['spec'] as Message)[place] = { x: 0.5, y: 0.1 });
    assert.match(
      await error('opened', change('start'), evaluate),
      /^the server's start of Bandit-v0: expected 4 numbers for weather of θ, got undefined$/,
    );
    assert.match(await error('opened', change('default'), evaluate), /^the server's default of Bandit-v0: /);
  });

  it('[S2] is an error where a resumed session has another spec_hash, then and ever after', async () => {
    const change = (resumed: Message) => ((resumed['spec'] as Message)['spec_hash'] = 'other');
    const sentence = await error('resumed', change, async (client) => {
      const environment = await client.open({ env_id: 'Bandit-v0', options: { delayMs: 2000 } });
      const running = environment.evaluate({ action: ACTION });
      const batch = environment.evaluateBatch([{ action: ACTION }]);
      setTimeout(() => client.loseConnection(), 100);
      await assert.rejects(batch, /expected spec_hash/);
      await assert.rejects(running, /expected spec_hash/);
      await assert.rejects(environment.evaluateBatch([{ action: ACTION }]), /expected spec_hash/);
      return environment.evaluate({ action: ACTION });
    });
    assert.match(sentence, /^session [-\w]+: expected spec_hash \w+ as before, got other: the server has another/);
  });

  it('[H1] is an error where hello is refused or not answered, and the socket ends', async () => {
    const says: [string, RegExp][] = [
      [JSON.stringify({ t: 'error', re: 0, code: 'INTERNAL', message: 'not today', retryable: true }), /^not today$/],
      ['welcome', /expected welcome with protocol 1, got 2$/],
    ];
    for (const [answer, sentence] of says) {
      const middle = await between(server.url, undefined, (message) =>
        answer === 'welcome' ? { ...message, protocol: 2 } : (JSON.parse(answer) as Message),
      );
      const closed = new Promise<void>((resolve) =>
        middle.server.once('connection', (socket) => socket.once('close', () => resolve())),
      );
      await assert.rejects(connect(middle.url, { protocol: 'json' }), { message: sentence });
      await closed;
      middle.close();
    }
  });
});
