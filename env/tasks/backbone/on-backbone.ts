/**
 * A small network on the features of the pretrained backbone, which itself is not trained.
 *
 *     tap ─ 1×1 ─┐ resized to the grid
 *     tap ─ 1×1 ─(+)─ 3×3 ─ head → output
 *     … ──────────┘
 *
 * The features of a training image are computed once, and once more of the image in other colours; mirrored ones are
 * mirrored features.
 */
import { deriveSeed, Random } from '../../../protocol/random.ts';
import type { Architecture, ImageInputs } from '../training/architecture.ts';
import { axes, plainView, type Picture, type Size } from '../training/augmentation.ts';
import type { Inputs, Shape } from '../training/differentiable.ts';
import type { Canvas, Layer, Network, Shaped } from '../training/network.ts';
import { loadBackbone, type Backbone } from './backbone.ts';
import { BLOCK_COUNT, blockOutput } from './efficientnet-lite0.ts';
import { jittered } from './jitter.ts';
import { Ridge } from './ridge.ts';
import { backboneWeights } from './weights.ts';

/** Channels of the head at a width of 1. */
const WIDTH = 64;
/** Images that the backbone is given at once. */
const AT_ONCE = 8;

export interface OnBackboneOptions {
  /** `network`: a small network, trained; `ridge`: the best linear map, in closed form. */
  readonly head: 'network' | 'ridge';
  /** The number of channels of the output. */
  readonly outputs: number;
  /** The side of a cell of the output, in pixels. */
  readonly cell: 4 | 8;
  /** Numbers of the blocks whose outputs are the features, ascending; one of them has cells of that side. */
  readonly taps: readonly number[];
  /** Factor of the number of channels of the network. */
  readonly width: number;
}

/**
 * @throws {RangeError} naming the command that brings the backbone's weights, when they are missing; or the taps, where
 *   they are no ascending numbers of blocks, or none of them has the grid of the output
 */
export function onBackbone({ head, outputs, cell, taps, width }: OnBackboneOptions): Architecture {
  checkTaps(taps, cell);
  backboneWeights(); // missing ones are noticed before anything is drawn
  const onGrid: OnGrid = { taps, grid: taps.findIndex((tap) => blockOutput(tap).stride === cell) };
  const { layers, network } = head === 'ridge' ? linear(outputs, onGrid) : small(outputs, onGrid, width);
  return {
    layers,
    network,
    cell,
    grid: cell,
    async inputs({ images, size, seed, augment, progress }) {
      const colours = new Random(deriveSeed(head === 'ridge' ? 0 : seed, 'colours'));
      const features = new Features(size, taps);
      const variants = [[...images], ...(augment ? [images.map((image) => jittered(image, colours))] : [])];
      const sets: Inputs[][] = [];
      for (const variant of variants) sets.push(await features.ofTraining(variant, progress));
      features.standardise(sets.flat());
      const inputs = featureInputs(images, sets, features, new Random(deriveSeed(seed, 'views')), augment);
      if (head !== 'ridge') return inputs;
      return { ...inputs, fit: (targetOf) => fitted(images, sets, features.shapes(1), onGrid, outputs, targetOf) };
    },
  };
}

/** The taps, and which of them has the cells of the output. */
interface OnGrid {
  readonly taps: readonly number[];
  /** Its position. */
  readonly grid: number;
}

function checkTaps(taps: readonly number[], cell: number): void {
  const blocks = Array.from({ length: BLOCK_COUNT }, (_, block) => block);
  const onGrid = blocks.filter((block) => blockOutput(block).stride === cell);
  const ascends = taps.every((tap, i) => blocks.includes(tap) && (i === 0 || tap > taps[i - 1]!));
  if (ascends && taps.some((tap) => onGrid.includes(tap))) return;
  throw new RangeError(
    `taps: expected ascending numbers of blocks, 0 to ${blocks.at(-1)}, and for cells of ${cell} pixels one of ` +
      `${onGrid.join(', ')}, got ${JSON.stringify(taps)}`,
  );
}

/** Adds up images of several sizes, on the grid of one of them. */
function sumOnGrid<T extends Shaped>(images: readonly T[], grid: number, on: Canvas<T>): T {
  return images.map((image) => on.resize(image, images[grid]!)).reduce((sum, image) => on.add(sum, image));
}

function small(outputs: number, { taps, grid }: OnGrid, width: number): Pick<Architecture, 'layers' | 'network'> {
  const channels = Math.max(4, 4 * Math.round((WIDTH / 4) * width));
  const layer = (size: number, inChannels: number): Layer => ({
    ...{ size, inChannels, outChannels: channels, normalised: true },
  });
  const lifts = taps.map((tap) => layer(1, blockOutput(tap).channels));
  const merge = layer(3, channels);
  const last: Layer = { size: 1, inChannels: channels, outChannels: outputs, normalised: false };
  const network: Network = (features, on) => {
    const lifted = features.map((tap, i) => on.layer(lifts[i]!, tap));
    return on.layer(last, on.layer(merge, sumOnGrid(lifted, grid, on)));
  };
  return { layers: [...lifts, merge, last], network };
}

function linear(outputs: number, { taps, grid }: OnGrid): Pick<Architecture, 'layers' | 'network'> {
  const layers = taps.map((tap): Layer => ({
    ...{ size: 1, inChannels: blockOutput(tap).channels, outChannels: outputs, normalised: false },
  }));
  const network: Network = (features, on) => {
    return sumOnGrid(
      features.map((tap, i) => on.layer(layers[i]!, tap)),
      grid,
      on,
    );
  };
  return { layers, network };
}

/** The weights of the best linear map: of each tap its rows and no constant, of the last one the constant too. */
function fitted(
  images: readonly Picture[],
  sets: readonly (readonly Inputs[])[],
  shapes: readonly Shape[],
  { taps, grid }: OnGrid,
  outputs: number,
  targetOf: Parameters<NonNullable<ImageInputs['fit']>>[0],
): Float32Array {
  const channels = taps.map((tap) => blockOutput(tap).channels);
  const ridge = new Ridge(
    channels.reduce((sum, count) => sum + count, 1),
    outputs,
  );
  for (const [i, image] of images.entries()) {
    const target = targetOf(image);
    for (const set of sets) ridge.add({ features: set[i]!, shapes, ...target }, grid);
  }
  const map = ridge.solve();
  let row = 0;
  const parts = channels.flatMap((count, tap) => {
    const filter = map.slice(row * outputs, (row += count) * outputs);
    const bias = tap === channels.length - 1 ? map.slice(-outputs) : new Float64Array(outputs);
    return [filter, bias];
  });
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

function featureInputs(
  images: readonly Picture[],
  sets: readonly (readonly Inputs[])[],
  features: Features,
  views: Random,
  augment: boolean,
): ImageInputs {
  const known = new Map(images.map((image, i) => [image, sets.map((set) => set[i]!)]));
  return {
    shapes: (count) => features.shapes(count),
    write: (image, inputs) => {
      const seen = known.get(image)!;
      const chosen = augment ? seen[views.integer(seen.length)]! : seen[0]!;
      const mirrored = augment && views.chance(0.5);
      chosen.forEach((tap, i) => {
        if (mirrored) writeMirrored(tap, features.shapes(1)[i]!, inputs[i]!);
        else inputs[i]!.set(tap);
      });
      return { ...plainView(image), mirrored };
    },
    plain: (some) => {
      const missing = features.of(some.filter((image) => !known.has(image)));
      const all = some.map((image) => known.get(image)?.[0] ?? missing.shift()!);
      return features.shapes(some.length).map((shape, tap) => {
        const joined = new Float32Array(shape.reduce((product, length) => product * length, 1));
        all.forEach((inputs, i) => joined.set(inputs[tap]!, i * inputs[tap]!.length));
        return joined;
      });
    },
  };
}

function writeMirrored(from: Float32Array, [, rows, columns, channels]: Shape, to: Float32Array): void {
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = (row * columns + column) * channels;
      to.set(from.subarray(at, at + channels), (row * columns + columns - 1 - column) * channels);
    }
  }
}

/** The features of images of one size, each channel with mean 0 and standard deviation 1 over the training images. */
class Features {
  private readonly backbone: Backbone;
  private readonly scales: { readonly mean: Float32Array; readonly factor: Float32Array }[] = [];

  constructor(
    private readonly size: Size,
    private readonly taps: readonly number[],
  ) {
    this.backbone = loadBackbone([AT_ONCE, size.height, size.width, 3], taps);
  }

  /** Of the taps for this number of images. */
  shapes(count: number): Shape[] {
    return this.taps.map((tap) => {
      const { channels, stride } = blockOutput(tap);
      const [rows, columns] = [this.size.height, this.size.width].map((pixels) => Math.ceil(pixels / stride));
      return [count, rows!, columns!, channels];
    });
  }

  /** Computes features that are not standardised yet. */
  async ofTraining(images: readonly Picture[], progress: () => void | Promise<void>): Promise<Inputs[]> {
    const all: Inputs[] = [];
    for (const some of this.computed(images)) {
      all.push(...some);
      await progress();
    }
    return all;
  }

  /** Measures mean and standard deviation of each channel, and standardises these features in place. */
  standardise(training: readonly Inputs[]): void {
    for (const [tap, [, , , channels]] of this.shapes(1).entries()) {
      const [sum, squares] = [new Float64Array(channels), new Float64Array(channels)];
      for (const features of training) {
        features[tap]!.forEach((value, i) => {
          sum[i % channels]! += value;
          squares[i % channels]! += value * value;
        });
      }
      const count = (training.length * training[0]![tap]!.length) / channels;
      const mean = Float32Array.from(sum, (total) => total / count);
      const factor = mean.map((m, c) => 1 / (Math.sqrt(Math.max(0, squares[c]! / count - m * m)) + 1e-3));
      this.scales.push({ mean, factor });
    }
    for (const features of training) this.scale(features);
  }

  /** Standardised features of each image. */
  of(images: readonly Picture[]): Inputs[] {
    const all = [...this.computed(images)].flat();
    all.forEach((features) => this.scale(features));
    return all;
  }

  private scale(features: Inputs): void {
    for (const [tap, numbers] of features.entries()) {
      const { mean, factor } = this.scales[tap]!;
      for (let i = 0; i < numbers.length; i += mean.length) {
        for (let c = 0; c < mean.length; c++) numbers[i + c] = (numbers[i + c]! - mean[c]!) * factor[c]!;
      }
    }
  }

  /** Features of all images that are not standardised, a few images at a time. */
  private *computed(images: readonly Picture[]): Generator<Inputs[]> {
    for (let start = 0; start < images.length; start += AT_ONCE) {
      yield this.compute(images.slice(start, start + AT_ONCE));
    }
  }

  /** @param images at most AT_ONCE */
  private compute(images: readonly Picture[]): Inputs[] {
    const length = this.size.width * this.size.height * 3;
    const pixels = new Float32Array(AT_ONCE * length);
    images.forEach((image, i) => writeColours(image, this.size, pixels.subarray(i * length, (i + 1) * length)));
    const taps = this.backbone.run(pixels);
    return images.map((_, i) =>
      taps.map((tap) => tap.slice((i * tap.length) / AT_ONCE, ((i + 1) * tap.length) / AT_ONCE)),
    );
  }
}

/** The colours of an image as the backbone wants them, resampled bilinearly: (x − 127) / 128, [height, width, 3]. */
function writeColours(image: Picture, size: Size, colours: Float32Array): void {
  const { rgb, width } = image;
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
