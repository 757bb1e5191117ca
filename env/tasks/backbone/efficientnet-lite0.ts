/**
 * EfficientNet-Lite0 (Tan and Le 2019, arXiv 1905.11946; without squeeze-and-excitation, with ReLU6), up to its last
 * block: the layers, and how its folded weights lie in one flat vector.
 *
 * It knows the pictures of ImageNet. Its input are colours of 0 to 255 as (x − 127) / 128.
 */

/** A convolution with 'same' padding and a bias, into which the batch normalisation behind it is folded. */
export interface FixedLayer {
  /** Its name in the published weights, such as `_blocks.3._expand_conv`. */
  readonly name: string;
  /** The name of the batch normalisation behind it. */
  readonly normalisation: string;
  readonly kind: 'full' | 'depthwise';
  /** Height and width of the filter. */
  readonly size: number;
  readonly stride: 1 | 2;
  readonly inChannels: number;
  readonly outChannels: number;
  /** Whether ReLU6 follows. */
  readonly activated: boolean;
}

interface Block {
  readonly layers: readonly FixedLayer[];
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

const STEM: FixedLayer = {
  ...{ name: '_conv_stem', normalisation: '_bn0', kind: 'full', activated: true },
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
      const expand: FixedLayer = {
        ...{ name: `${name}._expand_conv`, normalisation: `${name}._bn0`, ...point, activated: true },
        ...{ inChannels, outChannels: wide },
      };
      const depthwise: FixedLayer = {
        ...{ name: `${name}._depthwise_conv`, normalisation: `${name}._bn1`, kind: 'depthwise', activated: true },
        ...{ size, stride, inChannels: wide, outChannels: wide },
      };
      const project: FixedLayer = {
        ...{ name: `${name}._project_conv`, normalisation: `${name}._bn2`, ...point, activated: false },
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
export const LAYERS: readonly FixedLayer[] = [STEM, ...BLOCKS.flatMap(({ layers }) => layers)];

/** [size, size, in, out]; of a depthwise layer [size, size, channels, 1] */
export function filterShape({ kind, size, inChannels, outChannels }: FixedLayer): [number, number, number, number] {
  return kind === 'depthwise' ? [size, size, inChannels, 1] : [size, size, inChannels, outChannels];
}

/** The operations of the network on one backend, on images [n, height, width, channels]. */
export interface FixedCanvas<T> {
  /** The convolution, its bias and, if the layer is activated, ReLU6. */
  layer(layer: FixedLayer, x: T): T;
  add(a: T, b: T): T;
}

/**
 * Runs the network.
 *
 * @param taps numbers of blocks, ascending
 * @returns the output of each of these blocks; blocks after the last of them are not run
 */
export function efficientNetLite0<T>(image: T, taps: readonly number[], on: FixedCanvas<T>): T[] {
  let x = on.layer(STEM, image);
  const outputs: T[] = [];
  for (const [i, { layers, residual }] of BLOCKS.slice(0, taps.at(-1)! + 1).entries()) {
    const y = layers.reduce((value, layer) => on.layer(layer, value), x);
    x = residual ? on.add(y, x) : y;
    if (taps.includes(i)) outputs.push(x);
  }
  return outputs;
}

/** The number of channels of a block's output, and the number of pixels from one of its cells to the next. */
export function blockOutput(block: number): { readonly channels: number; readonly stride: number } {
  const layers = BLOCKS.slice(0, block + 1).flatMap((each) => each.layers);
  const stride = layers.reduce((product, layer) => product * layer.stride, STEM.stride as number);
  return { channels: layers.at(-1)!.outChannels, stride };
}
