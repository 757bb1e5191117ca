import assert from 'node:assert/strict';
import { Random } from '../../../protocol/random.ts';
import { fitPeak, percentiles95 } from '../../../scripts/reproduce/best-proportions.ts';

/** Rewards of a quadratic with its peak at `best`, a level for each group of 16, and noise. */
function rewardsAround(best: readonly number[], count: number, noise: number, seed = 3) {
  const random = new Random(seed);
  const proportions = Array.from({ length: count }, () => {
    const parts = best.map(() => -Math.log(1 - random.uniform()));
    const sum = parts.reduce((a, b) => a + b);
    return parts.map((part) => part / sum);
  });
  const groups = proportions.map((_, i) => Math.floor(i / 16));
  const levels = groups.map((group) => Math.sin(group));
  const rewards = proportions.map(
    (p, i) => levels[i]! - p.reduce((sum, value, k) => sum + (value - best[k]!) ** 2, 0) + random.normal(0, noise),
  );
  return { proportions, rewards, groups };
}

describe('the best proportions', () => {
  const TRUTH = [0.3, 0.5, 0.2];
  /** A net over the whole simplex. */
  const candidates = Array.from({ length: 51 }, (_, i) =>
    Array.from({ length: 51 - i }, (_, j) => [i / 50, j / 50, (50 - i - j) / 50]),
  ).flat();

  it('are where the surface is highest, whatever the level of each group', () => {
    const { proportions, rewards, groups } = rewardsAround(TRUTH, 48, 0);
    const { best, draws, noise } = fitPeak(proportions, rewards, groups, candidates, 1);
    assert.deepEqual(best, TRUTH);
    assert.ok(noise < 1e-9, `${noise}`);
    assert.deepEqual(draws[7], TRUTH);
  });

  it('have intervals that grow with the noise, and hold the true ones about 95 times of 100 @slow', () => {
    const runs = 30;
    const [widths, held] = [
      [0, 0],
      [0, 0],
    ];
    [0.03, 0.09].forEach((noise, k) => {
      for (let seed = 1; seed <= runs; seed++) {
        const { proportions, rewards, groups } = rewardsAround(TRUTH, 96, noise, seed);
        const { draws } = fitPeak(proportions, rewards, groups, candidates, seed);
        const [low, high] = percentiles95(draws.map((p) => p[0]!));
        widths[k]! += (high - low) / runs;
        if (low <= 0.3 && 0.3 <= high) held[k]!++;
      }
    });
    assert.ok(widths[0]! > 0.02 && widths[1]! > 1.8 * widths[0]!, widths.join());
    for (const count of held) assert.ok(count >= 0.83 * runs, held.join()); // fewer than 25 of 30: p < .01
  });

  it('say how many evaluations they need', () => {
    const { proportions, rewards, groups } = rewardsAround([0.3, 0.5, 0.2], 6, 0);
    assert.throws(() => fitPeak(proportions, rewards, groups, candidates, 1), /expected at least 7 evaluations, got 6/);
  });
});
