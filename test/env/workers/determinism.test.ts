import assert from 'node:assert/strict';
import { join } from 'node:path';
import { connect } from '../../../agents/client/client.ts';
import { evaluationSeeds } from '../../../env/evaluate.ts';
import { SoftwareRenderer } from '../../../env/render/software/software-renderer.ts';
import { drawSamples } from '../../../env/simulators/draw-samples.ts';
import { trafficSimulator } from '../../../env/simulators/traffic/traffic.ts';
import { actionSize, actionToTheta } from '../../../protocol/parameters.ts';
import { Random } from '../../../protocol/random.ts';
import { fingerprint } from '../../environments/fingerprint.ts';
import { startBanditServer } from '../server/bandit-server.ts';

describe('a data set @slow', () => {
  it('[P7] is the same to the last byte for (θ, seed), with 1 and with 2 workers and in any order', async () => {
    const simulator = trafficSimulator({ width: 64, height: 48, renderer: new SoftwareRenderer() });
    const random = new Random(11);
    const steps = Array.from({ length: 8 }, (_, seed) => ({
      action: Array.from({ length: actionSize(simulator.parameters) }, () => random.uniform(-1, 1)),
      seed,
    }));
    const expected: number[] = [];
    for (const { action, seed } of steps) {
      const theta = actionToTheta(simulator.parameters, action);
      expected.push(fingerprint(await drawSamples(simulator, theta, evaluationSeeds(seed).simulation, 4)));
    }
    assert.equal(new Set(expected).size, steps.length, 'different θ and seeds give different data sets');

    for (const workers of [1, 2]) {
      const environments = [join(import.meta.dirname, '../../environments/fingerprint.ts')];
      const server = await startBanditServer({ environments, workers });
      const client = await connect(server.url);
      const environment = await client.open({ env_id: 'Fingerprint-v0' });
      const order = workers === 1 ? steps : [...steps].reverse();
      const results = await Promise.all(order.map((step) => environment.evaluate(step)));
      const rewards = new Map(results.map(({ seed, reward }) => [seed, reward]));
      assert.deepEqual(
        steps.map(({ seed }) => rewards.get(seed)),
        expected,
        `with ${workers} workers`,
      );
      await client.close();
      await server.stop();
    }
  });
});
