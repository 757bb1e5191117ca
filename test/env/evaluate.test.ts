import assert from 'node:assert/strict';
import { evaluate, evaluationSeeds, type EvaluationProgress } from '../../env/evaluate.ts';
import { InfeasibleError } from '../../env/simulators/simulator.ts';
import type { Experiment } from '../../env/experiments/experiment.ts';
import { deriveSeed } from '../../protocol/random.ts';

/** Scores the mean of its samples, each a number from the seed alone. */
function experiment(replicates?: number, infeasibleFrom = Infinity): Experiment<number> {
  let drawn = 0;
  return {
    simulator: {
      name: 'numbers',
      version: 1,
      parameters: [],
      draw: (_, seed, index) => {
        if (++drawn > infeasibleFrom) throw new InfeasibleError('no more numbers');
        return deriveSeed(seed, index) / 2 ** 32;
      },
    },
    task: {
      name: 'mean',
      metrics: [{ name: 'mean', meaning: 'of the samples', low: 0, high: 1 }],
      reward: 'mean',
      train: (samples) => {
        const mean = samples.reduce((sum, x) => sum + x, 0) / samples.length;
        return Promise.resolve({ score: () => Promise.resolve({ mean, twice: 2 * mean }), dispose: () => {} });
      },
    },
    target: { name: 'none', validation: () => Promise.resolve([]), test: () => Promise.resolve([]) },
    trainingSamples: 10,
    start: {},
    ...(replicates !== undefined && { replicates }),
  };
}
const request = { theta: {}, seeds: evaluationSeeds(7), test: true };

describe('evaluate', () => {
  it('averages its replicates, each with samples of its own, the first with those of no replicates', async () => {
    const one = await evaluate(experiment(), request);
    const three = await evaluate(experiment(3), request);
    const expected = [0, 1, 2].map((index) => {
      const seed = index === 0 ? request.seeds.simulation : deriveSeed(request.seeds.simulation, 'replicate', index);
      return Array.from({ length: 10 }, (_, i) => deriveSeed(seed, i) / 2 ** 32).reduce((sum, x) => sum + x, 0) / 10;
    });
    const mean = expected.reduce((sum, x) => sum + x, 0) / 3;
    assert.ok(Math.abs(one.reward! - expected[0]!) < 1e-12);
    assert.ok(Math.abs(three.reward! - mean) < 1e-12);
    assert.ok(Math.abs(three.testScores!['twice']! - 2 * mean) < 1e-12);
  });

  it('ends with the outcome of a replicate that has no reward', async () => {
    const { outcome, reward, reason } = await evaluate(experiment(3, 15), request);
    assert.deepEqual([outcome, reward, reason], ['infeasible', null, 'no more numbers']);
  });

  it('tells the fraction of a phase over all replicates', async () => {
    const seen: EvaluationProgress[] = [];
    await evaluate(experiment(2), request, (progress) => seen.push(progress));
    const simulated = seen.filter(({ phase }) => phase === 'simulate').map(({ fraction }) => fraction);
    assert.deepEqual(simulated, [0, 0.5]);
  });
});
