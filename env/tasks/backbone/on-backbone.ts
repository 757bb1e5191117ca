/**
 * A small network on the features of the pretrained backbone, of which no block is trained, or the last ones.
 *
 *     tap ─ 1×1 ─┐ resized to the grid
 *     tap ─ 1×1 ─(+)─ 3×3 ─ head → output
 *     … ──────────┘
 *
 * A tap that is finer than the grid is resized before its convolution, which then costs less.
 *
 * The features of a training image are computed once, and once more of the image in other colours; mirrored ones are
 * mirrored features. Blocks that are trained run in every step, on the stored output of the block before them.
 */
import { deriveSeed, Random } from '../../../protocol/random.ts';
import type { Architecture, ImageInputs } from '../training/architecture.ts';
import { plainView, type Picture } from '../training/augmentation.ts';
import type { Inputs, Shape } from '../training/differentiable.ts';
import type { Canvas, Layer, Network, Shaped } from '../training/network.ts';
import { BLOCK_COUNT, blockOutput } from './efficientnet-lite0.ts';
import { Features } from './features.ts';
import { finetuned } from './finetuned.ts';
import { jittered } from './jitter.ts';
import { Ridge } from './ridge.ts';
import { backboneWeights } from './weights.ts';

/** Channels of the head at a width of 1. */
const WIDTH = 64;

export interface OnBackboneOptions {
  /** `network`: a small network, trained; `ridge`: the best linear map, in closed form. */
  readonly head: 'network' | 'ridge';
  /** The number of channels of the output. */
  readonly outputs: number;
  /** The side of a cell of the output, in pixels. */
  readonly cell: 4 | 8;
  /** Numbers of the blocks whose outputs are the features, ascending; one of them has cells of that side. */
  readonly taps: readonly number[];
  /** The number of blocks that are trained too: the last ones up to the last tap. */
  readonly finetune: number;
  /** Factor of the number of channels of the network. */
  readonly width: number;
}

/**
 * @throws {RangeError} naming the command that brings the backbone's weights, when they are missing; or the taps, where
 *   they are no ascending numbers of blocks, or none of them has the grid of the output; or blocks that cannot be trained
 */
export function onBackbone({ head, outputs, cell, taps, finetune, width }: OnBackboneOptions): Architecture {
  checkTaps(taps, cell);
  checkFinetune(finetune, head, taps.at(-1)!);
  backboneWeights(); // missing ones are noticed before anything is drawn
  const onGrid: OnGrid = { taps, grid: taps.findIndex((tap) => blockOutput(tap).stride === cell) };
  const still = head === 'ridge' ? linear(outputs, onGrid) : small(outputs, onGrid, width);
  const cut = finetune > 0 ? taps.at(-1)! - finetune : undefined;
  const tuned = cut === undefined ? undefined : finetuned(still, taps, cut);
  const { layers, network } = tuned ?? still;
  return {
    layers,
    network,
    cell,
    grid: cell,
    async inputs({ images, size, seed, augment, progress }) {
      const colours = new Random(deriveSeed(head === 'ridge' ? 0 : seed, 'colours'));
      const features = new Features(size, cell, taps, cut);
      const variants = [[...images], ...(augment ? [images.map((image) => jittered(image, colours))] : [])];
      const sets = await features.ofTraining(variants, progress);
      const inputs = featureInputs(images, sets, features, new Random(deriveSeed(seed, 'views')), augment);
      if (tuned) return { ...inputs, known: tuned.known(features) };
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

function checkFinetune(finetune: number, head: OnBackboneOptions['head'], lastTap: number): void {
  if (head === 'ridge' && finetune !== 0) {
    throw new RangeError(`finetune: expected 0 with head ridge, which takes no steps, got ${finetune}`);
  }
  if (Number.isInteger(finetune) && finetune >= 0 && finetune <= lastTap) return;
  throw new RangeError(
    `finetune: expected 0 to ${lastTap}, the number of blocks after the first up to the last tap, got ${finetune}`,
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
    const cells = features[grid]!;
    const coarse = features.map((tap) => (tap.shape[1]! > cells.shape[1]! ? on.resize(tap, cells) : tap));
    const lifted = coarse.map((tap, i) => on.layer(lifts[i]!, tap));
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
