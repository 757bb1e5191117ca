import assert from 'node:assert/strict';
import { evaluate, evaluationSeeds, type EvaluationProgress } from '../../env/evaluate.ts';
import { InfeasibleError } from '../../env/simulators/simulator.ts';
import type { Experiment } from '../../env/experiments/experiment.ts';
import type { TrainedModel } from '../../env/tasks/task.ts';
import { deriveSeed } from '../../protocol/random.ts';

/** Scores the mean of its samples, each a number from the seed alone. */
function experiment(replicates?: number, infeasibleFrom = Infinity): Experiment<number> {
  let drawn = 0;
  return {
    simulator: {
      name: 'numbers',
      version: 1,
      parameters: [],
      open: (_, seed) => ({
        draw: (index) => {
          if (++drawn > infeasibleFrom) throw new InfeasibleError('no more numbers');
          return deriveSeed(seed, index) / 2 ** 32;
        },
      }),
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
  it('averages its replicates, each with its own samples; the first has the samples of an evaluation without replicates', async () => {
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

  it('names the scores of a task that has no score for its reward', async () => {
    const whole = experiment();
    const misspelt = { ...whole, task: { ...whole.task, reward: 'maen' } };
    await assert.rejects(evaluate(misspelt, request), /mean: expected scores with maen, got mean, twice/);
  });

  it('refuses a score beyond the bounds of its metric, except by rounding, of validation and of test', async () => {
    const scoring = (validation: number, test: number): Experiment<number> => {
      const whole = experiment();
      const score = (set: readonly number[]) => Promise.resolve({ mean: set.length > 0 ? test : validation, twice: 9 });
      return {
        ...whole,
        task: { ...whole.task, train: () => Promise.resolve({ score, dispose: () => {} }) },
        target: { ...whole.target, test: () => Promise.resolve([1]) },
      };
    };
    assert.equal((await evaluate(scoring(1, 0), request)).outcome, 'ok');
    assert.equal((await evaluate(scoring(1 + 1e-12, -1e-12), request)).outcome, 'ok');
    const rule = /^Error: mean: expected mean from 0 to 1, as its metric says, got /;
    await assert.rejects(evaluate(scoring(1.4, 0), request), new RegExp(`${rule.source}1.4$`));
    await assert.rejects(evaluate(scoring(0.5, -0.1), request), new RegExp(`${rule.source}-0.1$`));
  });

  it('scores the unfinished model at three points when asked, only on validation, with the same final scores', async () => {
    const disposed: number[] = [];
    const learning = experiment();
    const slow: Experiment<number> = {
      ...learning,
      task: {
        ...learning.task,
        async train(samples, seeds, report) {
          for (let step = 1; step <= 10; step++) {
            const model = (): TrainedModel<number> => ({
              score: (set) => Promise.resolve({ mean: step + 100 * set.length }),
              dispose: () => disposed.push(step),
            });
            await report({ fraction: step / 10, loss: 1 / step, model });
          }
          return learning.task.train(samples, seeds, report);
        },
      },
      target: {
        name: 'some',
        validation: () => Promise.resolve(Array.from({ length: 120 }, (_, i) => i)),
        test: () => Promise.reject(new Error('nobody asked for the test set')),
      },
    };
    const told: EvaluationProgress[] = [];
    const asked = await evaluate(slow, { ...request, test: false, earlyScores: true }, { report: (p) => told.push(p) });
    const early = told.filter(({ scored }) => scored);
    // the first of ten steps after a quarter, a half and three quarters; 40 of the 120 validation samples
    assert.deepEqual(
      early.map(({ phase, fraction, metrics }) => [phase, fraction, metrics]),
      [3, 5, 8].map((step) => ['train', step / 10, { loss: 1 / step, mean: step + 4000 }]),
    );
    assert.deepEqual(disposed, [3, 5, 8]);
    const silent: EvaluationProgress[] = [];
    const plain = await evaluate(slow, { ...request, test: false }, { report: (p) => silent.push(p) });
    assert.deepEqual([plain.reward, plain.scores], [asked.reward, asked.scores]);
    assert.ok(silent.every(({ scored, metrics }) => !scored && metrics?.['mean'] === undefined));
  });

  it('reports no early score if a part of the validation set has nothing to score', async () => {
    const whole = experiment();
    const score = () => Promise.reject(new RangeError('no car'));
    const carless: Experiment<number> = {
      ...whole,
      task: {
        ...whole.task,
        async train(samples, seeds, report) {
          await report({ fraction: 0.5, model: () => ({ score, dispose: () => {} }) });
          return whole.task.train(samples, seeds, report);
        },
      },
    };
    const told: EvaluationProgress[] = [];
    const { outcome } = await evaluate(carless, { ...request, earlyScores: true }, { report: (p) => told.push(p) });
    assert.equal(outcome, 'ok');
    assert.ok(told.every(({ scored }) => !scored));
  });

  it('reports the fraction of a phase over all replicates', async () => {
    const seen: EvaluationProgress[] = [];
    await evaluate(experiment(2), request, { report: (progress) => seen.push(progress) });
    const firstOfPhase = seen.filter(({ phase }, i) => phase !== seen[i - 1]?.phase);
    assert.deepEqual(
      firstOfPhase.map(({ phase, fraction }) => [phase, fraction]),
      [
        ['simulate', 0],
        ['validate', 0],
        ['simulate', 0.5],
        ['validate', 0.5],
      ],
    );
  });

  it('opens the data set once for all samples, and takes samples that are promises', async () => {
    const whole = experiment();
    let opened = 0;
    const later: Experiment<number> = {
      ...whole,
      simulator: {
        ...whole.simulator,
        open: (theta, seed) => {
          opened++;
          const set = whole.simulator.open(theta, seed);
          return { draw: (index) => Promise.resolve(set.draw(index)) };
        },
      },
    };
    assert.equal((await evaluate(later, request)).reward, (await evaluate(whole, request)).reward);
    assert.equal(opened, 1);
  });
});

describe('evaluate, when its signal is aborted', () => {
  const reason = new Error('cancelled by its owner');
  /** Aborts in the first turn of the event loop that an evaluation leaves it. */
  const soon = () => {
    const abort = new AbortController();
    setImmediate(() => abort.abort(reason));
    return abort.signal;
  };

  it('ends at once while it simulates, and reports the simulation before', async () => {
    const whole = experiment();
    let drawn = 0;
    const long: Experiment<number> = {
      ...whole,
      trainingSamples: 4000,
      simulator: {
        ...whole.simulator,
        open: () => ({
          draw() {
            drawn++;
            let x = 0;
            for (let i = 0; i < 300_000; i++) x = Math.sqrt(x + i); // about a millisecond
            return x;
          },
        }),
      },
    };
    const told: EvaluationProgress[] = [];
    await assert.rejects(evaluate(long, request, { signal: soon(), report: (p) => told.push(p) }), reason);
    assert.ok(drawn < 400, `${drawn} drawn`);
    assert.ok(told.length >= 2 && told.every(({ phase }) => phase === 'simulate'));
    assert.ok(told.at(-1)!.fraction > 0);
  });

  it('ends in training at the next report', async () => {
    const whole = experiment();
    let steps = 0;
    const long: Experiment<number> = {
      ...whole,
      task: {
        ...whole.task,
        async train(samples, seeds, report) {
          for (; steps < 1000; steps++) {
            await new Promise(setImmediate);
            await report({ fraction: steps / 1000 });
          }
          return whole.task.train(samples, seeds, report);
        },
      },
    };
    await assert.rejects(evaluate(long, request, { signal: soon() }), reason);
    assert.ok(steps <= 2, `${steps} steps`);
  });

  it('ends while it draws a set for scoring, and disposes of the model', async () => {
    const whole = experiment();
    let disposed = 0;
    const long: Experiment<number> = {
      ...whole,
      task: {
        ...whole.task,
        train: () => Promise.resolve({ score: () => Promise.resolve({ mean: 0 }), dispose: () => disposed++ }),
      },
      target: {
        ...whole.target,
        test: (signal) =>
          new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason as Error))),
      },
    };
    await assert.rejects(evaluate(long, request, { signal: soon() }), reason);
    assert.equal(disposed, 1);
  });
});
