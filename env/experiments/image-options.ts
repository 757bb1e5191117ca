/** The options that environments with an image task have in common. */
import { z } from 'zod';
import { BLOCK_COUNT } from '../tasks/backbone/efficientnet-lite0.ts';
import { HEADS, IMAGE_TASK_DEFAULTS, NETWORKS, type ImageTaskOptions } from '../tasks/image-task.ts';
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
  /** The metrics that can be the reward; the first one is the default. */
  readonly rewards: readonly [Reward, ...Reward[]];
  /** The fewest images that can be scored. */
  readonly fewestScored: number;
}

/** A small network on pretrained features: of larger images, and with a smaller step. */
export const PRETRAINED_PRESET = {
  network: 'efficientnet-lite0',
  width: 160,
  height: 120,
  cell: 8,
  networkWidth: 1,
  batchSize: 8,
  learningRate: 0.004,
} as const;

/**
 * The schema of the common options with these defaults, and of the environment's `own` options.
 *
 * Their order is hashed into the names of pretrained weights: keep it.
 */
export function imageOptions<const Reward extends string, Own extends z.ZodRawShape>(
  defaults: ImageDefaults<Reward>,
  own: Own,
) {
  const scored = z.int().min(defaults.fewestScored).max(10_000);
  return z.strictObject({
    /** Size of the images, in pixels. */
    width: z.int().min(16).max(1024).default(defaults.width),
    height: z.int().min(16).max(1024).default(defaults.height),
    /** Number of images that a network is trained on. */
    trainingImages: z.int().min(1).max(100_000).default(defaults.trainingImages),
    validationImages: scored.default(defaults.validationImages),
    testImages: scored.default(defaults.testImages),
    /** Number of optimiser steps in a training. */
    steps: z.int().min(1).max(1_000_000).default(defaults.steps),
    /** Number of images in each step. */
    batchSize: z.int().min(1).max(256).default(defaults.batchSize),
    learningRate: z.number().positive().default(1e-2),
    /** Factor of the number of the network's channels. */
    networkWidth: z.number().positive().max(8).default(defaults.networkWidth),
    /** `small` learns everything from the images; `efficientnet-lite0` is a small network on pretrained features. */
    network: z.enum(NETWORKS).default(IMAGE_TASK_DEFAULTS.network),
    /** What stands on pretrained features: a network that is trained, or the best linear map, in closed form. */
    head: z.enum(HEADS).default(IMAGE_TASK_DEFAULTS.head),
    /** Side of a cell of the output of a network on pretrained features, in pixels. */
    cell: z.literal([4, 8]).default(IMAGE_TASK_DEFAULTS.cell),
    /** Numbers of the blocks of the backbone whose outputs are the features; one has cells of that side. */
    taps: z
      .array(
        z
          .int()
          .min(0)
          .max(BLOCK_COUNT - 1),
      )
      .min(1)
      .max(BLOCK_COUNT)
      .default([...IMAGE_TASK_DEFAULTS.taps]),
    /** The number of blocks of the backbone, the last ones, that are trained too, at a tenth of the learning rate. */
    finetune: z
      .int()
      .min(0)
      .max(BLOCK_COUNT - 1)
      .default(IMAGE_TASK_DEFAULTS.finetune),
    /** Name of the weights that every training starts from, as `npm run pretrain` prints it. Empty: from scratch. */
    pretrained: z.string().regex(PRETRAINED_NAME).default(''),
    ...own,
    /** Number of trainings whose scores are averaged. */
    replicates: z.int().min(1).max(100).default(1),
    reward: z.enum(defaults.rewards).default(defaults.rewards[0]),
    /** Names of the parameters that θ consists of; the others keep their default. Empty: all of them. */
    free: z.array(z.string()).max(1000).default(defaults.free),
  });
}

type Training = Pick<
  ImageTaskOptions,
  'steps' | 'batchSize' | 'learningRate' | 'pretrained' | 'network' | 'head' | 'cell' | 'taps' | 'finetune'
>;

/** The options that concern training, by the names that tasks have for them. */
export function trainingOf(given: Training & { readonly networkWidth: number }): Training & { readonly width: number } {
  const {
    steps,
    batchSize,
    learningRate,
    pretrained,
    network,
    head,
    cell,
    taps,
    finetune,
    networkWidth: width,
  } = given;
  return { steps, batchSize, learningRate, pretrained, network, head, cell, taps, finetune, width };
}
