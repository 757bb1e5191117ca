import assert from 'node:assert/strict';
import { estimateReward, isWeak, Watch, type Past } from '../../../agents/run/discard.ts';

/** An evaluation that scored these after a quarter, a half, …, and had this reward at the end. */
const ended = (reward: number, ...scores: number[]): Past => ({
  outcome: 'ok',
  reward,
  early: scores.map((score, i) => ({ fraction: (i + 1) / 4, score })),
});
const discarded = (...scores: number[]): Past => ({ ...ended(0, ...scores), outcome: 'discarded', reward: null });
const weak = (fraction: number, score: number, past: readonly Past[]) => isWeak({ fraction, score }, past);

describe('early discarding', () => {
  const eight = [1, 2, 3, 4, 5, 6, 7, 8].map((score) => ended(score + 1, score)); // median 4.5

  it('calls a score weak if it lies below the median of the scores at the same point', () => {
    assert.equal(weak(0.25, 4.4, eight), true);
    assert.equal(weak(0.25, 4.5, eight), false);
    assert.equal(weak(0.5, 0, eight), false, 'nobody was scored after a half');
  });

  it('discards nothing before there are eight to compare with', () => {
    assert.equal(weak(0.25, 0, eight.slice(1)), false);
  });

  it('compares only with the latest 16', () => {
    const past = [...Array.from({ length: 20 }, () => ended(9, 9)), ...Array.from({ length: 9 }, () => ended(1, 1))];
    assert.equal(weak(0.25, 2, past), false); // 7 nines and 9 ones: median 1
    assert.equal(weak(0.25, 2, past.slice(0, -2)), true); // 9 nines and 7 ones
  });

  it('compares and estimates with finite numbers, however large they are', () => {
    const huge = Array.from({ length: 8 }, (_, i) => ended(1.7e308, i < 4 ? -1.7e308 : 1.7e308));
    assert.equal(weak(0.25, 1.6e308, [...huge.slice(4), ...huge.slice(4)]), true);
    assert.equal(weak(0.25, 1.7e308, [...huge.slice(4), ...huge.slice(4)]), false);
    assert.equal(estimateReward({ fraction: 0.25, score: 1.7e308 }, huge), Number.MAX_VALUE);
    const falling = Array.from({ length: 8 }, () => ended(-1.7e308, 1.7e308));
    assert.equal(estimateReward({ fraction: 0.25, score: -1.7e308 }, falling), -Number.MAX_VALUE);
  });

  it('counts an evaluation that was discarded before a point as lower than all that reached it', () => {
    // after a half: four that were given up after a quarter, and 2, 3, 4, 5. The median of all eight is below 2.
    const past = [...[1, 1, 1, 1].map((score) => discarded(score)), ...[2, 3, 4, 5].map((s) => ended(9, 9, s))];
    assert.equal(weak(0.5, 1.9, past), false);
    // one more that reached it: the fifth of nine is 2
    assert.equal(weak(0.5, 1.9, [...past, ended(9, 9, 6)]), true);
    assert.equal(weak(0.5, 2, [...past, ended(9, 9, 6)]), false);
  });

  it('estimates the reward of a discarded evaluation by the median gain of the others', () => {
    const past = [ended(0.5, 0.2), ended(0.7, 0.3), ended(0.9, 0.1), discarded(0.05)];
    // gains from a quarter on: .3, .4, .8
    assert.ok(Math.abs(estimateReward({ fraction: 0.25, score: 0.15 }, past) - 0.55) < 1e-12);
    assert.equal(estimateReward({ fraction: 0.5, score: 0.15 }, past), 0.15, 'nobody to learn a gain from');
  });

  it('aborts an evaluation at its first weak score, and gives the verdict for the log', () => {
    const watch = new Watch('gain', eight);
    const hear = (fraction: number, metrics: Record<string, number>) => watch.onProgress({ fraction, metrics });
    hear(0.1, { loss: 1 });
    assert.equal(watch.verdict(), undefined);
    hear(0.25, { loss: 1, gain: 3 });
    assert.ok(watch.signal.aborted);
    hear(0.5, { gain: 99 });
    assert.deepEqual(watch.scores, [{ fraction: 0.25, score: 3 }]);
    const { outcome, reward, estimate, work } = watch.verdict()!;
    assert.deepEqual([outcome, reward, estimate, work], ['discarded', null, 4, 0.25]);
  });
});
