/**
 * Semantic segmentation of street images, scored by how well cars are found: the main task of the paper's experiments
 * on KITTI (section 4.3), at a size that trains in seconds on one core.
 */
import { Random } from '../../protocol/random.ts';
import { loadBackend, type BackendPreference } from './tensorflow/backend.ts';
import type { LabelledImage } from '../streets/labelled-image.ts';
import { crossEntropy } from './segmentation/cross-entropy.ts';
import { writeLabels } from './segmentation/labels.ts';
import { MERGED_CAR, MERGED_CLASSES } from './segmentation/merged-classes.ts';
import { SegmentationModel } from './segmentation/model.ts';
import { CELL, GRID, segmentationLayers, segmentationNetwork } from './segmentation/network.ts';
import { pretrainedWeights } from './pretrained.ts';
import type { Metric, Task } from './task.ts';
import type { Size } from './training/augmentation.ts';
import { imageBatches, inputShape, plainBatches, roundedUp, type Answer } from './training/image-batches.ts';
import { freeze, initialWeights, weightCount } from './training/layers.ts';
import { measureStatistics, train, type Training } from './training/train.ts';

export interface SegmentationOptions {
  /** Optimiser steps of a training. */
  readonly steps: number;
  /** Images a step. */
  readonly batchSize: number;
  /** The peak of the cycle. */
  readonly learningRate: number;
  readonly weightDecay: number;
  /** How many times as much a car's cell counts in the loss as any other: cars are few, and the score is about them. */
  readonly carWeight: number;
  /** Multiplies the channels of the network: 1 is about 39 thousand weights. */
  readonly width: number;
  /** Name of the weights that training starts from; empty: from scratch. */
  readonly pretrained: string;
  /** Whether training sees random views of its images. */
  readonly augment: boolean;
  readonly reward: 'softCarIou' | 'carIou' | 'meanIou';
  readonly backend: BackendPreference;
}

/** For 200 images of about 96×64 to 128×96 pixels. */
export const SEGMENTATION_DEFAULTS: SegmentationOptions = {
  steps: 250,
  batchSize: 8,
  learningRate: 1e-2,
  weightDecay: 0.01,
  carWeight: 2,
  width: 1,
  pretrained: '',
  augment: true,
  reward: 'softCarIou',
  backend: 'auto',
};

const metrics: readonly Metric[] = [
  {
    name: 'softCarIou',
    meaning: 'IoU of the probability of car, over all pixels of the set: less noisy than carIou',
    low: 0,
    high: 1,
  },
  { name: 'carIou', meaning: 'IoU of car where it is the most probable class', low: 0, high: 1 },
  { name: 'meanIou', meaning: 'mean IoU over the merged classes that occur', low: 0, high: 1 },
];

/** The smallest share of each side that a view in training shows. */
const SMALLEST_VIEW = 0.7;

/** How many training images the frozen network's statistics are measured on. */
const STATISTICS_IMAGES = 64;

/** The task, whose models also predict. */
export interface SegmentationTask extends Task<LabelledImage> {
  train(...args: Parameters<Task<LabelledImage>['train']>): Promise<SegmentationModel>;
}

/** The task with these options; {@link SEGMENTATION_DEFAULTS} fills in what is left out. */
export function segmentationTask(options: Partial<SegmentationOptions> = {}): SegmentationTask {
  const resolved = { ...SEGMENTATION_DEFAULTS, ...options };
  const { batchSize, augment } = resolved;
  const layers = segmentationLayers(MERGED_CLASSES.length, resolved.width);
  const layerList = Object.values(layers);
  const network = segmentationNetwork(layers);
  const pretrained = resolved.pretrained && pretrainedWeights(resolved.pretrained, weightCount(layerList));
  return {
    name: 'segmentation',
    metrics,
    reward: resolved.reward,
    async train(samples, seeds, report) {
      if (samples.length === 0) throw new RangeError('segmentation: expected at least one image, got none');
      await loadBackend(resolved.backend);
      const size = roundedUp(samples[0]!, GRID);
      const training: Training = {
        layers: layerList,
        network,
        weights: pretrained ? pretrained.slice() : initialWeights(layerList, new Random(seeds.initialisation)),
        steps: resolved.steps,
        stepsPerEpoch: Math.ceil(samples.length / batchSize),
        learningRate: resolved.learningRate,
        weightDecay: resolved.weightDecay,
        inputShape: inputShape(batchSize, size),
        nextBatch: imageBatches(
          samples,
          size,
          seeds.order,
          { batchSize, zoom: augment ? SMALLEST_VIEW : 'none' },
          cellClasses(size, resolved.carWeight),
        ),
      };
      const plain = plainBatches(samples, size, batchSize, STATISTICS_IMAGES);
      const model = () => {
        const frozen = freeze(network, layerList, training.weights, measureStatistics(training, plain));
        return new SegmentationModel(frozen, size, training.weights);
      };
      await train(training, (progress) => report({ ...progress, model }));
      return model();
    },
  };
}

/** The class of each cell, and what a network that answers with logits pays. */
function cellClasses({ width, height }: Size, carWeight: number): Answer<LabelledImage> {
  const weights = MERGED_CLASSES.map((_, id) => (id === MERGED_CAR ? carWeight : 1));
  return {
    length: (width / CELL) * (height / CELL),
    write: (image, view, labels) => writeLabels(image, view, { width, height }, labels),
    loss: (logits, labels, gradient) => crossEntropy(logits, labels, weights, gradient),
  };
}
