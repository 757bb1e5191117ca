/** Images as batches for training and as input for a trained network. */
import { deriveSeed, Random, type Seed } from '../../../protocol/random.ts';
import {
  noiseTable,
  plainView,
  randomView,
  writePatches,
  type Levels,
  type Picture,
  type Size,
  type ImageView,
} from './augmentation.ts';
import { PATCH, SIGHT } from './resolution.ts';
import type { Shape } from './differentiable.ts';
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

export interface BatchOptions {
  /** Number of images in a batch. */
  readonly batchSize: number;
  /** The smallest share of each side that a random view shows, 0 to 1; `none`: training sees the images unchanged. */
  readonly zoom: number | 'none';
  readonly levels?: Levels;
}

/** An image's size rounded up to multiples of `grid` pixels. */
export function roundedUp({ width, height }: Size, grid: number): Size {
  return { width: Math.ceil(width / grid) * grid, height: Math.ceil(height / grid) * grid };
}

/**
 * Draws batches: every image once in random order, then every image once in another order, and so on. Each time an
 * image has a new view.
 *
 * @returns a function that gives the next batch, in the memory of the batch before
 */
export function imageBatches<Image extends Picture>(
  images: readonly Image[],
  size: Size,
  seed: Seed,
  { batchSize, zoom, levels }: BatchOptions,
  answer: Answer<Image>,
): () => Batch {
  const order = new Random(deriveSeed(seed, 'order'));
  const views = new Random(deriveSeed(seed, 'views'));
  const noise = noiseTable(new Random(deriveSeed(seed, 'noise')));
  const { input, patches } = emptyInput(batchSize, size);
  const answers = new Float32Array(batchSize * answer.length);
  const batch: Batch = {
    input,
    loss: (output, gradient) => answer.loss(output, answers, gradient),
  };
  let queue: Image[] = [];
  return () => {
    for (let i = 0; i < batchSize; i++) {
      if (queue.length === 0) queue = order.shuffle([...images]);
      const image = queue.pop()!;
      const view = zoom === 'none' ? plainView(image, levels) : randomView(image, zoom, views, levels);
      writePatches(image, view, size, patches(i), noise, views.uint32());
      answer.write(image, view, answers.subarray(i * answer.length, (i + 1) * answer.length));
    }
    return batch;
  };
}

/** The input for images that are unchanged, flat, of the shape {@link inputShape}. */
export function plainInput(images: readonly Picture[], size: Size, levels?: Levels): Float32Array {
  const { input, patches } = emptyInput(images.length, size);
  images.forEach((image, i) => writePatches(image, plainView(image, levels), size, patches(i), SILENCE, 0));
  return input;
}

/** About `count` unchanged images, evenly spread over all, in full batches; if there are too few, some come twice. */
export function plainBatches(
  images: readonly Picture[],
  size: Size,
  batchSize: number,
  count: number,
  levels?: Levels,
): Float32Array[] {
  const batches = Math.ceil(Math.min(count, images.length) / batchSize);
  const taken = batches * batchSize;
  const chosen = Array.from({ length: taken }, (_, i) => images[Math.floor((i * images.length) / taken)]!);
  return Array.from({ length: batches }, (_, i) =>
    plainInput(chosen.slice(i * batchSize, (i + 1) * batchSize), size, levels),
  );
}

const SILENCE = new Float32Array(1);

/** The shape of the patches of `count` images. */
export function inputShape(count: number, { width, height }: Size): Shape {
  return [count, height / PATCH, width / PATCH, SIGHT * SIGHT * 3];
}

/** Memory for images, and a function that gives the part of image `i`. */
function emptyInput(count: number, size: Size) {
  const [, rows, columns, channels] = inputShape(count, size);
  const length = rows * columns * channels;
  const input = new Float32Array(count * length);
  return { input, patches: (i: number) => input.subarray(i * length, (i + 1) * length) };
}
