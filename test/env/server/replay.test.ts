import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from '../../../agents/client/index.ts';
import type { EnvironmentServer } from '../../../env/server/server.ts';
import { startBanditServer } from './bandit-server.ts';
import { Peer, type Message } from './peer.ts';

const ACTION = [0, 0, 0, 0, 0, 0];
/** Names as long as they may be: results are then larger, and fewer of them are needed. */
const nameOf = (n: number) => `${n}`.padStart(128, '.');

describe('more results than a socket takes at once @slow', () => {
  const COUNT = 9000; // about 9 MiB of results in JSON
  let server: EnvironmentServer;
  let ticket: { session_id: string; resume_token: string };
  before(async () => {
    server = await startBanditServer({
      workers: 0,
      limits: { max_in_flight: 20_000, queue_depth: 20_000, max_batch: 4096 },
    });
    const peer = await Peer.welcomed(server.url);
    const opened = await peer.ask({ t: 'open', id: 1, env_id: 'Bandit-v0', seed: 1 }, 'opened');
    const { session_id, resume_token } = opened as unknown as typeof ticket;
    ticket = { session_id, resume_token };
    for (let from = 0; from < COUNT; from += 3000) {
      const items = Array.from({ length: 3000 }, (_, i) => ({ step_id: nameOf(from + i), action: ACTION }));
      peer.send({ t: 'step_batch', id: from + 2, session_id: ticket.session_id, items });
      await peer.next('batch_done', 60_000);
    }
    peer.socket.terminate();
  });
  after(() => server.stop());

  it('[S6] [L3] come again in order, whole, as fast as the client reads, with the live ones behind them', async () => {
    const peer = await Peer.welcomed(server.url);
    peer.send({ t: 'resume', id: 1, ...ticket, last_seq: 0 });
    const resumed = await peer.next('resumed');
    ticket.resume_token = resumed['resume_token'] as string;
    assert.equal(resumed['replayed'], COUNT);
    peer.socket.pause();
    peer.send({ t: 'step', id: 2, session_id: ticket.session_id, step_id: 'live', action: ACTION, reset: true });
    await pause(1000);
    peer.socket.resume();
    for (let seq = 1; seq <= COUNT + 1; seq++) {
      const result = await peer.next('result');
      assert.deepEqual([result['seq'], result['replayed']], [seq, seq <= COUNT ? true : undefined]);
    }
    peer.socket.terminate();
  });

  it('[P11] [P12] come again for a batch that is sent again, before its `batch_done`', async () => {
    const peer = await Peer.welcomed(server.url);
    const resumed = await peer.ask({ t: 'resume', id: 1, ...ticket, last_seq: COUNT + 1 }, 'resumed');
    ticket.resume_token = resumed['resume_token'] as string;
    const items = Array.from({ length: 3000 }, (_, i) => ({ step_id: nameOf(i), action: ACTION }));
    for (const id of [2, 3, 4]) peer.send({ t: 'step_batch', id, session_id: ticket.session_id, items });
    peer.socket.pause();
    await pause(500);
    peer.socket.resume();
    for (const id of [2, 3, 4]) {
      const seen = new Set<unknown>();
      let message: Message;
      while ((message = await peer.next()).t !== 'batch_done') {
        if (message.t === 'result') seen.add(message['step_id']);
      }
      assert.deepEqual([message['re'], seen.size], [id, 3000]);
    }
    peer.socket.terminate();
  });

  it('reach our client, which asks for none of them twice', async () => {
    const client = await connect(server.url, { protocol: 'json' });
    const environment = await client.open({ env_id: 'Bandit-v0', seed: 1 });
    const all = Array.from({ length: 3000 }, (_, i) => environment.evaluate({ action: ACTION, step_id: nameOf(i) }));
    client.loseConnection();
    const results = await Promise.all(all);
    assert.equal(new Set(results.map(({ seq }) => seq)).size, 3000);
    await client.close();
  });

  it('[W4] are streamed as history, while others are answered', async () => {
    let longest = 0;
    let last = performance.now();
    const ticks = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 5);
    const address = `${server.url.replace('ws', 'http')}/v1/history.jsonl?limit=100000`;
    const texts = await Promise.all(Array.from({ length: 3 }, async () => (await fetch(address)).text()));
    clearInterval(ticks);
    for (const text of texts) assert.ok(text.split('\n').length > COUNT);
    assert.ok(longest < 1000, `${longest} ms`);
    const few = await (await fetch(`${address.replace('100000', '3')}&step=${nameOf(7)}`)).text();
    assert.equal(few.split('\n').length, 3);
  });
});
