import assert from 'node:assert/strict';
import type { EnvironmentServer } from '../../../env/server/server.ts';
import { startBanditServer } from './bandit-server.ts';
import { workerPids } from '../../../scripts/trust/worker-pids.ts';
import { Peer, type Message } from './peer.ts';

const ACTION = [0, 0, 0, 0, 0, 0];
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('sessions', () => {
  let server: EnvironmentServer;
  const limits = { max_sessions: 40, max_sessions_per_connection: 40, max_unacknowledged: 5 };
  before(async () => (server = await startBanditServer({ limits })));
  after(() => server.stop());

  const step = (session_id: string, step_id: string, action = ACTION) => ({
    t: 'step',
    id: step_id,
    session_id,
    step_id,
    reset: true,
    action,
  });

  /** A peer with an open session. */
  async function opened(options: object = {}, extra: object = {}) {
    const peer = await Peer.welcomed(server.url);
    const reply = await peer.ask({ t: 'open', id: 'o', env_id: 'Bandit-v0', options, ...extra }, 'opened');
    return { peer, session_id: reply['session_id'] as string, token: reply['resume_token'] as string };
  }

  async function resume(session_id: string, resume_token: string, last_seq = 0) {
    const peer = await Peer.welcomed(server.url);
    const reply = await peer.ask({ t: 'resume', id: 'r', session_id, resume_token, last_seq });
    return { peer, reply, token: reply['resume_token'] as string };
  }

  it('[S6] resume with nothing received gives the results that were finished meanwhile', async () => {
    const { peer, session_id, token } = await opened({ delayMs: 1000, faultAbove: 0.5 });
    const slow = [0.9, ...ACTION.slice(1)];
    peer.send(step(session_id, 'a'));
    peer.send(step(session_id, 'b', slow));
    peer.send(step(session_id, 'c'));
    for (let i = 0; i < 3; i++) await peer.next('accepted');
    peer.socket.terminate();
    while (server.evaluations.counts.running + server.evaluations.counts.queued > 2) await pause(5);
    const { peer: next, reply } = await resume(session_id, token);
    assert.deepEqual([reply.t, reply['epoch'], reply['replayed'], reply['in_flight']], ['resumed', 2, 1, ['b', 'c']]);
    const results: Message[] = [await next.next('result'), await next.next('result'), await next.next('result')];
    assert.deepEqual(
      results.map((result) => [result['step_id'], result['seq'], result['replayed']]),
      [
        ['a', 1, true],
        ['b', 2, undefined],
        ['c', 3, undefined],
      ],
    );
    next.close();
  });

  it('[S6] resume gives no result again that the client has', async () => {
    const { peer, session_id, token } = await opened();
    for (const id of ['a', 'b']) await peer.ask(step(session_id, id), 'result');
    peer.close();
    const { reply, peer: next } = await resume(session_id, token, 1);
    assert.equal(reply['replayed'], 1);
    assert.equal((await next.next('result'))['step_id'], 'b');
    next.close();
  });

  it('[S6] resume is refused below what was acknowledged, and above the last result', async () => {
    const { peer, session_id, token } = await opened();
    for (const id of ['a', 'b']) await peer.ask(step(session_id, id), 'result');
    peer.send({ t: 'ack', session_id, seq: 1 });
    await peer.ask({ t: 'ping', id: 1 }, 'pong');
    peer.close();
    assert.equal((await resume(session_id, token, 0)).reply['code'], 'RESUME_GAP');
    assert.equal((await resume(session_id, token, 3)).reply['code'], 'RESUME_GAP');
    assert.equal((await resume(session_id, token, 1)).reply.t, 'resumed');
  });

  it('[S7] a wrong token, and one that was replaced, is refused as an unknown session', async () => {
    const { peer, session_id, token } = await opened();
    peer.close();
    assert.equal((await resume(session_id, 'guess')).reply['code'], 'SESSION_NOT_FOUND');
    const { peer: second, token: newer } = await resume(session_id, token);
    assert.notEqual(newer, token);
    await second.ask({ t: 'reset', id: 1, session_id }, 'reset_done');
    second.close();
    assert.equal((await resume(session_id, token)).reply['code'], 'SESSION_NOT_FOUND');
    assert.equal((await resume(session_id, newer)).reply.t, 'resumed');
  });

  it('[S7] the old token still works when the reply with the new one was lost', async () => {
    const { peer, session_id, token } = await opened();
    peer.close();
    const { peer: second } = await resume(session_id, token);
    second.socket.terminate();
    assert.equal((await resume(session_id, token)).reply.t, 'resumed');
  });

  it('[S7] a ping says nothing about the session: the old token works after it, and not after an ack', async () => {
    const { peer, session_id, token } = await opened();
    peer.close();
    const { peer: second } = await resume(session_id, token);
    await second.ask({ t: 'ping', id: 9 }, 'pong');
    const { peer: third, reply } = await resume(session_id, token);
    assert.equal(reply.t, 'resumed');
    third.send({ t: 'ack', session_id, seq: 0 });
    await third.ask({ t: 'ping', id: 9 }, 'pong');
    assert.equal((await resume(session_id, token)).reply['code'], 'SESSION_NOT_FOUND');
    third.close();
  });

  it('[P12] a batch that outlives its connection gives its results, and no count', async () => {
    const { peer, session_id, token } = await opened({ delayMs: 300 });
    const items = ['one', 'two'].map((step_id) => ({ step_id, action: ACTION }));
    await peer.ask({ t: 'step_batch', id: 'batch', session_id, items }, 'accepted');
    peer.close();
    const { peer: second, reply } = await resume(session_id, token);
    assert.deepEqual(reply['in_flight'], ['one', 'two']);
    for (let i = 0; i < 2; i++) assert.equal((await second.next('result'))['re'], 'batch');
    assert.equal((await second.ask({ t: 'ping', id: 9 })).t, 'pong', 'and nothing before it');
    second.close();
  });

  it('[S7] the token that the client has still works when several replies in a row were lost', async () => {
    const { peer, session_id, token } = await opened();
    peer.close();
    for (let i = 0; i < 3; i++) (await resume(session_id, token)).peer.socket.terminate();
    const { reply, peer: last } = await resume(session_id, token);
    assert.equal(reply.t, 'resumed');
    last.close();
  });

  it('[S8] a resume while the old socket lives takes over, and closes it with 4409', async () => {
    const { peer, session_id, token } = await opened();
    const { peer: thief, reply } = await resume(session_id, token);
    assert.equal(reply['epoch'], 2);
    assert.equal(await peer.closed, 4409);
    await pause(50);
    // The late close of the old socket has not harmed the session.
    assert.equal((await thief.ask(step(session_id, 'after'), 'result'))['outcome'], 'ok');
    thief.close();
  });

  it('[S9] a session ends when its grace has passed after the last step, never while a step runs', async () => {
    const { peer, session_id, token } = await opened({ delayMs: 1000 }, { detach_grace_ms: 100 });
    await peer.ask(step(session_id, 'long'), 'accepted');
    peer.socket.terminate();
    await pause(300);
    const { reply, peer: second } = await resume(session_id, token);
    assert.deepEqual(reply['in_flight'], ['long']);
    second.socket.terminate();
    while (server.evaluations.counts.running > 0) await pause(20);
    await pause(300);
    assert.equal((await resume(session_id, reply['resume_token'] as string)).reply['code'], 'SESSION_NOT_FOUND');
  });

  it('[S5] [H9] the session of a client that cannot resume ends with its socket', async () => {
    const peer = await Peer.connect(server.url);
    await peer.ask({ t: 'hello', id: 1, protocol: [1] }, 'welcome');
    const reply = await peer.ask({ t: 'open', id: 'o', env_id: 'Bandit-v0', options: { delayMs: 5000 } }, 'opened');
    const session_id = reply['session_id'] as string;
    await peer.ask(step(session_id, 'long'), 'accepted');
    peer.close();
    await peer.closed;
    while (server.evaluations.counts.running > 0) await pause(20);
    assert.equal((await resume(session_id, reply['resume_token'] as string)).reply['code'], 'SESSION_NOT_FOUND');
  });

  it("[S4] close is answered and ends the session's evaluations, and the id is unknown then", async () => {
    const { peer, session_id } = await opened({ delayMs: 5000 });
    await peer.ask(step(session_id, 'long'), 'accepted');
    assert.deepEqual(await peer.ask({ t: 'close', id: 'bye', session_id }), { t: 'closed', re: 'bye', session_id });
    assert.equal((await peer.ask(step(session_id, 'late')))['code'], 'SESSION_NOT_FOUND');
    while (server.evaluations.counts.running > 0) await pause(20);
    peer.close();
  });

  it('[S10] results that are never acknowledged stop the session, not the server', async () => {
    const { peer, session_id } = await opened();
    for (const id of ['1', '2', '3', '4', '5']) await peer.ask(step(session_id, id), 'result');
    assert.equal((await peer.ask(step(session_id, '6')))['code'], 'BUSY');
    peer.send({ t: 'ack', session_id, seq: 5 });
    assert.equal((await peer.ask(step(session_id, '6'), 'result'))['seq'], 6);
    peer.close();
  });

  it('[S1] more sessions than the limit are refused for now', async () => {
    const peer = await Peer.welcomed(server.url);
    let reply: Message;
    do reply = await peer.ask({ t: 'open', id: 'o', env_id: 'Bandit-v0' });
    while (reply.t === 'opened');
    assert.deepEqual([reply['code'], reply['retryable']], ['TOO_MANY_SESSIONS', true]);
    peer.close();
  });
});

describe('the sessions of a connection', () => {
  it('[P14] come after the others in the queue while they have no connection @slow', async () => {
    const server = await startBanditServer();
    const [gone, here] = [await Peer.welcomed(server.url), await Peer.welcomed(server.url)];
    const open = { t: 'open', id: 'o', env_id: 'Bandit-v0' };
    const steps = (opened: Message) => ({
      t: 'step_batch',
      id: 'b',
      session_id: opened['session_id'],
      items: ['a', 'b', 'c'].map((step_id) => ({ step_id, action: ACTION })),
    });
    const left = await gone.ask({ ...open, options: { delayMs: 1000 } }, 'opened');
    await gone.ask(steps(left), 'accepted');
    gone.socket.terminate();
    await pause(50);
    await here.ask(steps(await here.ask(open, 'opened')), 'accepted');
    await here.next('batch_done');
    const { session_id, resume_token } = left;
    const resumed = await here.ask({ t: 'resume', id: 'r', session_id, resume_token, last_seq: 0 }, 'resumed');
    assert.deepEqual(resumed['in_flight'], ['b', 'c'], 'only the first, which ran already, went before them');
    await server.stop();
  });

  it('[S12] give way to a new one when they are idle without a connection, the one that has waited longest first', async () => {
    const server = await startBanditServer({ workers: 0, limits: { max_sessions: 5, max_sessions_per_connection: 2 } });
    const open = { t: 'open', id: 'o', env_id: 'Bandit-v0', detach_grace_ms: 86_400_000 };
    const hang = { ...open, options: { fault: 'hang' } };
    const [early, late, busy] = [
      await Peer.welcomed(server.url),
      await Peer.welcomed(server.url),
      await Peer.welcomed(server.url),
    ];
    const oldest = await early.ask(open, 'opened');
    const second = await late.ask(open, 'opened');
    early.socket.terminate();
    await pause(50);
    late.socket.terminate();
    const { session_id } = await busy.ask(hang, 'opened');
    // Three at most are of one address, as two of another must find room.
    await busy.ask({ t: 'step', id: 1, session_id, step_id: 'a', reset: true, action: ACTION }, 'accepted');
    await pause(50);
    const fresh = await Peer.welcomed(server.url);
    await fresh.ask({ ...open, id: 'o2' }, 'opened');
    const resume = ({ session_id, resume_token }: Message) => {
      return { t: 'resume', id: 'r', session_id, resume_token, last_seq: 0 };
    };
    assert.equal((await fresh.ask(resume(oldest)))['code'], 'SESSION_NOT_FOUND');
    assert.equal((await fresh.ask(resume(second))).t, 'resumed');
    busy.socket.terminate();
    await pause(50);
    const last = await Peer.welcomed(server.url);
    const refused = await last.ask(open);
    assert.deepEqual([refused['code'], refused['retryable']], ['TOO_MANY_SESSIONS', true], 'a busy one does not');
    assert.match(refused['message'] as string, /at most 3 sessions of one address, all of which are in use/);
    await server.stop();
  });

  it('[S12] are at most a quarter of all: there is room for others, and when one is closed', async () => {
    const server = await startBanditServer({ limits: { max_sessions: 8 } });
    const open = { t: 'open', id: 'o', env_id: 'Bandit-v0' };
    const greedy = await Peer.connect(server.url);
    const hello = { t: 'hello', id: 1, protocol: [1], capabilities: ['resume'] };
    const { limits } = (await greedy.ask(hello, 'welcome')) as unknown as { limits: Record<string, number> };
    assert.equal(limits['max_sessions_per_connection'], 2);
    const [first, second] = [await greedy.ask(open, 'opened'), await greedy.ask(open, 'opened')];
    const refused = await greedy.ask(open);
    assert.deepEqual([refused['code'], refused['retryable']], ['TOO_MANY_SESSIONS', true]);
    assert.match(refused['message'] as string, /expected at most 2 sessions of one connection/);
    const other = await Peer.welcomed(server.url);
    await other.ask(open, 'opened');

    const third = await other.ask(open, 'opened');
    const resume = ({ session_id, resume_token }: Message) => {
      return { t: 'resume', id: 'r', session_id, resume_token, last_seq: 0 };
    };
    assert.equal((await greedy.ask(resume(third)))['code'], 'TOO_MANY_SESSIONS');
    assert.equal((await other.ask({ t: 'ping', id: 1 })).t, 'pong', 'it still has its socket');
    assert.equal((await greedy.ask(resume(second))).t, 'resumed', 'which is its own');
    await greedy.ask({ t: 'close', id: 'c', session_id: first['session_id'] }, 'closed');
    assert.equal((await greedy.ask(resume(third))).t, 'resumed');
    greedy.close();
    other.close();
    await server.stop();
  });
});

describe('liveness', () => {
  it('[L1] a socket that answers no ping is ended, and its session waits to be resumed @slow', async () => {
    const server = await startBanditServer({ heartbeatMs: 100 });
    const peer = await Peer.welcomed(server.url);
    const reply = await peer.ask({ t: 'open', id: 'o', env_id: 'Bandit-v0' }, 'opened');
    // Stop reading from the network: what a half-open connection looks like from the server.
    peer.socket.pause();
    await pause(400);
    const next = await Peer.welcomed(server.url);
    const { session_id, resume_token } = reply;
    assert.equal((await next.ask({ t: 'resume', id: 'r', session_id, resume_token, last_seq: 0 })).t, 'resumed');
    await pause(300);
    assert.equal((await next.ask({ t: 'ping', id: 1 }, 'pong'))['re'], 1, 'one that answers stays');
    peer.socket.terminate();
    next.close();
    await server.stop();
  });

  it('[L3] a client that does not read loses its socket, not its session, and others notice nothing @slow', async () => {
    const server = await startBanditServer();
    const [peer, other] = [await Peer.welcomed(server.url), await Peer.welcomed(server.url)];
    const { session_id, resume_token } = await peer.ask({ t: 'open', id: 'o', env_id: 'Bandit-v0' }, 'opened');
    peer.socket.pause();
    // Each answer to open has some 2 kB, and a refused one is an error of some 200 bytes.
    const junk = 'x'.repeat(100);
    for (let i = 0; i < 60_000; i++) peer.send({ t: 'open', id: junk, env_id: junk });
    await new Promise<void>((resolve) => peer.socket.ping(undefined, undefined, () => resolve()));
    await pause(500);
    assert.equal((await other.ask({ t: 'ping', id: 1 })).t, 'pong');
    const reply = await other.ask({ t: 'resume', id: 'r', session_id, resume_token, last_seq: 0 });
    assert.equal(reply.t, 'resumed');
    peer.socket.resume();
    assert.notEqual(await peer.closed, 4409, 'it was closed before the session was taken over');
    other.close();
    await server.stop();
  });

  it('[L2] draining is announced; running evaluations end, and nothing new begins @slow', async () => {
    const server = await startBanditServer();
    const peer = await Peer.welcomed(server.url);
    const session_id = await peer.open({ delayMs: 300 });
    await peer.ask({ t: 'step', id: 1, session_id, step_id: 'a', reset: true, action: ACTION }, 'accepted');
    const drained = server.drain(5000);
    assert.equal((await peer.next('draining'))['deadline_ms'], 5000);
    assert.equal(
      (await peer.ask({ t: 'step', id: 2, session_id, step_id: 'b', reset: true, action: ACTION }))['code'],
      'DRAINING',
    );
    assert.equal((await peer.next('result'))['outcome'], 'ok');
    await drained;
    assert.equal(await peer.closed, 1012);
  });

  it('[L4] /healthz and /readyz answer over HTTP @slow', async () => {
    const others = workerPids(process.pid);
    const server = await startBanditServer();
    const get = async (path: string) => {
      const response = await fetch(`${server.url.replace('ws', 'http')}${path}`);
      return [response.status, await response.json()] as const;
    };
    assert.deepEqual(await get('/healthz'), [200, { alive: true }]);
    const [status, ready] = await get('/readyz');
    assert.deepEqual([status, (ready as { ready: boolean }).ready], [200, true]);
    assert.equal((await get('/nothing'))[0], 404);
    for (const pid of workerPids(process.pid)) if (!others.includes(pid)) process.kill(pid, 'SIGKILL');
    while (server.evaluations.counts.readyWorkers > 0) await pause(10);
    assert.equal((await get('/readyz'))[0], 503, 'not ready without a worker');
    while (server.evaluations.counts.readyWorkers === 0) await pause(10);
    assert.equal((await get('/readyz'))[0], 200);
    await server.stop();
  });
});
