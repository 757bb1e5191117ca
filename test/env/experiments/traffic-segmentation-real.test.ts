import assert from 'node:assert/strict';
import { cpSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '../../../agents/client/client.ts';
import { evaluate, evaluationSeeds } from '../../../env/evaluate.ts';
import { createExperiment } from '../../../env/experiments/load.ts';
import real from '../../../env/experiments/traffic-segmentation-real.ts';
import { DEFAULT_RUNTIME, type Runtime } from '../../../env/runtime.ts';
import { CLASS_ID, VOID } from '../../../env/streets/classes.ts';
import type { LabelledImage } from '../../../env/streets/labelled-image.ts';
import type { RealExperiment } from '../../../scripts/reproduce/real-images.ts';
import { describeExperiment } from '../../../env/server/describe.ts';
import { TINY_STREETS } from '../../scripts/reproduce/reproduction.ts';
import { writeCamvid } from '../../scripts/reproduce/tiny-camvid.ts';
import { startBanditServer } from '../server/bandit-server.ts';
import { colour, gray, streetFolder, type StreetFolder } from '../streets/street-folder.ts';

const OPTIONS = JSON.parse(TINY_STREETS) as Record<string, unknown>;

describe('TrafficSegmentationReal-v0', function () {
  this.timeout(60_000);
  let folder: StreetFolder;
  beforeEach(async () => {
    folder = streetFolder();
    await writeCamvid(folder.path);
  });
  afterEach(() => folder.remove());

  const runtimeOf = (data: string): Runtime => ({ ...DEFAULT_RUNTIME, backend: 'wasm', data });
  const experiment = () => createExperiment(real, OPTIONS, runtimeOf(folder.path)).experiment;
  /** Labels of 32×24 pixels that are road everywhere. */
  const noCar = gray(32, Array<number>(32 * 24).fill(3));

  describe('refuses images that cannot serve:', () => {
    it('no car to validate on, or to test on', async () => {
      await experiment().prepare!();
      folder.put('train/labels/S1_1.png', noCar); // trains
      await experiment().prepare!();
      folder.put('train/labels/S4_1.png', noCar); // is held out
      await experiment().prepare!();
      renameSync(join(folder.path, 'test'), join(folder.path, 'other'));
      await assert.rejects(
        experiment().prepare!(),
        /: heldOut: expected a car in at least one image, found none in 1,/,
      );
      renameSync(join(folder.path, 'other'), join(folder.path, 'test'));
      folder.put('train/labels/S2_1.png', noCar); // validates
      await assert.rejects(experiment().prepare!(), /: validation: expected a car in at least one image, found none/);
    });

    it('a training image that is cut short', async () => {
      const path = join(folder.path, 'train/images/S3_1.png');
      truncateSync(path, readFileSync(path).length - 20);
      await assert.rejects(experiment().prepare!(), /S3_1\.png: expected a readable image/);
    });

    it('one frame, or none to test on', () => {
      folder.remove('test');
      for (const kind of ['images', 'labels']) folder.remove(`train/${kind}/S4_1.png`);
      assert.throws(experiment, /expected frames to test on, got 3 frames of 3 sequences and no test split/);
      for (const kind of ['images', 'labels']) {
        for (const name of ['S2_1', 'S3_1']) folder.remove(`train/${kind}/${name}.png`);
      }
      assert.throws(experiment, /expected frames to validate on, got 1 frame of 1 sequence/);
    });
  });

  it('is tested on the test split alone where there is no held-out block', async () => {
    for (const kind of ['images', 'labels']) folder.remove(`train/${kind}/S4_1.png`);
    const { target, start } = experiment();
    assert.equal(target.alsoTest, undefined);
    const { outcome, testScores } = await evaluate(experiment(), {
      theta: start,
      seeds: evaluationSeeds(1),
      test: true,
    });
    assert.equal(outcome, 'ok');
    assert.deepEqual(Object.keys(testScores!), ['softCarIou', 'carIou', 'meanIou']);
  });

  it('is tested on the test split alone where the held-out blocks have no car', async () => {
    folder.put('train/labels/S4_1.png', noCar);
    const request = { theta: experiment().start, seeds: evaluationSeeds(1), test: true };
    const { outcome, testScores } = await evaluate(experiment(), request);
    assert.deepEqual([outcome, Object.keys(testScores!)], ['ok', ['softCarIou', 'carIou', 'meanIou']]);
  });

  it('is read from a folder in the layout of KITTI, whose frames are cut into blocks @slow', async () => {
    const kitti = streetFolder();
    const [width, height, frames] = [64, 20, 200]; // KITTI has 200 labelled frames
    // Label ids of Cityscapes: road, in the middle a car; at the left edge, which the crop of 4:3 lacks, void.
    const ids = Array.from({ length: width * height }, (_, i) => {
      const [x, y] = [i % width, Math.floor(i / width)];
      if (x < 8) return 3;
      return x >= 24 && x < 40 && y >= 8 && y < 16 ? 26 : 7;
    });
    const photograph = colour(
      width,
      ids.map((id) => (id === 26 ? [200, 0, 0] : [90, 90, 90])),
    );
    for (let frame = 0; frame < frames; frame++) {
      const name = `${String(frame).padStart(6, '0')}_10.png`;
      kitti.put(`training/image_2/${name}`, photograph);
      kitti.put(`training/semantic/${name}`, gray(width, ids));
    }
    kitti.put('testing/image_2/000000_10.png', photograph); // its labels are not public
    const { experiment } = createExperiment(
      real,
      { ...OPTIONS, validationImages: 1000, testImages: 1000 },
      runtimeOf(kitti.path),
    );
    const { target, start } = experiment;
    assert.equal(target.name, 'kitti, 50 validation frames');
    const sets = [await (experiment as RealExperiment).training(), await target.validation(), await target.test()];
    assert.deepEqual(
      sets.map(({ length }) => length),
      [105, 50, 45],
    );
    assert.equal(target.alsoTest, undefined);
    for (const image of sets.flat() as LabelledImage[]) {
      assert.deepEqual([image.width, image.height], [32, 24]);
      const shares = [CLASS_ID.road, CLASS_ID.car, VOID].map((id) => image.classes.filter((got) => got === id).length);
      assert.ok(shares[0]! + shares[1]! === 32 * 24 && shares[1]! > 100, `road, car, void: ${shares.join()}`);
    }
    const { outcome, testScores } = await evaluate(experiment, { theta: start, seeds: evaluationSeeds(1), test: true });
    assert.equal(outcome, 'ok');
    assert.ok(Number.isFinite(testScores!['carIou']));
    kitti.remove();
  });

  describe('is told apart by its images:', () => {
    const hashOf = (data = folder.path) => describeExperiment(real, OPTIONS, runtimeOf(data), undefined).spec.spec_hash;

    it('one folder has one hash, wherever it lies', () => {
      const hash = hashOf();
      assert.equal(hashOf(), hash);
      const copy = streetFolder();
      cpSync(folder.path, copy.path, { recursive: true });
      assert.equal(hashOf(copy.path), hash);
      copy.put('readme.txt', 'no frame');
      copy.put('train/images/.S1_1.png', 'no frame');
      assert.equal(hashOf(copy.path), hash);
      copy.remove();
    });

    it('another image, other labels, one frame less, and shuffled labels have another hash', () => {
      const hashes = [hashOf()];
      const at = (name: string) => join(folder.path, name);
      for (const split of ['test/images/S5_1.png', 'train/labels/S2_1.png', 'train/images/S4_1.png']) {
        const before = readFileSync(at(split));
        folder.put(split, Buffer.concat([before, Buffer.from([0])]));
        hashes.push(hashOf());
        folder.put(split, before);
        assert.equal(hashOf(), hashes[0], 'the hash is of the content');
      }
      folder.put('train/labels/S2_1.png', noCar);
      hashes.push(hashOf());
      for (const [from, to] of [
        ['S2_1', 'x'],
        ['S4_1', 'S2_1'],
        ['x', 'S4_1'],
      ]) {
        renameSync(at(`train/labels/${from}.png`), at(`train/labels/${to}.png`));
      }
      hashes.push(hashOf());
      for (const kind of ['images', 'labels']) rmSync(at(`train/${kind}/S1_1.png`));
      hashes.push(hashOf());
      assert.equal(new Set(hashes).size, hashes.length);
    });

    it('bytes of the same length in the same place are seen', () => {
      const path = join(folder.path, 'train/labels/S2_1.png');
      const bytes = readFileSync(path);
      const before = hashOf();
      bytes[bytes.length - 30]! ^= 1;
      writeFileSync(path, bytes);
      assert.notEqual(hashOf(), before);
    });
  });

  for (const workers of [0, 1]) {
    it(`evaluates on the images that a session was opened on, or says that they have changed (${workers} workers) @slow`, async () => {
      const runtime = runtimeOf(folder.path);
      const server = await startBanditServer({ environments: [real.id], workers, runtime });
      const client = await connect(server.url);
      try {
        const open = () => client.open({ env_id: real.id, options: OPTIONS });
        const first = await open();
        const { outcome } = await first.evaluate({ params: {}, seed: 1 });
        assert.equal(outcome, 'ok');
        for (const name of ['S1_1', 'S2_1'])
          folder.put(`train/images/${name}.png`, readFileSync(join(folder.path, 'test/labels/S5_1.png')));
        const second = await open();
        assert.notEqual(second.spec.spec_hash, first.spec.spec_hash);
        const fresh = await second.evaluate({ params: {}, seed: 1 });
        assert.equal(fresh.outcome, 'ok', fresh.reason);
        const stale = await first.evaluate({ params: {}, seed: 2 });
        assert.equal(stale.outcome, 'failed');
        assert.match(stale.reason!, /TrafficSegmentationReal-v0: its files have changed since the session was opened/);
      } finally {
        await client.close();
        await server.stop();
      }
    });
  }
});
