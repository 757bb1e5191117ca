import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { evaluate, evaluationSeeds } from '../../env/evaluate.ts';
import real from '../../env/experiments/traffic-segmentation-real.ts';
import { createExperiment } from '../../env/experiments/load.ts';
import type { Runtime } from '../../env/runtime.ts';
import { savePretrained } from '../../env/tasks/pretrained.ts';
import { initialWeights } from '../../env/tasks/training/layers.ts';
import { smallSegmentation } from '../../env/tasks/segmentation/network.ts';
import { MERGED_CLASSES } from '../../env/tasks/segmentation/merged-classes.ts';
import { Random } from '../../protocol/random.ts';
import { TINY_STREETS } from '../scripts/reproduce/reproduction.ts';
import { writeCamvid } from '../scripts/reproduce/tiny-camvid.ts';

const PRETRAINED = '00000000000000aa';
const VARIABLES = ['LTS_BACKEND', 'LTS_DATA', 'LTS_PRETRAINED'];

describe('the runtime', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lts-runtime-'));
  const runtime: Runtime = { backend: 'wasm', renderer: 'software', data: folder, weights: join(folder, 'weights') };
  const options = { ...(JSON.parse(TINY_STREETS) as object), pretrained: PRETRAINED };

  before(async () => {
    await writeCamvid(folder);
    const { layers } = smallSegmentation(MERGED_CLASSES.length, 0.2);
    savePretrained(runtime.weights, PRETRAINED, initialWeights(layers, new Random(1)), {});
  });
  afterEach(() => VARIABLES.forEach((name) => delete process.env[name]));
  after(() => rmSync(folder, { recursive: true }));

  const run = async () => {
    const { experiment } = createExperiment(real, options, runtime);
    const backend = await experiment.prepare!();
    const request = { theta: experiment.start, seeds: evaluationSeeds(1), test: true };
    const { outcome, scores, testScores } = await evaluate(experiment, request);
    return { backend, outcome, scores, testScores };
  };

  it('decides backend, images and weights; no environment variable does', async () => {
    const plain = await run();
    assert.equal(plain.outcome, 'ok');
    assert.match(plain.backend!, /^wasm /);
    for (const name of VARIABLES) process.env[name] = '/nonsense';
    assert.deepEqual(await run(), plain);
  });

  it('needs a folder of images for real streets; without one, a sentence asks for it', () => {
    process.env['LTS_DATA'] = folder;
    const { backend, renderer, weights } = runtime;
    assert.throws(
      () => createExperiment(real, options, { backend, renderer, weights }),
      /^Error: TrafficSegmentationReal-v0: expected a folder of real street images; start the server with --data DIR$/,
    );
  });
});
