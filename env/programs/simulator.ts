/** Simulators whose images are files: somebody's program, or one of ours that writes them for somebody's trainer. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../../protocol/make-folder.ts';
import { completeTheta, type Parameter, type Theta } from '../../protocol/parameters.ts';
import type { Seed } from '../../protocol/random.ts';
import { writeFrame } from '../dataset/frame.ts';
import type { PictureSize } from '../simulators/traffic/scene.ts';
import { summarise } from '../dataset/summary.ts';
import { FailedError } from '../failed-error.ts';
import type { DataSet, DrawOptions, Simulator } from '../simulators/simulator.ts';
import type { Annotation } from '../simulators/traffic/annotations.ts';
import type { TrafficImage } from '../simulators/traffic/traffic.ts';
import { call, failing } from './call.ts';
import { CONTRACT, type SimulatorRequest } from './contract.ts';
import type { Program } from './program.ts';
import type { SetCache } from './set-cache.ts';
import { WorkingFolder } from './working-folder.ts';

/** An image that is a file. It is there until its data set is closed. */
export interface StoredImage {
  /** Of the data set, which lies in the working folder of the evaluation. */
  readonly folder: string;
  /** Its number in the data set. */
  readonly index: number;
}

/** Makes samples of the files of a data set. */
export type ReadImages<Sample> = (folder: string, indices: readonly number[]) => Promise<Sample[]>;

/** Leaves the images to somebody's trainer: nobody else needs to understand them. */
export const asFiles: ReadImages<StoredImage> = (folder, indices) =>
  Promise.resolve(indices.map((index) => ({ folder, index })));

/** Where working folders lie, and whether they stay. */
export interface Workplace {
  readonly work: string;
  readonly keep: boolean;
}

export interface SimulatorProgram<Sample> extends Workplace {
  /** Tells programs apart: the command. */
  readonly name: string;
  readonly program: Program;
  readonly parameters: readonly Parameter[];
  readonly size: PictureSize;
  readonly options: SimulatorRequest['options'];
  readonly read: ReadImages<Sample>;
  /** With what tells its sets apart, beside what a request has. */
  readonly cache?: { readonly sets: SetCache; readonly of: string } | undefined;
}

/** A simulator that is a program. It draws all images of a data set in one call. */
export function programSimulator<Sample>(own: SimulatorProgram<Sample>): Simulator<Sample> {
  const { name, parameters } = own;
  return {
    name: `program ${name}`,
    version: CONTRACT,
    parameters,
    open: (theta, seed) => new ProgramDataSet(own, completeTheta(parameters, theta), seed),
  };
}

class ProgramDataSet<Sample> implements DataSet<Sample> {
  private folder: WorkingFolder | undefined;
  private ahead: Sample[] = [];

  constructor(
    private readonly own: SimulatorProgram<Sample>,
    private readonly theta: Theta,
    private readonly seed: Seed,
  ) {}

  async drawAhead(count: number, options: DrawOptions): Promise<void> {
    this.ahead = await this.simulate(0, count, options);
  }

  async draw(index: number, signal?: AbortSignal): Promise<Sample> {
    return this.ahead[index] ?? (await this.simulate(index, 1, { signal }))[0]!;
  }

  async close(): Promise<void> {
    await this.folder?.end();
  }

  private async simulate(first: number, count: number, { signal, report }: DrawOptions): Promise<Sample[]> {
    const { program, size, options, read, work, keep, cache } = this.own;
    const { theta, seed } = this;
    const folder = await failing('simulator', () => (this.folder ??= new WorkingFolder(work, `seed-${seed}`, keep)));
    const part = first === 0 ? '' : `-${first}`;
    const out = join(folder.path, `data${part}`);
    const { width, height } = size;
    const asked = { theta, seed, first, count, width, height, options };
    const isKnown = cache?.sets.take([cache.of, asked], out) ?? false;
    if (!isKnown) {
      const place = await failing('simulator', () => {
        makeFolder(out);
        return folder.folder(`simulator${part}`);
      });
      const onProgress = ({ fraction }: { readonly fraction: number }) => report?.(fraction);
      await call('simulator', program, { kind: 'simulate', ...asked, out }, place, {
        isKept: keep,
        signal,
        onProgress,
      });
      if (readdirSync(out).length === 0) {
        throw new FailedError(`simulator: ended with exit code 0, expected files in ${out}, found none`);
      }
    }
    const indices = Array.from({ length: count }, (_, i) => first + i);
    const samples = await failing('simulator', () => read(out, indices));
    if (!isKnown) cache?.sets.put([cache.of, asked], out);
    return samples;
  }
}

/**
 * The traffic simulator for a trainer that is a program: its images are written as `npm run dataset` writes them.
 *
 * @param annotate from `annotator` of the simulator's renderer
 */
export function writtenSimulator(
  simulator: Simulator<TrafficImage>,
  annotate: (image: TrafficImage) => Promise<readonly Annotation[]>,
  { work, keep }: Workplace,
): Simulator<StoredImage> {
  return {
    ...simulator,
    open(theta, seed) {
      const set = simulator.open(theta, seed);
      let folder: WorkingFolder | undefined;
      const written: StoredImage[] = [];
      /** @returns the size of the image */
      const write = async (index: number, signal?: AbortSignal): Promise<PictureSize> => {
        const image = await set.draw(index, signal);
        return failing('images', async () => {
          folder ??= new WorkingFolder(work, `seed-${seed}`, keep);
          const out = join(folder.path, 'data');
          await writeFrame(out, index, image, await annotate(image), { seed, theta });
          written[index] = { folder: out, index };
          return image;
        });
      };
      return {
        async drawAhead(count, { signal, report }) {
          let size: PictureSize | undefined;
          for (let index = 0; index < count; index++) {
            size = await write(index, signal);
            signal?.throwIfAborted();
            report?.((index + 1) / count);
          }
          if (size) await failing('images', () => summarise(written[0]!.folder, count, size));
        },
        async draw(index, signal) {
          if (!written[index]) await write(index, signal);
          return written[index]!;
        },
        async close() {
          await folder?.end();
          await set.close?.();
        },
      };
    },
  };
}
