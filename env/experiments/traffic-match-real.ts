/**
 * Distribution matching, sim to real: which simulated streets look like photographs, to a network that knows others?
 *
 * No model is trained, and the photographs need no labels. They are in a folder that is named when the server starts
 * (`--data`), never by a client.
 */
import { z } from 'zod';
import { photographTarget } from '../programs/target.ts';
import { createRenderer } from '../render/create-renderer.ts';
import type { Runtime } from '../runtime.ts';
import { freeParameters, startTheta } from '../simulators/free-parameters.ts';
import { trafficSimulator } from '../simulators/traffic/traffic.ts';
import type { Photograph } from '../streets/photograph.ts';
import { STREET_PICTURES } from '../streets/pictures.ts';
import { matchTask } from '../tasks/match.ts';
import { defineExperiment, type Experiment } from './experiment.ts';
import { POOR_STREETS } from './streets.ts';
import { matchOptions } from './traffic-match.ts';

/** The same options. Here `validationImages` and `testImages` are upper limits: that many frames, evenly spread. */
const options = matchOptions.extend({ testImages: z.int().min(1).max(10_000).default(10_000) });

/** The experiment. @throws {Error} in a sentence, when the runtime names no folder of photographs */
export function trafficMatchReal(given: z.infer<typeof options>, runtime: Runtime) {
  const { data } = runtime;
  if (data === undefined) {
    throw new Error('TrafficMatchReal-v0: expected a folder of photographs; start the server with --data DIR');
  }
  const { width, height, trainingImages, validationImages, testImages, tap, free, replicates } = given;
  const streets = trafficSimulator({ width, height, renderer: createRenderer(runtime.renderer) });
  const simulator = freeParameters(streets, free);
  const size = { width, height, validation: validationImages, test: testImages };
  const { target, prepare, about } = photographTarget(data, size);
  const task = matchTask({ tap }, runtime);
  return {
    simulator,
    task,
    target,
    pictures: STREET_PICTURES,
    trainingSamples: trainingImages,
    replicates,
    start: startTheta(simulator, POOR_STREETS),
    async prepare() {
      await prepare();
      return task.prepare();
    },
    about,
  } satisfies Experiment<Photograph>;
}

export default defineExperiment({
  id: 'TrafficMatchReal-v0',
  title: 'Traffic scenes, how much they look like photographs; no training, no labels',
  options,
  create: trafficMatchReal,
});
