import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createLog } from '../../../env/server/log.ts';
import { startBanditServer } from './bandit-server.ts';
import { Peer } from './peer.ts';

describe('a server that cannot write its journal', () => {
  const ACTION = [0, 0, 0, 0, 0, 0];

  it('[P14] [L4] refuses new steps and sessions with the reason, keeps what it has, and goes on afterwards', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lts-failing-'));
    const journal = join(folder, 'a.sqlite');
    const lines: string[] = [];
    const server = await startBanditServer({ journal, log: createLog('info', 'text', (line) => lines.push(line)) });
    const ready = async () => {
      const response = await fetch(`${server.url.replace('ws', 'http')}/readyz`);
      return [response.status, ((await response.json()) as { journal: string }).journal];
    };
    const peer = await Peer.welcomed(server.url);
    const session_id = await peer.open({ delayMs: 300 });
    const step = (id: number) => ({ t: 'step', id, session_id, step_id: `${id}`, action: ACTION, reset: true });
    peer.send(step(1));
    await peer.next('result');
    assert.deepEqual(await ready(), [200, 'written']);

    peer.send(step(2));
    await peer.next('accepted');
    await pause(50);
    renameSync(journal, `${journal}.away`);
    await pause(1500);
    assert.deepEqual(await ready(), [503, 'cannot be written: nothing there']);
    const refused = await peer.ask(step(3), 'error');
    assert.deepEqual([refused['code'], refused['retryable']], ['QUEUE_FULL', true]);
    assert.match(
      refused['message'] as string,
      /^step: expected a server that can write its journal, got: nothing there$/,
    );
    const opened = await peer.ask({ t: 'open', id: 4, env_id: 'Bandit-v0' }, 'error');
    assert.equal(opened['code'], 'QUEUE_FULL');
    const replayed = await peer.ask(step(1), 'result');
    assert.deepEqual([replayed['seq'], replayed['replayed']], [1, true]);

    renameSync(`${journal}.away`, journal);
    const late = await peer.next('result');
    assert.deepEqual([late['step_id'], late['seq'], late['re']], ['2', 2, 2]);
    assert.deepEqual(await ready(), [200, 'written']);
    peer.send(step(5));
    assert.equal((await peer.next('result'))['seq'], 3);
    assert.equal(lines.filter((line) => /until the journal can be written.*a\.sqlite/.test(line)).length, 1);
    assert.equal(lines.filter((line) => line.includes('the journal is written again')).length, 1);
    peer.close();
    await server.stop();
    rmSync(folder, { recursive: true });
  });
});
