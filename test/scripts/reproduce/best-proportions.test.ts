import assert from 'node:assert/strict';
import { Random } from '../../../protocol/random.ts';
import { fitPeak, percentiles95 } from '../../../scripts/reproduce/best-proportions.ts';

/** Rewards of a quadratic with its peak at `best`, a level for each group of 16, and noise. */
function rewardsAround(best: readonly number[], count: number, noise: number) {
  const random = new Random(3);
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
  const nearest = (proportions: readonly number[][], to: readonly number[]) => {
    const squares = proportions.map((p) => p.reduce((sum, value, k) => sum + (value - to[k]!) ** 2, 0));
    return proportions[squares.indexOf(Math.min(...squares))]!;
  };

  it('are those, of what was tried, where the surface is highest, whatever the level of each group', () => {
    const { proportions, rewards, groups } = rewardsAround([0.3, 0.5, 0.2], 48, 0);
    const { best, draws, noise } = fitPeak(proportions, rewards, groups, 1);
    assert.deepEqual(best, nearest(proportions, [0.3, 0.5, 0.2]));
    assert.ok(noise < 1e-9, `${noise}`);
    assert.deepEqual(draws[7], best);
  });

  it('scatter with the noise, around the true ones', () => {
    const widths = [0.01, 0.04].map((noise) => {
      const { proportions, rewards, groups } = rewardsAround([0.3, 0.5, 0.2], 192, noise);
      const peak = fitPeak(proportions, rewards, groups, 1);
      assert.ok(Math.abs(peak.noise / noise - 1) < 0.15, `${peak.noise} for ${noise}`);
      const ends = [0, 1, 2].map((label) => percentiles95(peak.draws.map((p) => p[label]!)));
      const truth = nearest(proportions, [0.3, 0.5, 0.2]);
      ends.forEach(([low, high], i) =>
        assert.ok(low <= truth[i]! && truth[i]! <= high, `${low}, ${high}, ${truth[i]}`),
      );
      return ends[0]![1] - ends[0]![0];
    });
    assert.ok(widths[1]! > 2 * widths[0]!, widths.join());
  });

  it('say how many evaluations they need', () => {
    const { proportions, rewards, groups } = rewardsAround([0.3, 0.5, 0.2], 6, 0);
    assert.throws(() => fitPeak(proportions, rewards, groups, 1), /expected at least 7 evaluations, got 6/);
  });
});
