import assert from 'node:assert/strict';
import { evaluate, evaluationSeeds } from '../../env/evaluate.ts';
import { createExperiment, loadDefinition } from '../../env/experiments/load.ts';
import { DEFAULT_RUNTIME } from '../../env/runtime.ts';

describe('the example environment', () => {
  it('is served by its path, and its reward is best at its hidden slope', async () => {
    const { experiment } = createExperiment(await loadDefinition('./env/examples/line.ts'), {}, DEFAULT_RUNTIME);
    const reward = async (slope: number) => {
      const request = { theta: { slope }, seeds: evaluationSeeds(1), test: false };
      return (await evaluate(experiment, request)).reward!;
    };
    const [below, best, above] = [await reward(0.8), await reward(1.3), await reward(1.8)];
    assert.ok(best > below && best > above, `${below}, ${best}, ${above}`);
    assert.ok(best > -0.02, `noise alone is left: ${best}`);
  });
});
