import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Peer, type Message } from './peer.ts';

const ACTION = [0, 0, 0, 0, 0, 0];
/** A piece of work takes some 10 ms; the machine of a test may be slow, and do other things too. */
const MOST_MS = 500;
const ROWS = 6000;

describe('the event loop of a server @slow', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lts-load-'));
  let child: ChildProcess;
  let url: string;
  let sessions: Message[];
  before(async () => {
    const program = new URL('../../../scripts/trust/weighed-server.ts', import.meta.url);
    const execArgv = ['--import', 'tsx', '--expose-gc'];
    child = fork(program, [join(folder, 'journal.sqlite')], { execArgv });
    ({ url } = ((await once(child, 'message')) as [{ url: string }])[0]);
    const peer = await Peer.welcomed(url);
    sessions = [];
    for (let i = 0; i < 12; i++) {
      const opened = await peer.ask({ t: 'open', id: i, env_id: 'Bandit-v0' }, 'opened');
      sessions.push(opened);
      const items = Array.from({ length: ROWS / 12 }, (_, n) => ({ step_id: `${n}`, action: ACTION }));
      peer.send({ t: 'step_batch', id: i, session_id: opened['session_id'], items });
    }
    for (let i = 0; i < 12; i++) await peer.next('batch_done', 60_000);
    peer.socket.terminate();
  });
  after(async () => {
    child.disconnect();
    await once(child, 'exit');
    rmSync(folder, { recursive: true });
  });

  async function longestDelayMs(): Promise<number> {
    child.send('weigh');
    const [{ longestDelayMs }] = (await once(child, 'message')) as [{ longestDelayMs: number }];
    return longestDelayMs;
  }

  async function isShort(what: string, work: () => Promise<unknown>): Promise<void> {
    await longestDelayMs();
    await work();
    const ms = await longestDelayMs();
    assert.ok(ms < MOST_MS, `${what} kept it for ${ms.toFixed(0)} ms`);
  }

  it('[S1] is not kept by an open that describes much', () =>
    isShort('open', async () => {
      const peer = await Peer.welcomed(url);
      for (let id = 0; id < 10; id++) {
        const options = { validation: 100_000 - id, test: 100_000 };
        assert.equal((await peer.ask({ t: 'open', id, env_id: 'Mixture-v0', options })).t, 'opened');
      }
      peer.close();
    }));

  it('[W4] is not kept by twenty readers of the history', () =>
    isShort('history', async () => {
      const read = async () => {
        const response = await fetch(`${url.replace('ws', 'http')}/v1/history.jsonl?limit=100000`);
        return (await response.text()).split('\n').length - 1;
      };
      assert.deepEqual(new Set(await Promise.all(Array.from({ length: 20 }, read))), new Set([ROWS]));
    }));

  it('[S6] is not kept by sixty resumes', () =>
    isShort('resume', async () => {
      for (let round = 0; round < 5; round++) {
        await Promise.all(
          sessions.map(async (session, i) => {
            const peer = await Peer.welcomed(url);
            const { session_id, resume_token } = session;
            sessions[i] = {
              ...session,
              ...(await peer.ask({ t: 'resume', id: 1, session_id, resume_token, last_seq: 0 }, 'resumed')),
            };
            assert.equal(sessions[i]['replayed'], ROWS / 12);
            for (let seq = 1; seq <= ROWS / 12; seq++) assert.equal((await peer.next('result'))['seq'], seq);
            peer.socket.terminate();
          }),
        );
      }
    }));

  it('[P12] is not kept by large batches, and answers what follows one after it', () =>
    isShort('batch', async () => {
      const peers = await Promise.all(Array.from({ length: 4 }, () => Peer.welcomed(url)));
      await Promise.all(
        peers.map(async (peer) => {
          const session_id = await peer.open({});
          const items = Array.from({ length: 1024 }, (_, n) => ({ step_id: `${n}`, action: ACTION }));
          peer.send({ t: 'step_batch', id: 'batch', session_id, items });
          peer.send({ t: 'step', id: 'after', session_id, step_id: 'after', action: ACTION, reset: true });
          const accepted = await peer.next();
          assert.deepEqual([accepted.t, (accepted['steps'] as unknown[]).length], ['accepted', 1024]);
          let last: Message | undefined;
          for (let n = 0; n <= 1024; n++) {
            const result = await peer.next('result', 60_000);
            if (result['step_id'] === 'after') last = result;
          }
          // Its seed is that of the last episode of the stream, whatever was evaluated first.
          assert.equal(last!['re'], 'after');
          peer.close();
        }),
      );
    }));
});
