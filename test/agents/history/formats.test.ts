import assert from 'node:assert/strict';
import { csvTable } from '../../../agents/history/csv-table.ts';
import { optunaJournal, trialStates } from '../../../agents/history/optuna-journal.ts';
import type { PastEvaluation } from '../../../agents/run/trial-log.ts';
import { defineParameters } from '../../../protocol/parameters.ts';

const parameters = defineParameters([
  { kind: 'continuous', name: 'fog', meaning: 'm', low: 0, high: 0.5, scale: 'linear', default: 0.1, unit: '1/m' },
  { kind: 'continuous', name: 'rate', meaning: 'm', low: 0.01, high: 1, scale: 'log', default: 0.1, unit: '1' },
  { kind: 'simplex', name: 'sky', meaning: 'm', labels: ['clear', 'rain, hail'], default: [0.5, 0.5] },
  { kind: 'integer', name: 'cars', meaning: 'm', low: 1, high: 64, scale: 'log', default: 8, unit: '1' },
  { kind: 'boolean', name: 'night', meaning: 'm', default: false },
  { kind: 'categorical', name: 'road', meaning: 'm', choices: ['wet', 'dry', 'icy'], default: 'dry' },
]);
const rest = { cars: 3, night: true, road: 'icy' };
const evaluation = (fields: Partial<PastEvaluation>): PastEvaluation => ({
  env_id: 'Sky-v0',
  options: { size: 3 },
  step_id: 'a',
  outcome: 'ok',
  reward: 0.75,
  scores: { score: 0.75 },
  theta: { fog: 0.25, rate: 0.1, sky: [0.5, 0.5], ...rest },
  repro: { spec_hash: 'abc' },
  ...fields,
});
const evaluations = [
  evaluation({
    accepted_at: '2026-01-31T10:00:00.000Z',
    timing: { queue_ms: 500, train_ms: 1500 },
    early_scores: [{ fraction: 0.25, scores: { score: 0.5 } }],
    test_scores: { score: 0.5 },
    seeds: { order: 7 },
  }),
  evaluation({
    step_id: 'b',
    key: 'search/1',
    outcome: 'diverged',
    reward: null,
    scores: {},
    reason: 'no "finite" loss',
  }),
  evaluation({
    step_id: 'c',
    outcome: 'discarded',
    reward: null,
    estimate: 0.9,
    scores: {},
    theta: { fog: 0, rate: 1, sky: [1, 0], ...rest },
    early_scores: [
      { fraction: 0.25, scores: { score: 0.25 } },
      { fraction: 0.5, scores: { loss: 3 } },
    ],
  }),
];
const time = '2026-02-01T00:00:00.000Z';
const study = { name: 'Sky-v0 abc', metric: 'score', parameters, evaluations, time };

/** As optuna.distributions.distribution_to_json writes them; `agents/python/tests/test_past.py` loads such a file. */
const float = (low: number, high: number, log = false) =>
  `{"name":"FloatDistribution","attributes":{"step":null,"low":${low},"high":${high},"log":${log}}}`;
const distributions = {
  fog: float(0, 0.5),
  rate: float(0.01, 1, true),
  'sky.clear': float(-1, 1),
  'sky.rain, hail': float(-1, 1),
  cars: '{"name":"IntDistribution","attributes":{"log":true,"step":1,"low":1,"high":64}}',
  night: '{"name":"CategoricalDistribution","attributes":{"choices":[false,true]}}',
  road: '{"name":"CategoricalDistribution","attributes":{"choices":["wet","dry","icy"]}}',
};
/** Of choices, Optuna stores the position. */
const positions = { cars: 3, night: 1, road: 2 };
const middle = { fog: 0.25, rate: 0.1, 'sky.clear': 0, 'sky.rain, hail': 0, ...positions };

describe('evaluations as a journal of Optuna', () => {
  const operations = optunaJournal([study, { ...study, name: 'other', evaluations: evaluations.slice(0, 1) }])
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

  it('are operations, one a line: a study, its attributes one by one, and its trials', () => {
    assert.deepEqual(operations.slice(0, 5), [
      { worker_id: 'learning-to-simulate', op_code: 0, study_name: 'Sky-v0 abc', directions: [2] },
      { worker_id: 'learning-to-simulate', op_code: 3, study_id: 0, system_attr: { 'study:metric_names': ['score'] } },
      { worker_id: 'learning-to-simulate', op_code: 2, study_id: 0, user_attr: { env_id: 'Sky-v0' } },
      { worker_id: 'learning-to-simulate', op_code: 2, study_id: 0, user_attr: { options: { size: 3 } } },
      { worker_id: 'learning-to-simulate', op_code: 2, study_id: 0, user_attr: { spec_hash: 'abc' } },
    ]);
    assert.deepEqual(operations.slice(8, 9), [{ ...operations[0], study_name: 'other' }]);
    assert.deepEqual(
      operations.slice(9).map(({ study_id }) => study_id),
      [1, 1, 1, 1, 1],
    );
  });

  it('have a value where they have a reward, and the times of the server', () => {
    assert.deepEqual(operations[5], {
      worker_id: 'learning-to-simulate',
      op_code: 4,
      study_id: 0,
      distributions,
      state: 1,
      value: 0.75,
      values: null,
      datetime_start: '2026-01-31T10:00:00.000+00:00',
      datetime_complete: '2026-01-31T10:00:02.000+00:00',
      params: middle,
      user_attrs: {
        step_id: 'a',
        outcome: 'ok',
        'score.score': 0.75,
        'test.score': 0.5,
        theta: { fog: 0.25, rate: 0.1, sky: [0.5, 0.5], ...rest },
        seeds: { order: 7 },
        timing: { queue_ms: 500, train_ms: 1500 },
      },
      system_attrs: {},
      intermediate_values: { 25: 0.5 },
    });
  });

  it('have no value without a reward: they failed, or were pruned by the run itself', () => {
    const [failed, pruned] = operations.slice(6, 8) as [Record<string, unknown>, Record<string, unknown>];
    assert.deepEqual(
      [failed, pruned].map(({ state, value, datetime_start }) => [state, value, datetime_start]),
      [
        [3, null, '2026-02-01T00:00:00.000+00:00'], // as Python 3.10 reads it
        [2, null, '2026-02-01T00:00:00.000+00:00'],
      ],
    );
    assert.deepEqual(failed['params'], middle);
    assert.deepEqual((failed['user_attrs'] as Record<string, unknown>)['reason'], 'no "finite" loss');
    assert.deepEqual(pruned['params'], { fog: 0, rate: 1, 'sky.clear': 1, 'sky.rain, hail': -1, ...positions });
    assert.deepEqual(pruned['intermediate_values'], { 25: 0.25 });
    assert.deepEqual(trialStates(study), { failed: 1, pruned: 1 });
  });
});

describe('evaluations as a table', () => {
  it('are rows, with θ by name and the classes of simplexes', () => {
    assert.equal(
      csvTable(evaluations, () => parameters),
      [
        'step_id,key,env_id,spec_hash,accepted_at,outcome,reward,reason,' +
          'theta.fog,theta.rate,theta.sky.clear,"theta.sky.rain, hail",theta.cars,theta.night,theta.road,' +
          'scores.score,test_scores.score,seeds.order,timing.queue_ms,timing.train_ms',
        'a,,Sky-v0,abc,2026-01-31T10:00:00.000Z,ok,0.75,,0.25,0.1,0.5,0.5,3,true,icy,0.75,0.5,7,500,1500',
        'b,search/1,Sky-v0,abc,,diverged,,"no ""finite"" loss",0.25,0.1,0.5,0.5,3,true,icy,,,,,',
        'c,,Sky-v0,abc,,discarded,,,0,1,1,0,3,true,icy,,,,,',
        '',
      ].join('\n'),
    );
  });

  it('number the classes where nobody knows them', () => {
    const [head] = csvTable(evaluations.slice(0, 1), () => []).split('\n');
    assert.match(
      head!,
      /,theta\.fog,theta\.rate,theta\.sky\.0,theta\.sky\.1,theta\.cars,theta\.night,theta\.road,scores/,
    );
  });
});
