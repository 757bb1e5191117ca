import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { decode, encode, MAX_DEPTH } from '../../protocol/codec.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Codec } from '../../protocol/messages.ts';

const CODECS: Codec[] = ['msgpack', 'json'];

function bytesOf(frame: Uint8Array | string): Uint8Array {
  return typeof frame === 'string' ? Buffer.from(frame) : frame;
}

function decodeBytes(codec: Codec, bytes: Uint8Array): unknown {
  return decode(codec, bytes, codec === 'msgpack');
}

const there = (codec: Codec, message: object) => decodeBytes(codec, bytesOf(encode(codec, message)));

function refused(codec: Codec, bytes: Uint8Array, pattern: RegExp): void {
  assert.throws(
    () => decodeBytes(codec, bytes),
    (error) => error instanceof ProtocolError && error.code === 'BAD_MESSAGE' && pattern.test(error.message),
  );
}

const fromHex = (hex: string) => Buffer.from(hex, 'hex');

/** What a message may hold: JSON without -0, which JSON's own text loses. */
const key = fc.string().filter((name) => name !== '__proto__');
const tree = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.string(),
    fc.boolean(),
    fc.constant(null),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0),
    fc.maxSafeInteger(),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(key, tie('value'), { maxKeys: 20, noNullPrototype: true }),
  ),
})).value;
const message = fc.dictionary(key, tree, { noNullPrototype: true });

describe('the codec', () => {
  it('[T4] msgpack: a string that is not UTF-8 is refused, in keys, values and lists', () => {
    for (const hex of ['81a174a1ff', '81a2c328a161', '91a3eda080', '81a174d903c080af']) {
      refused('msgpack', fromHex(hex), /expected UTF-8 in the string at byte/);
    }
    refused('msgpack', fromHex('81a174a461c3287a'), /UTF-8 in the string at byte 4/);
    assert.deepEqual(decodeBytes('msgpack', fromHex('81a174a3e282ac')), { t: '€' });
  });

  for (const codec of CODECS) {
    it(`[T2] ${codec}: any map of plain values is the same after encoding and decoding`, () => {
      fc.assert(
        fc.property(message, (value) => {
          assert.deepEqual(there(codec, value), JSON.parse(JSON.stringify(value)));
        }),
      );
    });

    it(`[T4] ${codec}: any bytes are a value or are refused with BAD_MESSAGE`, () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
          try {
            decodeBytes(codec, bytes);
          } catch (error) {
            assert.ok(error instanceof ProtocolError && error.code === 'BAD_MESSAGE', String(error));
          }
        }),
        { numRuns: 2000 },
      );
    });

    it(`[T4] ${codec}: a message that is cut, or has a changed byte, is a value or is refused`, () => {
      fc.assert(
        fc.property(message, fc.nat(), fc.nat(255), (value, position, byte) => {
          const bytes = Buffer.from(bytesOf(encode(codec, value)));
          bytes[position % bytes.length] = byte;
          for (const variant of [bytes, bytes.subarray(0, position % bytes.length)]) {
            try {
              decodeBytes(codec, variant);
            } catch (error) {
              assert.ok(error instanceof ProtocolError, String(error));
            }
          }
        }),
        { numRuns: 500 },
      );
    });

    it(`[T6] ${codec}: a typed array travels as a list of its numbers`, () => {
      const value = { a: new Float32Array([0.5, 1, -3]), b: new Uint8Array([1, 255]), c: new Float64Array([0.1]) };
      assert.deepEqual(there(codec, value), { a: [0.5, 1, -3], b: [1, 255], c: [0.1] });
    });

    it(`[T2] ${codec}: a key whose value is undefined is left out`, () => {
      assert.deepEqual(there(codec, { a: undefined, b: 1 }), { b: 1 });
    });

    it(`[T2] ${codec}: a value that only one codec could carry is sent by neither`, () => {
      for (const value of [NaN, Infinity, 10n, new Date(0), new Map(), () => 0, Symbol('s')]) {
        assert.throws(() => encode(codec, { value }), TypeError);
      }
    });

    it(`[T4] ${codec}: nesting beyond ${MAX_DEPTH} levels is refused, sent or received`, () => {
      const nest = (levels: number): object => (levels === 1 ? [] : [nest(levels - 1)]);
      assert.ok(there(codec, nest(MAX_DEPTH)));
      const open =
        codec === 'msgpack' ? Buffer.alloc(100_000, 0x91) : Buffer.from('['.repeat(100_000) + ']'.repeat(100_000));
      refused(codec, open, /levels|json/);
      const justTooDeep =
        codec === 'msgpack' ? Buffer.alloc(MAX_DEPTH + 1, 0x91) : Buffer.from(JSON.stringify(nest(MAX_DEPTH + 1)));
      refused(codec, justTooDeep, /levels/);
      const cycle: unknown[] = [];
      cycle.push(cycle);
      assert.throws(() => encode(codec, cycle), TypeError);
    });
  }

  it('[T4] the key __proto__ is refused in both codecs', () => {
    refused('json', Buffer.from('{"t":{"__proto__":{"a":1}}}'), /__proto__/);
    refused('msgpack', fromHex('81a95f5f70726f746f5f5f01'), /__proto__/);
    // The same nine letters are welcome as a value.
    assert.deepEqual(decodeBytes('msgpack', fromHex('81a161a95f5f70726f746f5f5f')), { a: '__proto__' });
  });

  it('[T4] msgpack: extension types, dates and msgpackr records are refused', () => {
    refused('msgpack', new Packr({ useRecords: true }).pack({ a: 1 }), /extension/);
    refused('msgpack', new Packr().pack(new Date(0)), /extension/);
    for (const hex of ['d40001', 'c70101ff', 'c1']) refused('msgpack', fromHex(hex), /extension/);
  });

  it('[T4] msgpack: a length that reaches past the end is refused before anything is built', () => {
    for (const hex of ['ddffffffff', 'dfffffffff', 'dbffffffff01', 'c6ffffffff', '92', 'cb00', 'd9']) {
      refused('msgpack', fromHex(hex), /more bytes/);
    }
  });

  it('[T4] msgpack: bytes after the message and map keys that are no strings are refused', () => {
    refused('msgpack', fromHex('8080'), /after it/);
    refused('msgpack', fromHex('810101'), /string as map key/);
    refused('msgpack', fromHex(''), /more bytes/);
  });

  it('[T4] json: text that is not UTF-8 is refused', () => {
    refused('json', fromHex('22ff22'), /json/);
  });

  it('[T3] a text frame under msgpack and a binary one under JSON are refused', () => {
    assert.throws(() => decode('msgpack', Buffer.from('{}'), false), /binary frame/);
    assert.throws(() => decode('json', fromHex('80'), true), /text frame/);
  });

  it('[T2] msgpack: numbers beyond 2^53 come as numbers, not as BigInt', () => {
    assert.equal(typeof decodeBytes('msgpack', fromHex('cfffffffffffffffff')), 'number');
  });
});
