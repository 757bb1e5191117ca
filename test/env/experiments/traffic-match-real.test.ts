import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { evaluate, evaluationSeeds } from '../../../env/evaluate.ts';
import { createExperiment } from '../../../env/experiments/load.ts';
import matchReal from '../../../env/experiments/traffic-match-real.ts';
import { DEFAULT_RUNTIME } from '../../../env/runtime.ts';
import { BACKBONE_FILE } from '../../../env/tasks/backbone/weights.ts';
import { completeTheta } from '../../../protocol/parameters.ts';
import { colour, streetFolder, type StreetFolder } from '../streets/street-folder.ts';

describe('TrafficMatchReal-v0', () => {
  before(function () {
    if (!existsSync(BACKBONE_FILE)) this.skip(); // npm run setup:backbone brings the weights
  });
  let folder: StreetFolder;
  beforeEach(() => (folder = streetFolder()));
  afterEach(() => folder.remove());

  const [WIDTH, HEIGHT] = [64, 48];
  const photograph = (shade: number) =>
    colour(
      WIDTH,
      Array.from({ length: WIDTH * HEIGHT }, (_, i) =>
        i < (WIDTH * HEIGHT) / 2 ? [190, 210, 240] : Array<number>(3).fill(shade),
      ),
    );
  const write = (frames = 60) => {
    for (let i = 0; i < frames; i++) folder.put(`drive/frame${String(i).padStart(4, '0')}.png`, photograph(80 + i));
  };
  const create = () => {
    const small = { width: WIDTH, height: HEIGHT, trainingImages: 8 };
    return createExperiment(matchReal, small, { ...DEFAULT_RUNTIME, backend: 'wasm', data: folder.path }).experiment;
  };

  it('compares with photographs that have no labels @slow', async () => {
    write();
    const experiment = create();
    assert.match(experiment.about!(), /photographs in .*: 45 of 60 validate, 15 are held out/);
    await experiment.prepare!();
    const rewardOf = async (skyBrightness: number) => {
      const theta = completeTheta(experiment.simulator.parameters, { exposure: skyBrightness });
      const result = await evaluate(experiment, { theta, seeds: evaluationSeeds(1), test: true });
      assert.equal(result.outcome, 'ok', result.reason);
      return result.reward!;
    };
    assert.ok((await rewardOf(0)) > (await rewardOf(-1.5)), 'a dark picture is less like a bright photograph');
  }).timeout(60_000);

  it('takes four photographs, or two sets of them, without what lies beside as labels', async () => {
    write(4);
    const few = create();
    assert.deepEqual([(await few.target.validation()).length, (await few.target.test()).length], [3, 1]);
    folder.remove('drive');
    for (const set of ['validation', 'test']) {
      for (const name of ['images', 'labels', 'instances']) folder.put(`${set}/${name}/000000.png`, photograph(9));
      folder.put(`${set}/images/000001.png`, photograph(90));
    }
    const sets = create();
    assert.equal(sets.about!(), `photographs in validation and test of ${folder.path}`);
    assert.deepEqual([(await sets.target.validation()).length, (await sets.target.test()).length], [2, 2]);
  });

  it('is told apart by its photographs, and refuses a folder without any', () => {
    write();
    const first = create().target.content!();
    folder.put('drive/frame0059.png', photograph(1));
    assert.notEqual(create().target.content!(), first);
    folder.remove('drive');
    assert.throws(create, /expected images \(\.png, \.jpg or \.jpeg\) in the folder or below it, found none/);
    assert.throws(
      () => createExperiment(matchReal, {}, DEFAULT_RUNTIME),
      /TrafficMatchReal-v0: expected a folder of photographs; start the server with --data DIR/,
    );
  });
});
