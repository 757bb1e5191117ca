/** A network, and what it is given of images. */
import { deriveSeed, Random, type Seed } from '../../../protocol/random.ts';
import {
  noiseTable,
  plainView,
  randomView,
  writePatches,
  type ImageView,
  type Levels,
  type Picture,
  type Size,
} from './augmentation.ts';
import type { Inputs, Shape } from './differentiable.ts';
import type { Layer, Network } from './network.ts';
import { PATCH, SIGHT } from './resolution.ts';

export interface Architecture {
  /** All layers of the network, in the order of the flat weights; the last one has a bias. */
  readonly layers: readonly Layer[];
  readonly network: Network;
  /** The side of a cell of the network's output, in pixels. */
  readonly cell: number;
  /** Width and height of the images that the network is given are multiples of this many pixels. */
  readonly grid: number;
  /** Prepares the inputs of a training. @throws what `progress` throws, which is called now and then */
  inputs(given: {
    readonly images: readonly Picture[];
    readonly size: Size;
    readonly seed: Seed;
    /** Whether training sees random views of its images. */
    readonly augment: boolean;
    readonly progress: () => void | Promise<void>;
  }): Promise<ImageInputs>;
}

/** The output of a network on an image. */
export interface Grid {
  /** Of the image that the network is given, in pixels; multiples of the cell. */
  readonly size: Size;
  /** The side of a cell, in pixels. */
  readonly cell: number;
}

/** The inputs of a network. */
export interface ImageInputs {
  /** Of this number of images together. */
  shapes(count: number): Shape[];
  /**
   * Writes what the network is given of a training image, randomly changed if the training augments.
   *
   * @param inputs are overwritten: one array for each input of the network
   * @returns the view of the image, through which its answer is written
   */
  write(image: Picture, inputs: Inputs): ImageView;
  /** What the network is given of any images, unchanged. */
  plain(images: readonly Picture[]): Inputs;
  /** The first weights of layers that do not begin at random. */
  readonly known?: ReadonlyMap<Layer, Float32Array>;
  /**
   * Computes all weights in closed form, in place of a training.
   *
   * @param targetOf what the output of each cell of a training image should be, [cells, outputs], and the weight of each
   *   cell, 0 where nothing is known
   * @returns the flat weights
   */
  fit?(targetOf: (image: Picture) => { readonly targets: Float32Array; readonly weights: Float32Array }): Float32Array;
}

/** A network that is given patches of the image, [n, height / 4, width / 4, 108]: see `writePatches`. */
export function onPatches({
  levels,
  smallestView,
  ...network
}: Omit<Architecture, 'inputs'> & {
  /** How the brightness of an image is normalised. */
  readonly levels: Levels;
  /** The smallest share of each side that a random view shows, 0 to 1; with 1 every view shows the whole image. */
  readonly smallestView: number;
}): Architecture {
  return {
    ...network,
    inputs: ({ size, seed, augment }) => {
      const views = new Random(deriveSeed(seed, 'views'));
      const noise = noiseTable(new Random(deriveSeed(seed, 'noise')));
      const shape = (count: number): Shape => [count, size.height / PATCH, size.width / PATCH, SIGHT * SIGHT * 3];
      return Promise.resolve({
        shapes: (count) => [shape(count)],
        write: (image, [patches]) => {
          const view = augment ? randomView(image, smallestView, views, levels) : plainView(image, levels);
          writePatches(image, view, size, patches!, noise, views.uint32());
          return view;
        },
        plain: (images) => {
          const [, rows, columns, channels] = shape(1);
          const length = rows * columns * channels;
          const input = new Float32Array(images.length * length);
          images.forEach((image, i) => {
            const patches = input.subarray(i * length, (i + 1) * length);
            writePatches(image, plainView(image, levels), size, patches, SILENCE, 0);
          });
          return [input];
        },
      });
    },
  };
}

const SILENCE = new Float32Array(1);
