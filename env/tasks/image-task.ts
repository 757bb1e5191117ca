/**
 * What the tasks on images share. A network learns from batches of images, each seen through its own view. Then it is
 * frozen, and predicts whole sets. What differs between the tasks are their {@link ImageTaskParts}.
 */
import { setImmediate } from 'node:timers/promises';
import { deriveSeed, Random, type Seed } from '../../protocol/random.ts';
import type { Strip } from '../pictures.ts';
import type { Runtime } from '../runtime.ts';
import { spread } from '../targets/spread.ts';
import { onBackbone } from './backbone/on-backbone.ts';
import { pretrainedWeights, weightsHash } from './pretrained.ts';
import type { Scores, Task, TrainedModel } from './task.ts';
import { describeBackend, loadBackend } from './tensorflow/backend.ts';
import type { Architecture, Grid, ImageInputs } from './training/architecture.ts';
import { plainView, type Picture } from './training/augmentation.ts';
import { imageBatches, plainBatches, roundedUp, type Answer } from './training/image-batches.ts';
import { freeze, initialWeights, weightCount, type FrozenNetwork } from './training/layers.ts';
import type { Layer } from './training/network.ts';
import { measureStatistics, train, type Training } from './training/train.ts';

/** Names of networks. */
export const NETWORKS = ['small', 'efficientnet-lite0'] as const;

/** Names of heads. */
export const HEADS = ['network', 'ridge'] as const;

export interface ImageTaskOptions {
  /** `small` learns everything from the images; `efficientnet-lite0` is a small network on pretrained features. */
  readonly network: (typeof NETWORKS)[number];
  /** What stands on pretrained features: a network that is trained, or the best linear map, in closed form. */
  readonly head: (typeof HEADS)[number];
  /** The side of a cell of the output of a network on pretrained features, in pixels. */
  readonly cell: 4 | 8;
  /** Numbers of the blocks of the backbone whose outputs are the features, ascending, 0 to 15. */
  readonly taps: readonly number[];
  /** The number of blocks of the backbone that are trained too, at a tenth of the learning rate: the last ones. */
  readonly finetune: number;
  /** Number of optimiser steps in a training. */
  readonly steps: number;
  /** Number of images in each step. */
  readonly batchSize: number;
  /** The peak of the one-cycle schedule. */
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Factor of the number of the network's channels. */
  readonly width: number;
  /** Name of the weights that training starts from. Empty: from scratch. */
  readonly pretrained: string;
  /** Whether training sees random views of its images. */
  readonly augment: boolean;
}

/** They suit 200 images of about 96×64 to 128×96 pixels. */
export const IMAGE_TASK_DEFAULTS: ImageTaskOptions = {
  network: 'small',
  head: 'network',
  cell: 4,
  taps: [2, 4, 10, 15], // the last ones at 4, 8, 16 and 32 pixels
  finetune: 0,
  steps: 250,
  batchSize: 8,
  learningRate: 1e-2,
  weightDecay: 0.01,
  width: 1,
  pretrained: '',
  augment: true,
};

/** An image of a set, and the network's prediction for it. */
export interface Predicted<Image, Prediction> {
  readonly image: Image;
  readonly prediction: Prediction;
}

/** What differs between image tasks: the answer that the network learns, and the scores of its predictions. */
export interface ImageTaskParts<Image extends Picture, Prediction> extends Omit<Task<Image>, 'train'> {
  /** The network that learns everything from the images. */
  readonly small: Architecture;
  /** The number of channels of a network's output. */
  readonly outputs: number;
  /** The answer that the network learns, and its loss. */
  answer(grid: Grid): Answer<Image>;
  /** The first bias of the last layer when training starts from scratch, [channels]; zeros when left out. */
  firstBias?(grid: Grid): readonly number[];
  /** The prediction for an image. @param output of the network for this image, flat; the callee may write to it */
  predict(output: Float32Array, image: Image, grid: Grid): Prediction;
  /**
   * Writes what a linear map should give for a cell; tasks without it cannot be learned so.
   *
   * @param answers of the image, as {@link answer} writes them
   * @param target  is overwritten, [outputs]
   * @returns the weight of the cell; 0 where nothing is known
   */
  linearTarget?(answers: Float32Array, cell: number, target: Float32Array): number;
  /** Draws predictions beside the truth, for people. */
  pictures?(all: readonly Predicted<Image, Prediction>[]): readonly Strip[];
  /**
   * The scores of a set, one for each metric. The predictions arrive one after the other.
   *
   * @throws {RangeError} when the set has nothing to score
   */
  score(predicted: AsyncIterable<Predicted<Image, Prediction>>): Promise<Scores>;
}

/** A task whose models also predict. */
export interface ImageTask<Image extends Picture, Prediction> extends Task<Image> {
  train(...args: Parameters<Task<Image>['train']>): Promise<ImageModel<Image, Prediction>>;
  /** Loads the backend. @returns one line: which backend it is, and how to get a faster one */
  readonly prepare: () => Promise<string>;
}

/** The number of training images that the frozen network's statistics are measured on. */
const STATISTICS_IMAGES = 64;

/** The number of images of which predictions are shown. */
const SHOWN_IMAGES = 4;

/** A trained network predicts this many images before it lets the event loop run. */
const IMAGES_AT_ONCE = 16;

/** Makes a task of its parts. @throws {RangeError} when the pretrained weights are missing or for another network */
export function imageTask<Image extends Picture, Prediction>(
  parts: ImageTaskParts<Image, Prediction>,
  options: ImageTaskOptions,
  runtime: Runtime,
): ImageTask<Image, Prediction> {
  const { name, version, metrics, reward } = parts;
  const { batchSize, augment, head } = options;
  const isLinear = parts.linearTarget !== undefined;
  if (head === 'ridge' && (options.network === 'small' || !isLinear)) {
    const got = isLinear ? `network ${options.network}` : `the task ${name}`;
    throw new RangeError(`head ridge: expected segmentation with network efficientnet-lite0, got ${got}`);
  }
  if (options.network === 'small' && options.finetune !== 0) {
    throw new RangeError(`finetune: expected 0 with network small, all of which is trained, got ${options.finetune}`);
  }
  if (head === 'ridge' && options.pretrained !== '') {
    throw new RangeError(
      `pretrained: expected none with head ridge, which starts from no weights, got ${options.pretrained}`,
    );
  }
  const architecture = options.network === 'small' ? parts.small : onBackbone({ ...options, outputs: parts.outputs });
  const { layers, network, cell } = architecture;
  const pretrained = options.pretrained && pretrainedWeights(runtime.weights, options.pretrained, weightCount(layers));
  return {
    name,
    ...(version !== undefined && { version }),
    metrics,
    reward,
    ...(pretrained && { weights: weightsHash(pretrained) }),
    prepare: async () => describeBackend(await loadBackend(runtime.backend)),
    async train(samples, seeds, report) {
      if (samples.length === 0) throw new RangeError(`${name}: expected at least one image, got none`);
      await loadBackend(runtime.backend);
      const size = roundedUp(samples[0]!, architecture.grid);
      const grid = { size, cell };
      const progress = async () => {
        await report({ fraction: 0 });
        await setImmediate();
      };
      const inputs = await architecture.inputs({ images: samples, size, seed: seeds.order, augment, progress });
      const training: Training = {
        layers,
        network,
        weights: pretrained
          ? pretrained.slice()
          : firstWeights(layers, parts.firstBias?.(grid) ?? [], seeds.initialisation, inputs.known),
        steps: options.steps,
        stepsPerEpoch: Math.ceil(samples.length / batchSize),
        learningRate: options.learningRate,
        weightDecay: options.weightDecay,
        inputShapes: inputs.shapes(batchSize),
        nextBatch: imageBatches(samples, batchSize, inputs, parts.answer(grid), deriveSeed(seeds.order, 'order')),
      };
      const plain = plainBatches(samples, batchSize, inputs, STATISTICS_IMAGES);
      const model = () => {
        const frozen = freeze(network, layers, training.weights, measureStatistics(training, plain));
        return new ImageModel(parts, frozen, inputs, grid, training.weights);
      };
      if (inputs.fit) {
        training.weights.set(inputs.fit((image) => linearTargets(image as Image, parts, grid)));
        await report({ fraction: 1, model });
      } else {
        await train(training, (progress) => report({ ...progress, model }));
      }
      return model();
    },
  };
}

/** What a linear map should give for each cell of an image as it is. */
function linearTargets<Image extends Picture>(
  image: Image,
  parts: ImageTaskParts<Image, unknown>,
  grid: Grid,
): { targets: Float32Array; weights: Float32Array } {
  const { outputs } = parts;
  const answer = parts.answer(grid);
  const answers = new Float32Array(answer.length);
  answer.write(image, plainView(image), answers);
  const cells = (grid.size.width * grid.size.height) / grid.cell ** 2;
  const targets = new Float32Array(cells * outputs);
  const weights = Float32Array.from({ length: cells }, (_, cell) =>
    parts.linearTarget!(answers, cell, targets.subarray(cell * outputs, (cell + 1) * outputs)),
  );
  return { targets, weights };
}

/**
 * The first weights.
 *
 * @param bias  of the last layer, which is at the end of the flat weights
 * @param known the weights of layers that begin with these
 */
function firstWeights(
  layers: readonly Layer[],
  bias: readonly number[],
  seed: Seed,
  known: ImageInputs['known'],
): Float32Array {
  const weights = initialWeights(layers, new Random(seed), known);
  weights.set(bias, weights.length - bias.length);
  return weights;
}

/** A trained network, its predictions and their scores. Images of any size are resampled to the network's size. */
class ImageModel<Image extends Picture, Prediction> implements TrainedModel<Image> {
  readonly pictures?: NonNullable<TrainedModel<Image>['pictures']>;

  constructor(
    private readonly parts: ImageTaskParts<Image, Prediction>,
    private readonly frozen: FrozenNetwork,
    private readonly inputs: ImageInputs,
    private readonly grid: Grid,
    /** The trained weights, flat. NaN when the training diverged; then the scores are NaN too. */
    readonly weights: Float32Array,
  ) {
    if (!parts.pictures) return;
    this.pictures = async (images) => {
      const some = spread(images, SHOWN_IMAGES);
      const predictions = await this.predict(some);
      return parts.pictures!(some.map((image, i) => ({ image, prediction: predictions[i]! })));
    };
  }

  /** @throws {RangeError} when the set has nothing to score, such as no car at all */
  async score(images: readonly Image[]): Promise<Scores> {
    const scores = await this.parts.score(this.predictions(images));
    if (Number.isFinite(this.weights[0])) return scores;
    return Object.fromEntries(this.parts.metrics.map(({ name }) => [name, NaN]));
  }

  /** The network's prediction for each image, in their order. */
  async predict(images: readonly Image[]): Promise<Prediction[]> {
    const all: Prediction[] = [];
    for await (const { prediction } of this.predictions(images)) all.push(prediction);
    return all;
  }

  dispose(): void {
    this.frozen.dispose();
  }

  private async *predictions(images: readonly Image[]): AsyncGenerator<Predicted<Image, Prediction>> {
    const { parts, inputs, grid } = this;
    for (let start = 0; start < images.length; start += IMAGES_AT_ONCE) {
      const some = images.slice(start, start + IMAGES_AT_ONCE);
      const output = this.frozen.run(inputs.plain(some), inputs.shapes(some.length));
      const length = output.length / some.length;
      for (const [i, image] of some.entries()) {
        const own = output.subarray(i * length, (i + 1) * length);
        yield { image, prediction: parts.predict(own, image, grid) };
      }
      await setImmediate();
    }
  }
}
