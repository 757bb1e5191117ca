import assert from 'node:assert/strict';
import { rankCorrelation, replicatesFor, singleSeedAgreement, variances } from '../../../scripts/noise/analysis.ts';
import { noiseReport } from '../../../scripts/noise/report.ts';
import { Random } from '../../../protocol/random.ts';

function close(actual: number, expected: number, by = 1e-9): void {
  assert.ok(Math.abs(actual - expected) < by, `expected ${expected}, got ${actual}`);
}

describe('variances', () => {
  it('splits the differences into those from seeds and those from θ', () => {
    // Within: variances 2 and 8, mean 5.
    const v = variances([
      [0, 2],
      [5, 9],
    ]);
    close(v.within, 5);
    // Seed means 2.5 and 5.5; residuals ±.5 in each of 4 places, over 1 · 1 degrees of freedom.
    close(v.withinCommon, 1);
    // Means 1 and 7, variance 18, of which 1 / 2 is noise: what a seed does to all θ is not in it.
    close(v.between, 17.5);
    close(v.reliability, 17.5 / 22.5);
  });

  it('finds the variances of drawn rewards, and no noise on common seeds if a seed shifts all θ alike', () => {
    const random = new Random(1);
    const shift = Array.from({ length: 30 }, () => random.normal(0, 2));
    const alike = Array.from({ length: 200 }, () => random.normal(0, 3)).map((theta) => shift.map((s) => theta + s));
    const v = variances(alike);
    close(v.withinCommon, 0);
    close(v.between, 9, 2);
    const thetaOnly = alike.map(([first]) => [first!, first!]);
    close(v.between, variances(thetaOnly).between, 1e-9);
    const apart = alike.map((row) => row.map((reward, j) => reward - shift[j]! + random.normal(0, 2)));
    close(variances(apart).within, 4, 0.3);
    close(variances(apart).withinCommon, 4, 0.3);
  });

  it('requires two θ and the same two seeds', () => {
    assert.throws(() => variances([[1, 2]]), /expected at least 2 θ/);
    assert.throws(() => variances([[1, 2], [1]]), /the same 2 or more seeds/);
  });
});

describe('rank agreement', () => {
  it('is 1, −1 and 0.5 in known cases, on any scale', () => {
    close(rankCorrelation([1, 2, 30], [2, 4, 5]), 1);
    close(rankCorrelation([1, 2, 3], [9, 8, -7]), -1);
    close(rankCorrelation([1, 2, 3], [1, 3, 2]), 0.5); // 1 − 6 · (0 + 1 + 1) / (3 · 8)
  });

  it('gives equal values equal ranks', () => {
    close(rankCorrelation([1, 1, 2], [1, 1, 2]), 1);
    assert.ok(Number.isNaN(rankCorrelation([1, 1], [1, 2])));
  });

  it('compares one seed with the mean of the other seeds', () => {
    // Seed 0 alone ranks 1, 2, 3; seed 1, its judge, the other way round, and vice versa.
    const rewards = [
      [1, 3],
      [2, 2],
      [3, 1],
    ];
    close(singleSeedAgreement(rewards, rewards), -1);
  });
});

describe('replicatesFor', () => {
  it('averages until nine tenths of the variance come from θ', () => {
    assert.equal(replicatesFor({ within: 1, between: 9 }), 1);
    assert.equal(replicatesFor({ within: 1, between: 1 }), 9);
    assert.equal(replicatesFor({ within: 1, between: -0.1 }), 99);
  });
});

describe('noiseReport', () => {
  const clear = [1, 2, 3, 4].map((theta) => [theta, theta + 0.1]);
  const measured = (rewards: (number | null)[][], seconds: number, steps: number) => ({
    rewards,
    scores: rewards.map((row) => row.map((m): Record<string, number> => (m === null ? {} : { m, against: -m }))),
    seconds,
    options: { steps, width: 96 },
  });
  const report = (short: (number | null)[][]) =>
    noiseReport({
      title: 'E',
      metric: 'm',
      command: 'c',
      full: measured(clear, 4, 100),
      short: [measured(short, 2, 40), measured(clear, 1, 10)],
    });

  it('recommends the short evaluation if it ranks as well, and names the options that differ', () => {
    const text = report(clear);
    assert.match(text, /^- steps 40 of 100: search with it: it is 2\.0 times as fast .* nearly as well \(1\.00 /m);
    assert.match(text, /^- steps 10 of 100: search with it: it is 4\.0 times as fast .* of the means: 1\.00\.$/m);
    assert.match(text, /^\| full \| 4\.0 .*\n\| steps 40 of 100 \| 2\.0 .*\n\| steps 10 of 100 \| 1\.0 /m);
    assert.match(text, /take 100 % off/);
  });

  it('recommends the full evaluation if the short one ranks worse', () => {
    assert.match(report([...clear].reverse()), /^- steps 40 of 100: it is 2\.0 times .*, but ranks worse \(-1\.00 /m);
  });

  it('says how well the reward ranks θ for the other scores', () => {
    assert.match(report(clear), /^\| against \| 1\.00 \| 1\.00 \| -1\.00 \| -1\.00 \|$/m);
    assert.doesNotMatch(report(clear), /^\| m \|/m);
  });

  it('leaves out θ without a reward, and says so when too few are left', () => {
    assert.match(report([[null, 1], ...clear.slice(1)]), /3 random θ × 2 seeds; 1 θ without a reward/);
    assert.throws(() => report([[null, 1], [1, null], ...clear.slice(2)]), /expected at least 3 θ.*got 2/);
  });
});
