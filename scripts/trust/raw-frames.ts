/** WebSocket frames that no WebSocket library would send, written to a bare TCP socket. */
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { SUBPROTOCOLS, type Codec } from '../../protocol/messages.ts';
import type { Random } from '../../protocol/random.ts';

interface RawFrame {
  readonly fin?: boolean;
  /** The reserved bits, 0 to 7. */
  readonly reserved?: number;
  readonly opcode: number;
  readonly masked?: boolean;
  readonly payload: Uint8Array;
  /** The length in the header, if it differs from the payload's. */
  readonly claimed?: number;
}

function bytesOf({ fin = true, reserved = 0, opcode, masked = true, payload, claimed }: RawFrame): Buffer {
  const length = claimed ?? payload.length;
  const first = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  const bit = masked ? 0x80 : 0;
  const head =
    length < 126
      ? Buffer.from([first, bit | length])
      : length < 65536
        ? Buffer.from([first, bit | 126, length >> 8, length & 255])
        : Buffer.concat([Buffer.from([first, bit | 127]), bigEndian(length)]);
  const mask = Buffer.from([1, 2, 3, 4]);
  const body = masked ? Buffer.concat([mask, payload.map((byte, i) => byte ^ mask[i & 3]!)]) : payload;
  return Buffer.concat([head, body]);
}

function bigEndian(length: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(length));
  return bytes;
}

/** Bytes that are sent after the upgrade (or instead of it), in pieces with a pause between them. */
export interface RawCase {
  readonly name: string;
  readonly upgrade: boolean;
  readonly pieces: readonly Uint8Array[];
  /** Whether the server must close the socket; if not, it may also stay open. */
  readonly closes: boolean;
}

const HELLO = Buffer.from('{"t":"hello","id":1,"protocol":[1]}');
const TEXT = 1;

function bytes(random: Random, count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, () => random.integer(256)));
}

type Make = (random: Random) => Omit<RawCase, 'name'>;

const after = (closes: boolean, ...frames: RawFrame[]): Omit<RawCase, 'name'> => ({
  upgrade: true,
  closes,
  pieces: [Buffer.concat(frames.map(bytesOf))],
});

export const RAW_CASES: Readonly<Record<string, Make>> = {
  'reserved bits': (random) => after(true, { opcode: TEXT, reserved: 1 + random.integer(7), payload: HELLO }),
  'not masked': () => after(true, { opcode: TEXT, masked: false, payload: HELLO }),
  'unknown opcode': (random) => after(true, { opcode: 3 + random.integer(5), payload: HELLO }),
  fragmented: (random) => {
    const cut = 1 + random.integer(HELLO.length - 1);
    return after(
      false,
      { opcode: TEXT, fin: false, payload: HELLO.subarray(0, cut) },
      { opcode: 9, payload: Buffer.from('a ping in between') },
      { opcode: 0, payload: HELLO.subarray(cut) },
    );
  },
  'a continuation of nothing': () => after(true, { opcode: 0, payload: HELLO }),
  'a fragment within a fragment': () =>
    after(true, { opcode: TEXT, fin: false, payload: HELLO }, { opcode: TEXT, payload: HELLO }),
  'text that is not UTF-8': (random) => {
    const text = Buffer.from(HELLO);
    text[random.integer(text.length)] = 0xff;
    return after(true, { opcode: TEXT, payload: text });
  },
  'a control frame that is too long': () => after(true, { opcode: 9, payload: Buffer.alloc(126) }),
  'a control frame in fragments': () => after(true, { opcode: 9, fin: false, payload: Buffer.from('ping') }),
  'a close with half a code': () => after(true, { opcode: 8, payload: Buffer.from([3]) }),
  'a close with a forbidden code': () => after(true, { opcode: 8, payload: Buffer.from([0x03, 0xed]) }),
  'a length of 2 MiB': () => after(true, { opcode: TEXT, payload: HELLO, claimed: 2 * 1024 * 1024 }),
  'a length of 2^53': () => after(true, { opcode: TEXT, payload: HELLO, claimed: 2 ** 53 }),
  'many small fragments': () =>
    after(
      false,
      { opcode: TEXT, fin: false, payload: HELLO.subarray(0, 1) },
      ...Array.from(HELLO.subarray(1, -1), (byte) => ({ opcode: 0, fin: false, payload: Buffer.from([byte]) })),
      { opcode: 0, payload: HELLO.subarray(-1) },
    ),
  'slow, byte by byte': () => {
    const whole = bytesOf({ opcode: TEXT, payload: HELLO });
    return { upgrade: true, closes: false, pieces: Array.from(whole, (byte) => Buffer.from([byte])) };
  },
  'random bytes': (random) => ({ upgrade: true, closes: false, pieces: [bytes(random, 1 + random.integer(300))] }),
  'no HTTP at all': (random) => ({
    upgrade: false,
    closes: true,
    pieces: [bytes(random, 1 + random.integer(300)), Buffer.from('\r\n\r\n')],
  }),
  'a header without end': () => ({
    upgrade: false,
    closes: true,
    pieces: [Buffer.from(`GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)],
  }),
  'half an upgrade': () => ({
    upgrade: false,
    closes: false,
    pieces: [Buffer.from('GET / HTTP/1.1\r\nUpgrade: webso')],
  }),
};

async function upgraded(port: number, codec: Codec): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  const lines = [
    'GET / HTTP/1.1',
    'Host: 127.0.0.1',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    `Sec-WebSocket-Protocol: ${SUBPROTOCOLS[codec]}`,
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  await once(socket, 'data');
  return socket;
}

/**
 * Sends one case.
 *
 * @returns whether the server closed the socket
 * @throws {Error} when it had to close the socket, and has not within 5 s
 */
export async function sendRaw(port: number, { name, upgrade, pieces, closes }: RawCase): Promise<'closed' | 'open'> {
  const socket = upgrade ? await upgraded(port, 'json') : connect(port, '127.0.0.1');
  socket.on('error', () => {});
  const closed = new Promise<'closed'>((resolve) => socket.once('close', () => resolve('closed')));
  const heard = new Promise<'open'>((resolve) => socket.once('data', () => resolve('open')));
  socket.resume();
  for (const piece of pieces) {
    socket.write(piece);
    if (pieces.length > 1) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => (timer = setTimeout(() => resolve('late'), closes ? 5000 : 100)));
  const end = await Promise.race(closes ? [closed, late] : [closed, heard, late]);
  clearTimeout(timer);
  socket.destroy();
  if (end === 'late' && closes) throw new Error(`${name}: expected the socket to be closed, and it was open after 5 s`);
  return end === 'late' ? 'open' : end;
}
