import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { evaluate, evaluationSeeds } from '../../../env/evaluate.ts';
import { createExperiment } from '../../../env/experiments/load.ts';
import { HIDDEN_STREETS, POOR_STREETS } from '../../../env/experiments/streets.ts';
import match from '../../../env/experiments/traffic-match.ts';
import { DEFAULT_RUNTIME, type Runtime } from '../../../env/runtime.ts';
import { BACKBONE_FILE } from '../../../env/tasks/backbone/weights.ts';
import { likeness, MATCH_TAP, matchTask, MomentSums, type Moments } from '../../../env/tasks/match.ts';
import { completeTheta, type Theta } from '../../../protocol/parameters.ts';
import { syntheticScenes } from './segmentation/synthetic-scenes.ts';

const WASM: Runtime = { ...DEFAULT_RUNTIME, backend: 'wasm' };
const SEEDS = { initialisation: 1, order: 2 };

const moments = (mean: number[], deviation: number[]): Moments => {
  return { mean: Float64Array.from(mean), deviation: Float64Array.from(deviation) };
};

describe('the moments of features', () => {
  it('are the mean and the standard deviation of each channel in each row, over all images', () => {
    const sums = new MomentSums(2, 2, 2);
    // [rows, columns, channels]: the second channel has the tenfold of the first
    sums.add(Float32Array.of(1, 10, 3, 30, 5, 50, 5, 50));
    sums.add(Float32Array.of(1, 10, 3, 30, 7, 70, 7, 70));
    const { mean, deviation } = sums.result();
    assert.deepEqual([...mean], [2, 20, 6, 60]);
    assert.deepEqual([...deviation], [1, 10, 1, 10]);
  });

  it('are alike by the mean of the squared distances, in deviations of the target', () => {
    const target = moments([0, 0, 0, 0], [1, 2, 1, 1]);
    const close = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-2, `${a} and ${b}`);
    assert.equal(likeness(target, target), 1);
    close(likeness(moments([2, 0, 0, 0], [1, 2, 1, 1]), target), 1 / (1 + 4 / 4));
    close(likeness(moments([0, 2, 0, 0], [1, 2, 1, 1]), target), 1 / (1 + 1 / 4));
    close(likeness(moments([0, 0, 0, 0], [1, 2, 1, 4]), target), 1 / (1 + 9 / 4));
    assert.throws(() => likeness(moments([0], [1]), target), /expected images of one height, got 1 and 4 moments/);
  });
});

describe('a match of distributions', () => {
  before(function () {
    if (!existsSync(BACKBONE_FILE)) this.skip(); // npm run setup:backbone brings the weights
  });

  const score = async (drawn: ReturnType<typeof syntheticScenes>, set: typeof drawn) => {
    const model = await matchTask({ tap: MATCH_TAP }, WASM).train(drawn, SEEDS, () => {});
    const { likeness } = await model.score(set);
    model.dispose();
    return likeness!;
  };

  it('is perfect for the images themselves, and reads no labels', async () => {
    const images = syntheticScenes(6, 1);
    assert.equal(await score(images, images), 1);
    const unlabelled = images.map((image) => ({ ...image, classes: image.classes.map(() => 255) }));
    assert.equal(await score(unlabelled, images), 1);
    const dark = images.map((image) => ({ ...image, rgb: image.rgb.map((value) => value / 4) }));
    assert.ok((await score(dark, images)) < (await score(syntheticScenes(6, 2), images)));
  }).timeout(20_000);

  it('refuses to compare without images', async () => {
    await assert.rejects(score([], syntheticScenes(1, 1)), /match: expected at least one image, got none/);
    await assert.rejects(score(syntheticScenes(1, 1), []), /expected at least one image to compare with, got none/);
  });

  it('is told how far it is, and can be stopped', async () => {
    const fractions: number[] = [];
    const task = matchTask({ tap: MATCH_TAP }, WASM);
    await task.train(syntheticScenes(20, 1), SEEDS, ({ fraction }) => void fractions.push(fraction));
    assert.deepEqual(fractions, [0.4, 0.8, 1]);
    const stopped = task.train(syntheticScenes(20, 1), SEEDS, () => Promise.reject(new Error('stopped')));
    await assert.rejects(stopped, /stopped/);
  }).timeout(20_000);

  it('prefers the hidden streets to the poor ones, the same for equal seeds @slow', async () => {
    const small = { width: 64, height: 48, trainingImages: 12, validationImages: 30, testImages: 10 };
    const { experiment } = createExperiment(match, small, WASM);
    const rewardOf = async (theta: Theta, seed: number) => {
      const complete = completeTheta(experiment.simulator.parameters, theta);
      const result = await evaluate(experiment, { theta: complete, seeds: evaluationSeeds(seed), test: true });
      assert.equal(result.outcome, 'ok', result.reason);
      return [result.reward!, result.testScores!['likeness']!];
    };
    const hidden = await rewardOf(HIDDEN_STREETS, 1);
    const poor = await rewardOf(POOR_STREETS, 1);
    for (const set of [0, 1]) assert.ok(hidden[set]! > poor[set]! + 0.02, `${hidden[set]} and ${poor[set]}`);
    assert.deepEqual(await rewardOf(HIDDEN_STREETS, 1), hidden);
    assert.notDeepEqual(await rewardOf(HIDDEN_STREETS, 2), hidden);
  }).timeout(60_000);
});
