import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBanditServer } from './bandit-server.ts';
import { Peer } from './peer.ts';

const ACTION = [0, 0, 0, 0, 0, 0];

describe('a server that cannot start', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lts-restart-'));
  after(() => rmSync(folder, { recursive: true }));

  it('[S11] leaves what an earlier one has not finished to the next one', async () => {
    const journal = join(folder, 'journal.sqlite');
    const first = await startBanditServer({ journal });
    const { port } = first;
    const peer = await Peer.welcomed(first.url);
    const options = { delayMs: 1500 };
    const opened = await peer.ask({ t: 'open', id: 1, env_id: 'Bandit-v0', options }, 'opened');
    const { session_id, resume_token } = opened;
    await peer.ask({ t: 'step', id: 2, session_id, step_id: 'x', action: ACTION, reset: true, seed: 5 }, 'accepted');
    await first.stop();

    // Another program takes the port while the workers prepare.
    const starting = startBanditServer({ journal, port });
    const intruder = createServer();
    let isThere = false;
    const take = setInterval(() => {
      if (!isThere) intruder.listen(port, '127.0.0.1');
    }, 20);
    intruder.on('listening', () => (isThere = true));
    intruder.on('error', () => {});
    await assert.rejects(starting, /EADDRINUSE|taken|in use/);
    clearInterval(take);
    assert.ok(isThere, 'it was there');
    intruder.close();
    await once(intruder, 'close');

    const next = await startBanditServer({ journal, port });
    const again = await Peer.welcomed(next.url);
    await again.ask({ t: 'resume', id: 1, session_id, resume_token, last_seq: 0 }, 'resumed');
    const result = await again.next('result', 10_000);
    assert.deepEqual([result['step_id'], result['outcome'], result['seed']], ['x', 'ok', 5]);
    again.close();
    await next.stop();
  }).timeout(30_000);
});
