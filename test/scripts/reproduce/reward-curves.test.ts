import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogRecord } from '../../../agents/run/trial-log.ts';
import { rewardCurve } from '../../../protocol/reward-curve.ts';
import { apart, drawRewardCurves } from '../../../scripts/reproduce/reward-curves.ts';
import { searchTrials } from '../../../scripts/reproduce/search-log.ts';

const evaluation = (key: string, reward: number | null): LogRecord => ({
  type: 'evaluation',
  key,
  action: [],
  theta: {},
  outcome: reward === null ? 'failed' : 'ok',
  reward,
  scores: {},
  seeds: {},
  timing: {},
});

describe('reward curves', () => {
  it('put the evaluations into the order of the search, and leave out what is not of it', () => {
    const records = [evaluation('search/10', 3), evaluation('search/9', 2), evaluation('after-11/finalist/0/0', 9)];
    assert.deepEqual(
      searchTrials(records).map(({ reward }) => reward),
      [2, 3],
    );
  });

  it('average each window over the search, then over the seeds, in a Student interval', () => {
    const [a, b] = [Array<number>(64).fill(0.2), Array<number>(64).fill(0.6)];
    const points = rewardCurve('x', [a, b]);
    assert.equal(points[0]!.evaluations, 16);
    assert.equal(points.at(-1)!.evaluations, 64);
    for (const { mean, low, high } of points) {
      assert.ok(Math.abs(mean - 0.4) < 1e-12);
      // two values .4 apart: sd .2 √2, over √2, times t(.975, 1) = 12.706205
      for (const half of [high - mean, mean - low]) assert.ok(Math.abs(half - 0.2 * 12.706205) < 1e-6, `${half}`);
    }
  });

  it('count every reward in one window, and no failed one', () => {
    const rising = Array.from({ length: 200 }, (_, i) => i);
    const points = rewardCurve('x', [rising]);
    let begin = 0;
    for (const { evaluations, mean } of points) {
      assert.ok(Math.abs(mean - (begin + evaluations - 1) / 2) < 1e-9);
      begin = evaluations;
    }
    assert.equal(begin, 200);
    const [first] = rewardCurve('x', [[...Array<null>(8).fill(null), ...Array<number>(8).fill(2)]]);
    assert.equal(first!.mean, 2);
  });

  it('of a short search begin with its first evaluations, and show their points over whole numbers', async () => {
    const ends = (total: number) => rewardCurve('x', [Array<number>(total).fill(1)]).map((point) => point.evaluations);
    assert.deepEqual(ends(1), [1]);
    assert.deepEqual(ends(2), [1, 2]);
    assert.deepEqual(ends(6), [2, 3, 4, 5, 6]);
    assert.deepEqual(ends(24), [6, 9, 12, 15, 18, 21, 24]);
    const folder = mkdtempSync(join(tmpdir(), 'curves-'));
    try {
      for (const total of [1, 2, 6, 24]) {
        const path = join(folder, String(total));
        const curve = rewardCurve('x', [Array.from({ length: total }, (_, i) => i)]);
        await drawRewardCurves({ title: 'Rewards', metric: 'accuracy' }, curve, {}, path);
        const svg = readFileSync(`${path}.svg`, 'utf8');
        const points = svg.match(/class="mark-symbol role-mark[^]*?<\/g>/)?.[0].match(/<path/g) ?? [];
        assert.equal(points.length, curve.length);
        const axis = /aria-label="X-axis titled 'evaluations'[^]*?class="mark-text role-axis-label"[^]*?<\/g>/.exec(
          svg,
        )![0];
        const ticks = [...axis.matchAll(/>([^<>]+)<\/text>/g)].map(([, label]) => label!);
        assert.ok(ticks.length > 0 && ticks.every((tick) => /^\d+$/.test(tick)), ticks.join(' '));
        assert.equal(new Set(ticks).size, ticks.length);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('have their intervals together up to three, and more of them in a panel each', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'curves-'));
    try {
      const draw = async (count: number) => {
        const curves = Array.from({ length: count }, (_, i) =>
          rewardCurve(`arm ${i}`, [Array<number>(64).fill(i), Array<number>(64).fill(i + 0.5)]),
        ).flat();
        const path = join(folder, String(count));
        await drawRewardCurves({ title: 'Rewards', metric: 'accuracy' }, curves, { 'real data': 2 }, path);
        const svg = readFileSync(`${path}.svg`, 'utf8');
        const groups = svg.match(/class="mark-area[^]*?<\/g>/g) ?? [];
        const bands = groups.map((group) => (group.match(/<path/g) ?? []).length);
        const [, nameAt] = /transform="translate\(([\d.]+),[^)]*\)"[^>]*>real data</.exec(svg)!;
        assert.ok(Number(nameAt) > 560, 'the name of a level stands beside the curves');
        return { bands: bands.reduce((sum, n) => sum + n, 0), panels: svg.includes('Each with its 95 % interval') };
      };
      assert.deepEqual(await draw(3), { bands: 3, panels: false });
      assert.deepEqual(await draw(4), { bands: 4, panels: true });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('have names of levels that do not overlap, each as near above its own as can be', () => {
    assert.deepEqual(apart([5, 1, 1.5, 2], 1), [5, 1, 2, 3]);
    assert.deepEqual(apart([], 1), []);
  });
});
