/** The options that environments with an image task have in common. */
import { z } from 'zod';
import { PRETRAINED_NAME } from '../tasks/pretrained.ts';

/** What differs between the environments. */
export interface ImageDefaults<Reward extends string> {
  readonly width: number;
  readonly height: number;
  readonly trainingImages: number;
  readonly validationImages: number;
  readonly testImages: number;
  readonly steps: number;
  readonly batchSize: number;
  readonly networkWidth: number;
  readonly free: string[];
  /** The metrics that may be the reward; the first one is unless told otherwise. */
  readonly rewards: readonly [Reward, ...Reward[]];
  /** The fewest images that can be scored. */
  readonly fewestScored: number;
}

/**
 * The options with these defaults, and those that are the environment's `own`.
 *
 * Their order is hashed into the names of pretrained weights: keep it.
 */
export function imageOptions<const Reward extends string, Own extends z.ZodRawShape>(
  defaults: ImageDefaults<Reward>,
  own: Own,
) {
  const scored = z.int().min(defaults.fewestScored).max(10_000);
  return z.strictObject({
    /** Of the images, in pixels. */
    width: z.int().min(16).max(1024).default(defaults.width),
    height: z.int().min(16).max(1024).default(defaults.height),
    /** Images that a network is trained on. */
    trainingImages: z.int().min(1).max(100_000).default(defaults.trainingImages),
    validationImages: scored.default(defaults.validationImages),
    testImages: scored.default(defaults.testImages),
    /** Optimiser steps of a training. */
    steps: z.int().min(1).max(1_000_000).default(defaults.steps),
    /** Images a step. */
    batchSize: z.int().min(1).max(256).default(defaults.batchSize),
    learningRate: z.number().positive().default(1e-2),
    /** Multiplies the network's channels. */
    networkWidth: z.number().positive().max(8).default(defaults.networkWidth),
    /** Name of the weights that every training starts from, as `npm run pretrain` prints it; empty: from scratch. */
    pretrained: z.string().regex(PRETRAINED_NAME).default(''),
    ...own,
    /** Trainings whose scores are averaged. */
    replicates: z.int().min(1).max(100).default(1),
    reward: z.enum(defaults.rewards).default(defaults.rewards[0]),
    /** The parameters that θ consists of, by name; the others keep their default. Empty: all of them. */
    free: z.array(z.string()).max(1000).default(defaults.free),
  });
}
