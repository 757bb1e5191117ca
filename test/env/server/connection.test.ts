import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { pino } from 'pino';
import type { WebSocket } from 'ws';
import { Connection } from '../../../env/server/connection.ts';
import { createMetrics } from '../../../env/server/metrics.ts';
import type { ServerMessage } from '../../../protocol/messages.ts';

/** A socket that says how much it has not sent yet, and remembers what it was given. */
class SlowSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  bufferedAmount = 0;
  readonly frames: { t: string }[] = [];
  closed: number | undefined;

  send(frame: string): void {
    this.frames.push(JSON.parse(frame) as { t: string });
  }

  close(code: number): void {
    this.closed = code;
  }

  terminate(): void {
    this.readyState = 3;
  }
}

describe('a connection', () => {
  const progress: ServerMessage = {
    t: 'progress',
    re: 1,
    session_id: 's',
    step_id: 'a',
    phase: 'train',
    fraction: 0.5,
  };

  function connect() {
    const socket = new SlowSocket();
    const connection = new Connection(
      socket as unknown as WebSocket,
      new PassThrough(),
      'json',
      pino({ level: 'silent' }),
      {
        authenticated: true,
        address: '',
        metrics: createMetrics(),
        maxMessagesPerS: 1,
        onMessage: () => {},
        mayEnter: () => true,
        onClose: () => {},
      },
    );
    return { socket, connection };
  }

  it('[L3] [P13] drops progress beyond 256 KiB of unsent bytes, and nothing else', () => {
    const { socket, connection } = connect();
    connection.send(progress);
    socket.bufferedAmount = 256 * 1024 + 1;
    connection.send(progress);
    connection.send({ t: 'pong', re: 1 });
    socket.bufferedAmount = 0;
    connection.send(progress);
    assert.deepEqual(
      socket.frames.map(({ t }) => t),
      ['progress', 'pong', 'progress'],
    );
  });

  it('[L3] closes a socket with 4008 beyond 8 MiB of unsent bytes', () => {
    const { socket, connection } = connect();
    socket.bufferedAmount = 8 * 1024 * 1024 + 1;
    connection.send({ t: 'pong', re: 1 });
    assert.deepEqual([socket.closed, socket.readyState], [4008, 3]);
    connection.send({ t: 'pong', re: 2 });
    assert.equal(socket.frames.length, 1, 'nothing more is sent');
  });
});
