import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { DEFAULT_RUNTIME, type Runtime } from '../../../env/runtime.ts';
import {
  IMAGE_TASK_DEFAULTS,
  imageTask,
  type ImageTaskOptions,
  type Predicted,
} from '../../../env/tasks/image-task.ts';
import { onPatches, type Grid } from '../../../env/tasks/training/architecture.ts';
import type { Picture } from '../../../env/tasks/training/augmentation.ts';
import type { Layer } from '../../../env/tasks/training/network.ts';
import { PATCH, SIGHT } from '../../../env/tasks/training/resolution.ts';
import { Random } from '../../../protocol/random.ts';

/** A picture of noise with a red square that fills one cell of its grid. */
interface Found extends Picture {
  readonly cell: number;
}

const [WIDTH, HEIGHT] = [32, 24];
const CELLS = (WIDTH / PATCH) * (HEIGHT / PATCH);

function picture(seed: number): Found {
  const random = new Random(seed);
  const rgb = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, () => random.integer(120));
  const cell = random.integer(CELLS);
  const left = (cell % (WIDTH / PATCH)) * PATCH;
  const top = Math.floor(cell / (WIDTH / PATCH)) * PATCH;
  for (let y = top; y < top + PATCH; y++) {
    for (let x = left; x < left + PATCH; x++) rgb.set([230, 20, 20], (y * WIDTH + x) * 3);
  }
  return { width: WIDTH, height: HEIGHT, rgb, cell };
}

const pictures = (count: number, seed: number) => Array.from({ length: count }, (_, i) => picture(seed * 1000 + i));

const stem: Layer = { size: 1, inChannels: SIGHT * SIGHT * 3, outChannels: 8, normalised: true };
const head: Layer = { size: 1, inChannels: 8, outChannels: 1, normalised: false };

/** A third image task: where is the square? The largest of the cells' numbers says. */
const finding = (options: Partial<ImageTaskOptions> = {}, changes: object = {}, runtime: Runtime = WASM) =>
  imageTask<Found, number>(
    {
      name: 'finding',
      version: 3,
      metrics: [{ name: 'found', meaning: 'share of the pictures whose square is found', low: 0, high: 1 }],
      reward: 'found',
      small: onPatches({
        layers: [stem, head],
        network: ([patches], on) => on.layer(head, on.layer(stem, patches!)),
        cell: PATCH,
        grid: PATCH,
        levels: 'fixed',
        smallestView: 1,
      }),
      outputs: 1,
      answer: () => ({
        length: CELLS,
        write: ({ cell }, view, answer) => {
          const [row, column] = [Math.floor(cell / (WIDTH / PATCH)), cell % (WIDTH / PATCH)];
          answer.fill(0)[row * (WIDTH / PATCH) + (view.mirrored ? WIDTH / PATCH - 1 - column : column)] = 1;
        },
        loss(output, answers, gradient) {
          let sum = 0;
          output.forEach((value, i) => {
            const error = value - answers[i]!;
            const weight = (answers[i] === 1 ? CELLS : 1) / output.length; // one cell in many has the square
            sum += weight * error ** 2;
            gradient[i] = 2 * weight * error;
          });
          return sum;
        },
      }),
      predict: (output) => output.indexOf(Math.max(...output)),
      score: foundShare,
      ...changes,
    },
    { ...IMAGE_TASK_DEFAULTS, steps: 60, ...options },
    runtime,
  );

async function foundShare(predicted: AsyncIterable<Predicted<Found, number>>) {
  const hits: boolean[] = [];
  for await (const { image, prediction } of predicted) hits.push(prediction === image.cell);
  return { found: hits.filter(Boolean).length / hits.length };
}

const WASM: Runtime = { ...DEFAULT_RUNTIME, backend: 'wasm' };
const SEEDS = { initialisation: 1, order: 2 };

describe('an image task of your own', () => {
  it('is a network, an answer with its loss, and a score: it learns, predicts, and is scored while unfinished', async () => {
    const early: number[] = [];
    const task = finding();
    assert.match(await task.prepare(), /^wasm /);
    const tensors = tf.memory().numTensors;
    const model = await task.train(pictures(40, 1), SEEDS, async ({ fraction, model }) => {
      if (fraction !== 1 / 60) return;
      const unfinished = model!();
      early.push((await unfinished.score(pictures(40, 2))).found!);
      unfinished.dispose();
    });
    const unseen = pictures(40, 2);
    const { found } = await model.score(unseen);
    const predicted = await model.predict(unseen);
    model.dispose();
    assert.equal(tf.memory().numTensors, tensors);
    assert.ok(found! > 0.95, `${found}`);
    assert.ok(early[0]! < found!, `${early[0]}`);
    assert.equal(predicted.filter((cell, i) => cell === unseen[i]!.cell).length, 40 * found!);
    assert.deepEqual([task.name, task.version, task.reward], ['finding', 3, 'found']);
  });

  it('has NaN for every metric when training diverged, and names itself in errors', async () => {
    const model = await finding({ learningRate: 1e30, steps: 9 }).train(pictures(8, 1), SEEDS, () => {});
    assert.deepEqual(await model.score(pictures(3, 2)), { found: NaN });
    model.dispose();
    await assert.rejects(
      finding().train([], SEEDS, () => {}),
      /^RangeError: finding: expected at least one image/,
    );
  });

  it('sets the start of the last bias; the other weights come from the seed', async () => {
    const start = async (changes: object) => {
      const model = await finding({ learningRate: 0, steps: 1 }, changes).train(pictures(8, 1), SEEDS, () => {});
      model.dispose();
      return [...model.weights];
    };
    const plain = await start({});
    const biased = await start({ firstBias: ({ size }: Grid) => [size.width / -64] });
    assert.equal(plain.at(-1), 0);
    assert.deepEqual(biased, [...plain.slice(0, -1), -0.5]);
  });
});
