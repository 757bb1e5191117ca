import assert from 'node:assert/strict';
import { actionToTheta } from '../../../protocol/parameters.ts';
import { deriveSeed } from '../../../protocol/random.ts';
import type { Codec, Specification } from '../../../protocol/messages.ts';
import type { EnvironmentServer } from '../../../env/server/server.ts';
import { startBanditServer } from './bandit-server.ts';
import { workerPids } from '../../../scripts/trust/worker-pids.ts';
import { Peer, type Message } from './peer.ts';

const ACTION = [0.4, -0.2, 0.9, 0.1, -1, 1];

for (const codec of ['json', 'msgpack'] as Codec[]) {
  describe(`steps (${codec})`, () => {
    let server: EnvironmentServer;
    let peer: Peer;
    let session_id: string;
    let count = 0;
    before(async () => {
      server = await startBanditServer({ workers: 2 });
      peer = await Peer.welcomed(server.url, codec);
      session_id = await peer.open({ noise: 0.1 });
    });
    after(() => server.stop());

    const step = (fields: object = {}) => ({
      t: 'step',
      id: ++count,
      session_id,
      step_id: `s${count}`,
      reset: true,
      action: ACTION,
      ...fields,
    });
    const evaluate = (fields: object = {}) => peer.ask(step(fields), 'result');

    it('[S1] opened describes the environment completely', async () => {
      const opened = await peer.ask({ t: 'open', id: 'o', env_id: 'Bandit-v0', seed: 5 }, 'opened');
      const spec = opened['spec'] as Specification;
      assert.equal(opened['seed'], 5);
      assert.equal(opened['epoch'], 1);
      assert.ok((opened['resume_token'] as string).length >= 22, 'at least 128 bits in base 64');
      assert.deepEqual(spec.options, {
        noise: 0,
        delayMs: 0,
        fault: 'none',
        faultAbove: -1,
        programSeconds: 1_000_000,
      });
      assert.deepEqual(spec.spaces.action, {
        type: 'Box',
        dtype: 'float32',
        shape: [6],
        low: [-1, -1, -1, -1, -1, -1],
        high: [1, 1, 1, 1, 1, 1],
        names: ['x', 'y', 'weather.clear', 'weather.overcast', 'weather.low sun', 'weather.rain'],
      });
      const largest = 3.4028234663852886e38;
      assert.deepEqual(spec.spaces.observation.low, [-largest, 0]);
      assert.deepEqual(spec.metrics[0], { name: 'gain', meaning: 'what the bandit pays', low: null, high: null });
      assert.deepEqual(spec.reward, { metric: 'gain', direction: 'maximize' });
      assert.deepEqual(spec.default, { x: 0.5, y: 0.1, weather: [0.25, 0.25, 0.25, 0.25] });
      assert.equal(spec.backend, 'arithmetic');
    });

    it('[S2] equal options have the same spec hash, other options another one', async () => {
      const hash = async (options: object) =>
        ((await peer.ask({ t: 'open', id: 'o', env_id: 'Bandit-v0', options }, 'opened'))['spec'] as Specification)
          .spec_hash;
      assert.equal(await hash({}), await hash({ noise: 0 }));
      assert.notEqual(await hash({}), await hash({ noise: 0.5 }));
    });

    it('[P5] a step is accepted once and has one result, under its id', async () => {
      const request = step({ seed: 3 });
      const accepted = await peer.ask(request);
      assert.deepEqual(accepted, {
        t: 'accepted',
        re: request.id,
        session_id,
        steps: [{ step_id: request.step_id, state: 'queued' }],
      });
      const result = await peer.next();
      assert.deepEqual([result.t, result['re'], result['step_id']], ['result', request.id, request.step_id]);
      await assert.rejects(peer.next(undefined, 100), /within 100 ms/);
    });

    it('[P6] a result has the scores by name and in order, the decoded θ, the seeds, and separate times', async () => {
      const result = await evaluate({ seed: 3 });
      const scores = result['scores'] as { gain: number; distance: number };
      assert.equal(result['outcome'], 'ok');
      assert.equal(result['reward'], scores.gain);
      assert.deepEqual(result['observation'], [scores.gain, scores.distance]);
      assert.deepEqual([result['terminated'], result['truncated']], [true, false]);
      assert.deepEqual(Object.keys(result['timing'] as object), ['queue_ms', 'simulate_ms', 'train_ms', 'validate_ms']);
      const opened = await peer.ask({ t: 'open', id: 'o', env_id: 'Bandit-v0' }, 'opened');
      assert.deepEqual(result['theta'], actionToTheta((opened['spec'] as Specification).parameters, ACTION));
      assert.equal(result['seed'], 3);
      assert.deepEqual(result['seeds'], {
        simulation: deriveSeed(3, 'simulation'),
        initialisation: deriveSeed(3, 'initialisation'),
        order: deriveSeed(3, 'order'),
      });
    });

    it('[P7] a pinned seed replaces the derived one, and the others stay', async () => {
      const result = await evaluate({ seed: 3, seeds: { simulation: 11 } });
      assert.deepEqual(result['seeds'], {
        simulation: 11,
        initialisation: deriveSeed(3, 'initialisation'),
        order: deriveSeed(3, 'order'),
      });
    });

    it('[R1] the same θ and seeds give the same reward, other seeds another one', async () => {
      const rewards: unknown[] = [];
      for (const seed of [3, 3, 3, 4]) rewards.push((await evaluate({ seed }))['reward']);
      const [first, second, third, other] = rewards;
      assert.equal(first, second);
      assert.equal(first, third);
      assert.notEqual(first, other);
    });

    it('[R3] theta and seeds of a result, sent again, give the same reward', async () => {
      const first = await evaluate();
      const again = await evaluate({ action: undefined, params: first['theta'], seeds: first['seeds'] });
      assert.equal(again['reward'], first['reward']);
      assert.deepEqual(again['theta'], first['theta']);
    });

    it('[P8] the test set is scored on request, beside the reward, and counted', async () => {
      const plain = await evaluate({ seed: 3 });
      assert.equal(plain['test_scores'], undefined);
      const before = plain['test_evaluations'] as number;
      const tested = await evaluate({ seed: 3, test: true });
      assert.equal(tested['reward'], plain['reward']);
      assert.notDeepEqual(tested['test_scores'], tested['scores']);
      assert.equal(tested['test_evaluations'], before + 1);
    });

    it('[P11] the same step sent again is attached while it runs, and replayed afterwards; it is evaluated once', async () => {
      const slow = await peer.open({ delayMs: 300 });
      const request = step({ session_id: slow });
      const state = async (id: string) =>
        ((await peer.ask({ ...request, id }, 'accepted'))['steps'] as { state: string }[])[0]!.state;
      assert.equal(await state('a'), 'queued');
      assert.equal(await state('b'), 'attached');
      const result = await peer.next('result');
      assert.equal(result['re'], 'b');
      assert.equal(await state('c'), 'replayed');
      const replay = await peer.next('result');
      assert.deepEqual(replay, { ...result, re: 'c', replayed: true });
    });

    it('[P11] another request under a known step_id is a conflict', async () => {
      const request = step();
      await peer.ask(request, 'result');
      for (const change of [{ seed: 1 }, { action: [0, 0, 0, 0, 0, 0] }, { test: true }, { reset: undefined }]) {
        assert.equal((await peer.ask({ ...request, ...change }))['code'], 'STEP_ID_CONFLICT');
      }
    });

    it('[P3] a plain step needs a reset before it, and ends the episode', async () => {
      const serial = await peer.open();
      const plain = () => step({ session_id: serial, reset: undefined });
      assert.equal((await peer.ask(plain()))['code'], 'NEEDS_RESET');
      const reset = await peer.ask({ t: 'reset', id: 1, session_id: serial, seed: 8 }, 'reset_done');
      assert.deepEqual(reset['observation'], [0, 0]);
      assert.equal(reset['seed'], 8);
      assert.equal((await peer.ask(plain(), 'result'))['seed'], deriveSeed(8, 'episode', 0));
      assert.equal((await peer.ask(plain()))['code'], 'NEEDS_RESET');
    });

    it('[P4] steps with `reset: true` neither need nor use up the episode of a reset', async () => {
      const serial = await peer.open();
      await peer.ask({ t: 'reset', id: 1, session_id: serial, seed: 8 }, 'reset_done');
      await peer.ask(step({ session_id: serial }), 'result');
      const plain = await peer.ask(step({ session_id: serial, reset: undefined }), 'result');
      assert.equal(plain['seed'], deriveSeed(8, 'episode', 1));
    });

    it('[P12] a batch gives each item its result, in any order, and then the count', async () => {
      const items = [...Array(20).keys()].map((i) => ({ step_id: `b${codec}${i}`, action: ACTION, seed: i }));
      const accepted = await peer.ask({ t: 'step_batch', id: 'batch', session_id, items }, 'accepted');
      assert.equal((accepted['steps'] as unknown[]).length, 20);
      const results = new Map<unknown, Message>();
      while (results.size < items.length) {
        const result = await peer.next('result');
        assert.equal(result['re'], 'batch');
        results.set(result['step_id'], result);
      }
      for (const item of items) assert.equal(results.get(item.step_id)!['seed'], item.seed);
      assert.deepEqual(await peer.next(), { t: 'batch_done', re: 'batch', session_id, n_ok: 20, n_failed: 0 });
    });

    it('[P12] a refused item has its own error, and the others go on', async () => {
      const bad = { step_id: `bad${codec}`, action: [0, 0, 0, 0, 0, 2] };
      const good = { step_id: `good${codec}`, action: ACTION };
      peer.send({ t: 'step_batch', id: 'batch', session_id, items: [good, bad] });
      const error = await peer.next('error');
      assert.deepEqual(
        [error['re'], error['step_id'], error['code'], error['at']],
        ['batch', bad.step_id, 'BAD_ACTION', '/items/1/action/5'],
      );
      const done = await peer.next('batch_done');
      assert.deepEqual([done['n_ok'], done['n_failed']], [1, 1]);
    });

    it('[P13] progress comes when asked for, with phase, fraction and metrics @slow', async () => {
      const slow = await peer.open({ delayMs: 800 });
      const request = step({ session_id: slow, progress: true });
      const begun = await peer.ask(request, 'progress');
      assert.deepEqual([begun['phase'], begun['fraction']], ['simulate', 0], 'when it has left the queue');
      const progress = await peer.next('progress');
      assert.deepEqual(
        [progress['re'], progress['step_id'], progress['phase']],
        [request.id, request.step_id, 'train'],
      );
      assert.ok((progress['fraction'] as number) > 0 && (progress['fraction'] as number) <= 1);
      assert.equal(typeof (progress['metrics'] as { loss: number }).loss, 'number');
      await peer.next('result');
      await peer.ask(step({ session_id: slow }), 'accepted');
      assert.equal((await peer.next()).t, 'result', 'and does not come otherwise');
    });

    it('[P13] progress has scores of the unfinished model at three points, even if they come fast', async () => {
      const quick = await peer.open({ delayMs: 20 });
      const request = step({ session_id: quick, progress: true });
      await peer.ask(request, 'accepted');
      const scored: Record<string, unknown>[] = [];
      for (;;) {
        const message = await peer.next();
        if (message.t === 'result') {
          const { gain } = message['scores'] as { gain: number };
          // the bandit is short of its gain by the share of the training that is left
          const early = scored.map(({ fraction, metrics }) => [fraction, (metrics as { gain: number }).gain]);
          assert.deepEqual(
            early,
            [0.25, 0.5, 0.75].map((fraction) => [fraction, gain - (1 - fraction)]),
          );
          const told = message['early_scores'] as { fraction: number; scores: { gain: number } }[];
          assert.deepEqual(
            told.map(({ fraction, scores }) => [fraction, scores.gain]),
            early,
            'the result has them too',
          );
          break;
        }
        if ((message['metrics'] as { gain?: number } | undefined)?.gain !== undefined) scored.push(message);
      }
    });
  });
}

describe('steps, ended early', () => {
  let server: EnvironmentServer;
  let peer: Peer;
  before(async () => {
    server = await startBanditServer({ limits: { max_in_flight: 3, queue_depth: 2 } });
    peer = await Peer.welcomed(server.url);
  });
  after(() => server.stop());

  const step = (session_id: string, step_id: string, fields: object = {}) => {
    return { t: 'step', id: step_id, session_id, step_id, reset: true, action: ACTION, ...fields };
  };

  it('[P9] a deadline ends a step that waits or runs, with one result', async () => {
    const session = await peer.open({ delayMs: 5000 });
    peer.send(step(session, 'runs', { deadline_ms: 300 }));
    peer.send(step(session, 'waits', { deadline_ms: 200 }));
    for (const expected of ['waits', 'runs']) {
      const result = await peer.next('result');
      assert.equal(result['step_id'], expected);
      assert.deepEqual([result['outcome'], result['reward'], result['observation']], ['deadline', null, [0, 0]]);
      assert.match(result['reason'] as string, /within [23]00 ms/);
    }
  });

  it('[P10] cancel ends a step that waits or runs, with one result; the worker goes on', async () => {
    const session = await peer.open({ delayMs: 1000 });
    peer.send(step(session, 'c1'));
    peer.send(step(session, 'c2'));
    await peer.next('accepted');
    await peer.next('accepted');
    const pids = workerPids(process.pid);
    assert.equal((await peer.ask({ t: 'cancel', id: 'x', session_id: session, step_id: 'c2' }))['state'], 'queued');
    assert.deepEqual([(await peer.next())['outcome']], ['cancelled']);
    assert.equal((await peer.ask({ t: 'cancel', id: 'x', session_id: session, step_id: 'c1' }))['state'], 'running');
    const result = await peer.next('result');
    assert.deepEqual([result['step_id'], result['outcome'], result['reward']], ['c1', 'cancelled', null]);
    assert.deepEqual(workerPids(process.pid), pids, 'it stopped when asked to, so nothing had to be killed');
    const late = await peer.ask({ t: 'cancel', id: 'x', session_id: session, step_id: 'c1' });
    assert.equal(late['state'], 'finished');
  });

  it('[P14] too many steps in flight, or waiting in the server, are refused for now', async () => {
    const session = await peer.open({ delayMs: 5000 });
    for (const id of ['q1', 'q2', 'q3']) assert.equal((await peer.ask(step(session, id))).t, 'accepted');
    const busy = await peer.ask(step(session, 'q4'));
    assert.deepEqual([busy['code'], busy['retryable'], busy['retry_after_ms']], ['BUSY', true, 1000]);
    const other = await peer.open();
    assert.equal((await peer.ask(step(other, 'q5')))['code'], 'QUEUE_FULL');
    peer.send({ t: 'close', id: 'bye', session_id: session });
    assert.equal((await peer.next('closed'))['re'], 'bye');
    await assert.rejects(peer.next(undefined, 200), /within 200 ms/, 'a closed session sends nothing more');
    assert.equal((await peer.ask(step(other, 'q5'), 'result'))['outcome'], 'ok');
  });

  it('[P12] a step that hangs counts once for the latest batch of many, and twice if it stands there twice', async () => {
    const session_id = await peer.open({ fault: 'hang' });
    const item = { step_id: 'hangs', action: [0, 0, 0, 0, 0, 0] };
    const batch = (id: number) => peer.ask({ t: 'step_batch', id, session_id, items: [item, item] }, 'accepted');
    for (let id = 0; id < 20; id++) await batch(id);
    peer.send({ t: 'cancel', id: 'cancel', session_id, step_id: item.step_id });
    await peer.next('result');
    assert.deepEqual(await peer.next(), { t: 'batch_done', re: 19, session_id, n_ok: 0, n_failed: 2 });
    assert.equal((await peer.ask({ t: 'ping', id: 0 })).t, 'pong', 'and no earlier batch is done');
  });

  it('[P14] one session cannot fill the queue: the last quarter is divided among all @slow', async () => {
    const fair = await startBanditServer({ limits: { queue_depth: 40, max_sessions: 5, max_in_flight: 100 } });
    const greedy = await Peer.welcomed(fair.url);
    const modest = await Peer.welcomed(fair.url);
    const accepted = async (who: Peer, count: number) => {
      const session = await who.open({ fault: 'hang' });
      let taken = 0;
      for (let i = 0; i < count; i++) if ((await who.ask(step(session, `${i}`))).t === 'accepted') taken++;
      return taken;
    };
    assert.equal(await accepted(greedy, 50), 31, 'one that runs, and three quarters of the queue');
    assert.equal(await accepted(modest, 50), 2);
    assert.equal(await accepted(modest, 1), 1);
    await fair.stop();
  });
});
