import assert from 'node:assert/strict';
import type { LogRecord } from '../../../agents/run/trial-log.ts';
import { randomArm } from '../../../scripts/reproduce/arms.ts';
import { evidenceOf } from '../../../scripts/reproduce/evidence.ts';
import { finishedSearch, type Search } from '../../../scripts/reproduce/search-log.ts';

const evaluation = (key: string, reward: number | null = 1): LogRecord => ({
  type: 'evaluation',
  key,
  action: [],
  theta: {},
  outcome: reward === null ? 'infeasible' : 'ok',
  reward,
  scores: reward === null ? {} : { accuracy: reward },
  ...(reward !== null && { testScores: { accuracy: reward } }),
  seeds: {},
  timing: {},
});

describe('the log of a search', () => {
  const search: Search = {
    arm: 'a',
    agent: 'cem',
    seed: 1,
    environment: 'e',
    evaluations: 2,
    options: {},
    envOptions: {},
    comparedWith: {},
  };
  const reported = (name: string) => ({ name, action: [], theta: {}, validation: [], test: [] });
  const summary = { type: 'summary', reported: ['start', 'learned'].map(reported) } as LogRecord;
  const ended = ['search/0', 'search/1', 'start/0', 'after-2/learned/0'].map((key) => evaluation(key));

  it('is of a finished one when it ends with its report, after as many evaluations as it is to have', () => {
    assert.equal(finishedSearch(search, ended), undefined);
    assert.equal(finishedSearch(search, [...ended, summary])?.trials.length, 2);
    const further = [...ended, summary, evaluation('search/2'), evaluation('after-3/learned/0'), summary];
    assert.equal(finishedSearch(search, further), undefined, 'its report is of three');
    assert.equal(finishedSearch({ ...search, evaluations: 3 }, further)?.trials.length, 3);
  });
});

describe('the scores of random θ', () => {
  it('are of those that succeed', () => {
    const arms = { random: randomArm('random θ', [], {}) };
    const preset = { searchSeeds: 1, evaluations: {}, randomThetas: 3, envOptions: {} };
    const study = { name: 's', environment: 'e', backend: 'b', presets: {}, arms, metric: 'accuracy' };
    const log = [1, null, 3].map((reward, i) => evaluation(`random/${i}/1`, reward));
    const { random } = evidenceOf({ ...study, alsoReported: [], figures: [] }, preset, () => log).arms();
    assert.deepEqual(random!.test, [{ accuracy: 1 }, { accuracy: 3 }]);
  });
});
