/**
 * EfficientNet-Lite0 (Tan and Le 2019, arXiv 1905.11946; without squeeze-and-excitation, with ReLU6), up to its last
 * block: the layers, and how its folded weights lie in one flat vector.
 *
 * It knows the pictures of ImageNet. Its input are colours of 0 to 255 as (x − 127) / 128.
 */

import type { Canvas, Layer } from '../training/network.ts';

/** A layer with a bias, into which the batch normalisation behind it is folded. */
export interface FoldedLayer extends Layer {
  /** Its name in the published weights, such as `_blocks.3._expand_conv`. */
  readonly name: string;
  /** The name of the batch normalisation behind it. */
  readonly normalisation: string;
  readonly kind: 'full' | 'depthwise';
  readonly stride: 1 | 2;
  readonly normalised: false;
}

interface Block {
  readonly layers: readonly FoldedLayer[];
  /** Whether the input of the block is added to its output. */
  readonly residual: boolean;
}

/** [blocks, filter, stride of the first, expansion, channels] */
const STAGES = [
  [1, 3, 1, 1, 16],
  [2, 3, 2, 6, 24],
  [2, 5, 2, 6, 40],
  [3, 3, 2, 6, 80],
  [3, 5, 1, 6, 112],
  [4, 5, 2, 6, 192],
  [1, 3, 1, 6, 320],
] as const;

const STEM_CHANNELS = 32;

/** Where a network is trained on new images, what it knows changes more slowly than what it does not know yet. */
const LEARNED = { normalised: false, rate: 0.1 } as const;

const STEM: FoldedLayer = {
  ...{ name: '_conv_stem', normalisation: '_bn0', kind: 'full', activated: true, ...LEARNED },
  ...{ size: 3, stride: 2, inChannels: 3, outChannels: STEM_CHANNELS },
};

const BLOCKS: readonly Block[] = blocks();

function blocks(): Block[] {
  const all: Block[] = [];
  let inChannels = STEM_CHANNELS;
  for (const [count, size, firstStride, expansion, outChannels] of STAGES) {
    for (let i = 0; i < count; i++) {
      const name = `_blocks.${all.length}`;
      const stride = i === 0 ? firstStride : 1;
      const wide = inChannels * expansion;
      const point = { kind: 'full', size: 1, stride: 1 } as const;
      const expand: FoldedLayer = {
        ...{ name: `${name}._expand_conv`, normalisation: `${name}._bn0`, ...point, activated: true, ...LEARNED },
        ...{ inChannels, outChannels: wide },
      };
      const depthwise: FoldedLayer = {
        ...{ name: `${name}._depthwise_conv`, normalisation: `${name}._bn1`, kind: 'depthwise' },
        ...{ size, stride, inChannels: wide, outChannels: wide, activated: true, ...LEARNED },
      };
      const project: FoldedLayer = {
        ...{ name: `${name}._project_conv`, normalisation: `${name}._bn2`, ...point, activated: false, ...LEARNED },
        ...{ inChannels: wide, outChannels },
      };
      const layers = expansion === 1 ? [depthwise, project] : [expand, depthwise, project];
      all.push({ layers, residual: stride === 1 && inChannels === outChannels });
      inChannels = outChannels;
    }
  }
  return all;
}

/** The number of blocks. */
export const BLOCK_COUNT = BLOCKS.length;

/** All layers in the order of the flat weights: of each, its filter and its bias. */
export const LAYERS: readonly FoldedLayer[] = [STEM, ...BLOCKS.flatMap(({ layers }) => layers)];

/** The operations of the network. */
export interface FoldedCanvas<T> extends Pick<Canvas<T>, 'add'> {
  layer(layer: FoldedLayer, x: T): T;
}

/**
 * Runs the network.
 *
 * @param taps numbers of blocks, ascending
 * @returns the output of each of these blocks; blocks after the last of them are not run
 */
export function efficientNetLite0<T>(image: T, taps: readonly number[], on: FoldedCanvas<T>): T[] {
  return runBlocks(on.layer(STEM, image), 0, taps, on);
}

/**
 * Runs the blocks from `first` to the last tap.
 *
 * @param x    the input of the first one
 * @param taps numbers of blocks from `first` on, ascending
 * @returns the output of each tap
 */
export function runBlocks<T>(x: T, first: number, taps: readonly number[], on: FoldedCanvas<T>): T[] {
  const outputs: T[] = [];
  for (let block = first; block <= taps.at(-1)!; block++) {
    const { layers, residual } = BLOCKS[block]!;
    const y = layers.reduce((value, layer) => on.layer(layer, value), x);
    x = residual ? on.add(y, x) : y;
    if (taps.includes(block)) outputs.push(x);
  }
  return outputs;
}

/** The layers of the blocks from `first` to `last`. */
export function blockLayers(first: number, last: number): FoldedLayer[] {
  return BLOCKS.slice(first, last + 1).flatMap(({ layers }) => layers);
}

/** The number of channels of a block's output, and the number of pixels from one of its cells to the next. */
export function blockOutput(block: number): { readonly channels: number; readonly stride: number } {
  const layers = blockLayers(0, block);
  const stride = layers.reduce((product, layer) => product * layer.stride, STEM.stride as number);
  return { channels: layers.at(-1)!.outChannels, stride };
}
