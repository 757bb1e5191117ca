/** Checks what a server must do for sessions, rule by rule: they outlive their sockets. */
import assert from 'node:assert/strict';
import type { ServerMessages } from '../messages.ts';
import type { Check, Context } from './context.ts';
import type { Peer } from './peer.ts';

type Opened = ServerMessages['opened'];

/** More than this number are not opened for a check. */
const MANY_SESSIONS = 64;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The code of the error that refuses `resume`. */
async function resumeRefused(context: Context, opened: Opened, token: string, lastSeq = 0): Promise<string> {
  const peer = await context.welcomed();
  const { session_id } = opened;
  const request = { t: 'resume', id: 1, session_id, resume_token: token, last_seq: lastSeq };
  return (await peer.refused(request)).code;
}

async function results(peer: Peer, count: number): Promise<ServerMessages['result'][]> {
  const all: ServerMessages['result'][] = [];
  while (all.length < count) all.push((await peer.next('result')) as unknown as ServerMessages['result']);
  return all;
}

export const sessionChecks: readonly Check[] = [
  {
    rules: ['S3'],
    title: 'the session of one connection is unknown on another',
    run: async (context) => {
      const { opened } = await context.opened();
      const stranger = await context.welcomed();
      assert.equal((await stranger.refused(context.step(opened))).code, 'SESSION_NOT_FOUND');
    },
  },
  {
    rules: ['S4'],
    title: 'close is answered, and the id is unknown then',
    run: async (context) => {
      const { peer, opened } = await context.opened();
      const { session_id } = opened;
      assert.equal((await peer.ask({ t: 'close', id: 1, session_id }, 'closed')).session_id, session_id);
      assert.equal((await peer.refused(context.step(opened))).code, 'SESSION_NOT_FOUND');
      assert.equal(await resumeRefused(context, opened, opened.resume_token), 'SESSION_NOT_FOUND');
    },
  },
  {
    rules: ['S5', 'S6'],
    title: 'a session goes on without its socket; resume with nothing received gives every result once, in order',
    run: async (context) => {
      const { peer, opened } = await context.opened();
      const steps = Array.from({ length: 8 }, () => context.step(opened));
      steps.forEach((step) => peer.send(step));
      await peer.next('accepted');
      peer.socket.terminate();
      await pause(100);
      const next = await context.welcomed();
      const resumed = await context.resume(next, opened, opened.resume_token);
      assert.equal(resumed.epoch, opened.epoch + 1);
      const known = resumed.replayed + resumed.in_flight.length;
      assert.ok(known >= 1, 'the step that was accepted is known');
      // All steps are sent again: the server may not have received some, and does not run the others twice.
      steps.forEach((step) => next.send(step));
      const bySeq = new Map((await results(next, steps.length)).map((result) => [result.seq, result.step_id]));
      await pause(200);
      assert.equal(new Set(bySeq.values()).size, bySeq.size);
    },
  },
  {
    rules: ['S6', 'S10'],
    title: 'what was received is not sent again, and what was acknowledged cannot be had again',
    run: async (context) => {
      const { peer, opened } = await context.opened();
      for (let i = 0; i < 3; i++) await peer.ask(context.step(opened), 'result');
      peer.send({ t: 'ack', session_id: opened.session_id, seq: 1 });
      await peer.lives();
      peer.close();
      assert.equal(await resumeRefused(context, opened, opened.resume_token, 0), 'RESUME_GAP');
      assert.equal(await resumeRefused(context, opened, opened.resume_token, 9), 'RESUME_GAP');
      const next = await context.welcomed();
      assert.equal((await context.resume(next, opened, opened.resume_token, 2)).replayed, 1);
      const [result] = await results(next, 1);
      assert.deepEqual([result!.seq, result!.replayed, result!.re], [3, true, null]);
    },
  },
  {
    rules: ['S7'],
    title: 'the token rotates: the old one works until the new one was used, a wrong one never',
    run: async (context) => {
      const { peer, opened } = await context.opened();
      peer.close();
      assert.ok(opened.resume_token.length >= 22, 'at least 128 bits');
      assert.equal(await resumeRefused(context, opened, `${opened.resume_token}x`), 'SESSION_NOT_FOUND');
      for (let lost = 0; lost < 2; lost++) {
        const second = await context.welcomed();
        await context.resume(second, opened, opened.resume_token);
        second.socket.terminate();
      }
      const third = await context.welcomed();
      const { resume_token } = await context.resume(third, opened, opened.resume_token);
      assert.notEqual(resume_token, opened.resume_token);
      await third.ask({ t: 'reset', id: 1, session_id: opened.session_id }, 'reset_done');
      third.close();
      assert.equal(await resumeRefused(context, opened, opened.resume_token), 'SESSION_NOT_FOUND');
      await context.resume(await context.welcomed(), opened, resume_token);
    },
  },
  {
    rules: ['S8'],
    title: 'a takeover closes the old socket with 4409, whose late close does no harm',
    run: async (context) => {
      const { peer, opened } = await context.opened();
      const thief = await context.welcomed();
      await context.resume(thief, opened, opened.resume_token);
      assert.equal(await peer.closed, 4409);
      await pause(50);
      assert.equal((await thief.ask(context.step(opened), 'result')).seq, 1);
    },
  },
  {
    rules: ['S5', 'H9'],
    title: 'the session of a client that cannot resume ends with its socket',
    run: async (context) => {
      const peer = await context.welcomed([]);
      const opened = await context.open(peer);
      peer.close();
      await peer.closed;
      await pause(100);
      assert.equal(await resumeRefused(context, opened, opened.resume_token), 'SESSION_NOT_FOUND');
    },
  },
  {
    rules: ['S12'],
    title: 'a connection gets as many sessions as limits say, and then leaves the rest to others',
    run: async (context) => {
      const peer = await context.connect();
      // Without the capability `resume`, so that its sessions end with it.
      const { limits } = await peer.ask({ t: 'hello', id: 1, protocol: [1] }, 'welcome');
      const { max_sessions_per_connection: most = Infinity } = limits;
      if (most > MANY_SESSIONS) return;
      for (let i = 0; i < most; i++) await context.open(peer);
      const { envId: env_id, options } = context.target;
      assert.equal((await peer.refused({ t: 'open', id: 2, env_id, options })).code, 'TOO_MANY_SESSIONS');
      await context.opened();
    },
  },
  {
    rules: ['S9'],
    title: 'a session that nobody resumes ends after its grace',
    run: async (context) => {
      const { peer, opened } = await context.opened({ detach_grace_ms: 50 });
      peer.socket.terminate();
      await pause(400);
      assert.equal(await resumeRefused(context, opened, opened.resume_token), 'SESSION_NOT_FOUND');
    },
  },
];
