import assert from 'node:assert/strict';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { EnvironmentServer } from '../../../env/server/server.ts';
import { startBanditServer } from './bandit-server.ts';
import { Peer } from './peer.ts';

const HELLO = { t: 'hello', id: 1, protocol: [1] };

/** The HTTP status and body with which an upgrade is refused. */
async function refusedUpgrade(url: string, protocols: string[], headers = {}): Promise<[number, string]> {
  const socket = new WebSocket(url, protocols, { headers });
  socket.on('error', () => {});
  const [, response] = (await once(socket, 'unexpected-response')) as [
    unknown,
    AsyncIterable<Buffer> & { statusCode: number },
  ];
  const body: Buffer[] = [];
  for await (const chunk of response) body.push(chunk);
  return [response.statusCode, Buffer.concat(body).toString()];
}

describe('the handshake', () => {
  let server: EnvironmentServer;
  let guarded: EnvironmentServer;
  before(async () => {
    [server, guarded] = await Promise.all([
      startBanditServer({ helloTimeoutMs: 300, origins: ['http://here.example'] }),
      startBanditServer({ tokens: { agent: 'secret' } }),
    ]);
  });
  after(() => Promise.all([server.stop(), guarded.stop()]));

  it('[H1] hello is answered by welcome: version, limits, heartbeat, environments', async () => {
    const peer = await Peer.connect(server.url);
    const welcome = await peer.ask(HELLO);
    assert.equal(welcome.t, 'welcome');
    assert.equal(welcome['re'], 1);
    assert.equal(welcome['protocol'], 1);
    assert.equal((welcome['limits'] as { max_payload_bytes: number }).max_payload_bytes, 1024 * 1024);
    assert.equal((welcome['envs'] as { env_id: string }[])[0]!.env_id, 'Bandit-v0');
    assert.deepEqual(welcome['heartbeat'], { interval_ms: 15_000, timeout_ms: 30_000 });
    peer.close();
  });

  it('[H1] anything before hello is refused, and hello still works', async () => {
    const peer = await Peer.connect(server.url);
    const error = await peer.ask({ t: 'open', id: 7, env_id: 'Bandit-v0' });
    assert.deepEqual([error.t, error['code'], error['re']], ['error', 'HELLO_EXPECTED', 7]);
    assert.equal((await peer.ask(HELLO)).t, 'welcome');
    peer.close();
  });

  it('[H2] a second hello is refused, and the connection lives', async () => {
    const peer = await Peer.welcomed(server.url);
    assert.equal((await peer.ask(HELLO))['code'], 'ALREADY_WELCOME');
    assert.equal((await peer.ask({ t: 'ping', id: 2 })).t, 'pong');
    peer.close();
  });

  it('[H3] the common version of several is taken', async () => {
    const peer = await Peer.connect(server.url);
    assert.equal((await peer.ask({ ...HELLO, protocol: [7, 1] }))['protocol'], 1);
    peer.close();
  });

  it('[H3] without a common version there is one error, then close 4406', async () => {
    const peer = await Peer.connect(server.url);
    const error = await peer.ask({ ...HELLO, protocol: [2, 3] });
    assert.equal(error['code'], 'UNSUPPORTED_VERSION');
    assert.match(error['message'] as string, /expected a list with 1, got \[2,3\]/);
    assert.equal(await peer.closed, 4406);
  });

  it('[H4] a token is asked for at the upgrade or in hello', async () => {
    assert.deepEqual(await refusedUpgrade(guarded.url, ['lts.v1.json'], { authorization: 'Bearer wrong' }), [
      401,
      'authorization: expected the bearer token of this server\n',
    ]);
    const byHeader = await Peer.connect(guarded.url, 'json', { authorization: 'Bearer secret' });
    assert.equal((await byHeader.ask(HELLO)).t, 'welcome');
    byHeader.close();
    const byHello = await Peer.connect(guarded.url);
    assert.equal((await byHello.ask({ ...HELLO, auth: 'secret' })).t, 'welcome');
    byHello.close();
  });

  it('[H4] without the token there is one error, then close 4403', async () => {
    for (const auth of [{}, { auth: 'wrong' }]) {
      const peer = await Peer.connect(guarded.url);
      assert.equal((await peer.ask({ ...HELLO, ...auth }))['code'], 'UNAUTHENTICATED');
      assert.equal(await peer.closed, 4403);
    }
  });

  it('[H4] a socket that was refused cannot say hello again', async () => {
    const peer = await Peer.connect(guarded.url);
    peer.send(HELLO);
    peer.send({ ...HELLO, auth: 'secret' });
    assert.equal((await peer.next())['code'], 'UNAUTHENTICATED');
    assert.equal(await peer.closed, 4403);
    await assert.rejects(peer.next(undefined, 1), /expected a message/, 'no welcome has come');
  });

  it('[H5] a web page may connect only from an origin on the list', async () => {
    const [status] = await refusedUpgrade(server.url, ['lts.v1.json'], { origin: 'http://evil.example' });
    assert.equal(status, 403);
    const peer = await Peer.connect(server.url, 'json', { origin: 'http://here.example' });
    assert.equal((await peer.ask(HELLO)).t, 'welcome');
    peer.close();
  });

  it('[H6] a socket that says nothing is closed with 4408', async () => {
    const peer = await Peer.connect(server.url);
    assert.equal(await peer.closed, 4408);
  });

  it('[T1] an unknown subprotocol, or none, is refused with HTTP 400 and the names of ours', async () => {
    for (const offer of [['lts.v2.msgpack'], []]) {
      const [status, body] = await refusedUpgrade(server.url, offer);
      assert.equal(status, 400);
      assert.match(body, /lts\.v1\.msgpack or lts\.v1\.json/);
    }
  });

  it("[T1] the first known subprotocol in the client's list is taken", async () => {
    const socket = new WebSocket(server.url, ['lts.v9.other', 'lts.v1.json', 'lts.v1.msgpack']);
    await once(socket, 'open');
    assert.equal(socket.protocol, 'lts.v1.json');
    socket.close();
  });
});
