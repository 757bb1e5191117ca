import assert from 'node:assert/strict';
import type { EvaluationRecord, LogRecord } from '../../../agents/run/trial-log.ts';
import {
  compareWith,
  evaluationsToReach,
  evaluationsToReachFigure,
  looks,
  recommendations,
  type ArmPaths,
} from '../../../scripts/reproduce/evaluations-to-reach.ts';
import { iterations, type FinishedSearch } from '../../../scripts/reproduce/search-log.ts';
import type { EnvOptions, Evidence, FixedThetas } from '../../../scripts/reproduce/study.ts';

const trial = (action: number, reward: number | null = action, work?: number): EvaluationRecord => ({
  type: 'evaluation',
  key: 'search/0',
  action: [action],
  theta: {},
  outcome: 'ok',
  reward,
  scores: {},
  seeds: {},
  timing: {},
  ...(work !== undefined && { work }),
});
/** Milestones after 0, 16, 32 … evaluations. */
const path = (...scores: number[]) => scores.map((score, i) => ({ spent: 16 * i, score }));

describe('evaluations to reach a level', () => {
  it('are those after which two looks in a row are not below it', () => {
    assert.equal(evaluationsToReach(path(0.1, 0.5, 0.4, 0.5, 0.6, 0.2), 0.5), 48);
    assert.equal(evaluationsToReach(path(0.5, 0.5), 0.5), 0, 'the start has it');
    assert.equal(evaluationsToReach(path(0.1, 0.2, 0.5), 0.5), 32, 'the last look stands for itself');
    assert.equal(evaluationsToReach(path(0.1, 0.9, 0.2), 0.5), null);
  });

  it('are looked for at 16 evaluations, √2 times as many, and so on to the end', () => {
    assert.deepEqual(looks(100), [16, 23, 32, 45, 64, 91, 100]);
    assert.deepEqual(looks(16), [16]);
    assert.deepEqual(looks(4), [4]);
  });

  it('take what the policy believed in after the last iteration that had ended by each look', () => {
    // iterations of 10, told after 10, 20, 30 trials: the looks at 16, 23 and 32 see the first, second and third
    const trials = Array.from({ length: 35 }, (_, i) => trial(i));
    const states = [1, 2, 3].map((i) => ({ mu: [i / 10] }));
    assert.deepEqual(recommendations({ trials, states, told: [10, 20, 30], evaluations: 35 }), [
      { spent: 10, action: [0.1] },
      { spent: 20, action: [0.2] },
      { spent: 30, action: [0.3] },
    ]);
  });

  it('are of searches that are compared with the same options, whatever they searched with', () => {
    const reported = (name: string) => ({ name, action: [0], theta: {}, validation: [], test: [] });
    const finished = (arm: string, envOptions: EnvOptions, comparedWith: EnvOptions): FinishedSearch => ({
      ...{ arm, agent: 'cem', seed: 1, environment: 'e', evaluations: 1, options: {}, envOptions, comparedWith },
      ...{
        trials: [trial(1)],
        states: [{ mu: [1] }],
        told: [1],
        start: reported('start'),
        learned: reported('learned'),
      },
      worked: { evaluations: 1, seconds: 1 },
    });
    const searches = [
      finished('reinforce', { quick: true }, { quick: true }),
      finished('noiseless', { quick: true, noise: false }, { quick: true }),
      finished('other', { quick: true, free: [] }, { quick: true, free: [] }),
    ];
    const evidence = { searches: () => Object.fromEntries(searches.map((search) => [search.arm, [search]])) };
    const [needs] = evaluationsToReachFigure({ metric: 'iou', seeds: 1 }).needs as [(of: Evidence) => FixedThetas[]];
    const [milestones, ...others] = needs(evidence as unknown as Evidence);
    assert.deepEqual(others, []);
    assert.deepEqual(milestones!.envOptions, { quick: true });
    assert.deepEqual(
      milestones!.requests.map(({ key }) => key),
      ['reinforce-1/0/1', 'reinforce-1/1/1', 'noiseless-1/0/1', 'noiseless-1/1/1'],
    );
  });

  it('count a discarded evaluation by the share of its training that was done', () => {
    // each second one costs a quarter: 20 trials cost 12.5, 24 cost 15, 28 cost 17.5
    const trials = Array.from({ length: 28 }, (_, i) => (i % 2 ? trial(i, null, 0.25) : trial(i)));
    const states = [20, 24, 28].map((n) => ({ mu: [n] }));
    assert.deepEqual(recommendations({ trials, states, told: [20, 24, 28], evaluations: 18 }), [
      { spent: 15, action: [24] },
      { spent: 17.5, action: [28] },
    ]);
  });

  it('take the action with the best reward so far of an agent that believes in none', () => {
    const trials = [3, 9, 5, 12, 1].map((reward) => trial(reward));
    trials[3] = trial(12, null);
    const [only] = recommendations({ trials, states: [{}], told: [5], evaluations: 16 });
    assert.deepEqual(only, { spent: 5, action: [9] });
  });

  it('are compared with REINFORCE’s: its level is the mean of its ends, and who does not get there is no number', () => {
    const arm = (name: string, ...paths: ArmPaths['paths']): ArmPaths => ({
      arm: name,
      title: name,
      budget: 64,
      paths,
    });
    const { level, reached } = compareWith('reinforce', [
      arm('reinforce', path(0, 0.2, 0.4, 0.6, 0.6), path(0, 0.1, 0.2, 0.3, 0.4), path(0, 0.5, 0.5, 0.5, 0.5)),
      arm('quick', path(0, 0.6, 0.7), path(0, 0.5, 0.5), path(0, 0.1, 0.1)),
      arm('hopeless', path(0, 0.1), path(0, 0.1), path(0, 0.6)),
    ]);
    assert.ok(Math.abs(level - 0.5) < 1e-12); // (.6 + .4 + .5) / 3
    const by = Object.fromEntries(reached.map((r) => [r.arm, r]));
    assert.deepEqual(by['reinforce']!.evaluations, [48, null, 16]);
    assert.deepEqual([by['reinforce']!.median, by['reinforce']!.ratio], [48, 1]);
    assert.deepEqual(by['quick']!.evaluations, [16, 16, null]);
    assert.deepEqual([by['quick']!.median, by['quick']!.shareOfBudget, by['quick']!.ratio], [16, 16 / 64, 16 / 48]);
    assert.deepEqual(by['hopeless']!.evaluations, [null, null, 16]);
    assert.deepEqual(
      [by['hopeless']!.median, by['hopeless']!.shareOfBudget, by['hopeless']!.ratio],
      [null, null, null],
    );
  });

  it('are compared with any other arm’s', () => {
    const arms = [
      { arm: 'reinforce', title: '', budget: 64, paths: [path(0, 0.2, 0.3, 0.4, 0.5)] },
      { arm: 'slow', title: '', budget: 32, paths: [path(0, 0.1, 0.3)] },
    ];
    const { reference, level, reached } = compareWith('slow', arms);
    assert.deepEqual([reference, level], [arms[1], 0.3]);
    assert.deepEqual(
      reached.map(({ median, shareOfBudget, ratio }) => [median, shareOfBudget, ratio]),
      [
        [32, 1, 1],
        [32, 1, 1],
      ],
    );
  });

  it('are compared with REINFORCE’s budget where most of its searches end below the mean of their ends', () => {
    const { reached } = compareWith('reinforce', [
      { arm: 'reinforce', title: '', budget: 64, paths: [path(0, 0.9), path(0, 0.1), path(0, 0.1)] },
      { arm: 'quick', title: '', budget: 64, paths: [path(0, 0.9), path(0, 0.9), path(0, 0.9)] },
    ]);
    assert.deepEqual(reached[0]!.evaluations, [16, null, null]);
    assert.deepEqual([reached[0]!.median, reached[0]!.ratio, reached[1]!.ratio], [null, null, 16 / 64]);
  });

  it('have a level without the ends that failed, and none where all did', () => {
    const arms = [
      { arm: 'reinforce', title: '', budget: 64, paths: [path(0, 0.5), path(0, -Infinity)] },
      { arm: 'failing', title: '', budget: 64, paths: [path(0, -Infinity)] },
    ];
    const { level, reached } = compareWith('reinforce', arms);
    assert.deepEqual([level, reached.map(({ evaluations }) => evaluations)], [0.5, [[16, null], [null]]]);
    const none = compareWith('failing', arms);
    assert.deepEqual([none.level, none.reached.map(({ median }) => median)], [NaN, [null, null]]);
  });

  it('know from the log’s order how many trials the agent had been told in each state', () => {
    const evaluation = (key: string): LogRecord => ({ ...trial(0), key });
    const iteration = (i: number): LogRecord => ({ type: 'iteration', iteration: i, state: { mu: [i] } });
    const records = ['search/1', 'search/0', 'search/2'].map(evaluation);
    records.splice(2, 0, iteration(0));
    records.push(iteration(1), evaluation('after-3/finalist/0/0'));
    assert.deepEqual(iterations(records), { states: [{ mu: [0] }, { mu: [1] }], told: [2, 3] });
  });
});
