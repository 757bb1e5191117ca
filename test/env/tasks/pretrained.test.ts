import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createExperiment, loadDefinition } from '../../../env/experiments/load.ts';
import type { Runtime } from '../../../env/runtime.ts';
import { isPretrained, pretrainedName, pretrainedWeights, savePretrained } from '../../../env/tasks/pretrained.ts';
import { segmentationTask } from '../../../env/tasks/segmentation.ts';
import { loadBackend } from '../../../env/tasks/tensorflow/backend.ts';
import { syntheticScenes } from './segmentation/synthetic-scenes.ts';

const SEEDS = { initialisation: 1, order: 2 };

describe('pretrained weights', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lts-pretrained-'));
  const runtime: Runtime = { backend: 'wasm', renderer: 'software', weights: folder };
  before(() => loadBackend('wasm'));
  after(() => rmSync(folder, { recursive: true }));

  it('are read as they were saved, under a name that depends on their settings', () => {
    const settings = { env: 'Some-v0', steps: 10 };
    const name = pretrainedName(settings);
    savePretrained(folder, name, Float32Array.of(1, -2.5, 3), settings);
    assert.deepEqual(pretrainedWeights(folder, name, 3), Float32Array.of(1, -2.5, 3));
    assert.notEqual(pretrainedName({ ...settings, steps: 11 }), name);
  });

  it('are refused where they are others than were saved, and made again', () => {
    const name = '00000000000000dd';
    const path = savePretrained(folder, name, Float32Array.of(1, -2.5, 3), {});
    assert.ok(isPretrained(folder, name));
    const bytes = readFileSync(path);
    const refused = (change: () => void) => {
      change();
      const message = /pretrained: expected weights as npm run pretrain wrote them, got .*dd\.f32, .*; run it again/;
      assert.throws(() => pretrainedWeights(folder, name, 3), message);
      assert.ok(!isPretrained(folder, name));
    };
    refused(() => writeFileSync(path, new Uint8Array(Float32Array.of(-1, 2.5, -3).buffer)));
    refused(() => writeFileSync(path, bytes.subarray(0, 8)));
    writeFileSync(path, bytes);
    assert.deepEqual(pretrainedWeights(folder, name, 3), Float32Array.of(1, -2.5, 3));
    refused(() => rmSync(path.replace('.f32', '.json')));
  });

  it('keep their names: the options of an environment keep their order', async () => {
    const named = async (id: string) => pretrainedName(createExperiment(await loadDefinition(id), {}, runtime).options);
    assert.equal(await named('TrafficCounting-v0'), '28ee39abf74abaa5');
    assert.equal(await named('TrafficSegmentation-v0'), '74e478a43aba6c4c');
  });

  it('are where a training starts: a few steps from them do what a few from scratch cannot @slow', async () => {
    const images = syntheticScenes(24, 1);
    const score = async (pretrained: string, steps: number) => {
      const task = segmentationTask({ batchSize: 8, steps, pretrained }, runtime);
      const model = await task.train(images, SEEDS, () => {});
      const { softCarIou } = await model.score(syntheticScenes(8, 50));
      model.dispose();
      return { softCarIou: softCarIou!, weights: model.weights };
    };
    const long = await score('', 100);
    savePretrained(folder, '00000000000000aa', long.weights, {});
    const [scratch, tuned] = [await score('', 5), await score('00000000000000aa', 5)];
    assert.ok(tuned.softCarIou > scratch.softCarIou + 0.2, `${tuned.softCarIou} and ${scratch.softCarIou}`);
    assert.deepEqual(
      pretrainedWeights(folder, '00000000000000aa', long.weights.length),
      long.weights,
      'the file is untouched',
    );
  });

  it('are refused before anything runs if they are missing, another network’s, or have no valid name', async () => {
    savePretrained(folder, '00000000000000bb', new Float32Array(5), {});
    const definition = await loadDefinition('TrafficSegmentation-v0');
    const create = (pretrained: string) => () => createExperiment(definition, { preset: 'quick', pretrained }, runtime);
    assert.throws(create('00000000000000cc'), /pretrained: expected weights that npm run pretrain made, found no .*cc/);
    assert.throws(create('00000000000000bb'), /pretrained: expected \d+ weights for this network, 0+bb has 5/);
    assert.throws(create('../../etc/passwd'), /pretrained/);
  });
});
