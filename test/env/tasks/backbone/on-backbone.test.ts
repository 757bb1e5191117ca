import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { DEFAULT_RUNTIME, type Runtime } from '../../../../env/runtime.ts';
import { jittered } from '../../../../env/tasks/backbone/jitter.ts';
import { onBackbone } from '../../../../env/tasks/backbone/on-backbone.ts';
import { BACKBONE_FILE } from '../../../../env/tasks/backbone/weights.ts';
import { segmentationTask, type SegmentationOptions } from '../../../../env/tasks/segmentation.ts';
import { loadBackend } from '../../../../env/tasks/tensorflow/backend.ts';
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
const architecture = () => onBackbone({ head: 'network', outputs: 7, cell: 8, taps: [2, 4, 10, 15], width: 1 });

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
      const chosen = onBackbone({ head: 'network', outputs: 7, cell: 8, taps, width: 1 });
      const inputs = await chosen.inputs({ ...given, progress: () => {} });
      assert.deepEqual(inputs.shapes(2), [
        [2, 12, 16, 24],
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
    });

    it('ends with the error of the progress, before it has computed all features @slow', async () => {
      let reports = 0;
      const stop = () => {
        if (++reports > 1) throw new Error('enough');
      };
      await assert.rejects(task().train(syntheticScenes(64, 1), SEEDS, stop), /^Error: enough$/);
      assert.equal(reports, 2);
    });

    it('is given features with mean 0 and standard deviation 1, mirrored ones the other way round @slow', async () => {
      const images = syntheticScenes(6, 1);
      const size = { width: images[0]!.width, height: images[0]!.height };
      const progress = () => {};
      const given = { images, size, seed: 1, progress };
      const plain = await architecture().inputs({ ...given, augment: false });
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
