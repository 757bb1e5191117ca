/**
 * The contract of an environment, on the one in this process and on the one behind a socket.
 *
 * A new kind passes it by a line in ENVIRONMENTS.
 */
import assert from 'node:assert/strict';
import { connect, type Client } from '../../agents/client/client.ts';
import { localEnvironment } from '../../env/environment.ts';
import { createExperiment } from '../../env/experiments/load.ts';
import { DEFAULT_RUNTIME } from '../../env/runtime.ts';
import type { EnvironmentServer } from '../../env/server/server.ts';
import type { Environment } from '../../protocol/environment.ts';
import { deriveSeed } from '../../protocol/random.ts';
import bandit, { OPTIMUM } from '../environments/bandit.ts';
import { startBanditServer } from './server/bandit-server.ts';

const OPTIONS = { noise: 0.2, fault: 'infeasible', faultAbove: 0.95 };
const SEED = 11;
const ACTION = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6];

let server: EnvironmentServer;
const clients: Client[] = [];

const ENVIRONMENTS: Record<string, () => Promise<Environment>> = {
  local: async () => localEnvironment(createExperiment(bandit, OPTIONS, DEFAULT_RUNTIME).experiment, SEED),
  'remote, msgpack': () => remote('msgpack'),
  'remote, JSON': () => remote('json'),
};

async function remote(protocol: 'msgpack' | 'json'): Promise<Environment> {
  const client = await connect(server.url, { protocol });
  clients.push(client);
  return client.open({ env_id: 'Bandit-v0', options: OPTIONS, seed: SEED });
}

describe('the contract', () => {
  after(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await server?.stop();
  });

  for (const [kind, make] of Object.entries(ENVIRONMENTS)) {
    describe(`an environment (${kind})`, () => {
      let environment: Environment;
      before(async () => {
        server ??= await startBanditServer();
        environment = await make();
      });

      it('[P3] reset gives zeros', async () => {
        assert.deepEqual((await environment.reset({ seed: 1 })).observation, [0, 0]);
      });

      it('[P3] an episode is one step, terminated and never truncated', async () => {
        await environment.reset({ seed: 1 });
        const { observation, reward, terminated, truncated, outcome, scores } = await environment.step({
          action: ACTION,
        });
        assert.deepEqual([terminated, truncated, outcome], [true, false, 'ok']);
        assert.deepEqual(observation, [scores['gain'], scores['distance']]);
        assert.equal(reward, scores['gain']);
      });

      it('[P3] a step on an ended episode is an error', async () => {
        await environment.reset();
        await environment.step({ action: ACTION });
        await assert.rejects(environment.step({ action: ACTION }), { code: 'NEEDS_RESET' });
      });

      it('[P4] a step with `reset: true` does not touch the episode of a reset', async () => {
        const [first, second] = [
          await environment.step({ action: ACTION, reset: true }),
          await environment.step({ action: ACTION, reset: true }),
        ];
        assert.notEqual(first.seed, second.seed);
      });

      it('[E3] a step that is refused does not end the episode', async () => {
        await environment.reset();
        await assert.rejects(environment.step({ action: [2, 0, 0, 0, 0, 0] }), { message: /expected -1\.\.1, got 2/ });
        await assert.rejects(environment.step({ action: ACTION, params: {} }), { message: /exactly one/ });
        assert.equal((await environment.step({ action: ACTION })).outcome, 'ok');
      });

      it('[R1] equal seeds give equal episodes, and a later episode another reward', async () => {
        const rollOut = async () => {
          await environment.reset({ seed: 5 });
          const first = await environment.step({ action: ACTION });
          await environment.reset();
          return [first, await environment.step({ action: ACTION })];
        };
        const [[a1, a2], [b1, b2]] = [await rollOut(), await rollOut()] as const;
        assert.deepEqual([a1!.reward, a2!.reward], [b1!.reward, b2!.reward]);
        assert.deepEqual([a1!.seed, a2!.seed], [deriveSeed(5, 'episode', 0), deriveSeed(5, 'episode', 1)]);
        assert.notEqual(a1!.reward, a2!.reward);
      });

      it('[P1] θ by name is evaluated, completed with its defaults', async () => {
        await environment.reset();
        const { theta, scores } = await environment.step({ params: { x: OPTIMUM.x } });
        assert.deepEqual(theta, { x: OPTIMUM.x, y: 0.1, weather: [0.25, 0.25, 0.25, 0.25] });
        // One decade off in y, and (.35, .05, .15, .15) off in weather: 1/18 + .17.
        assert.ok(Math.abs(scores['distance']! - (1 / 18 + 0.17)) < 1e-9);
      });

      it('[P6] an outcome other than ok has no reward, zeros, and a reason', async () => {
        await environment.reset();
        const { outcome, reward, observation, reason } = await environment.step({ params: { x: 0.99 } });
        assert.deepEqual([outcome, reward, observation, reason], ['infeasible', null, [0, 0], 'no such bandit']);
      });

      it('[P8] a test score comes with the reward, which stays the same', async () => {
        const request = { action: ACTION, seed: 3, reset: true };
        const [plain, tested] = [await environment.step(request), await environment.step({ ...request, test: true })];
        assert.equal(plain.test_scores, undefined);
        assert.equal(tested.reward, plain.reward);
        assert.notEqual(tested.test_scores!['gain'], tested.scores['gain']);
      });
    });
  }
});
