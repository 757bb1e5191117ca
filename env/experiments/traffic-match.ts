/**
 * Distribution matching, sim to sim: which streets look like those of a hidden θ*, to a network that knows photographs?
 *
 * No model is trained and no label is read: a search for a few seconds, from whose end a search for the real reward
 * starts.
 */
import { z } from 'zod';
import { completeTheta } from '../../protocol/parameters.ts';
import type { Runtime } from '../runtime.ts';
import { STREET_PICTURES } from '../streets/pictures.ts';
import { hiddenTarget } from '../targets/hidden.ts';
import { BLOCK_COUNT } from '../tasks/backbone/efficientnet-lite0.ts';
import { MATCH_TAP, matchTask } from '../tasks/match.ts';
import { defineExperiment } from './experiment.ts';
import { HIDDEN_STREETS } from './streets.ts';
import { streetsOf, trafficExperiment } from './traffic.ts';
import { SEGMENTATION_TARGET_SEED } from './traffic-segmentation.ts';

export const matchOptions = z.strictObject({
  /** Size of the images, in pixels. */
  width: z.int().min(32).max(1024).default(160),
  height: z.int().min(32).max(1024).default(120),
  /** Number of drawn images in an evaluation. */
  trainingImages: z.int().min(1).max(100_000).default(25),
  validationImages: z.int().min(1).max(10_000).default(100),
  testImages: z.int().min(1).max(10_000).default(200),
  /** The number of the block of the backbone whose output is compared. */
  tap: z
    .int()
    .min(0)
    .max(BLOCK_COUNT - 1)
    .default(MATCH_TAP),
  /** Number of sets of drawn images whose scores are averaged. */
  replicates: z.int().min(1).max(100).default(1),
  /** Names of the parameters that θ consists of; the others keep their default. Empty: all of them. */
  free: z.array(z.string()).max(1000).default([]),
});

/** The experiment: the hidden streets are those of `TrafficSegmentation-v0`. */
function trafficMatch(given: z.infer<typeof matchOptions>, runtime: Runtime) {
  const streets = streetsOf(given, runtime);
  const hidden = completeTheta(streets.parameters, HIDDEN_STREETS);
  const size = { validation: given.validationImages, test: given.testImages };
  return trafficExperiment(given, {
    streets,
    task: matchTask({ tap: given.tap }, runtime),
    target: hiddenTarget(streets, hidden, size, SEGMENTATION_TARGET_SEED),
    pictures: STREET_PICTURES,
  });
}

export default defineExperiment({
  id: 'TrafficMatch-v0',
  title: 'Traffic scenes, how much they look like streets of a hidden θ*; no training',
  options: matchOptions,
  create: trafficMatch,
});
