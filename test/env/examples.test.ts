import assert from 'node:assert/strict';
import { evaluate, evaluationSeeds } from '../../env/evaluate.ts';
import { createExperiment, loadDefinition } from '../../env/experiments/load.ts';
import { DEFAULT_RUNTIME } from '../../env/runtime.ts';

describe('the example environments', () => {
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

  it('have every kind of parameter, and each of them matters', async () => {
    const { experiment } = createExperiment(await loadDefinition('./env/examples/dice.ts'), {}, DEFAULT_RUNTIME);
    const kinds = experiment.simulator.parameters.map(({ kind }) => kind);
    assert.deepEqual(kinds.sort(), ['boolean', 'categorical', 'continuous', 'integer', 'simplex']);
    const hidden = { dice: 4, die: 'octahedron', bestOfTwo: true, bonus: 3, luck: [0.1, 0.7, 0.2] };
    const reward = async (change: object) => {
      const request = { theta: { ...hidden, ...change }, seeds: evaluationSeeds(1), test: false };
      return (await evaluate(experiment, request)).reward!;
    };
    const best = await reward({});
    const changes = [
      { dice: 3 },
      { dice: 5 },
      { die: 'cube' },
      { die: 'icosahedron' },
      { bestOfTwo: false },
      { bonus: 0 },
    ];
    for (const change of [...changes, { luck: [0.5, 0, 0.5] }]) {
      const other = await reward(change);
      assert.ok(other < best - 0.02, `${JSON.stringify(change)}: ${other}, ${best}`);
    }
  });
});
