import assert from 'node:assert/strict';
import {
  devianceExplained,
  LEAST_EXPLAINED,
  LEAST_MEAN,
  meanL1,
  poissonDeviance,
} from '../../../../env/tasks/counting/deviance.ts';

function close(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-6, `expected ${expected}, got ${actual}`);
}

describe('poissonDeviance', () => {
  it('is 2 (y ln (y / μ) − y + μ), averaged', () => {
    close(poissonDeviance([2], [1]), 2 * (Math.log(1 / 2) - 1 + 2));
    close(poissonDeviance([2, 3], [1, 0]), (2 * (1 - Math.LN2) + 2 * 3) / 2);
    close(poissonDeviance([1, 4], [1, 4]), 0);
  });

  it('is finite for a prediction of 0, which counts as the smallest mean', () => {
    close(poissonDeviance([0], [1]), 2 * (Math.log(1 / LEAST_MEAN) - 1 + LEAST_MEAN));
    close(poissonDeviance([0], [0]), 2 * LEAST_MEAN);
  });

  it('is smallest at the mean of the counts, while L1 is smallest at their median', () => {
    const counts = [0, 0, 0, 3]; // mean .75, median 0
    const best = (loss: (constant: number) => number) => {
      const constants = Array.from({ length: 300 }, (_, i) => i / 100);
      return constants.reduce((least, constant) => (loss(constant) < loss(least) ? constant : least));
    };
    assert.equal(
      best((constant) =>
        poissonDeviance(
          counts.map(() => constant),
          counts,
        ),
      ),
      0.75,
    );
    assert.equal(
      best((constant) =>
        meanL1(
          counts.map(() => constant),
          counts,
          1,
        ),
      ),
      0,
    );
  });
});

describe('devianceExplained', () => {
  const counts = Float32Array.of(0, 2, 2, 4, 1, 3); // two types: means 1 and 3

  it('is 1 for the counts themselves and 0 for the mean of each type', () => {
    // A count of 0 predicted as 0 counts as LEAST_MEAN.
    const floor = (2 * LEAST_MEAN) / 6;
    const constant = poissonDeviance([1, 3, 1, 3, 1, 3], counts);
    close(devianceExplained(counts, counts, 2), 1 - floor / constant);
    close(devianceExplained(Float32Array.of(1, 3, 1, 3, 1, 3), counts, 2), 0);
  });

  it('is below 0 for predictions that are worse than the mean, and never below its lower bound', () => {
    const value = devianceExplained(Float32Array.of(2, 2, 2, 2, 2, 2), counts, 2);
    assert.ok(value < 0 && value > LEAST_EXPLAINED);
    assert.equal(
      devianceExplained(
        counts.map(() => 1000),
        counts,
        2,
      ),
      LEAST_EXPLAINED,
    );
  });

  it('refuses counts without any deviance to explain', () => {
    const same = Float32Array.of(1, 2, 1, 2);
    assert.throws(
      () => devianceExplained(same, same, 2),
      /expected counts that differ between images, got the same in all 2/,
    );
  });
});

describe('meanL1', () => {
  it('sums over the types and averages over the images', () => {
    assert.equal(meanL1([0, 1, 5, 2], [1, 1, 3, 2.5], 2), (1 + 0 + 2 + 0.5) / 2);
  });
});
