import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { evaluate, evaluationSeeds, type EvaluationProgress } from '../../../env/evaluate.ts';
import { BACKBONE_FILE } from '../../../env/tasks/backbone/weights.ts';
import { PYTHON } from '../../../scripts/setup/python-folder.ts';
import { evaluated, SIDE, simulating, training, workshop, type Workshop } from './workshop.ts';

const TRAINER = `${PYTHON} env/programs/pytorch/train.py`;
const METRICS = ['softCarIou', 'carIou', 'meanIou'].map((name) => ({ name, low: 0, high: 1 }));

describe('the trainer in PyTorch @slow', function () {
  this.timeout(120_000);
  let shop: Workshop;
  let draws: string;
  before(function () {
    if (spawnSync(PYTHON, ['-c', 'import torch, PIL']).status === 0) return;
    console.log('      skipped: .python has no torch and Pillow; npm run setup:python brings them');
    this.skip();
  });
  beforeEach(() => {
    shop = workshop();
    draws = `sh ${shop.script('draw.sh', `cp -r ${shop.ready}/. "$1"`)} {out}`;
  });
  afterEach(() => shop.remove());

  const create = (isWarm: boolean, options = {}) =>
    shop.experiment(
      { ...simulating(draws), ...training(isWarm ? TRAINER : `${TRAINER} {request}`, isWarm, METRICS) },
      { steps: 60, batchSize: 2, networkWidth: 0.5, ...options },
    );

  it('[G11] [G17] learns, and gives equal scores for equal seeds, started anew or staying up', async () => {
    const cold = await evaluated(await create(false), { test: true });
    assert.equal(cold.outcome, 'ok', cold.reason);
    assert.ok(cold.scores['carIou']! > 0.6, `${cold.scores['carIou']}`); // the same picture trains and validates
    assert.deepEqual(cold.testScores, cold.scores, 'both sets are the same');
    const warm = await create(true);
    try {
      assert.deepEqual((await evaluated(warm, { test: true })).scores, cold.scores);
      assert.notDeepEqual((await evaluated(warm, { seed: 2 })).scores, cold.scores);
    } finally {
      warm.dispose!();
    }
  });

  it('[G12] says how far it is, and scores the unfinished network where that is asked for', async () => {
    const early: number[] = [];
    const experiment = await create(false, { width: 28, height: 20 }); // no multiples of 8
    const request = { theta: { x: 1 }, seeds: evaluationSeeds(1), test: false };
    const report = ({ scored, fraction }: EvaluationProgress) => void (scored && early.push(fraction));
    const plain = await evaluate(experiment, request);
    const { scores } = await evaluate(experiment, { ...request, earlyScores: true }, { report });
    assert.deepEqual(scores, plain.scores, 'to be watched changes nothing');
    assert.ok(early.length >= 2 && early.every((fraction) => fraction < 1), early.join());
  });

  it('[G13] says what is missing, and goes on where it stays up', async () => {
    const warm = await create(true);
    try {
      shop.script('draw.sh', `cp -r ${shop.ready}/. "$1"`);
      rmSync(join(shop.ready, 'labels/000001.png'));
      const { outcome, reason } = await evaluated(warm);
      assert.deepEqual([outcome, /FileNotFoundError: .*labels\/000001\.png/.test(reason!)], ['failed', true], reason);
      rmSync(join(shop.ready, 'images/000001.png'));
      assert.equal((await evaluated(warm)).outcome, 'ok');
      writeFileSync(join(shop.folder, 'data/classes.json'), '["sea", "boat"]');
      assert.match((await evaluated(warm)).reason!, /classes\.json: expected Cityscapes' train ids/);
    } finally {
      warm.dispose!();
    }
  });

  it('learns on the weights that npm run setup:backbone brings', async function () {
    if (!existsSync(BACKBONE_FILE)) return this.skip();
    const options = {
      network: 'efficientnet-lite0',
      finetune: 2,
      steps: 30,
      learningRate: 0.004,
      width: 2 * SIDE,
      height: 2 * SIDE,
    };
    const { outcome, scores, reason } = await evaluated(await create(false, options));
    assert.equal(outcome, 'ok', reason);
    assert.ok(scores['carIou']! > 0.6, `${scores['carIou']}`);
  });
});
