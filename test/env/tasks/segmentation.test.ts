import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { CLASS_ID } from '../../../env/streets/classes.ts';
import { DEFAULT_RUNTIME, type Runtime } from '../../../env/runtime.ts';
import { segmentationTask, type SegmentationOptions } from '../../../env/tasks/segmentation.ts';
import { loadBackend } from '../../../env/tasks/tensorflow/backend.ts';
import { syntheticScene, syntheticScenes, withVoidLeft } from './segmentation/synthetic-scenes.ts';
import { assertSeedsDecide } from './seeds.ts';

const SEEDS = { initialisation: 1, order: 2 };
const silent = () => {};
const WASM: Runtime = { ...DEFAULT_RUNTIME, backend: 'wasm' };
const shortTask = (options: Partial<SegmentationOptions> = {}) =>
  segmentationTask({ steps: 12, batchSize: 4, ...options }, WASM);

describe('segmentationTask', () => {
  before(() => loadBackend('wasm'));

  it('learns 8 images by heart @slow', async () => {
    const images = syntheticScenes(8, 1);
    const task = shortTask({ steps: 150, batchSize: 8, augment: false, carWeight: 1 });
    const model = await task.train(images, SEEDS, silent);
    const scores = await model.score(images);
    model.dispose();
    // A cell is 4×4 pixels, of which the better part decides: around cars of 17×11 pixels the edge costs a fifth.
    assert.ok(scores.carIou! > 0.7 && scores.meanIou! > 0.85, JSON.stringify(scores));
    assert.ok(scores.softCarIou! > 0.6, JSON.stringify(scores));
  });

  it('finds cars in images that it has not seen, and says where @slow', async () => {
    const task = shortTask({ steps: 120, batchSize: 8 });
    const model = await task.train(syntheticScenes(60, 1), SEEDS, silent);
    const unseen = syntheticScene(99);
    const { carIou } = await model.score([unseen]);
    const [predicted] = await model.predict([unseen]);
    model.dispose();
    assert.ok(carIou! > 0.6, `car IoU ${carIou}`);
    let both = 0;
    let either = 0;
    predicted!.classes.forEach((id, i) => {
      const [found, there] = [id === CLASS_ID.car, unseen.classes[i] === CLASS_ID.car];
      both += Number(found && there);
      either += Number(found || there);
    });
    assert.ok(Math.abs(both / either - carIou!) < 1e-12);
  });

  it('gives the same scores for the same seeds, and others for other first weights or another order', async () => {
    await assertSeedsDecide(() => shortTask(), syntheticScenes(8, 1), SEEDS);
  });

  it('scores each of its metrics, within its bounds, and rewards one of them', async () => {
    const task = shortTask({ steps: 2, reward: 'meanIou' });
    const model = await task.train(syntheticScenes(4, 1), SEEDS, silent);
    const scores = await model.score(syntheticScenes(4, 2));
    model.dispose();
    assert.deepEqual(Object.keys(scores).sort(), task.metrics.map(({ name }) => name).sort());
    for (const { name, low, high } of task.metrics) assert.ok(scores[name]! >= low && scores[name]! <= high, name);
    assert.equal(task.reward, 'meanIou');
  });

  it('ignores colours where the label is void, in training and in scoring', async () => {
    const task = shortTask({ augment: false });
    const images = syntheticScenes(4, 1);
    const model = await task.train(images.map(withVoidLeft), SEEDS, silent);
    const relabelled = images.map(withVoidLeft);
    const whole = await model.score(images);
    const half = await model.score(relabelled);
    assert.notDeepEqual(half, whole);
    const [predicted] = await model.predict([images[0]!]);
    const perfect = { ...images[0]!, classes: predicted!.classes };
    if (predicted!.classes.includes(CLASS_ID.car)) assert.equal((await model.score([perfect])).carIou, 1);
    model.dispose();
  });

  it('reports progress with the loss after each step, and lets the event loop run meanwhile', async () => {
    const reports: { fraction: number; loss?: number }[] = [];
    let turns = 0;
    const clock = setInterval(() => turns++, 1);
    const task = shortTask({ steps: 7, batchSize: 4 });
    const model = await task.train(
      syntheticScenes(12, 1),
      SEEDS,
      ({ fraction, loss }) => void reports.push({ fraction, loss: loss! }),
    );
    clearInterval(clock);
    model.dispose();
    assert.deepEqual(
      reports.map(({ fraction }) => fraction),
      [1, 2, 3, 4, 5, 6, 7].map((step) => step / 7),
    );
    assert.ok(reports.every(({ loss }) => Number.isFinite(loss)));
    assert.ok(turns > 0);
  });

  it('gives the caller the unfinished model, and trains on as if it had not been asked for', async () => {
    const images = syntheticScenes(8, 1);
    const task = shortTask({ steps: 40 });
    const plain = await task.train(images, SEEDS, silent);
    const early: number[] = [];
    const before = tf.memory().numTensors;
    const watched = await task.train(images, SEEDS, async ({ fraction, model }) => {
      if (fraction !== 0.1 && fraction !== 1) return;
      const unfinished = model!();
      early.push((await unfinished.score(images)).softCarIou!);
      unfinished.dispose();
    });
    assert.deepEqual(watched.weights, plain.weights);
    const scores = await watched.score(images);
    assert.deepEqual(scores, await plain.score(images));
    assert.equal(early[1], scores.softCarIou, 'after the last step it is the trained model');
    assert.ok(early[0]! < early[1]!);
    watched.dispose();
    assert.equal(tf.memory().numTensors, before);
    plain.dispose();
  });

  it('leaves no tensor behind', async () => {
    const images = syntheticScenes(6, 1);
    const before = tf.memory();
    const model = await shortTask().train(images, SEEDS, silent);
    await model.score(images);
    await model.predict(images);
    model.dispose();
    const { numTensors, numBytes } = tf.memory();
    assert.deepEqual([numTensors, numBytes], [before.numTensors, before.numBytes]);
  });

  it('leaves no tensor behind when the listener to its progress stops it', async () => {
    const before = tf.memory();
    const task = shortTask();
    const stop = () => {
      throw new Error('enough');
    };
    await assert.rejects(task.train(syntheticScenes(6, 1), SEEDS, stop), /^Error: enough$/);
    const { numTensors, numBytes } = tf.memory();
    assert.deepEqual([numTensors, numBytes], [before.numTensors, before.numBytes]);
    // and the backend is as good as new
    (await task.train(syntheticScenes(4, 1), SEEDS, silent)).dispose();
    assert.equal(tf.memory().numTensors, before.numTensors);
  });

  it('takes images of any size: 50×37 for training, 30×20 for the score', async () => {
    const images = Array.from({ length: 4 }, (_, i) => syntheticScene(i, 50, 37));
    const model = await shortTask({ steps: 2 }).train(images, SEEDS, silent);
    const other = syntheticScene(5, 30, 20);
    const [predicted] = await model.predict([other]);
    assert.equal(predicted!.classes.length, 30 * 20);
    assert.ok(Number.isFinite((await model.score([other, ...images])).softCarIou));
    model.dispose();
  });

  it('scores NaN when training diverged, and can still be disposed of', async () => {
    const before = tf.memory().numTensors;
    const images = syntheticScenes(4, 1);
    const model = await shortTask({ learningRate: 1e30 }).train(images, SEEDS, silent);
    assert.ok(Number.isNaN((await model.score(images)).softCarIou));
    model.dispose();
    assert.equal(tf.memory().numTensors, before);
  });

  it('refuses to train on no images, and to score images without a car', async () => {
    const task = shortTask({ steps: 1 });
    await assert.rejects(task.train([], SEEDS, silent), /expected at least one image, got none/);
    const images = syntheticScenes(2, 1);
    const model = await task.train(images, SEEDS, silent);
    const empty = { ...images[0]!, classes: new Uint8Array(images[0]!.classes.length).fill(CLASS_ID.road) };
    await assert.rejects(model.score([empty]), /expected a car in the scored images, got none in 1/);
    model.dispose();
  });
});
