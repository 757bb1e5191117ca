import assert from 'node:assert/strict';
import { columnsOf, flatTheta, namedTheta, parametersOf } from '../../../../env/server/dashboard/analysis/columns.ts';
import { importances, kernelDensity, pearson, shares } from '../../../../env/server/dashboard/analysis/importance.ts';
import { contest, noiseOf, thetaGroups } from '../../../../env/server/dashboard/analysis/noise.ts';
import { purposeOf, runName } from '../../../../env/server/dashboard/analysis/run-data.ts';
import { groupRuns, searchRewards } from '../../../../env/server/dashboard/analysis/run-groups.ts';
import { smoothLine, smoothMap } from '../../../../env/server/dashboard/analysis/smooth.ts';
import { quantile, upperTail } from '../../../../protocol/student.ts';
import {
  bestSoFar,
  movingMean,
  movingSpread,
  stepsOf,
  thinned,
} from '../../../../env/server/dashboard/analysis/thin.ts';
import { Random } from '../../../../protocol/random.ts';
import { number, testRun, type TestEvaluation } from './run.ts';

const near = (actual: number, expected: number, tolerance: number) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `expected ${expected} ± ${tolerance}, got ${actual}`);

describe('θ as columns', () => {
  const parameters = [
    number('x'),
    { name: 'weather', meaning: '', kind: 'simplex', labels: ['dry', 'wet'], unit: 'probability' },
    { name: 'lit', meaning: '', kind: 'boolean' },
    { name: 'road', meaning: '', kind: 'categorical', choices: ['wide', 'narrow'] },
  ];
  const theta = { x: 1 / 3, weather: [0.25, 0.75], lit: true, road: 'narrow' };

  it('has a column for each parameter of any kind, and for each label of a simplex', () => {
    const columns = columnsOf(parameters);
    assert.deepEqual(
      columns.map(({ name }) => name),
      ['x', 'weather.dry', 'weather.wet', 'lit', 'road'],
    );
    const flat = flatTheta(columns, theta);
    assert.deepEqual(flat, [0.333333, 0.25, 0.75, true, 'narrow']);
    assert.deepEqual(namedTheta(columns, flat), { ...theta, x: 0.333333 });
    const data = testRun(parameters, [{ theta: flat, reward: 1 }]);
    assert.deepEqual(
      columns.map((_, i) => data.valuesOf(i)[0]),
      [0.333333, 0.25, 0.75, 1, 1],
    );
    assert.deepEqual(data.shares(4), [1]);
  });

  it('is made of θ itself where nothing else is known', () => {
    const columns = columnsOf(parametersOf(theta));
    assert.deepEqual(flatTheta(columns, theta), [0.333333, 0.25, 0.75, true, 'narrow']);
    assert.deepEqual(
      flatTheta(columns, {}),
      columns.map(() => NaN),
      'a θ of another environment has none of them',
    );
  });
});

describe('Student’s t', () => {
  it('has the quantiles of its tables', () => {
    for (const [tail, df, t] of [
      [0.025, 1, 12.706],
      [0.025, 2, 4.303],
      [0.025, 12, 2.179],
      [0.005, 10, 3.169],
      [0.05, 120, 1.658],
      [0.0005, 5, 6.869],
    ] as const) {
      near(quantile(tail, df), t, 5e-4);
      near(upperTail(t, df), tail, tail * 1e-2);
    }
    near(quantile(0.025, 1e6), 1.95996, 1e-4);
  });
});

describe('importance (PED-ANOVA)', () => {
  it('is the Pearson divergence of the best from all', () => {
    // p is 0 on half of q, and double on the other half.
    assert.equal(pearson([0, 1], [0.5, 0.5]), 1);
    assert.equal(pearson([0.5, 0.5], [0.5, 0.5]), 0);
    near(pearson([0, 0, 1], [1 / 3, 1 / 3, 1 / 3]), 2, 1e-12);
    assert.deepEqual(shares([0, 0, 1], 2), [2.5 / 4, 1.5 / 4]);
  });

  it('is known where θ is uniform and the reward depends on one parameter alone', () => {
    // The best tenth lies in the highest tenth of x: its divergence from all is 1 / .1 − 1 = 9, that of y is 0.
    const random = new Random(7);
    const points = Array.from({ length: 4000 }, () => [random.uniform(0, 1), random.uniform(0, 1)] as const);
    const best = [...points].sort((a, b) => b[0] - a[0]).slice(0, 400);
    const divergence = (axis: 0 | 1) =>
      pearson(
        kernelDensity(
          best.map((point) => point[axis]),
          50,
        ),
        kernelDensity(
          points.map((point) => point[axis]),
          50,
        ),
      );
    near(divergence(0), 9, 0.9);
    near(divergence(1), 0, 0.1);
    const [first, second] = importances(
      testRun(
        [number('x'), number('y')],
        points.map((theta) => ({ theta, reward: theta[0] })),
      ),
    );
    assert.equal(first!.column, 0);
    assert.ok(first!.share > 0.97 && first!.share > first!.chance, 'x decides all');
    assert.ok(second!.share < 0.03 && second!.share < 2 * second!.chance, 'y is no more than chance');
  });

  it('is that of the search: its winner, evaluated again and again, counts once', () => {
    const random = new Random(5);
    const found = Array.from({ length: 40 }, () => ({ theta: [random.uniform(0, 1)], reward: random.normal() }));
    const again = Array.from({ length: 20 }, (_, i) => ({
      theta: [0.5],
      reward: 9,
      step_id: `id/after-40/learned/${i}`,
    }));
    assert.deepEqual(
      importances(testRun([number('x')], [...found, ...again])),
      importances(testRun([number('x')], found)),
    );
  });

  it('is known exactly for choices: 1 of 2 against 1 of 3', () => {
    const random = new Random(3);
    const choice = (count: number) => String(random.integer(count));
    const kinds = [
      { name: 'two', meaning: '', kind: 'categorical', choices: ['0', '1'] },
      { name: 'three', meaning: '', kind: 'categorical', choices: ['0', '1', '2'] },
    ];
    // The best sixth has the last choice of both: divergences of 1 and 2.
    const evaluations = Array.from({ length: 6000 }, (): TestEvaluation => {
      const theta = [choice(2), choice(3)];
      return { theta, reward: 10 * Number(theta[0]) + Number(theta[1]) };
    });
    const [first, second] = importances(testRun(kinds, evaluations), 1 / 6.6);
    assert.deepEqual([first!.column, second!.column], [1, 0]);
    near(first!.share, 2 / 3, 0.03);
    near(second!.share, 1 / 3, 0.03);
  });

  it('says nothing of few evaluations', () => {
    assert.deepEqual(importances(testRun([number('x')], [{ theta: [0.5], reward: 1 }])), []);
  });
});

describe('noise', () => {
  const repeated = (theta: number, rewards: readonly number[]): TestEvaluation[] =>
    rewards.map((reward) => ({ theta: [theta], reward }));

  it('is pooled over the θ that were evaluated with several seeds', () => {
    const data = testRun(
      [number('x')],
      [...repeated(0.1, [1, 3]), ...repeated(0.5, [10, 10, 13]), ...repeated(0.9, [7])],
    );
    // Squares about the means: 1 + 1, and 1 + 1 + 4; degrees of freedom: 1 + 2.
    const noise = noiseOf(data)!;
    near(noise.sd, Math.sqrt(8 / 3), 1e-12);
    assert.deepEqual([noise.df, noise.from], [3, 'repeats']);
    assert.deepEqual(
      thetaGroups(data).map(({ rows, mean }) => [rows, mean]),
      [
        [[0, 1], 2],
        [[2, 3, 4], 11],
        [[5], 7],
      ],
    );
  });

  it('is estimated from neighbours where no θ was repeated, and is undefined where there are few', () => {
    const random = new Random(5);
    const sd = 0.2;
    const evaluations = Array.from({ length: 400 }, (): TestEvaluation => {
      const x = random.uniform(0, 1);
      return { theta: [x], reward: 2 * x + random.normal(0, sd) };
    });
    const noise = noiseOf(testRun([number('x')], evaluations))!;
    assert.equal(noise.from, 'neighbours');
    near(noise.sd, sd, 0.03);
    assert.equal(noiseOf(testRun([number('x')], evaluations.slice(0, 7))), undefined);
  });

  it('tells which θ cannot be told from the best: by Bonferroni over their number', () => {
    const data = testRun(
      [number('x')],
      [
        ...repeated(0.1, [10, 12]),
        ...repeated(0.2, [9, 11]),
        ...repeated(0.3, [3, 5]),
        ...repeated(0.4, [8.5]),
        { theta: [0.5], reward: null },
      ],
    );
    const groups = thetaGroups(data);
    const noise = noiseOf(data, groups)!;
    near(noise.sd, Math.SQRT2, 1e-12);
    const { ranking, tied } = contest(groups, noise);
    // t = 5.39 for a tail of .05 / 3 and 3 degrees of freedom … the θ once evaluated has the wider margin.
    const margin = (n: number) => quantile(0.05 / 3, 3) * Math.SQRT2 * Math.sqrt(1 / 2 + 1 / n);
    assert.ok(11 - 4 > margin(2) && 11 - 8.5 < margin(1), 'the case is one that tells');
    assert.deepEqual(
      ranking.map(({ mean }) => mean),
      [11, 10, 8.5, 4],
    );
    assert.equal(tied, 3);
    near(ranking[0]!.half, (quantile(0.025, 3) * Math.SQRT2) / Math.SQRT2, 1e-9);
    assert.deepEqual(contest([], undefined), { ranking: [], tied: 0 });
  });
});

describe('smoothing', () => {
  it('finds the line and the plane under the noise, and says nothing where nothing was evaluated', () => {
    const random = new Random(11);
    const points = Array.from({ length: 3000 }, () => {
      const [x, y] = [random.uniform(0, 0.5), random.uniform(0, 1)];
      return [x, y, x + 2 * y + random.normal(0, 0.1)] as const;
    });
    const line = smoothLine(points.map(([x, , reward]) => [x, reward] as const));
    assert.ok(
      line.every(({ x }) => x < 0.6),
      'nothing beyond the points',
    );
    for (const { x, mean } of line.filter((point) => point.x > 0.05 && point.x < 0.45)) near(mean, x + 1, 0.1);
    const cells = 20;
    const map = smoothMap(points, cells);
    near(map[10 * cells + 4]!, 0.225 + 2 * 0.525, 0.1);
    assert.ok(Number.isNaN(map[10 * cells + 19]!), 'no evaluation is near');
    assert.deepEqual(smoothLine([[0.5, 1]]), []);
  });
});

describe('fewer of many', () => {
  it('keeps the first and the last, the steps of the best so far, and the mean of the latest', () => {
    assert.deepEqual(thinned(3, 5), [0, 1, 2]);
    assert.deepEqual(thinned(101, 3), [0, 50, 100]);
    const best = bestSoFar([NaN, 1, 0, 3, 2, 3]);
    assert.deepEqual(best, [NaN, 1, 1, 3, 3, 3]);
    assert.deepEqual(stepsOf(best), [1, 3, 5]);
    assert.deepEqual(movingMean([1, NaN, 3, 5], 2), [1, 1, 3, 4]);
    // Of 1 and 3: mean 2, variance (1 + 1) / 1.
    assert.deepEqual(movingSpread([1, 3, NaN, 5, 5, 1], 2), [NaN, Math.SQRT2, NaN, NaN, 0, Math.sqrt(8)]);
  });
});

describe('runs', () => {
  it('know what an evaluation was for, as the agents here name them', () => {
    assert.equal(purposeOf('a1b2/search/12'), 'search');
    assert.equal(purposeOf('a1b2/after-64/finalist/0/1'), 'finalist');
    assert.equal(purposeOf('a1b2/start/0'), 'report');
    assert.equal(purposeOf('a1b2/after-64/learned/2'), 'report');
    assert.equal(purposeOf('anything'), 'search');
  });

  it('take a row once, however often it comes', () => {
    const data = testRun([number('x')], [{ theta: [0.5], reward: 1 }]);
    data.add(data.rows);
    assert.deepEqual([data.rows.length, data.seq, data.best()], [1, 1, 0]);
    data.addNotes([{ number: 4, evaluations: 1 }]);
    data.addNotes([
      { number: 4, evaluations: 1 },
      { number: 6, evaluations: 2 },
    ]);
    assert.deepEqual([data.notes.length, data.note], [2, 6]);
  });

  it('are one group where they differ in their seed alone', () => {
    const run = (agent: string | undefined, options: Record<string, unknown>) =>
      testRun(
        [number('x')],
        [
          { theta: [0.5], reward: null },
          { theta: [0.5], reward: 2 },
        ],
        {
          run: '0123456789',
          ...(agent !== undefined && { about: { agent, options } }),
        },
      );
    const all = [
      run('cem', { seed: 1, sigma: 1 }),
      run('cem', { sigma: 1, seed: 2, url: 'ws://127.0.0.1:9' }),
      run('cem', { seed: 1, sigma: 2 }),
      run('random', { seed: 1 }),
      run(undefined, {}),
    ];
    assert.deepEqual(
      groupRuns(all).map(({ name, runs }) => [name, runs.length]),
      [
        ['cem (sigma 1)', 2],
        ['cem (sigma 2)', 1],
        ['random', 1],
        ['unnamed 01234567', 1],
      ],
    );
    assert.deepEqual(searchRewards(all[0]!), [null, 2]);
    assert.match(runName(all[1]!.description), /^cem, seed 2 · Test-v0 · /);
  });
});
