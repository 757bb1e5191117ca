/** Checks what a server must do with environments and steps, rule by rule. */
import assert from 'node:assert/strict';
import { actionSize, actionToTheta, thetaToAction, type Parameter, type Theta } from '../parameters.ts';
import { deriveSeed } from '../random.ts';
import type { ServerMessages } from '../messages.ts';
import type { Check } from './context.ts';

/** The lowest or highest integer, false or true, the first or last choice; otherwise the default. */
function extreme(parameter: Parameter, end: number): Theta[string] {
  switch (parameter.kind) {
    case 'integer':
      return end < 0 ? parameter.low : parameter.high;
    case 'boolean':
      return end > 0;
    case 'categorical':
      return parameter.choices.at(end < 0 ? 0 : -1)!;
    case 'continuous':
    case 'simplex':
      return parameter.default;
  }
}

export const stepChecks: readonly Check[] = [
  {
    rules: ['S1', 'S2'],
    title: 'opened describes the environment: spaces, parameters, metrics that fit each other',
    run: async (context) => {
      const { opened } = await context.opened();
      const { spec, seed } = opened;
      const size = actionSize(spec.parameters);
      assert.equal(seed, 7);
      assert.deepEqual(spec.spaces.action.shape, [size]);
      assert.deepEqual([...new Set(spec.spaces.action.low), ...new Set(spec.spaces.action.high)], [-1, 1]);
      assert.deepEqual(
        spec.spaces.observation.names,
        spec.metrics.map(({ name }) => name),
      );
      assert.ok(spec.metrics.some(({ name }) => name === spec.reward.metric));
      const again = await context.opened({ options: spec.options });
      assert.equal(again.opened.spec.spec_hash, spec.spec_hash, 'complete options are the same options');
    },
  },
  {
    rules: ['S2'],
    title: 'unknown options and unknown environments are refused',
    run: async (context) => {
      const peer = await context.welcomed();
      const open = { t: 'open', id: 1, env_id: context.target.envId };
      assert.equal((await peer.refused({ ...open, options: { 'no such option': 1 } })).code, 'BAD_OPTIONS');
      assert.equal((await peer.refused({ ...open, env_id: 'no-such-environment' })).code, 'ENV_NOT_FOUND');
    },
  },
  {
    rules: ['P3'],
    title: 'an episode is one step: reset, step, and then NEEDS_RESET',
    run: async (context) => {
      const { peer, opened } = await context.opened();
      const plain = () => context.step(opened, { reset: undefined });
      assert.equal((await peer.refused(plain())).code, 'NEEDS_RESET');
      const { session_id } = opened;
      const reset = await peer.ask({ t: 'reset', id: 1, session_id, seed: 8 }, 'reset_done');
      assert.deepEqual(
        reset.observation,
        opened.spec.metrics.map(() => 0),
      );
      assert.equal((await peer.ask(plain(), 'result')).seed, deriveSeed(8, 'episode', 0));
      assert.equal((await peer.refused(plain())).code, 'NEEDS_RESET');
    },
  },
  {
    rules: ['P5', 'P6', 'P7', 'R4'],
    title: 'a step is accepted once and has one result: score, decoded θ, seeds',
    run: async (context) => {
      const { peer, opened } = await context.opened();
      const step = context.step(opened, { seed: 3, seeds: { order: 11 } });
      const accepted = await peer.ask(step, 'accepted');
      assert.deepEqual(accepted.steps, [{ step_id: step.step_id, state: 'queued' }]);
      const result = (await peer.next()) as unknown as ServerMessages['result'];
      assert.deepEqual([result.t, result.re, result.step_id, result.seq], ['result', step.id, step.step_id, 1]);
      assert.deepEqual(result.theta, actionToTheta(opened.spec.parameters, step.action));
      const derived = { simulation: deriveSeed(3, 'simulation'), initialisation: deriveSeed(3, 'initialisation') };
      assert.deepEqual(result.seeds, { ...derived, order: 11 });
      if (result.outcome === 'ok') {
        assert.equal(result.reward, result.scores[opened.spec.reward.metric]);
        assert.deepEqual(
          result.observation,
          opened.spec.metrics.map(({ name }) => result.scores[name]),
        );
      } else {
        assert.deepEqual([result.reward, result.scores, typeof result.reason], [null, {}, 'string']);
      }
      await peer.silent();
    },
  },
  {
    rules: ['R4', 'R5'],
    title:
      'integers, booleans and choices stand in θ as they were given: by name, by their action, by the ends of the box',
    run: async (context) => {
      const { peer, opened } = await context.opened();
      const { parameters } = opened.spec;
      const jump = parameters.filter(({ kind }) => kind !== 'continuous' && kind !== 'simplex');
      if (jump.length === 0) return;
      const thetaOf = async (fields: object) => {
        const { theta } = await peer.ask(context.step(opened, fields), 'result');
        return jump.map(({ name }) => theta[name]);
      };
      for (const end of [-1, 1]) {
        const box = Array<number>(actionSize(parameters)).fill(end);
        const atEnd = actionToTheta(parameters, box);
        assert.deepEqual(
          await thetaOf({ action: box }),
          jump.map(({ name }) => atEnd[name]),
        );
        const params = Object.fromEntries(jump.map((p) => [p.name, extreme(p, end)]));
        assert.deepEqual(await thetaOf({ action: undefined, params }), Object.values(params));
        assert.deepEqual(await thetaOf({ action: thetaToAction(parameters, params) }), Object.values(params));
      }
    },
  },
  {
    rules: ['P4', 'P7', 'R1', 'R3'],
    title: 'many steps in flight: each its own result, seeds in the order of acceptance, equal ones to equal rewards',
    run: async (context) => {
      const { peer, opened } = await context.opened();
      const steps = Array.from({ length: 12 }, (_, i) => context.step(opened, i % 3 === 0 ? { seed: 5 } : {}));
      steps.forEach((step) => peer.send(step));
      const results = new Map<unknown, ServerMessages['result']>();
      while (results.size < steps.length) {
        const result = (await peer.next('result')) as unknown as ServerMessages['result'];
        results.set(result.step_id, result);
      }
      const inOrder = steps.map(({ step_id }) => results.get(step_id)!);
      assert.deepEqual(
        inOrder.map(({ seed }) => seed),
        steps.map((_, i) => (i % 3 === 0 ? 5 : deriveSeed(7, 'episode', i))),
      );
      assert.equal(new Set(inOrder.filter((_, i) => i % 3 === 0).map(({ reward }) => reward)).size, 1);
      const { theta: params, seeds, reward } = inOrder[1]!;
      assert.equal(
        (await peer.ask(context.step(opened, { action: undefined, params, seeds }), 'result')).reward,
        reward,
      );
    },
  },
  {
    rules: ['P8'],
    title: 'the test set is scored on request, beside the same reward, and counted',
    run: async (context) => {
      const { peer, opened } = await context.opened();
      const plain = await peer.ask(context.step(opened, { seed: 3 }), 'result');
      const tested = await peer.ask(context.step(opened, { seed: 3, test: true }), 'result');
      assert.equal(plain.test_scores, undefined);
      assert.deepEqual([tested.reward, tested.test_evaluations], [plain.reward, plain.test_evaluations + 1]);
      if (tested.outcome === 'ok') assert.ok(opened.spec.reward.metric in tested.test_scores!);
    },
  },
  {
    rules: ['P10'],
    title: 'cancel is answered, and the step ends with its one result',
    run: async (context) => {
      const { peer, opened } = await context.opened();
      const { session_id } = opened;
      const steps = Array.from({ length: 6 }, () => context.step(opened));
      steps.forEach((step) => peer.send(step));
      const { step_id } = steps.at(-1)!;
      peer.send({ t: 'cancel', id: 'cancel', session_id, step_id });
      const seen: unknown[] = [];
      let cancelling = 0;
      while (seen.length < steps.length || cancelling === 0) {
        const message = await peer.next('result', 'cancelling');
        if (message.t === 'cancelling') cancelling++;
        else seen.push(message['step_id']);
        if (message['outcome'] === 'cancelled') assert.equal(message['step_id'], step_id);
      }
      assert.equal(new Set(seen).size, steps.length);
      assert.equal((await peer.refused({ t: 'cancel', id: 1, session_id, step_id: 'never' })).code, 'STEP_NOT_FOUND');
      await peer.silent();
    },
  },
  {
    rules: ['P11'],
    title: 'the same step again is replayed with the same result; another under its id is a conflict',
    run: async (context) => {
      const { peer, opened } = await context.opened();
      const step = context.step(opened);
      const first = await peer.ask(step, 'result');
      const accepted = await peer.ask({ ...step, id: 'again' }, 'accepted');
      assert.equal(accepted.steps[0]!.state, 'replayed');
      assert.deepEqual(await peer.next('result'), { ...first, re: 'again', replayed: true });
      assert.equal((await peer.refused({ ...step, seed: 1 })).code, 'STEP_ID_CONFLICT');
    },
  },
  {
    rules: ['P12'],
    title: 'a batch: each item its result or its error, then the count',
    run: async (context) => {
      const { peer, opened } = await context.opened();
      const items = Array.from({ length: 8 }, () => {
        const { step_id, action } = context.step(opened);
        return { step_id, action };
      });
      const bad = { step_id: 'bad', action: [] };
      peer.send({ t: 'step_batch', id: 'batch', session_id: opened.session_id, items: [...items, bad] });
      const ended = new Set<unknown>();
      let errors = 0;
      let done = await peer.next('result', 'error', 'batch_done');
      for (; done.t !== 'batch_done'; done = await peer.next('result', 'error', 'batch_done')) {
        assert.equal(done['re'], 'batch');
        if (done.t === 'error') assert.deepEqual([done['step_id'], ++errors], ['bad', 1]);
        else ended.add(done['step_id']);
      }
      assert.equal(ended.size, items.length);
      assert.equal((done['n_ok'] as number) + (done['n_failed'] as number), items.length + 1);
    },
  },
];
