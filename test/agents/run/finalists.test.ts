import assert from 'node:assert/strict';
import { bestOf, finalists } from '../../../agents/run/finalists.ts';
import type { EvaluationRecord } from '../../../agents/run/trial-log.ts';

describe('the finalists of a search', () => {
  /** The winner of two candidates, [0] and [1], with these rewards on each of two seeds. */
  const winner = async (...rewards: (number | null)[][]) => {
    const records = rewards.flat().map((reward) => ({ reward }) as EvaluationRecord);
    const options = { seed: 1, finalistSeeds: 2, evaluations: 8 };
    const candidates = rewards.map((_, i) => [i]);
    return bestOf(candidates, options, () => Promise.resolve(records));
  };

  it('are the best few θ of the search, each once, and what the agent recommends', () => {
    const trial = (action: number, theta: string, reward: number | null) =>
      ({ action: [action], theta: { sky: theta }, reward }) as unknown as EvaluationRecord;
    const trials = [
      trial(1, 'rain', 5),
      trial(2, 'rain', 7),
      trial(3, 'snow', 6),
      trial(4, 'fog', null),
      trial(5, 'clear', 1),
    ];
    const agent = { ask: () => [], tell: () => {}, recommend: () => [9] };
    assert.deepEqual(finalists(trials, agent, { finalists: 2 }), [[2], [3], [9]]);
    assert.deepEqual(finalists(trials, agent, { finalists: 9 }), [[2], [3], [5], [9]]);
    const same = { ...agent, recommend: () => [3] };
    assert.deepEqual(finalists(trials, same, { finalists: 2 }), [[2], [3]], 'the agent’s own is one of the best');
  });

  it('are won by the best mean reward, and lost by a failed evaluation', async () => {
    assert.deepEqual(await winner([1, 2], [0, 4]), [1]);
    assert.deepEqual(await winner([-5, -5], [-1, null]), [0]);
    assert.deepEqual(await winner([null, null], [null, -1], [null, 3]), [2], 'where all failed once, by what is left');
  });

  it('are an error, with the reason of the first, when none of their evaluations has a reward', async () => {
    await assert.rejects(winner([null, null], [null, null]), /finalists: expected a reward for one of them, got none/);
  });

  it('are compared by finite means, however large the rewards are', async () => {
    assert.deepEqual(await winner([1.6e308, 1.6e308], [1.7e308, 1.7e308]), [1]);
    assert.deepEqual(await winner([null, -1.7e308], [-1.7e308, -1.7e308]), [1]);
  });
});
