/**
 * Prints the number of msgpackr messages per second that a bare ws server in another process echoes, one after the
 * other: the upper limit for any server.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Packr } from 'msgpackr';
import { WebSocket, WebSocketServer } from 'ws';

const packr = new Packr({ useRecords: false });
const [, , role] = process.argv;

async function serve(): Promise<void> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  server.on('connection', (socket) =>
    socket.on('message', (data) => socket.send(packr.pack(packr.unpack(data as Buffer)))),
  );
  await once(server, 'listening');
  process.send!((server.address() as AddressInfo).port);
}

async function measure(seconds: number): Promise<number> {
  const child = fork(import.meta.filename, ['serve']);
  const [port] = (await once(child, 'message')) as [number];
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
  await once(socket, 'open');
  const message = { t: 'step', id: 1, session_id: 'a session', step_id: 'a step', action: [0], reset: true };
  const ask = () =>
    new Promise<void>((resolve) => {
      socket.once('message', (data) => {
        packr.unpack(data as Buffer);
        resolve();
      });
      socket.send(packr.pack(message));
    });
  for (let i = 0; i < 1000; i++) await ask();
  const begin = performance.now();
  let count = 0;
  for (; performance.now() - begin < seconds * 1000; count++) await ask();
  const rate = count / ((performance.now() - begin) / 1000);
  socket.terminate();
  child.kill();
  return rate;
}

if (role === 'serve') await serve();
else console.log(await measure(Number(role)));
