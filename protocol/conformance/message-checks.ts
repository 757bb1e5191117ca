/** Checks what a server must do with connections and with single messages, correct or not, rule by rule. */
import assert from 'node:assert/strict';
import { WebSocket } from 'ws';
import { actionSize, type Parameter } from '../parameters.ts';
import { deriveSeed } from '../random.ts';
import { SUBPROTOCOLS } from '../messages.ts';
import type { Check } from './context.ts';

export const handshakeChecks: readonly Check[] = [
  {
    rules: ['H1', 'H7'],
    title: 'hello is answered by welcome, unknown fields and all; other messages before it are refused',
    run: async (context) => {
      const peer = await context.connect();
      assert.equal((await peer.refused({ t: 'ping', id: 1 })).code, 'HELLO_EXPECTED');
      const welcome = await peer.ask({ t: 'hello', id: 2, protocol: [1], colour: 'red' }, 'welcome');
      assert.equal(welcome.re, 2);
      assert.ok(welcome.envs.some(({ env_id }) => env_id === context.target.envId));
    },
  },
  {
    rules: ['H2'],
    title: 'a second hello is refused and changes nothing',
    run: async (context) => {
      const peer = await context.welcomed();
      assert.equal((await peer.refused({ t: 'hello', id: 2, protocol: [1] })).code, 'ALREADY_WELCOME');
      assert.ok(await peer.lives());
    },
  },
  {
    rules: ['H3'],
    title: 'of several versions the common one is taken; without one there is an error, then close 4406',
    run: async (context) => {
      const peer = await context.connect();
      assert.equal((await peer.ask({ t: 'hello', id: 1, protocol: [99, 1] }, 'welcome')).protocol, 1);
      const other = await context.connect();
      assert.equal((await other.refused({ t: 'hello', id: 1, protocol: [99] })).code, 'UNSUPPORTED_VERSION');
      assert.equal(await other.closed, 4406);
    },
  },
  {
    rules: ['H5'],
    title: 'a web page of an unknown origin is refused with HTTP 403',
    run: async ({ target }) => {
      assert.equal(
        await refusal(target.url, [SUBPROTOCOLS[target.codec]], { origin: 'http://conformance.invalid' }),
        403,
      );
    },
  },
  {
    rules: ['T1'],
    title: 'an unknown subprotocol, or none, is refused with HTTP 400',
    run: async ({ target }) => {
      assert.equal(await refusal(target.url, ['lts.v999.msgpack']), 400);
      assert.equal(await refusal(target.url, []), 400);
    },
  },
];

/** The HTTP status that refuses an upgrade. */
function refusal(url: string, protocols: string[], headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, protocols, { headers });
    socket.on('error', () => {});
    socket.once('unexpected-response', (request, response) => {
      request.destroy();
      resolve(response.statusCode ?? 0);
    });
    socket.once('open', () => {
      socket.terminate();
      reject(new Error('expected the upgrade to be refused, got a socket'));
    });
  });
}

export const messageChecks: readonly Check[] = [
  {
    rules: ['T2', 'T3', 'T4', 'E1'],
    title: 'frames that are no message are refused, and the connection lives',
    run: async (context) => {
      const peer = await context.welcomed();
      const { codec } = context.target;
      const bad = codec === 'json' ? badText() : badBytes();
      for (const frame of [...bad, codec === 'json' ? Buffer.from('{}') : '{}']) {
        peer.raw(frame);
        const error = await peer.next();
        assert.deepEqual([error.t, error['code'], error['re']], ['error', 'BAD_MESSAGE', null], String(frame));
      }
      assert.ok(await peer.lives());
    },
  },
  {
    rules: ['H8'],
    title: 'a message of an unknown type is refused by name',
    run: async (context) => {
      const peer = await context.welcomed();
      const error = await peer.refused({ t: 'conformance', id: 5 });
      assert.deepEqual([error.code, error.re, error.at], ['UNKNOWN_TYPE', 5, '/t']);
    },
  },
  {
    rules: ['E2', 'E3'],
    title: 'a refusal has code, place, rule and value; the refused request has changed nothing',
    run: async (context) => {
      const { peer, opened } = await context.opened();
      const good = context.step(opened);
      const error = await peer.refused({ ...good, action: [...good.action.slice(1), 2] });
      const at = `/action/${good.action.length - 1}`;
      assert.deepEqual(
        [error.re, error.code, error.at, error.rule, error.got],
        [good.id, 'BAD_ACTION', at, 'range', '2'],
      );
      assert.equal(
        (await peer.ask(good, 'result')).seed,
        deriveSeed(7, 'episode', 0),
        'its id and seed were still free',
      );
      assert.equal((await peer.refused({ t: 'reset', id: 1, session_id: 5 })).at, '/session_id');
    },
  },
  {
    rules: ['P1', 'P2'],
    title: 'actions and θ that break a rule are refused',
    run: async (context) => {
      const { peer, opened } = await context.opened();
      const { parameters } = opened.spec;
      const size = actionSize(parameters);
      const refused = async (fields: object, ...rules: (string | undefined)[]) => {
        const error = await peer.refused(context.step(opened, fields));
        assert.equal(error.code, 'BAD_ACTION');
        assert.ok(rules.includes(error.rule), `${error.rule}: ${error.message}`);
      };
      await refused({ action: undefined }, 'shape');
      await refused({ params: {} }, 'shape');
      await refused({ action: new Array(size + 1).fill(0) }, 'shape');
      await refused({ action: ['a', ...new Array<number>(size - 1).fill(0)] }, 'type');
      await refused({ action: undefined, params: { 'no such parameter': 1 } }, 'unknown');
      for (const parameter of parameters) {
        for (const [wrong, rule] of wrongValues(parameter)) {
          await refused({ action: undefined, params: { [parameter.name]: wrong } }, rule);
        }
      }
    },
  },
  {
    rules: ['T7'],
    title: 'a name with a control character is refused, and is not another name cut short',
    run: async (context) => {
      const { peer, opened } = await context.opened();
      const q = await peer.ask(context.step(opened, { step_id: 'q' }), 'result');
      for (const step_id of ['q\0z', 'q\n', 'q\x7f', '']) {
        const error = await peer.refused(context.step(opened, { step_id, seed: 1 }));
        assert.deepEqual([error.code, error.at], ['BAD_MESSAGE', '/step_id'], JSON.stringify(step_id));
      }
      const other = await peer.ask(context.step(opened, { step_id: 'Ω z' }), 'result');
      assert.deepEqual([q.step_id, other.step_id, other.seq], ['q', 'Ω z', 2]);
    },
  },
  {
    rules: ['T5'],
    title: 'a message beyond the limit closes its socket with 1009, and no other',
    run: async (context) => {
      const other = await context.welcomed();
      const peer = await context.connect();
      const welcome = await peer.ask({ t: 'hello', id: 1, protocol: [1] }, 'welcome');
      peer.raw(Buffer.alloc(welcome.limits.max_payload_bytes + 1));
      assert.equal(await peer.closed, 1009);
      assert.ok(await other.lives());
    },
  },
];

/** Values that break a rule of the parameter, each with the rule. */
function wrongValues(parameter: Parameter): [value: unknown, rule: string][] {
  switch (parameter.kind) {
    case 'continuous':
      return [[parameter.high + Math.abs(parameter.high) + 1, 'range']];
    case 'integer':
      return [
        [parameter.high + 1, 'range'],
        [parameter.low + 0.5, 'type'],
        [true, 'type'],
      ];
    case 'boolean':
      return [
        [1, 'type'],
        ['true', 'type'],
      ];
    case 'categorical':
      return [
        [`${parameter.choices.join()} no such choice`, 'unknown'],
        [0, 'type'],
      ];
    case 'simplex':
      return [[parameter.labels.map(() => 1), 'simplex']];
  }
}

function badText(): string[] {
  return [
    '',
    '{"t":',
    '[]',
    '7',
    'null',
    '{"__proto__":{"t":"ping"},"t":"ping","id":1}',
    `${'['.repeat(64)}${']'.repeat(64)}`,
  ];
}

/**
 * In order: a map that is cut off, an array, a number, null, an integer key, a date, a record, too many levels, bytes
 * after the message, a length beyond the end.
 */
function badBytes(): Uint8Array[] {
  const hex = [
    '81a1',
    '90',
    '07',
    'c0',
    '810102',
    'd6ff00000000',
    'd47240',
    '91'.repeat(64) + 'c0',
    '80c0',
    'ddffffffff',
  ];
  return hex.map((text) => Buffer.from(text, 'hex'));
}
