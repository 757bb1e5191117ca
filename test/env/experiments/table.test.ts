import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { evaluate, evaluationSeeds, type EvaluationProgress } from '../../../env/evaluate.ts';
import { loadDefinition } from '../../../env/experiments/load.ts';
import type { Runtime } from '../../../env/runtime.ts';
import { DEFAULT_RUNTIME } from '../../../env/runtime.ts';
import { describeExperiment } from '../../../env/server/describe.ts';

describe('Table-v0', () => {
  const folder = mkdtempSync(join(tmpdir(), 'table-v0-'));
  const table = join(folder, 'x.csv');
  after(() => rmSync(folder, { recursive: true }));

  /** x from 0 to 1 in steps of .1, two evaluations each: x ± .01, except that 1 is infeasible. */
  const rows = Array.from({ length: 22 }, (_, i) => {
    const x = Math.floor(i / 2) / 10;
    const y = x + (i % 2 === 0 ? 0.01 : -0.01);
    return x === 1 ? `${x},infeasible,no such street,,,` : `${x},ok,,${y},${y / 2},${y / 4}`;
  });
  const header = 'theta.x,outcome,reason,scores.y,test_scores.y,early_scores.0.50.y';
  const description = {
    parameters: [{ name: 'x', low: 0, high: 1, default: 0.5 }],
    start: { x: 0.1 },
    metrics: [{ name: 'y', low: 0, high: 1 }],
  };
  function write(more: object = {}, text = [header, ...rows].join('\n')): void {
    writeFileSync(table, text);
    writeFileSync(join(folder, 'x.json'), JSON.stringify({ ...description, ...more }));
  }
  beforeEach(() => write());

  async function opened(options: object = {}, runtime: Runtime = { ...DEFAULT_RUNTIME, table }) {
    return describeExperiment(await loadDefinition('Table-v0'), { ...options }, runtime, undefined);
  }
  async function scored(x: number, seed: number, options: object = {}, progress?: EvaluationProgress[]) {
    const { experiment } = await opened(options);
    const request = { theta: { x }, seeds: evaluationSeeds(seed), test: true, earlyScores: progress !== undefined };
    return evaluate(experiment, request, { report: (one) => void progress?.push(one) });
  }

  it('gives one of the evaluations of the nearest θ, with its test and early scores', async () => {
    const seen = new Set<number>();
    for (let seed = 0; seed < 12; seed++) {
      const progress: EvaluationProgress[] = [];
      const { reward, testScores } = await scored(0.32, seed, {}, progress);
      seen.add(reward!);
      assert.deepEqual(testScores, { y: reward! / 2 });
      const early = progress.filter((one) => one.scored).map(({ fraction, metrics }) => ({ fraction, metrics }));
      assert.deepEqual(early, [{ fraction: 0.5, metrics: { y: reward! / 4 } }]);
    }
    assert.deepEqual([...seen].sort(), [0.29, 0.31]);
  });

  it('gives equal rewards for equal seeds', async () => {
    for (let seed = 0; seed < 4; seed++) {
      assert.equal((await scored(0.32, seed)).reward, (await scored(0.32, seed)).reward);
    }
  });

  it('takes a θ exactly, where that is asked for', async () => {
    assert.equal((await scored(0.3, 1, { lookup: 'exact' })).outcome, 'ok');
    const { outcome, reason } = await scored(0.32, 1, { lookup: 'exact' });
    assert.deepEqual([outcome, reason], ['infeasible', 'expected a θ that is in the table, got another one']);
  });

  it('fails as the table did', async () => {
    const { outcome, reason } = await scored(0.98, 1);
    assert.deepEqual([outcome, reason], ['infeasible', 'no such street']);
  });

  it('says with a surrogate what lies between, with the noise of the table and within the bounds of the metric', async () => {
    write({ surrogate: { lengths: [1], noise: 0.001 } });
    const rewards = await Promise.all(
      Array.from({ length: 60 }, async (_, seed) => (await scored(0.55, seed)).reward!),
    );
    const mean = rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
    const sd = Math.sqrt(rewards.reduce((sum, reward) => sum + (reward - mean) ** 2, 0) / (rewards.length - 1));
    assert.ok(Math.abs(mean - 0.55) < 0.01, `mean ${mean}`);
    // The unbiased standard deviation of two numbers that are .02 apart.
    assert.ok(Math.abs(sd - Math.SQRT2 * 0.01) < 0.002, `standard deviation ${sd}`);
    for (let seed = 0; seed < 12; seed++) {
      const { reward } = await scored(0, seed);
      assert.ok(reward! >= 0, `reward ${reward}`);
    }
  });

  it('gives the means of a θ where no noise is wanted, whatever the seed', async () => {
    const all = async (more: object, x: number) => {
      write(more);
      return Promise.all(
        [1, 2, 3, 4].map(async (seed) => {
          const progress: EvaluationProgress[] = [];
          const { reward, testScores } = await scored(x, seed, { noise: false }, progress);
          return [reward!, testScores!['y']!, progress.find((one) => one.scored)!.metrics!['y']!];
        }),
      );
    };
    const surrogate = { lengths: [1], noise: 1e-6 };
    for (const [more, x] of [
      [{}, 0.32],
      [{ surrogate }, 0.3],
    ] as const) {
      for (const scores of await all(more, x)) {
        scores.forEach((score, i) => assert.ok(Math.abs(score - [0.3, 0.15, 0.075][i]!) < 1e-3, `${scores.join()}`));
      }
    }
    assert.equal((await scored(1, 1, { noise: false })).outcome, 'infeasible', 'all of its evaluations were');
    for (const more of [{}, { surrogate }]) {
      write(more, [header, ...rows, '0.3,failed,lost,,,'].join('\n'));
      for (let seed = 0; seed < 8; seed++) {
        assert.equal((await scored(0.3, seed, { noise: false })).outcome, 'ok', 'two of its three evaluations were');
      }
    }
  });

  it('takes the mean of all evaluations of a θ as test score, where the table has none', async () => {
    const plain = ['x,y', '0.2,0.1', '0.2,0.3', '0.8,0.5'].join('\n');
    write({}, plain);
    for (let seed = 0; seed < 4; seed++) {
      const { reward, testScores } = await scored(0.2, seed);
      assert.ok([0.1, 0.3].includes(reward!), `reward ${reward}`);
      assert.deepEqual(testScores, { y: 0.2 });
    }
  });

  it('is another environment where the table or its description is another', async () => {
    const before = (await opened()).spec.spec_hash;
    write({}, [header, ...rows.slice(1)].join('\n'));
    const after = (await opened()).spec.spec_hash;
    write({ surrogate: { lengths: [1], noise: 0.1 } });
    assert.equal(new Set([before, after, (await opened()).spec.spec_hash]).size, 3);
  });

  it('says in a sentence what is missing', async () => {
    await assert.rejects(opened({}, DEFAULT_RUNTIME), /Table-v0: expected a table: npm run serve -- --table FILE/);
    await assert.rejects(
      scored(0.2, 1, { lookup: 'surrogate' }),
      /lookup surrogate: expected a table with a surrogate, got none; `npm run table -- --fit FILE` finds one/,
    );
  });
});
