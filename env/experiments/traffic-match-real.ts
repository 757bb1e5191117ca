/**
 * Distribution matching, sim to real: which simulated streets look like photographs, to a network that knows others?
 *
 * No model is trained, and the photographs need no labels. They are in a folder that is named when the server starts
 * (`--data`), never by a client.
 */
import { z } from 'zod';
import { photographTarget } from '../programs/target.ts';
import type { Runtime } from '../runtime.ts';
import { STREET_PICTURES } from '../streets/pictures.ts';
import { matchTask } from '../tasks/match.ts';
import { defineExperiment } from './experiment.ts';
import { dataFolder, onFolder, streetsOf, trafficExperiment } from './traffic.ts';
import { matchOptions } from './traffic-match.ts';

/** The same options. Here `validationImages` and `testImages` are upper limits: that many frames, evenly spread. */
const options = matchOptions.extend({ testImages: z.int().min(1).max(10_000).default(10_000) });

function trafficMatchReal(given: z.infer<typeof options>, runtime: Runtime) {
  const { width, height, validationImages, testImages, tap } = given;
  const data = dataFolder('TrafficMatchReal-v0', 'photographs', runtime);
  const folder = photographTarget(data, { width, height, validation: validationImages, test: testImages });
  const experiment = trafficExperiment(given, {
    streets: streetsOf(given, runtime),
    task: matchTask({ tap }, runtime),
    target: folder.target,
    pictures: STREET_PICTURES,
  });
  return onFolder(experiment, folder);
}

export default defineExperiment({
  id: 'TrafficMatchReal-v0',
  title: 'Traffic scenes, how much they look like photographs; no training, no labels',
  options,
  create: trafficMatchReal,
});
