import assert from 'node:assert/strict';
import { evaluate, evaluationSeeds } from '../../../env/evaluate.ts';
import { createExperiment } from '../../../env/experiments/load.ts';
import detectionReal from '../../../env/experiments/traffic-detection-real.ts';
import { DEFAULT_RUNTIME } from '../../../env/runtime.ts';
import type { BoxedImage } from '../../../env/streets/boxed-image.ts';
import { completeTheta } from '../../../protocol/parameters.ts';
import { colour, streetFolder, type StreetFolder } from '../streets/street-folder.ts';

describe('TrafficDetectionReal-v0', () => {
  let folder: StreetFolder;
  beforeEach(() => (folder = streetFolder()));
  afterEach(() => folder.remove());

  const [WIDTH, HEIGHT] = [32, 24];
  const photograph = colour(
    WIDTH,
    Array.from({ length: WIDTH * HEIGHT }, (_, i) => (i % WIDTH < 16 ? [30, 40, 200] : [90, 90, 90])),
  );
  /** KITTI, at a size at which its own heights are met. */
  const write = (type: string, frames = 60) => {
    for (let i = 0; i < frames; i++) {
      const name = String(i).padStart(6, '0');
      folder.put(`training/image_2/${name}.png`, photograph);
      folder.put(`training/label_2/${name}.txt`, `${type} 0 0 -1 0 0 16 26 1 1 1 0 0 0 0\n`);
    }
  };
  const create = (options = {}) => {
    const small = { width: WIDTH, height: HEIGHT, trainingImages: 4, steps: 2, networkWidth: 0.5, ...options };
    return createExperiment(detectionReal, small, { ...DEFAULT_RUNTIME, backend: 'wasm', data: folder.path })
      .experiment;
  };

  it('trains on drawn streets, and finds cars on the photographs of a folder @slow', async () => {
    write('Car');
    const experiment = create();
    await experiment.prepare!();
    const [first, ...others] = (await experiment.target.validation()) as BoxedImage[];
    assert.deepEqual(first!.boxes, [{ category: 'car', ignored: false, x: 0, y: 0, width: 16, height: 24 }]);
    assert.equal(others.length, 14, 'a block of 15');
    const theta = completeTheta(experiment.simulator.parameters, {});
    const { outcome, scores, testScores } = await evaluate(experiment, {
      theta,
      seeds: evaluationSeeds(1),
      test: true,
    });
    assert.deepEqual([outcome, Object.keys(scores)], ['ok', ['smoothAp', 'ap50', 'ap']]);
    assert.deepEqual(Object.keys(testScores!), ['smoothAp', 'ap50', 'ap']);
  }).timeout(60_000);

  it('is told apart by its images, its boxes, and what is asked for', () => {
    write('Car');
    const first = create().target.content!();
    const others = [create({ difficulty: 'hard' }).target.content!()];
    folder.put('training/label_2/000000.txt', '');
    others.push(create().target.content!());
    assert.equal(new Set([first, ...others]).size, 3);
  });

  it('refuses a folder without the objects, or with too few frames, and no folder', async () => {
    write('Van');
    await assert.rejects(
      create().prepare!(),
      /validation: expected a car to be found in at least one image, found none in 15/,
    );
    folder.remove('training');
    write('Car', 10);
    assert.throws(() => create(), /expected frames to validate on, got 10 frames of 1 sequence/);
    assert.throws(
      () => createExperiment(detectionReal, {}, DEFAULT_RUNTIME),
      /TrafficDetectionReal-v0: expected a folder of photographs with boxes; start the server with --data DIR/,
    );
  });
});
