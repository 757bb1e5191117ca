import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ERROR_CODES } from '../../../protocol/errors.ts';
import { clientMessages, type Codec } from '../../../protocol/messages.ts';
import type { EnvironmentServer } from '../../../env/server/server.ts';
import { startBanditServer } from './bandit-server.ts';
import { Peer, type Message } from './peer.ts';

const ACTION = [0, 0, 0, 0, 0, 0];

for (const codec of ['json', 'msgpack'] as Codec[]) {
  describe(`bad messages (${codec})`, () => {
    let server: EnvironmentServer;
    let peer: Peer;
    let session_id: string;
    let count = 0;
    before(async () => {
      server = await startBanditServer();
      peer = await Peer.welcomed(server.url, codec);
      session_id = await peer.open();
    });
    after(() => server.stop());
    afterEach('the connection lives', async () => {
      assert.equal((await peer.ask({ t: 'ping', id: 'alive' }, 'pong'))['re'], 'alive');
    });

    const step = (fields: object) => ({ t: 'step', id: 9, session_id, step_id: `s${count++}`, reset: true, ...fields });
    const expectError = (error: Message, code: string, at?: string, got?: string) => {
      assert.equal(error.t, 'error');
      assert.deepEqual([error['code'], error['at'], error['got']], [code, at, got], JSON.stringify(error));
      assert.ok(code in ERROR_CODES);
    };

    it('[E1] bytes that are no message', async () => {
      peer.raw(codec === 'json' ? '{"t":' : Buffer.from([0x81, 0xa1]));
      const error = await peer.next();
      expectError(error, 'BAD_MESSAGE');
      assert.equal(error['re'], null);
      assert.equal(error['rule'], 'codec');
    });

    it('[T3] a frame of the other kind', async () => {
      peer.raw(codec === 'json' ? Buffer.from('{}') : '{}');
      expectError(await peer.next(), 'BAD_MESSAGE');
    });

    it('[T2] a value that is no map', async () => {
      for (const value of [[], 7, 'hello', null]) {
        peer.raw(
          codec === 'json' ? JSON.stringify(value) : Buffer.from(value === null ? [0xc0] : value === 7 ? [7] : [0x90]),
        );
        assert.equal((await peer.next())['code'], 'BAD_MESSAGE');
      }
    });

    it('[H8] the refusal of an unknown type names it and the known types', async () => {
      const error = await peer.ask({ t: 'stepp', id: 3 });
      expectError(error, 'UNKNOWN_TYPE', '/t', '"stepp"');
      assert.equal(error['re'], 3);
      expectError(await peer.ask({ id: 3, t: 7 }), 'BAD_MESSAGE', '/t', '7');
      expectError(await peer.ask({ id: 3, t: 'toString' }), 'UNKNOWN_TYPE', '/t', '"toString"');
    });

    it('[E2] a field of the wrong type, with its place and value', async () => {
      expectError(await peer.ask({ t: 'open', id: 4, env_id: 5 }), 'BAD_MESSAGE', '/env_id', '5');
      expectError(await peer.ask({ t: 'open', id: 4 }), 'BAD_MESSAGE', '/env_id', 'undefined');
      expectError(await peer.ask({ t: 'reset', id: 4, session_id, seed: -1 }), 'BAD_MESSAGE', '/seed', '-1');
      expectError(await peer.ask({ t: 'reset', id: 4, session_id, seed: 1.5 }), 'BAD_MESSAGE', '/seed', '1.5');
      const noId = await peer.ask({ t: 'ping', id: { a: 1 } });
      expectError(noId, 'BAD_MESSAGE', '/id', '{"a":1}');
      assert.match(noId['message'] as string, /\/id: expected a whole number from 0 or a string/);
      expectError(
        await peer.ask(step({ seeds: { order: 'x' }, action: ACTION })),
        'BAD_MESSAGE',
        '/seeds/order',
        '"x"',
      );
    });

    it('[T7] names with control characters, which a store could cut and a terminal obey', async () => {
      const own = await peer.ask(step({ step_id: 'q', action: ACTION }), 'result');
      assert.equal(own['outcome'], 'ok');
      const cut = step({ step_id: 'q\0z', action: [0.5, 0, 0, 0, 0, 0] });
      expectError(await peer.ask(cut), 'BAD_MESSAGE', '/step_id', '"q\\u0000z"');
      for (const [character, shown] of Object.entries({ '\n': '\\n', '\x1b': '\\u001b', '\x7f': '\\u007f' })) {
        const name = `a${character}`;
        expectError(await peer.ask({ ...cut, step_id: name }), 'BAD_MESSAGE', '/step_id', `"a${shown}"`);
        expectError(await peer.ask({ ...cut, session_id: name }), 'BAD_MESSAGE', '/session_id', `"a${shown}"`);
        const cancel = { t: 'cancel', id: 9, session_id, step_id: name };
        expectError(await peer.ask(cancel), 'BAD_MESSAGE', '/step_id', `"a${shown}"`);
        expectError(await peer.ask({ t: 'open', id: 9, env_id: name }), 'BAD_MESSAGE', '/env_id', `"a${shown}"`);
        expectError(await peer.ask({ t: 'ping', id: name }), 'BAD_MESSAGE', '/id', `"a${shown}"`);
        const items = [{ step_id: name, action: ACTION }];
        const batch = { t: 'step_batch', id: 9, session_id, items };
        expectError(await peer.ask(batch), 'BAD_MESSAGE', '/items/0/step_id', `"a${shown}"`);
      }
      if (codec === 'json') {
        const half = await peer.ask(step({ step_id: '\ud800', action: ACTION }));
        expectError(half, 'BAD_MESSAGE', '/step_id', '"\\ud800"');
      }
      const wide = await peer.ask(step({ step_id: 'Ωμέγα 🚗', action: ACTION }), 'result');
      assert.equal(wide['step_id'], 'Ωμέγα 🚗');
    });

    it('[H7] unknown fields are ignored', async () => {
      const result = await peer.ask(step({ action: ACTION, colour: 'red', seeds: { later: 1 } }), 'result');
      assert.equal(result['outcome'], 'ok');
    });

    it('[S1] an environment that is not served', async () => {
      const error = await peer.ask({ t: 'open', id: 4, env_id: 'Nowhere-v0' });
      expectError(error, 'ENV_NOT_FOUND', '/env_id');
      assert.match(error['message'] as string, /Bandit-v0/);
    });

    it('[S2] options that the environment does not take', async () => {
      const open = (options: object) => peer.ask({ t: 'open', id: 4, env_id: 'Bandit-v0', options });
      expectError(await open({ noise: 'loud' }), 'BAD_OPTIONS', '/options/noise', '"loud"');
      expectError(await open({ nose: 1 }), 'BAD_OPTIONS', '/options/nose', '1');
      expectError(await open({ noise: -1 }), 'BAD_OPTIONS', '/options/noise', '-1');
      expectError(await open({ preset: 'none' }), 'BAD_OPTIONS', '/options/preset', '"none"');
    });

    it('[E2] [T5] an error repeats little of what it refuses', async () => {
      const long = 'k'.repeat(50_000);
      const many = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`unknown option ${i}`, 1]));
      for (const message of [
        { t: 'open', id: 4, env_id: 'Bandit-v0', options: { [long]: 1 } },
        { t: 'open', id: 4, env_id: 'Bandit-v0', options: many },
        { t: 'open', id: 4, env_id: 'Bandit-v0', options: { preset: long } },
        { t: 'open', id: 4, env_id: long },
        { t: long, id: 4 },
        step({ params: { [long]: 1 } }),
        step({ params: { x: long } }),
      ]) {
        const error = await peer.ask(message);
        assert.equal(error.t, 'error');
        assert.ok(JSON.stringify(error).length < 1300, JSON.stringify(error).slice(0, 2000));
      }
    });

    it('[S3] a session of another connection', async () => {
      const stranger = await Peer.welcomed(server.url, codec);
      expectError(
        await stranger.ask({ t: 'reset', id: 4, session_id }),
        'SESSION_NOT_FOUND',
        '/session_id',
        JSON.stringify(session_id),
      );
      stranger.close();
    });

    it('[P1] an action and params together, or neither', async () => {
      expectError(await peer.ask(step({})), 'BAD_ACTION', '/action', 'undefined');
      const both = await peer.ask(step({ action: ACTION, params: {} }));
      expectError(both, 'BAD_ACTION', '/action', JSON.stringify(ACTION));
    });

    it('[P2] an action of the wrong size, out of range or not a number', async () => {
      const shape = await peer.ask(step({ action: [0, 0] }));
      expectError(shape, 'BAD_ACTION', '/action', '[0,0]');
      assert.equal(shape['rule'], 'shape');
      const range = await peer.ask(step({ action: [0, 0, 1.7, 0, 0, 0] }));
      expectError(range, 'BAD_ACTION', '/action/2', '1.7');
      assert.match(range['message'] as string, /action\[2\] \(weather\.clear\): expected -1\.\.1, got 1\.7/);
      expectError(await peer.ask(step({ action: [0, 'a', 0, 0, 0, 0] })), 'BAD_ACTION', '/action/1', '"a"');
      expectError(await peer.ask(step({ action: 'up' })), 'BAD_ACTION', '/action', '"up"');
    });

    it('[P2] θ by name that is unknown or breaks its rule', async () => {
      const refused = async (params: object, at: string, rule: string) => {
        const error = await peer.ask(step({ params }));
        expectError(error, 'BAD_ACTION', at, JSON.stringify(Object.values(params)[0]));
        assert.equal(error['rule'], rule);
      };
      await refused({ z: 1 }, '/params/z', 'unknown');
      await refused({ x: 2 }, '/params/x', 'range');
      await refused({ weather: [1, 1, 1, 1] }, '/params/weather', 'simplex');
      await refused({ weather: [1] }, '/params/weather', 'shape');
    });

    it('[E3] a step that was refused has changed nothing: its step_id is still free', async () => {
      const refused = step({ action: [9] });
      assert.equal((await peer.ask(refused))['code'], 'BAD_ACTION');
      assert.equal((await peer.ask({ ...refused, action: ACTION }, 'result'))['outcome'], 'ok');
    });

    it('[P10] cancelling a step that never existed', async () => {
      assert.equal((await peer.ask({ t: 'cancel', id: 5, session_id, step_id: 'never' }))['code'], 'STEP_NOT_FOUND');
    });

    it('[E1] random fields in place of correct ones are answered, one by one, with an error or a reply', async () => {
      const field = fc.oneof(
        fc.constant(session_id),
        fc.string(),
        fc.integer(),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.constant(null),
        fc.array(fc.double({ min: -2, max: 2, noNaN: true })),
      );
      const names = ['id', 'session_id', 'step_id', 'action', 'params', 'seed', 'items', 'env_id', 'options', 'seq'];
      const types = Object.keys(clientMessages).filter((t) => t !== 'close' && t !== 'ping');
      const messages = fc.record({
        t: fc.constantFrom(...types),
        fields: fc.dictionary(fc.constantFrom(...names), field, { noNullPrototype: true }),
      });
      await fc.assert(
        fc.asyncProperty(messages, async ({ t, fields }) => {
          peer.send({ t, ...fields });
          assert.equal((await peer.ask({ t: 'ping', id: 'after' }, 'pong'))['re'], 'after');
        }),
        { numRuns: 150 },
      );
    });
  });
}

describe('bad messages', () => {
  let server: EnvironmentServer;
  before(async () => (server = await startBanditServer()));
  after(() => server.stop());

  it('[P2] msgpack: NaN and infinities in an action are refused by name, and the connection lives', async () => {
    const peer = await Peer.welcomed(server.url, 'msgpack');
    const session = await peer.open();
    for (const [name, bytes] of [
      ['NaN', 'cb7ff8000000000000'],
      ['Infinity', 'cb7ff0000000000000'],
    ] as const) {
      const text = (value: string) => Buffer.concat([Buffer.from([0xd9, value.length]), Buffer.from(value)]);
      const pairs = [text('t'), text('step'), text('id'), Buffer.from([1]), text('session_id'), text(session)];
      const rest = [text('step_id'), text('s'), text('action'), Buffer.from(`9600000000${bytes}00`, 'hex')];
      peer.raw(Buffer.concat([Buffer.from([0x85]), ...pairs, ...rest]));
      const error = await peer.next();
      assert.deepEqual(
        [error['code'], error['at'], error['rule'], error['got']],
        ['BAD_ACTION', '/action/4', 'not_finite', name],
      );
    }
    peer.close();
  });

  it('[T5] a message beyond the limit closes the socket with 1009, and nothing else', async () => {
    const other = await Peer.welcomed(server.url);
    const peer = await Peer.welcomed(server.url);
    peer.raw('x'.repeat(1024 * 1024 + 1));
    assert.equal(await peer.closed, 1009);
    assert.equal((await other.ask({ t: 'ping', id: 1 })).t, 'pong');
    other.close();
  });
});
