import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { reproduction, TINY_STREETS, type Summary } from './reproduction.ts';
import { BACKBONE_FILE } from '../../../env/tasks/backbone/weights.ts';
import { writeCamvid } from './tiny-camvid.ts';

const tiny = ['--preset', 'quick', '--backend', 'wasm', '--evaluations', '4', '--search-seeds', '1'];
tiny.push('--random-thetas', '2', '--env-options', TINY_STREETS);

describe('reproduce segmentation @slow', function () {
  this.timeout(400_000);
  const { run, wrote, read, summary, remove, folder } = reproduction('segmentation');
  after(remove);

  it('compares searches of one budget with random θ, the start and the hidden θ*', async () => {
    const { code, err } = await run(...tiny);
    assert.equal(code, 0, err);
    const { arms } = summary();
    const spent = Object.entries(arms).map(([name, { evaluations }]) => [name, evaluations]);
    assert.deepEqual(Object.fromEntries(spent), {
      ...{ reinforce: 4, cem: 4, randomSearch: 4, cmaEs: 4, gaussianProcess: 4 },
      ...{ reinforceAdam: 4, reinforceCommon: 4, reinforceDiscard: 4, reinforcePoor: 4 },
      ...{ start: 0, poor: 0, random: 0, randomBest: 2, truth: 0 },
    });
    assert.equal(arms['random']!.test.n, 2);
    assert.ok(arms['randomBest']!.validation.mean >= arms['random']!.validation.mean);
    wrote('table.md', 'table.csv', 'car-iou.svg', 'car-iou.png', 'predictions.png');
    wrote(
      'evaluations-to-reach.md',
      'evaluations-to-reach.png',
      'learned-theta.md',
      'learned-theta.png',
      'streets.png',
    );
    assert.match(read('learned-theta.md'), /\| component \| range \| the start \| the hidden θ\* \| learned \|/);
    const reached = read('evaluations-to-reach.csv');
    for (const level of ['reinforce', 'reinforceAdam']) assert.ok(reached.includes(`\n${level},gaussianProcess,1,4,`));
  });

  it('measures few arms of a pretrained backbone', async () => {
    const small = JSON.stringify({ ...(JSON.parse(TINY_STREETS) as object), network: 'small', batchSize: 2 });
    const flags = [...tiny, '--preset', 'pretrained', '--env-options', small];
    flags.push('--out', join(folder, 'few'), '--logs', join(folder, 'few-logs'));
    const { code, err } = await run(...flags);
    if (!existsSync(BACKBONE_FILE)) {
      assert.match(err, /npm run setup:backbone/); // the match of distributions needs the weights
      assert.equal(code, 1);
      return;
    }
    assert.equal(code, 0, err);
    const { arms } = JSON.parse(readFileSync(join(folder, 'few', 'summary.json'), 'utf8')) as Summary;
    const matched = ['match', 'reinforceMatched', 'gaussianProcessMatched'];
    const searches = ['reinforce', 'randomSearch', 'gaussianProcess', ...matched];
    const others = ['start', 'poor', 'random', 'randomBest', 'truth'];
    assert.deepEqual(Object.keys(arms).sort(), [...searches, ...others].sort());
    for (const file of ['predictions.png', 'streets.png', 'learned-theta.png', 'car-iou.png']) {
      assert.ok(existsSync(join(folder, 'few', file)), file);
    }
    // What starts from another search is in the one figure, and not in that of what searches try from a start of their own.
    const figure = (name: string) => readFileSync(join(folder, 'few', `${name}.svg`), 'utf8');
    assert.match(figure('evaluations-to-reach'), /REINFORCE after the match/);
    assert.doesNotMatch(figure('car-iou'), /match/);
  });
});

describe('reproduce detection @slow', function () {
  this.timeout(400_000);
  const { run, wrote, read, summary, remove } = reproduction('detection');
  after(remove);

  it('compares searches of one budget with random θ, the start and the hidden θ*', async () => {
    const { code, err } = await run(...tiny);
    assert.equal(code, 0, err);
    const { arms } = summary();
    const searches = ['reinforce', 'cem', 'randomSearch', 'reinforceAdam', 'cmaEs', 'gaussianProcess'];
    const others = ['start', 'poor', 'random', 'randomBest', 'truth'];
    assert.deepEqual(Object.keys(arms).sort(), [...searches, ...others].sort());
    for (const arm of searches) assert.equal(arms[arm]!.evaluations, 4);
    for (const { also } of Object.values(arms)) assert.deepEqual(Object.keys(also!), ['smoothAp', 'ap']);
    wrote('table.md', 'average-precision.png', 'detections.png', 'evaluations-to-reach.md', 'learned-theta.png');
    assert.match(read('learned-theta.md'), /\| the hidden θ\* \| learned \|/);
  });
});

describe('reproduce segmentation-real @slow', function () {
  this.timeout(180_000);
  const { run, wrote, read, summary, remove, folder, out, logs } = reproduction('segmentation-real');
  after(remove);

  it('stops with a sentence before anything starts when no folder of images is named', async () => {
    const { code, err } = await run(...tiny);
    assert.equal(code, 1);
    assert.match(err, /segmentation-real: expected --data DIR/);
    assert.ok(!existsSync(logs) && !existsSync(out));
  });

  it('searches two spaces of θ and reports held-out blocks beside the official test split', async () => {
    const data = join(folder, 'camvid');
    await writeCamvid(data);
    const { code, err } = await run(...tiny, '--data', data);
    assert.equal(code, 0, err);
    const { arms } = summary();
    const inFew = ['reinforce', 'randomSearch', 'reinforceAdam', 'cem', 'cmaEs', 'gaussianProcess'];
    const searches = [...inFew, 'reinforceAll', 'randomSearchAll'];
    const random = ['random', 'randomBest', 'randomAll', 'randomAllBest'];
    const others = ['start', 'default', 'real', 'realFew', 'reinforceAndFew'];
    assert.deepEqual(Object.keys(arms).sort(), [...searches, ...random, ...others].sort());
    for (const { also } of Object.values(arms)) {
      assert.deepEqual(Object.keys(also!), ['heldOut.carIou', 'softCarIou', 'heldOut.softCarIou']);
    }
    wrote('table.md', 'car-iou.png', 'predictions.png', 'predictions-with-photographs.png');
    wrote('streets.png', 'streets-with-photographs.png', 'learned-theta.md');
    assert.match(read('car-iou.svg'), /CMA-ES/);
    assert.doesNotMatch(read('car-iou.svg'), /all parameters/); // a search in others
    assert.match(read('table.md'), /\| validation \| test \| test heldOut\.carIou \|/);
  });
});
