/**
 * Distribution matching: how much drawn images look like the target's. No model is trained, and no label is read, so it
 * costs a fraction of an evaluation that trains one, and photographs without labels will do.
 *
 * Both sets are seen through the pretrained backbone. For each channel of a block's output, and each row of its cells
 * (sky is above, road below), the values of a set have a mean μ and a standard deviation σ. With those of the target
 * marked by a star, the squared Fréchet distance of two Gaussians, in units of the target's variance, is averaged:
 *
 *     d = mean over rows and channels of ((μ − μ*)² + (σ − σ*)²) / σ*²,     likeness = 1 / (1 + d)
 *
 * Heusel et al. 2017 compare whole images so, with full covariances; Yao et al. 2020 search the attributes of a simulator
 * by such a distance.
 */
import { setImmediate } from 'node:timers/promises';
import type { Runtime } from '../runtime.ts';
import type { Backbone } from './backbone/backbone.ts';
import { blockOutput } from './backbone/efficientnet-lite0.ts';
import { backboneFor, outputs } from './backbone/features.ts';
import { backboneWeights } from './backbone/weights.ts';
import type { Metric, Task } from './task.ts';
import { describeBackend, loadBackend } from './tensorflow/backend.ts';
import type { Picture } from './training/augmentation.ts';

export interface MatchOptions {
  /** The number of the block of the backbone whose output is compared, 0 to 15. */
  readonly tap: number;
}

/** Mean and standard deviation of each channel in each row of cells, [rows × channels]. */
export interface Moments {
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
}

export interface MatchTask extends Task<Picture> {
  /** Loads the backend. @returns one line: which backend it is, and how to get a faster one */
  readonly prepare: () => Promise<string>;
}

/** The block that agrees best with what the images teach, of those that were tried: its cells have 16 pixels. */
export const MATCH_TAP = 10;

export const MATCH_METRICS: readonly Metric[] = [
  { name: 'likeness', meaning: 'how much drawn images look like the target’s; 1: no difference', low: 0, high: 1 },
];

/** Added to the target's standard deviations: a channel may hardly vary. */
const LEAST_DEVIATION = 1e-3;

/** @throws {RangeError} naming the command that brings the backbone's weights, when they are missing */
export function matchTask({ tap }: MatchOptions, runtime: Runtime): MatchTask {
  backboneWeights(); // missing ones are noticed before anything is drawn
  let loaded: { readonly backbone: Backbone; readonly size: string } | undefined;
  const momentsOf = async (images: readonly Picture[], report: (fraction: number) => void | Promise<void>) => {
    const [{ width, height }] = images as readonly [Picture];
    const size = `${width}×${height}`;
    if (loaded?.size !== size) loaded = { backbone: backboneFor({ width, height }, [tap]), size };
    const { channels, stride } = blockOutput(tap);
    const moments = new MomentSums(channels, Math.ceil(height / stride), Math.ceil(width / stride));
    for (const some of outputs(loaded.backbone, images, { width, height })) {
      for (const [output] of some) moments.add(output!);
      await report(moments.images / images.length);
      await setImmediate();
    }
    return moments.result();
  };
  /** Of sets that were scored before: an evaluation would spend most of its time on them. */
  const known = new WeakMap<readonly Picture[], Moments>();
  return {
    name: 'match',
    metrics: MATCH_METRICS,
    reward: 'likeness',
    prepare: async () => describeBackend(await loadBackend(runtime.backend)),
    async train(samples, _seeds, report) {
      if (samples.length === 0) throw new RangeError('match: expected at least one image, got none');
      await loadBackend(runtime.backend);
      const drawn = await momentsOf(samples, (fraction) => report({ fraction }));
      return {
        async score(set) {
          if (set.length === 0) throw new RangeError('match: expected at least one image to compare with, got none');
          const target = known.get(set) ?? (await momentsOf(set, () => {}));
          known.set(set, target);
          return { likeness: likeness(drawn, target) };
        },
        dispose() {},
      };
    },
  };
}

/** From 0 to 1; 1 for equal moments. @throws {RangeError} where the images of the two have other sizes */
export function likeness(drawn: Moments, target: Moments): number {
  const count = target.mean.length;
  if (drawn.mean.length !== count) {
    throw new RangeError(`match: expected images of one height, got ${drawn.mean.length} and ${count} moments`);
  }
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const [mean, deviation] = [drawn.mean[i]! - target.mean[i]!, drawn.deviation[i]! - target.deviation[i]!];
    sum += (mean ** 2 + deviation ** 2) / (target.deviation[i]! + LEAST_DEVIATION) ** 2;
  }
  return 1 / (1 + sum / count);
}

/** Sums over the outputs of a block for images. */
export class MomentSums {
  /** The number of images. */
  images = 0;
  private readonly sums: Float64Array;
  private readonly squares: Float64Array;

  constructor(
    private readonly channels: number,
    rows: number,
    private readonly columns: number,
  ) {
    this.sums = new Float64Array(rows * channels);
    this.squares = new Float64Array(rows * channels);
  }

  /** @param output of the block for one image, [rows, columns, channels], flat */
  add(output: Float32Array): void {
    const row = this.columns * this.channels;
    for (let i = 0; i < output.length; i++) {
      const value = output[i]!;
      const at = Math.floor(i / row) * this.channels + (i % this.channels);
      this.sums[at]! += value;
      this.squares[at]! += value * value;
    }
    this.images++;
  }

  result(): Moments {
    const count = this.images * this.columns;
    const mean = this.sums.map((sum) => sum / count);
    return { mean, deviation: this.squares.map((sum, i) => Math.sqrt(Math.max(0, sum / count - mean[i]! ** 2))) };
  }
}
