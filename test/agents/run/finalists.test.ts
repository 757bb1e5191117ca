import assert from 'node:assert/strict';
import { bestOf } from '../../../agents/run/finalists.ts';
import type { EvaluationRecord } from '../../../agents/run/trial-log.ts';

describe('the finalists of a search', () => {
  /** The winner of two candidates, [0] and [1], with these rewards on each of two seeds. */
  const winner = async (...rewards: (number | null)[][]) => {
    const records = rewards.flat().map((reward) => ({ reward }) as EvaluationRecord);
    const options = { seed: 1, finalistSeeds: 2, evaluations: 8 };
    const candidates = rewards.map((_, i) => [i]);
    return bestOf(candidates, options, () => Promise.resolve(records));
  };

  it('are won by the best mean reward, and lost by a failed evaluation', async () => {
    assert.deepEqual(await winner([1, 2], [0, 4]), [1]);
    assert.deepEqual(await winner([-5, -5], [-1, null]), [0]);
  });

  it('are an error, with the reason of the first, when none of their evaluations has a reward', async () => {
    await assert.rejects(winner([null, null], [null, null]), /finalists: expected a reward for one of them, got none/);
  });

  it('are compared by finite means, however large the rewards are', async () => {
    assert.deepEqual(await winner([1.6e308, 1.6e308], [1.7e308, 1.7e308]), [1]);
    assert.deepEqual(await winner([null, -1.7e308], [-1.7e308, -1.7e308]), [1]);
  });
});
