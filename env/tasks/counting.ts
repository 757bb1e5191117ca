/**
 * Counting the cars of each type in a picture: the main task of the paper's first experiment with images (Ruiz et al.
 * 2019, sec. 4.2), at a size that trains in seconds on one core.
 *
 * Counts alone teach a small network too little in so short a training, so it learns where each car is: a density over
 * cells whose sum is the count.
 */
import { Random } from '../../protocol/random.ts';
import { loadBackend, type BackendPreference } from './tensorflow/backend.ts';
import { writeDensity, type CountableImage } from './counting/counts.ts';
import { LEAST_EXPLAINED } from './counting/deviance.ts';
import { CountingModel } from './counting/model.ts';
import { CELL, countingLayers, countingNetwork } from './counting/network.ts';
import { inverseSoftplus, poissonLoss } from './counting/poisson-loss.ts';
import { pretrainedWeights } from './pretrained.ts';
import type { Metric, Task } from './task.ts';
import type { Levels, Size } from './training/augmentation.ts';
import { imageBatches, inputShape, plainBatches, roundedUp, type Answer } from './training/image-batches.ts';
import { freeze, initialWeights, weightCount } from './training/layers.ts';
import { measureStatistics, train, type Training } from './training/train.ts';

export interface CountingOptions {
  /** What is counted, in the order of the network's outputs. */
  readonly types: readonly string[];
  /** Optimiser steps of a training. */
  readonly steps: number;
  /** Images a step. */
  readonly batchSize: number;
  /** The peak of the cycle. */
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Multiplies the channels of the network: 1 is about 54 thousand weights. */
  readonly width: number;
  /** Name of the weights that training starts from; empty: from scratch. */
  readonly pretrained: string;
  /** Whether training sees random views of its images. */
  readonly augment: boolean;
  /** How bright an image is to the network. */
  readonly levels: Levels;
  readonly reward: 'devianceExplained' | 'negativeL1' | 'negativeL1Rounded';
  readonly backend: BackendPreference;
}

/** For 200 images of about 96×72 pixels. */
export const COUNTING_DEFAULTS: Omit<CountingOptions, 'types'> = {
  steps: 250,
  batchSize: 8,
  learningRate: 1e-2,
  weightDecay: 0.01,
  width: 1,
  pretrained: '',
  augment: true,
  levels: 'fixed',
  reward: 'devianceExplained',
  backend: 'auto',
};

const metrics: readonly Metric[] = [
  {
    name: 'devianceExplained',
    meaning: 'Share of the Poisson deviance that the prediction explains: 1 is exact, 0 as good as the constant mean',
    low: LEAST_EXPLAINED,
    high: 1,
  },
  {
    name: 'negativeL1',
    meaning: 'Minus the mean L1 distance of predicted and true counts; it rewards the median, so mind the collapse',
    low: -100,
    high: 0,
  },
  {
    name: 'negativeL1Rounded',
    meaning: 'The same of rounded predictions, as the paper reports it',
    low: -100,
    high: 0,
  },
];

/** How many training images the frozen network's statistics are measured on. */
const STATISTICS_IMAGES = 64;

/** The task, whose models also predict. */
export interface CountingTask extends Task<CountableImage> {
  train(...args: Parameters<Task<CountableImage>['train']>): Promise<CountingModel>;
}

/** The task with these options; {@link COUNTING_DEFAULTS} fills in what is left out. */
export function countingTask(options: Partial<CountingOptions> & Pick<CountingOptions, 'types'>): CountingTask {
  const resolved = { ...COUNTING_DEFAULTS, ...options };
  const { types, batchSize, augment, levels } = resolved;
  const layers = countingLayers(types.length, resolved.width);
  const layerList = Object.values(layers);
  const network = countingNetwork(layers);
  const pretrained = resolved.pretrained && pretrainedWeights(resolved.pretrained, weightCount(layerList));
  return {
    name: 'counting',
    metrics,
    reward: resolved.reward,
    async train(samples, seeds, report) {
      if (samples.length === 0) throw new RangeError('counting: expected at least one image, got none');
      await loadBackend(resolved.backend);
      const size = roundedUp(samples[0]!, CELL);
      const weights = pretrained ? pretrained.slice() : initialWeights(layerList, new Random(seeds.initialisation));
      // Most cells are empty: a network that began at ln 2 cars a cell would spend its first steps on unlearning that.
      if (!pretrained) weights.fill(inverseSoftplus(firstMean(size)), weights.length - types.length);
      const training: Training = {
        layers: layerList,
        network,
        weights,
        steps: resolved.steps,
        stepsPerEpoch: Math.ceil(samples.length / batchSize),
        learningRate: resolved.learningRate,
        weightDecay: resolved.weightDecay,
        inputShape: inputShape(batchSize, size),
        // Uncropped: a crop would cut cars off, and the scored pictures are whole.
        nextBatch: imageBatches(
          samples,
          size,
          seeds.order,
          { batchSize, zoom: augment ? 1 : 'none', levels },
          density(types, size),
        ),
      };
      const plain = plainBatches(samples, size, batchSize, STATISTICS_IMAGES, levels);
      const model = () => {
        const frozen = freeze(network, layerList, weights, measureStatistics(training, plain));
        return new CountingModel(frozen, { types, size, levels }, weights);
      };
      await train(training, (progress) => report({ ...progress, model }));
      return model();
    },
  };
}

/** The mean of a cell, where nothing is known: half a car of each type in a picture. */
function firstMean({ width, height }: Size): number {
  return (0.5 * CELL * CELL) / (width * height);
}

/** Where each image's cars are, and what a network that answers with means pays. */
function density(types: readonly string[], size: Size): Answer<CountableImage> {
  const length = (size.width / CELL) * (size.height / CELL) * types.length;
  return {
    length,
    write: (image, view, answer) => writeDensity(image, types, view, size, CELL, answer),
    loss: (output, answers, gradient) => poissonLoss(output, answers, answers.length / length, gradient),
  };
}
