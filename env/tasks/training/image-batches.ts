/** Images as batches for training. */
import { Random, type Seed } from '../../../protocol/random.ts';
import type { ImageInputs } from './architecture.ts';
import type { ImageView, Picture, Size } from './augmentation.ts';
import type { Inputs, Shape } from './differentiable.ts';
import type { Batch } from './train.ts';

/** The answer that a network learns for an image, as numbers. */
export interface Answer<Image> {
  /** The number of numbers per image. */
  readonly length: number;
  /** Writes the answer for an image that is seen through a view, [length]. */
  write(image: Image, view: ImageView, answer: Float32Array): void;
  /** @see Batch.loss; `answers` are those of the batch, one after the other */
  loss(output: Float32Array, answers: Float32Array, gradient: Float32Array): number;
}

/** An image's size rounded up to multiples of `grid` pixels. */
export function roundedUp({ width, height }: Size, grid: number): Size {
  return { width: Math.ceil(width / grid) * grid, height: Math.ceil(height / grid) * grid };
}

/**
 * Draws batches: every image once in random order, then every image once in another order, and so on.
 *
 * @param seed of the order
 * @returns a function that gives the next batch, in the memory of the batch before
 */
export function imageBatches<Image extends Picture>(
  images: readonly Image[],
  batchSize: number,
  inputs: ImageInputs,
  answer: Answer<Image>,
  seed: Seed,
): () => Batch {
  const order = new Random(seed);
  const places = memory(inputs.shapes(batchSize));
  const answers = new Float32Array(batchSize * answer.length);
  const batch: Batch = {
    inputs: places,
    loss: (output, gradient) => answer.loss(output, answers, gradient),
  };
  let queue: Image[] = [];
  return () => {
    for (let i = 0; i < batchSize; i++) {
      if (queue.length === 0) queue = order.shuffle([...images]);
      const image = queue.pop()!;
      const view = inputs.write(image, partsOf(places, i, batchSize));
      answer.write(image, view, partsOf([answers], i, batchSize)[0]!);
    }
    return batch;
  };
}

const memory = (shapes: readonly Shape[]): Inputs =>
  shapes.map((shape) => new Float32Array(shape.reduce((product, size) => product * size, 1)));

/** The parts of one image of several. */
function partsOf(all: Inputs, image: number, count: number): Inputs {
  return all.map((numbers) => {
    const length = numbers.length / count;
    return numbers.subarray(image * length, (image + 1) * length);
  });
}

/** About `count` unchanged images, evenly spread over all, in full batches; if there are too few, some come twice. */
export function plainBatches(
  images: readonly Picture[],
  batchSize: number,
  inputs: ImageInputs,
  count: number,
): Inputs[] {
  const batches = Math.ceil(Math.min(count, images.length) / batchSize);
  const taken = batches * batchSize;
  const chosen = Array.from({ length: taken }, (_, i) => images[Math.floor((i * images.length) / taken)]!);
  return Array.from({ length: batches }, (_, i) => inputs.plain(chosen.slice(i * batchSize, (i + 1) * batchSize)));
}
