import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { get } from 'node:http';
import { WebSocket } from 'ws';
import { Lobby } from '../../../env/server/lobby.ts';
import type { EnvironmentServer } from '../../../env/server/server.ts';
import { encode } from '../../../protocol/codec.ts';
import { startBanditServer } from './bandit-server.ts';
import { Peer } from './peer.ts';

const HELLO = { t: 'hello', id: 1, protocol: [1] };
const UPGRADE = [
  'GET / HTTP/1.1',
  'Host: localhost',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol: lts.v1.json',
];
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const clients: Socket[] = [];
const leave = (): void => clients.splice(0).forEach((socket) => socket.destroy());

async function tcp(port: number, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true });
  clients.push(socket);
  socket.on('error', () => {});
  socket.resume();
  await once(socket, 'connect');
  return socket;
}

/** A masked frame of text; the mask is 0, so the payload stands there as it is. */
function frame(text: string, claimed = text.length): Buffer {
  const length = claimed < 126 ? [0x80 | claimed] : [0x80 | 126, claimed >> 8, claimed & 255];
  return Buffer.concat([Buffer.from([0x81, ...length, 0, 0, 0, 0]), Buffer.from(text)]);
}

describe('the lobby', () => {
  let server: Server;
  let lobby: Lobby;
  let inside: Socket[];
  let port: number;
  let ended = 0;
  beforeEach(async () => {
    inside = [];
    lobby = new Lobby({ waitMs: 60_000, most: 8, onEnded: (count) => (ended += count) });
    server = createServer((socket) => {
      inside.push(socket);
      socket.on('error', () => {}).on('close', () => lobby.leave(socket));
      lobby.enter(socket);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });
  afterEach(() => {
    leave();
    lobby.close();
    inside.forEach((socket) => socket.destroy());
    server.close();
  });

  async function come(count: number, address?: string): Promise<void> {
    for (let i = 0; i < count; i++) {
      const before = inside.length;
      await tcp(port, address);
      while (inside.length === before) await pause(1);
    }
    await pause(50);
  }
  const open = () => inside.flatMap((socket, i) => (socket.destroyed ? [] : i)).join(' ');

  it('ends the oldest socket of an address that has half of the places', async () => {
    await come(1, '127.0.0.2');
    await come(6);
    assert.equal(open(), '0 3 4 5 6');
  });

  it('ends the oldest of all when it is full', async () => {
    for (const last of [2, 3, 4]) await come(3, `127.0.0.${last}`);
    assert.equal(open(), '1 2 3 4 5 6 7 8');
  });

  it('ends a WebSocket after those that have said nothing, and none that was let in', async () => {
    await come(2);
    lobby.upgrade(inside[0]!);
    lobby.leave(inside[1]!);
    await come(4);
    assert.equal(open(), '0 1 3 4 5');
  });

  it('ends what has waited for too long, and says so', async () => {
    lobby.close();
    ended = 0;
    lobby = new Lobby({ waitMs: 100, most: 8, onEnded: (count) => (ended += count) });
    await come(3);
    lobby.leave(inside[1]!);
    await pause(400);
    assert.equal(open(), '1');
    assert.equal(ended, 2);
  });
});

describe('the doors', () => {
  let server: EnvironmentServer;
  let guarded: EnvironmentServer;
  before(async () => {
    [server, guarded] = await Promise.all([
      startBanditServer({ helloTimeoutMs: 400, maxConnections: 2 }),
      startBanditServer({ helloTimeoutMs: 400, tokens: { agent: 'secret' } }),
    ]);
  });
  afterEach(leave);
  after(() => Promise.all([server.stop(), guarded.stop()]));

  const quiet: Record<string, string> = {
    'a socket that says nothing': '',
    'half a request': 'GET /healthz HTTP/1.1\r\nHost: local',
    'a refused upgrade that the client holds': [...UPGRADE, 'Origin: http://evil.example', '', ''].join('\r\n'),
    'an upgrade without hello': [...UPGRADE, '', ''].join('\r\n'),
    'a page that was read': 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'a body that never comes': 'POST /v1/drain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n',
  };
  it('[H6] end whatever does not say hello or ask for a page, on time @slow', async () => {
    const left = Object.entries(quiet).map(async ([name, bytes]) => {
      const socket = await tcp(name.startsWith('a body') ? guarded.port : server.port);
      const closed = new Promise<undefined>((resolve) => socket.once('close', () => resolve(undefined)));
      socket.write(bytes);
      // The server's end of a half-open socket shows itself when something is sent to it.
      await pause(1900);
      socket.write('x');
      await pause(50);
      socket.write('x');
      return Promise.race([closed, pause(3000).then(() => name)]);
    });
    assert.deepEqual((await Promise.all(left)).filter(Boolean), []);
  });

  it('[H6] more than 4 KiB before hello closes the socket with 1009, also in a frame without end @slow', async () => {
    for (const bytes of [frame('x'.repeat(5000)), frame('x'.repeat(4100), 60_000)]) {
      const socket = await tcp(server.port);
      const heard: Buffer[] = [];
      socket.on('data', (data) => heard.push(data));
      socket.write([...UPGRADE, '', ''].join('\r\n'));
      await pause(50);
      heard.length = 0;
      socket.write(bytes);
      await Promise.race([once(socket, 'end'), pause(5000)]);
      assert.ok(Buffer.concat(heard).includes(Buffer.from([0x03, 0xf1])), 'a close frame with 1009');
    }
  });

  it('[H6] what follows a hello in the same packet is no part of it', async () => {
    const peer = await Peer.connect(server.url);
    const stream = (peer.socket as unknown as { _socket: Socket })._socket;
    stream.cork();
    peer.send(HELLO);
    peer.send({ t: 'open', id: 2, env_id: 'Bandit-v0', options: { ['k'.repeat(20_000)]: 1 } });
    stream.uncork();
    assert.equal((await peer.next()).t, 'welcome');
    assert.equal((await peer.next())['code'], 'BAD_OPTIONS');
    peer.raw(encode('json', { t: 'ping', id: 'x'.repeat(100_000) }));
    assert.equal((await peer.next())['code'], 'BAD_MESSAGE');
    peer.close();
    await peer.closed;
  });

  it('[L5] silent sockets take no place of those who say hello; a hello without room is closed with 1013', async () => {
    const silent = await Promise.all(Array.from({ length: 6 }, () => Peer.connect(server.url)));
    const honest = await Promise.all([Peer.welcomed(server.url), Peer.welcomed(server.url)]);
    silent[0]!.send(HELLO);
    assert.equal(await silent[0]!.closed, 1013);
    honest.forEach((peer) => peer.close());
    await Promise.all([...silent, ...honest].map(({ closed }) => closed));
  });

  /** The status of a page, asked for under a name. */
  const statusAs = (url: string, host: string, path: string): Promise<number> =>
    new Promise((resolve, reject) =>
      get(new URL(path, url.replace('ws', 'http')), { headers: { host } }, (response) => {
        response.resume();
        resolve(response.statusCode!);
      }).on('error', reject),
    );

  it('[H5] [W1] without a token, a request for another name is refused on every page and at the upgrade', async () => {
    const { port } = server;
    for (const path of [
      '/healthz',
      '/readyz',
      '/metrics',
      '/v1/spec',
      '/v1/schema',
      '/v1/sessions',
      '/v1/history.jsonl',
    ]) {
      for (const host of ['evil.example', `evil.example:${port}`, 'localhost.evil.example', 'x@localhost:1']) {
        assert.equal(await statusAs(server.url, host, path), 403, `${host} ${path}`);
      }
      for (const host of ['localhost', `LocalHost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`]) {
        assert.equal(await statusAs(server.url, host, path), 200, `${host} ${path}`);
      }
    }
    assert.equal(await statusAs(guarded.url, 'lab.example', '/healthz'), 200);
    for (const host of ['evil.example', 'localhost']) {
      const socket = new WebSocket(server.url, ['lts.v1.json'], { headers: { host } });
      socket.on('error', () => {});
      const opened = once(socket, 'open').then(() => 101);
      const refused = once(socket, 'unexpected-response').then(
        ([, response]) => (response as { statusCode: number }).statusCode,
      );
      opened.catch(() => {});
      assert.equal(await Promise.race([opened, refused]), host === 'localhost' ? 101 : 403);
      socket.terminate();
    }
  });
});
