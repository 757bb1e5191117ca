/** What the backbone makes of images. */
import { axes, plainView, type Picture, type Size } from '../training/augmentation.ts';
import type { Inputs, Shape } from '../training/differentiable.ts';
import { loadBackbone, type Backbone } from './backbone.ts';
import { blockOutput } from './efficientnet-lite0.ts';

/** Images that the backbone is given at once. */
const AT_ONCE = 8;

/** Standardises a channel: (x − mean) · factor. */
interface Scale {
  readonly mean: Float32Array;
  readonly factor: Float32Array;
}

/** Sums over the values of each channel. */
interface Sums {
  readonly sum: Float64Array;
  readonly squares: Float64Array;
  /** Of values of each channel. */
  count: number;
}

/**
 * The inputs of a network on the backbone, for images of one size: the outputs of taps, each channel with mean 0 and
 * standard deviation 1 over the training images, and last, if there is a cut, its output as it is. Taps whose cells are
 * smaller than those of the network's output are brought to these, as means.
 */
export class Features {
  /** The blocks whose outputs are the inputs. */
  private readonly blocks: readonly number[];
  private readonly scales = new Map<number, Scale>();
  private backbone: Backbone | undefined;

  /**
   * @param cell the side of a cell of the network's output, in pixels
   * @param taps numbers of blocks, ascending
   * @param cut  the block behind which the network goes on itself; taps from it on are measured, and are no inputs
   */
  constructor(
    private readonly size: Size,
    private readonly cell: number,
    private readonly taps: readonly number[],
    private readonly cut?: number,
  ) {
    this.blocks = cut === undefined ? taps : [...taps.filter((tap) => tap < cut), cut];
  }

  /** Of the inputs for this number of images. */
  shapes(count: number): Shape[] {
    return this.blocks.map((block) => {
      const side = blockOutput(block).stride * this.joined(block);
      const [rows, columns] = [this.size.height, this.size.width].map((pixels) => Math.ceil(pixels / side));
      return [count, rows!, columns!, blockOutput(block).channels];
    });
  }

  /** The number of a block's cells along the side of one cell of the network's input. */
  private joined(block: number): number {
    return block === this.cut ? 1 : Math.max(1, this.cell / blockOutput(block).stride);
  }

  /** How the channels of a tap are standardised; known after {@link ofTraining}. */
  scaleOf(tap: number): Scale {
    return this.scales.get(tap)!;
  }

  /**
   * Computes the inputs of the training images, and measures by what all inputs are standardised.
   *
   * @param variants the images, and perhaps the same in other colours
   * @returns the inputs of each image of each variant
   * @throws what `progress` throws, which is called after a few images
   */
  async ofTraining(
    variants: readonly (readonly Picture[])[],
    progress: () => void | Promise<void>,
  ): Promise<Inputs[][]> {
    const measured = [...new Set([...this.taps, ...this.blocks])].sort((a, b) => a - b);
    const backbone = this.load(measured);
    const sums = this.taps.map((tap): Sums => {
      const { channels } = blockOutput(tap);
      return { sum: new Float64Array(channels), squares: new Float64Array(channels), count: 0 };
    });
    const sets: Inputs[][] = [];
    for (const images of variants) {
      const inputs: Inputs[] = [];
      for (const some of outputs(backbone, images, this.size)) {
        for (const taps of some) {
          this.taps.forEach((tap, i) => add(taps[measured.indexOf(tap)]!, sums[i]!));
          inputs.push(this.joinedCells(this.blocks.map((block) => taps[measured.indexOf(block)]!)));
        }
        await progress();
      }
      sets.push(inputs);
    }
    this.taps.forEach((tap, i) => this.scales.set(tap, scaleFrom(sums[i]!)));
    for (const inputs of sets.flat()) this.standardise(inputs);
    if (measured.length === this.blocks.length) this.backbone = backbone;
    return sets;
  }

  /** The inputs of each image. */
  of(images: readonly Picture[]): Inputs[] {
    this.backbone ??= this.load(this.blocks);
    const all = [...outputs(this.backbone, images, this.size)].flat().map((taps) => this.joinedCells(taps));
    all.forEach((inputs) => this.standardise(inputs));
    return all;
  }

  private joinedCells(outputs: Inputs): Inputs {
    const shapes = this.shapes(1);
    return this.blocks.map((block, i) => {
      const side = this.joined(block);
      return side === 1 ? outputs[i]! : means(outputs[i]!, shapes[i]!, side);
    });
  }

  private load(blocks: readonly number[]): Backbone {
    return backboneFor(this.size, blocks);
  }

  private standardise(inputs: Inputs): void {
    for (const [i, numbers] of inputs.entries()) {
      const block = this.blocks[i]!;
      if (block === this.cut) continue;
      const { mean, factor } = this.scaleOf(block);
      for (let k = 0; k < numbers.length; k += mean.length) {
        for (let c = 0; c < mean.length; c++) numbers[k + c] = (numbers[k + c]! - mean[c]!) * factor[c]!;
      }
    }
  }
}

/** The backbone for {@link outputs}. @param blocks whose outputs are wanted, ascending */
export function backboneFor({ width, height }: Size, blocks: readonly number[]): Backbone {
  return loadBackbone([AT_ONCE, height, width, 3], blocks);
}

/** What a backbone gives for images, a few images at a time: for each image the output of each block, flat. */
export function* outputs(backbone: Backbone, images: readonly Picture[], size: Size): Generator<Inputs[]> {
  const length = size.width * size.height * 3;
  for (let start = 0; start < images.length; start += AT_ONCE) {
    const some = images.slice(start, start + AT_ONCE);
    const pixels = new Float32Array(AT_ONCE * length);
    some.forEach((image, i) => writeColours(image, size, pixels.subarray(i * length, (i + 1) * length)));
    const taps = backbone.run(pixels);
    yield some.map((_, i) =>
      taps.map((tap) => tap.slice((i * tap.length) / AT_ONCE, ((i + 1) * tap.length) / AT_ONCE)),
    );
  }
}

function add(numbers: Float32Array, sums: Sums): void {
  const { sum, squares } = sums;
  const channels = sum.length;
  for (let i = 0; i < numbers.length; i += channels) {
    for (let c = 0; c < channels; c++) {
      const value = numbers[i + c]!;
      sum[c]! += value;
      squares[c]! += value * value;
    }
  }
  sums.count += numbers.length / channels;
}

function scaleFrom({ sum, squares, count }: Sums): Scale {
  const mean = Float32Array.from(sum, (total) => total / count);
  const factor = mean.map((m, c) => 1 / (Math.sqrt(Math.max(0, squares[c]! / count - m * m)) + 1e-3));
  return { mean, factor };
}

/** The means of squares of `side` × `side` cells. @param shape [1, rows, columns, channels] of the means */
function means(cells: Float32Array, [, rows, columns, channels]: Shape, side: number): Float32Array {
  const all = new Float32Array(rows * columns * channels);
  for (let y = 0; y < rows * side; y++) {
    for (let x = 0; x < columns * side; x++) {
      const from = (y * columns * side + x) * channels;
      const to = (Math.floor(y / side) * columns + Math.floor(x / side)) * channels;
      for (let c = 0; c < channels; c++) all[to + c]! += cells[from + c]! / side ** 2;
    }
  }
  return all;
}

/** The colours of an image as the backbone wants them, resampled bilinearly: (x − 127) / 128, [height, width, 3]. */
function writeColours(image: Picture, size: Size, colours: Float32Array): void {
  const { rgb, width } = image;
  if (width === size.width && image.height === size.height) {
    for (let i = 0; i < rgb.length; i++) colours[i] = (rgb[i]! - 127) / 128;
    return;
  }
  const { columns, rows } = axes(image, plainView(image), size);
  let to = 0;
  for (let y = 0; y < size.height; y++) {
    const [upper, lower, down] = [rows.low[y]! * width * 3, rows.high[y]! * width * 3, rows.weight[y]!];
    for (let x = 0; x < size.width; x++) {
      const [left, right, across] = [columns.low[x]! * 3, columns.high[x]! * 3, columns.weight[x]!];
      for (let c = 0; c < 3; c++) {
        const above = rgb[upper + left + c]! * (1 - across) + rgb[upper + right + c]! * across;
        const below = rgb[lower + left + c]! * (1 - across) + rgb[lower + right + c]! * across;
        colours[to++] = (above * (1 - down) + below * down - 127) / 128;
      }
    }
  }
}
