import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { CAR_TYPES } from '../../../env/simulators/traffic/parameters.ts';
import { SoftwareRenderer } from '../../../env/render/software/software-renderer.ts';
import { drawSamples } from '../../../env/simulators/draw-samples.ts';
import { trafficSimulator } from '../../../env/simulators/traffic/traffic.ts';
import { DEFAULT_RUNTIME, type Runtime } from '../../../env/runtime.ts';
import { countingTask, type CountingOptions } from '../../../env/tasks/counting.ts';
import { carCounts } from '../../../env/tasks/counting/counts.ts';
import { loadBackend } from '../../../env/tasks/tensorflow/backend.ts';
import type { Theta } from '../../../protocol/parameters.ts';
import { countableScene, countableScenes, TYPES } from './counting/countable-scenes.ts';
import { assertSeedsDecide } from './seeds.ts';

const SEEDS = { initialisation: 1, order: 2 };
const silent = () => {};
const WASM: Runtime = { ...DEFAULT_RUNTIME, backend: 'wasm' };
const shortTask = (options: Partial<CountingOptions> = {}) =>
  countingTask({ types: TYPES, steps: 12, batchSize: 4, ...options }, WASM);

describe('countingTask', () => {
  before(() => loadBackend('wasm'));

  it('learns 8 images by heart @slow', async () => {
    const images = countableScenes(8, 1);
    const task = shortTask({ steps: 150, batchSize: 8, augment: false });
    const model = await task.train(images, SEEDS, silent);
    const scores = await model.score(images);
    const predicted = await model.predict(images);
    model.dispose();
    assert.ok(scores.devianceExplained! > 0.9, JSON.stringify(scores));
    assert.equal(scores.negativeL1Rounded, -0);
    assert.deepEqual(
      predicted.map((counts) => counts.map(Math.round)),
      images.map((image) => carCounts(image, TYPES)),
    );
  });

  it('counts in images that it has not seen @slow', async () => {
    const model = await shortTask({ steps: 120, batchSize: 8 }).train(countableScenes(60, 1), SEEDS, silent);
    const scores = await model.score(countableScenes(40, 2));
    model.dispose();
    assert.ok(scores.devianceExplained! > 0.7, JSON.stringify(scores));
  });

  it('is the better for having been trained on the proportions that it is asked about @slow', async () => {
    const unseen = countableScenes(60, 3, 0.8);
    const trainedOn = async (red: number) => {
      const model = await shortTask({ steps: 60 }).train(countableScenes(40, 1, red), SEEDS, silent);
      const scores = await model.score(unseen);
      model.dispose();
      return scores.devianceExplained!;
    };
    assert.ok((await trainedOn(0.8)) > (await trainedOn(0)) + 0.3);
  });

  it('gives the same scores for the same seeds, and others for other first weights or another order', async () => {
    await assertSeedsDecide(() => shortTask(), countableScenes(8, 1), SEEDS);
  });

  it('scores each of its metrics, within its bounds, and rewards one of them', async () => {
    const task = shortTask({ steps: 2, reward: 'negativeL1' });
    const model = await task.train(countableScenes(4, 1), SEEDS, silent);
    const scores = await model.score(countableScenes(9, 2));
    model.dispose();
    assert.deepEqual(Object.keys(scores).sort(), task.metrics.map(({ name }) => name).sort());
    for (const { name, low, high } of task.metrics) assert.ok(scores[name]! >= low && scores[name]! <= high, name);
    assert.equal(task.reward, 'negativeL1');
  });

  it('leaves no tensor behind, even when the listener to its progress stops it', async () => {
    const images = countableScenes(6, 1);
    const before = tf.memory();
    const model = await shortTask().train(images, SEEDS, silent);
    await model.score(images);
    model.dispose();
    const stop = () => {
      throw new Error('enough');
    };
    await assert.rejects(shortTask().train(images, SEEDS, stop), /^Error: enough$/);
    const { numTensors, numBytes } = tf.memory();
    assert.deepEqual([numTensors, numBytes], [before.numTensors, before.numBytes]);
  });

  it('takes images of any size, and scores NaN when training diverged', async () => {
    const images = Array.from({ length: 4 }, (_, i) => countableScene(i, 0.5, 70, 45));
    const model = await shortTask({ steps: 2 }).train(images, SEEDS, silent);
    assert.ok(Number.isFinite((await model.score(countableScenes(5, 1))).devianceExplained));
    model.dispose();
    const lost = await shortTask({ learningRate: 1e30 }).train(images, SEEDS, silent);
    assert.ok(Number.isNaN((await lost.score(images)).devianceExplained));
    lost.dispose();
  });

  it('refuses to train on no images', async () => {
    await assert.rejects(shortTask().train([], SEEDS, silent), /expected at least one image, got none/);
  });
});

describe('the traffic simulator, for counting', () => {
  const simulator = trafficSimulator({ width: 96, height: 72, renderer: new SoftwareRenderer() });
  const draw = (theta: Theta, count: number) => drawSamples(simulator, theta, 1, count);

  it('shows cars of every type that can be counted', async () => {
    const total = new Float32Array(CAR_TYPES.length);
    for (const image of await draw({}, 60))
      carCounts(image, CAR_TYPES).forEach((count, type) => (total[type]! += count));
    assert.ok(
      total.every((count) => count > 0),
      total.join(),
    );
  });

  it('shows cars of only one type if θ says so', async () => {
    const total = new Float32Array(CAR_TYPES.length);
    for (const image of await draw({ carTypes: [0, 0, 0, 1, 0] }, 12)) {
      carCounts(image, CAR_TYPES).forEach((count, type) => (total[type]! += count));
    }
    assert.deepEqual(
      [...total].map((count) => count > 0),
      [false, false, false, true, false],
    );
  });
});
