import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { DEFAULT_RUNTIME, type BackendName, type Runtime } from '../../../../env/runtime.ts';
import { blockLayers } from '../../../../env/tasks/backbone/efficientnet-lite0.ts';
import { jittered } from '../../../../env/tasks/backbone/jitter.ts';
import { onBackbone, type OnBackboneOptions } from '../../../../env/tasks/backbone/on-backbone.ts';
import { BACKBONE_FILE } from '../../../../env/tasks/backbone/weights.ts';
import type { PixelPrediction } from '../../../../env/tasks/segmentation/prediction.ts';
import { segmentationTask, type SegmentationOptions } from '../../../../env/tasks/segmentation.ts';
import { installedBackends, loadBackend } from '../../../../env/tasks/tensorflow/backend.ts';
import { differentiable } from '../../../../env/tasks/training/differentiable.ts';
import { initialWeights, weightCount } from '../../../../env/tasks/training/layers.ts';
import { Random } from '../../../../protocol/random.ts';
import { syntheticScene, syntheticScenes } from '../segmentation/synthetic-scenes.ts';
import { assertSeedsDecide } from '../seeds.ts';

const SEEDS = { initialisation: 1, order: 2 };
const WASM: Runtime = { ...DEFAULT_RUNTIME, backend: 'wasm' };
const task = (options: Partial<SegmentationOptions> = {}) =>
  segmentationTask(
    { network: 'efficientnet-lite0', cell: 4, width: 0.25, batchSize: 4, steps: 10, learningRate: 0.004, ...options },
    WASM,
  );
const TAPS = [2, 4, 10, 15];
const architecture = (options: Partial<OnBackboneOptions> = {}) =>
  onBackbone({ head: 'network', outputs: 7, cell: 8, taps: TAPS, finetune: 0, width: 1, ...options });

describe('a network on the pretrained backbone', () => {
  describe('without its weights', () => {
    before(function () {
      if (existsSync(BACKBONE_FILE)) this.skip();
    });

    it('is refused when it is made, with the command that brings them', () => {
      assert.throws(
        task,
        /^RangeError: network efficientnet-lite0: expected its weights in .*, found none; npm run setup/,
      );
    });
  });

  describe('with its weights', () => {
    before(async function () {
      if (!existsSync(BACKBONE_FILE)) return this.skip(); // npm run setup:backbone brings them
      await loadBackend('wasm');
    });

    it('finds cars in images that it has not seen @slow', async () => {
      const model = await task({ steps: 60 }).train(syntheticScenes(24, 1), SEEDS, () => {});
      const { carIou } = await model.score([syntheticScene(99), syntheticScene(98)]);
      model.dispose();
      assert.ok(carIou! > 0.5, `car IoU ${carIou}`);
    });

    it('gives the same scores for the same seeds, and others for other ones @slow', async () => {
      await assertSeedsDecide(() => task(), syntheticScenes(8, 1), SEEDS);
    });

    it('learns in closed form, the same whatever the seeds @slow', async () => {
      const score = async (seeds: typeof SEEDS) => {
        const model = await task({ head: 'ridge' }).train(syntheticScenes(24, 1), seeds, () => {});
        const scores = await model.score([syntheticScene(99), syntheticScene(98)]);
        model.dispose();
        return scores;
      };
      const scores = await score(SEEDS);
      assert.ok(scores.carIou! > 0.4, `car IoU ${scores.carIou}`);
      assert.deepEqual(await score({ initialisation: 5, order: 6 }), scores);
    });

    it('stands on the blocks that it is told, and learns from them @slow', async () => {
      const taps = [2, 3, 8];
      const given = { images: syntheticScenes(2, 1), size: { width: 64, height: 48 }, seed: 1, augment: false };
      const inputs = await architecture({ taps }).inputs({ ...given, progress: () => {} });
      assert.deepEqual(inputs.shapes(2), [
        [2, 6, 8, 24], // of 12 × 16 cells of 4 pixels
        [2, 6, 8, 40],
        [2, 3, 4, 112],
      ]);
      const model = await task({ taps, steps: 60 }).train(syntheticScenes(24, 1), SEEDS, () => {});
      const { carIou } = await model.score([syntheticScene(99), syntheticScene(98)]);
      model.dispose();
      assert.ok(carIou! > 0.5, `car IoU ${carIou}`);
    });

    it('refuses blocks that there are not, that descend, or none of which has the cells of the output', () => {
      for (const taps of [[2, 16], [4, 2], [2, 2], [2.5], [-1, 2], [], [3, 15]]) {
        assert.throws(
          () => task({ taps }),
          new RegExp(
            `^RangeError: taps: expected ascending numbers of blocks, 0 to 15, and for cells of 4 pixels one of 1, 2, got .${taps.join()}.$`,
          ),
        );
      }
      task({ taps: [1] });
      task({ taps: [3], cell: 8 });
    });

    it('refuses a linear map of what is not pretrained @slow', () => {
      const ridge = () => task({ network: 'small', head: 'ridge' });
      assert.throws(
        ridge,
        /^RangeError: head ridge: expected segmentation with network efficientnet-lite0, got network small$/,
      );
      assert.throws(() => task({ head: 'ridge', pretrained: 'own' }), /pretrained: expected none with head ridge/);
    });

    it('ends with the error of the progress, before it has computed all features @slow', async () => {
      let reports = 0;
      const stop = () => {
        if (++reports > 1) throw new Error('enough');
      };
      await assert.rejects(task().train(syntheticScenes(64, 1), SEEDS, stop), /^Error: enough$/);
      assert.equal(reports, 2);
    });

    it('is given means of the cells that are finer than its output @slow', async () => {
      const images = syntheticScenes(2, 1);
      const given = { images, size: { width: 64, height: 48 }, seed: 1, augment: false, progress: () => {} };
      const ofCell = async (cell: 4 | 8) => (await architecture({ cell }).inputs(given)).plain([images[1]!]);
      const [fine, coarse] = [(await ofCell(4))[0]!, (await ofCell(8))[0]!];
      const at = (row: number, column: number, channel: number) => fine[(row * 16 + column) * 24 + channel]!;
      for (const [row, column, channel] of [
        [0, 0, 0],
        [3, 7, 11],
        [5, 2, 23],
      ] as const) {
        const [y, x] = [2 * row, 2 * column];
        const mean =
          (at(y, x, channel) + at(y, x + 1, channel) + at(y + 1, x, channel) + at(y + 1, x + 1, channel)) / 4;
        assert.ok(Math.abs(coarse[(row * 8 + column) * 24 + channel]! - mean) < 1e-5, `${row} ${column} ${channel}`);
      }
    });

    it('is given features with mean 0 and standard deviation 1, mirrored ones the other way round @slow', async () => {
      const images = syntheticScenes(6, 1);
      const size = { width: images[0]!.width, height: images[0]!.height };
      const progress = () => {};
      const given = { images, size, seed: 1, progress };
      const plain = await architecture({ cell: 4 }).inputs({ ...given, augment: false });
      for (const [tap, numbers] of plain.plain(images).entries()) {
        const [, rows, columns, channels] = plain.shapes(1)[tap]!;
        for (let c = 0; c < channels; c += 7) {
          const channel = Array.from({ length: images.length * rows * columns }, (_, i) => numbers[i * channels + c]!);
          const mean = channel.reduce((sum, value) => sum + value, 0) / channel.length;
          const variance = channel.reduce((sum, value) => sum + (value - mean) ** 2, 0) / channel.length;
          assert.ok(Math.abs(mean) < 1e-3 && Math.abs(variance - 1) < 0.02, `tap ${tap}, channel ${c}`);
        }
      }
      const inputs = await architecture().inputs({ ...given, augment: true });
      const places = inputs.shapes(1).map((shape) => new Float32Array(shape.reduce((p, length) => p * length, 1)));
      const [row, , columns, channels] = [0, ...inputs.shapes(1)[0]!.slice(1)] as number[];
      const corner = (column: number) => [
        ...places[0]!.slice((row! * columns! + column) * channels!, (column + 1) * channels!),
      ];
      const seen = { plain: new Set<string>(), mirrored: new Set<string>() };
      for (let i = 0; i < 40; i++) {
        const { mirrored } = inputs.write(images[0]!, places);
        const ends = [corner(0), corner(columns! - 1)];
        seen[mirrored ? 'mirrored' : 'plain'].add(JSON.stringify(mirrored ? ends.reverse() : ends));
      }
      assert.equal(seen.plain.size, 2, 'the image, and the image in other colours');
      assert.deepEqual(seen.mirrored, seen.plain);
    });
  });

  for (const backend of ['wasm', 'tfjs-node'] as const satisfies BackendName[]) {
    describe(`of which the last blocks are trained, on ${backend} @slow`, function () {
      this.timeout(120_000);
      before(async function () {
        if (!existsSync(BACKBONE_FILE)) return this.skip(); // npm run setup:backbone brings them
        if (!installedBackends().includes(backend)) return this.skip();
        await loadBackend(backend);
      });
      after(() => loadBackend('wasm'));

      const trained = (options: Partial<SegmentationOptions>) => {
        const small = { width: 0.25, batchSize: 4, learningRate: 0.004, augment: false, ...options };
        const task = segmentationTask({ network: 'efficientnet-lite0', cell: 4, ...small }, { ...WASM, backend });
        return task.train(syntheticScenes(8, 1), SEEDS, () => {});
      };

      it('is the network on untrained blocks as long as nothing is learned, wherever it is cut', async () => {
        const predictions = async (options: Partial<SegmentationOptions>) => {
          const model = await trained({ learningRate: 0, steps: 1, ...options });
          const [{ probability }] = (await model.predict([syntheticScene(99)])) as [PixelPrediction];
          model.dispose();
          return probability;
        };
        // The last tap alone, within a stage, at a tap, across strides, behind the first block.
        for (const [finetune, taps, cell] of [
          [1, TAPS, 4],
          [4, TAPS, 4],
          [5, TAPS, 4],
          [7, TAPS, 4],
          [10, [1, 2, 12], 4],
          [2, [1, 2], 4],
          [3, [2, 4], 8], // a trained tap that is finer than the output
        ] as const) {
          const still = await predictions({ taps, cell });
          const tuned = await predictions({ taps, cell, finetune });
          const difference = still.reduce((most, share, i) => Math.max(most, Math.abs(share - tuned[i]!)), 0);
          assert.ok(difference < 1e-3, `${finetune} blocks: differs by ${difference}`);
        }
      });

      it('sees the same views of an image as the network on untrained blocks, also in other colours', async () => {
        const images = syntheticScenes(2, 1);
        const size = { width: 64, height: 48 };
        const seen = async (finetune: number) => {
          const { network, layers, ...made } = architecture({ finetune, width: 0.25 });
          const inputs = await made.inputs({ images, size, seed: 1, augment: true, progress: () => {} });
          const weights = initialWeights(layers, new Random(1), inputs.known);
          const { gradient } = differentiable(network, layers, inputs.shapes(1));
          const places = inputs.shapes(1).map((shape) => new Float32Array(shape.reduce((p, length) => p * length, 1)));
          return Array.from({ length: 8 }, () => {
            const { mirrored } = inputs.write(images[1]!, places);
            let output = new Float32Array();
            const keep = (numbers: Float32Array) => {
              output = numbers.slice();
              return 0;
            };
            gradient(places, weights, keep, new Float32Array(weights.length));
            return { mirrored, output };
          });
        };
        const [still, tuned] = [await seen(0), await seen(2)];
        assert.deepEqual(
          tuned.map(({ mirrored }) => mirrored),
          still.map(({ mirrored }) => mirrored),
        );
        assert.equal(new Set(still.map(({ mirrored, output }) => `${mirrored} ${output[0]}`)).size, 4);
        // Trained blocks are given what is mirrored; of untrained ones, what they give is mirrored.
        for (const [view, { mirrored, output }] of still.entries()) {
          if (mirrored) continue;
          const difference = output.reduce((most, y, k) => Math.max(most, Math.abs(y - tuned[view]!.output[k]!)), 0);
          assert.ok(difference < 2e-3, `view ${view}: differs by ${difference}`);
        }
      });

      it('learns in these blocks at a tenth of the rate, and nothing in how their output is standardised', async () => {
        const [begun, learned] = [
          await trained({ finetune: 3, steps: 1, learningRate: 0 }),
          await trained({ finetune: 3, steps: 1 }),
        ];
        for (const model of [begun, learned]) model.dispose();
        const moved = learned.weights.map((weight, i) => Math.abs(weight - begun.weights[i]!));
        const blocks = weightCount(blockLayers(13, 15));
        const head = blocks + 2 * 320;
        const most = (from: number, to?: number) => moved.subarray(from, to).reduce((a, b) => Math.max(a, b), 0);
        const step = 0.004 / 25; // The first step of one cycle, and AdamW's first step is the learning rate.
        assert.ok(Math.abs(most(0, blocks) / (0.1 * step) - 1) < 0.2, `blocks: ${most(0, blocks)}`);
        assert.equal(most(blocks, head), 0);
        assert.ok(Math.abs(most(head) / step - 1) < 0.2, `head: ${most(head)}`);
      });

      it('has the gradient that finite differences give, for each layer of the blocks', async () => {
        const images = syntheticScenes(4, 1);
        const size = { width: 64, height: 48 };
        const { network, layers, ...tuned } = architecture({ finetune: 6, width: 0.25 });
        const given = await tuned.inputs({ images, size, seed: 1, augment: false, progress: () => {} });
        const weights = initialWeights(layers, new Random(1), given.known);
        const { gradient: differentiate } = differentiable(network, layers, given.shapes(4));
        const random = new Random(2);
        const slope = Float32Array.from({ length: 4 * 6 * 8 * 7 }, () => random.normal());
        const cost = (output: Float32Array, slopes: Float32Array) => {
          slopes.set(slope);
          return output.reduce((sum, y, i) => sum + y * slope[i]!, 0);
        };
        const gradient = new Float32Array(weights.length);
        const numbers = given.plain(images);
        differentiate(numbers, weights, cost, gradient);
        let offset = 0;
        for (const layer of blockLayers(10, 15)) {
          const end = offset + weightCount([layer]);
          const own = gradient.subarray(offset, end);
          const squared = own.reduce((sum, g) => sum + g * g, 0);
          const width = 0.1 / squared; // of the step along the gradient: it changes the loss by about 0.1
          const lossAt = (factor: number) => {
            const changed = weights.slice();
            own.forEach((g, i) => (changed[offset + i]! += factor * width * g));
            return differentiate(numbers, changed, cost, new Float32Array(weights.length));
          };
          const slopeAlong = (lossAt(1) - lossAt(-1)) / (2 * width);
          assert.ok(Math.abs(slopeAlong / squared - 1) < 0.03, `${layer.name}: ${slopeAlong / squared} of it`);
          offset = end;
        }
      });

      it('finds cars in images that it has not seen, the same for the same seeds', async () => {
        const options = { finetune: 4, steps: 40, augment: true };
        const [first, second] = [await trained(options), await trained(options)];
        const { carIou } = await first.score([syntheticScene(99), syntheticScene(98)]);
        assert.ok(carIou! > 0.5, `car IoU ${carIou}`);
        assert.deepEqual(second.weights, first.weights);
        for (const model of [first, second]) model.dispose();
      });
    });
  }

  it('refuses to train blocks that there are not, or where nothing or everything is trained', () => {
    assert.throws(
      () => task({ network: 'small', finetune: 1 }),
      /^RangeError: finetune: expected 0 with network small, .* got 1$/,
    );
    if (!existsSync(BACKBONE_FILE)) return;
    assert.throws(
      () => task({ head: 'ridge', finetune: 1 }),
      /^RangeError: finetune: expected 0 with head ridge, .* got 1$/,
    );
    for (const finetune of [-1, 1.5, 16, NaN]) {
      assert.throws(() => task({ finetune }), /^RangeError: finetune: expected 0 to 15, the number of blocks .*, got/);
    }
    assert.throws(() => task({ taps: [2, 4], finetune: 5 }), /^RangeError: finetune: expected 0 to 4, .* got 5$/);
    task({ taps: [2, 4], finetune: 4 });
  });

  it('learns from other colours: as bright on average, never the same twice, the same for the same seed', () => {
    const image = syntheticScene(3);
    const changed = (seed: number) => jittered(image, new Random(seed)).rgb;
    assert.deepEqual(changed(1), changed(1));
    const means = Array.from(
      { length: 40 },
      (_, seed) => changed(seed).reduce((sum, byte) => sum + byte, 0) / image.rgb.length,
    );
    assert.equal(new Set(means).size, 40);
    const own = image.rgb.reduce((sum, byte) => sum + byte, 0) / image.rgb.length;
    const average = means.reduce((sum, mean) => sum + mean, 0) / means.length;
    assert.ok(Math.abs(average - own) < 30, `${average}, the image itself ${own}`);
  });
});
