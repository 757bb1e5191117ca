/**
 * Bytes ↔ messages: the only file that touches bytes.
 *
 * Two codecs carry the same values: msgpack in binary frames, JSON in text frames. A value that one cannot carry is
 * refused by the other too. When a message is encoded, typed arrays become lists of numbers and keys whose value is
 * `undefined` are left out. A decoded value holds only null, booleans, numbers (finite or not), strings, byte strings,
 * arrays and maps with string keys, at most 32 levels deep.
 */
import { Packr } from 'msgpackr';
import { ProtocolError, shown } from './errors.ts';
import { SUBPROTOCOLS, type Codec } from './messages.ts';

/** Far deeper than any message, and shallow enough that no recursion over a message overflows the stack. */
export const MAX_DEPTH = 32;

const packr = new Packr({ useRecords: false, variableMapSize: true, int64AsType: 'number' });

/** The codec of a subprotocol; undefined for a subprotocol that is not ours. */
export function codecOf(subprotocol: string): Codec | undefined {
  if (subprotocol === SUBPROTOCOLS.msgpack) return 'msgpack';
  return subprotocol === SUBPROTOCOLS.json ? 'json' : undefined;
}

/**
 * A message as one WebSocket frame: bytes for msgpack, text for JSON.
 *
 * @throws {TypeError} for a value that cannot be sent: NaN, infinities, BigInt, functions, dates, cycles
 */
export function encode(codec: Codec, message: object): Uint8Array | string {
  const value = plain(message, '', 0);
  return codec === 'msgpack' ? packr.pack(value) : JSON.stringify(value);
}

/**
 * The value in one frame, not yet checked against a schema (see `parseMessage`).
 *
 * @throws {ProtocolError} BAD_MESSAGE, saying what is wrong and where
 */
export function decode(codec: Codec, frame: Uint8Array, isBinary: boolean): unknown {
  if (isBinary !== (codec === 'msgpack')) {
    const expected = codec === 'msgpack' ? 'a binary frame' : 'a text frame';
    throw bad(`frame: expected ${expected} (${SUBPROTOCOLS[codec]}), got a ${isBinary ? 'binary' : 'text'} one`);
  }
  return codec === 'msgpack' ? decodeMsgpack(frame) : decodeJson(frame);
}

function bad(message: string): ProtocolError {
  return new ProtocolError('BAD_MESSAGE', message, { rule: 'codec' });
}

/**
 * The value in a form that both codecs carry alike: no undefined, no typed array, no number that JSON lacks.
 *
 * Most values are in this form already; they are returned as they are, without a copy.
 */
function plain(value: unknown, path: string, depth: number): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return value;
    throw new TypeError(`${path}: expected a finite number, got ${value}`);
  }
  if (depth >= MAX_DEPTH) throw new TypeError(`${path}: expected at most ${MAX_DEPTH} levels`);
  if (typeof value !== 'object') {
    throw new TypeError(`${path}: expected something that can be sent, got ${shown(value)}`);
  }
  if (Array.isArray(value)) return plainArray(value, path, depth);
  // msgpackr would write each element of a typed array as one byte; on our wire a vector is a list of numbers.
  if (ArrayBuffer.isView(value)) return plainArray(Array.from(value as Float32Array), path, depth);
  return plainMap(value as Record<string, unknown>, path, depth);
}

function plainArray(values: unknown[], path: string, depth: number): unknown[] {
  let copy: unknown[] | undefined;
  for (let i = 0; i < values.length; i++) {
    const item = values[i];
    if (typeof item === 'number' && Number.isFinite(item)) continue;
    const made = plain(item, `${path}/${i}`, depth + 1);
    if (made !== item) (copy ??= [...values])[i] = made;
  }
  return copy ?? values;
}

function plainMap(map: Record<string, unknown>, path: string, depth: number): Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(map);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError(`${path}: expected a plain object, got a ${map.constructor.name}`);
  }
  let copy: Record<string, unknown> | undefined;
  for (const key of Object.keys(map)) {
    const item = map[key];
    if (key === '__proto__') throw new TypeError(`${path}: expected no key __proto__`);
    const simple = typeof item === 'string' || (typeof item === 'number' && Number.isFinite(item));
    const made = simple || item === undefined ? item : plain(item, `${path}/${key}`, depth + 1);
    if (made === undefined || made !== item) copy ??= entriesBefore(key, map);
    if (copy && made !== undefined) copy[key] = made;
  }
  return copy ?? map;
}

/** Builds a new map instead of deleting keys from a copy: V8 is slow with objects that keys were deleted from. */
function entriesBefore(end: string, map: Record<string, unknown>): Record<string, unknown> {
  const entries: Record<string, unknown> = {};
  for (const key of Object.keys(map)) {
    if (key === end) break;
    entries[key] = map[key];
  }
  return entries;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decodeJson(frame: Uint8Array): unknown {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(frame));
  } catch (error) {
    throw bad(`json: ${(error as Error).message}`);
  }
  checkTree(value, 0);
  return value;
}

function checkTree(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth === MAX_DEPTH) throw bad(`json: expected at most ${MAX_DEPTH} levels`);
  if (Object.hasOwn(value, '__proto__')) throw bad('json: expected no key __proto__');
  for (const item of Object.values(value)) checkTree(item, depth + 1);
}

function decodeMsgpack(frame: Uint8Array): unknown {
  scan(frame);
  try {
    return packr.unpack(frame);
  } catch (error) {
    throw bad(`msgpack: ${(error as Error).message}`);
  }
}

/**
 * Walks over msgpack bytes without building any value.
 *
 * Before msgpackr sees the bytes, it refuses lengths that reach past the end, more or fewer than one value, nesting
 * beyond MAX_DEPTH (msgpackr overflows the stack), extension types and record definitions (msgpackr reads records even
 * with `useRecords: false`), map keys that are not strings, the key `__proto__`, and strings that are not UTF-8 (in
 * which msgpackr would put other characters).
 *
 * @throws {ProtocolError} BAD_MESSAGE
 */
function scan(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // One entry per open array or map: the number of values still to come, and whether it is a map.
  const left: number[] = [1];
  const isMap: boolean[] = [false];
  let at = 0;
  const need = (count: number) => {
    if (count > bytes.length - at)
      throw bad(`msgpack: expected ${count} more bytes at ${at}, got ${bytes.length - at}`);
  };
  const length = (size: 1 | 2 | 4): number => {
    need(size);
    const value = size === 1 ? view.getUint8(at) : size === 2 ? view.getUint16(at) : view.getUint32(at);
    at += size;
    return value;
  };
  while (left.length > 0) {
    const top = left.length - 1;
    if (left[top] === 0) {
      left.pop();
      isMap.pop();
      continue;
    }
    const key = isMap[top]! && left[top]! % 2 === 0;
    left[top]!--;
    need(1);
    const tag = view.getUint8(at++);
    const string =
      tag >= 0xa0 && tag <= 0xbf
        ? tag & 31
        : tag >= 0xd9 && tag <= 0xdb
          ? length((1 << (tag - 0xd9)) as 1 | 2 | 4)
          : -1;
    if (string >= 0) {
      need(string);
      if (key && string === 9 && isProto(bytes, at)) throw bad('msgpack: expected no key __proto__');
      if (!isUtf8(bytes, at, at + string)) throw bad(`msgpack: expected UTF-8 in the string at byte ${at}`);
      at += string;
      continue;
    }
    if (key) throw bad(`msgpack: expected a string as map key at byte ${at - 1}, got tag 0x${tag.toString(16)}`);
    const items = containerSize(tag, length);
    if (items === undefined) {
      const size = scalarSize(tag, length);
      if (size === undefined)
        throw bad(`msgpack: expected no extension type, got tag 0x${tag.toString(16)} at ${at - 1}`);
      need(size);
      at += size;
    } else {
      if (left.length > MAX_DEPTH) throw bad(`msgpack: expected at most ${MAX_DEPTH} levels`);
      need(items.values);
      left.push(items.values);
      isMap.push(items.map);
    }
  }
  if (at !== bytes.length) throw bad(`msgpack: expected one value, got ${bytes.length - at} bytes after it`);
}

const PROTO = new TextEncoder().encode('__proto__');

function isProto(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < PROTO.length; i++) if (bytes[at + i] !== PROTO[i]) return false;
  return true;
}

function isUtf8(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    if (bytes[i]! < 0x80) continue;
    try {
      utf8.decode(bytes.subarray(i, to));
      return true;
    } catch {
      return false;
    }
  }
  return true;
}

type ReadLength = (size: 1 | 2 | 4) => number;

/** The number of values in an array or map, keys included; undefined for any other tag. */
function containerSize(tag: number, length: ReadLength): { values: number; map: boolean } | undefined {
  if (tag >= 0x80 && tag <= 0x8f) return { values: 2 * (tag & 15), map: true };
  if (tag >= 0x90 && tag <= 0x9f) return { values: tag & 15, map: false };
  if (tag === 0xdc || tag === 0xdd) return { values: length(tag === 0xdc ? 2 : 4), map: false };
  if (tag === 0xde || tag === 0xdf) return { values: 2 * length(tag === 0xde ? 2 : 4), map: true };
  return undefined;
}

/** The number of bytes after the tag of a number, boolean, null or byte string; undefined for an extension. */
function scalarSize(tag: number, length: ReadLength): number | undefined {
  if (tag <= 0x7f || tag >= 0xe0 || tag === 0xc0 || tag === 0xc2 || tag === 0xc3) return 0;
  if (tag >= 0xc4 && tag <= 0xc6) return length((1 << (tag - 0xc4)) as 1 | 2 | 4);
  if (tag === 0xca || tag === 0xce || tag === 0xd2) return 4;
  if (tag === 0xcb || tag === 0xcf || tag === 0xd3) return 8;
  if (tag === 0xcc || tag === 0xd0) return 1;
  if (tag === 0xcd || tag === 0xd1) return 2;
  return undefined;
}
