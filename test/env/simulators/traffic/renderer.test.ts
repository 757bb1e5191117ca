import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { createExperiment, loadDefinition } from '../../../../env/experiments/load.ts';
import { DEFAULT_RUNTIME } from '../../../../env/runtime.ts';
import type { PictureFormat, Renderer } from '../../../../env/render/renderer.ts';
import { SoftwareRenderer } from '../../../../env/render/software/software-renderer.ts';
import { annotator } from '../../../../env/simulators/traffic/annotations.ts';
import { trafficSimulator, type TrafficImage } from '../../../../env/simulators/traffic/traffic.ts';
import { kept } from '../../render/software/pixel-scene.ts';

const size = { width: 48, height: 32 };
const software = new SoftwareRenderer();
const [plain, annotate] = [trafficSimulator({ ...size, renderer: software }), annotator(software)];

describe('a renderer that is handed in', () => {
  it('draws the pictures of the simulator and of the annotations', async () => {
    const asked: PictureFormat[] = [];
    const renderer: Renderer = {
      name: 'recorder',
      version: 7,
      draw(scene, camera, format) {
        asked.push(format);
        return software.draw(scene, camera, format);
      },
    };
    const simulator = trafficSimulator({ ...size, antialias: true, renderer });
    assert.deepEqual(simulator.renderer, { name: 'recorder', version: 7 });
    const image = simulator.open({}, 5).draw(0);
    assert.ok(!(image instanceof Promise), 'its frames are there at once, and so are the samples');
    assert.deepEqual(asked.map(({ width, height, antialias }) => [width, height, antialias]), [[48, 32, true]]); // prettier-ignore
    const annotations = await annotator(renderer)(image);
    assert.ok(annotations.length > 0);
    assert.deepEqual(
      asked.slice(1),
      annotations.map(() => ({ ...size, antialias: false, colours: false })),
    );
  });

  it('may return promises: the samples are the same, even if several are drawn at once', async () => {
    let calls = 0;
    const late: Renderer = {
      name: 'late',
      version: 1,
      async draw(scene, camera, format) {
        const frame = kept(software.draw(scene, camera, format));
        await setTimeout(++calls % 3);
        return frame;
      },
    };
    const [one, other] = [1, 2].map((seed) => plain.open({}, seed));
    const expected = [one!.draw(0), one!.draw(1), other!.draw(0)] as TrafficImage[];
    const simulator = trafficSimulator({ ...size, renderer: late });
    const [lateOne, lateOther] = [1, 2].map((seed) => simulator.open({}, seed));
    const images = await Promise.all([lateOne!.draw(0), lateOne!.draw(1), lateOther!.draw(0)]);
    assert.deepEqual(images, expected);
    assert.deepEqual(
      await Promise.all(images.map(annotator(late))),
      await Promise.all(expected.map((image) => annotate(image))),
    );
  });

  it('is named by the simulator of every experiment on traffic', async () => {
    for (const id of ['TrafficCounting-v0', 'TrafficSegmentation-v0']) {
      const { simulator } = createExperiment(await loadDefinition(id), {}, DEFAULT_RUNTIME).experiment;
      assert.deepEqual(simulator.renderer, { name: 'software', version: 1 }, id);
    }
  });
});
