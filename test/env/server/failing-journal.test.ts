import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { connect as tcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from '../../../agents/client/index.ts';
import { createLog } from '../../../env/server/log.ts';
import { BANDIT, startBanditServer } from './bandit-server.ts';
import { Peer } from './peer.ts';

describe('a server with too few file handles @slow', () => {
  it('takes no more connections, and goes on when there are handles again, with a new worker too', async () => {
    const flags = ['--env', BANDIT, '--port', '0', '--workers', '1', '--json'];
    const words = [process.execPath, '--import', 'tsx', 'scripts/serve.ts', ...flags];
    // Node itself reads some sixty modules at once when it starts.
    const server = spawn('sh', ['-c', 'ulimit -n 250 && exec "$@"', 'sh', ...words], {
      cwd: join(import.meta.dirname, '../../..'),
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [line] = (await once(createInterface(server.stdout), 'line')) as [string];
    const { url, port, pid } = JSON.parse(line) as { url: string; port: number; pid: number };
    const client = await connect(url);
    const environment = await client.open({ env_id: 'Bandit-v0' });
    const sockets = Array.from({ length: 400 }, () => tcp(port, '127.0.0.1').on('error', () => {}));
    await pause(500);
    const workers = execFileSync('ps', ['-o', 'pid=', '--ppid', `${pid}`], { encoding: 'utf8' });
    for (const worker of workers.trim().split('\n')) process.kill(Number(worker), 'SIGKILL');
    const result = environment.evaluate({ action: [0, 0, 0, 0, 0, 0] });
    await pause(1500);
    sockets.forEach((socket) => socket.destroy());
    assert.equal((await result).seq, 1);
    assert.equal((await environment.evaluate({ action: [0, 0, 0, 0, 0, 0] })).outcome, 'ok');
    await client.close();
    server.kill('SIGKILL');
    await once(server, 'exit');
  });
});

describe('a server that cannot write its journal', () => {
  const ACTION = [0, 0, 0, 0, 0, 0];

  it('[P14] [L4] refuses new steps and sessions with the reason, keeps what it has, and goes on afterwards @slow', async () => {
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
