/** What all experiments with our streets have in common. */
import type { SamplePictures } from '../pictures.ts';
import { createRenderer } from '../render/create-renderer.ts';
import type { Runtime } from '../runtime.ts';
import { freeParameters, startTheta } from '../simulators/free-parameters.ts';
import type { Simulator } from '../simulators/simulator.ts';
import { trafficSimulator, type TrafficImage } from '../simulators/traffic/traffic.ts';
import type { StreetFolder } from '../targets/street-folder.ts';
import type { Target } from '../targets/target.ts';
import type { Task } from '../tasks/task.ts';
import { POOR_STREETS } from './streets.ts';

/** The streets, at a size in pixels, on the renderer of this runtime. */
export function streetsOf(
  { width, height }: { readonly width: number; readonly height: number },
  { renderer }: Runtime,
): Simulator<TrafficImage> {
  return trafficSimulator({ width, height, renderer: createRenderer(renderer) });
}

interface TrafficOptions {
  /** Names of the parameters that θ consists of; the others keep their default. Empty: all of them. */
  readonly free: readonly string[];
  /** Number of drawn images in an evaluation. */
  readonly trainingImages: number;
  readonly replicates: number;
}

type PreparedTask<Sample> = Task<Sample> & { readonly prepare: () => Promise<string> };

interface TrafficParts<Sample, Trained> {
  readonly streets: Simulator<NoInfer<Sample>>;
  readonly task: Trained;
  readonly target: Target<Sample>;
  readonly pictures: SamplePictures<NoInfer<Sample>>;
}

/** θ is a part of the parameters of the streets, and searches start at the poor ones. */
export function trafficExperiment<Sample, Trained extends PreparedTask<NoInfer<Sample>>>(
  { free, trainingImages, replicates }: TrafficOptions,
  { streets, task, target, pictures }: TrafficParts<Sample, Trained>,
) {
  const simulator = freeParameters(streets, free);
  const start = startTheta(simulator, POOR_STREETS);
  return {
    simulator,
    task,
    target,
    pictures,
    trainingSamples: trainingImages,
    replicates,
    start,
    prepare: task.prepare,
  };
}

/** An experiment that is scored on real images: it reads all of them first. What the folder offers, it offers too. */
export function onFolder<
  Own extends { prepare(): Promise<string> },
  Folder extends Pick<StreetFolder<never>, 'prepare' | 'about'>,
>(experiment: Own, folder: Folder) {
  const { prepare, ...images } = folder;
  return {
    ...images,
    ...experiment,
    async prepare() {
      await prepare();
      return experiment.prepare();
    },
  };
}

/** The folder of an environment's real images. @throws {Error} in a sentence, when the command line names none */
export function dataFolder(environment: string, images: string, { data }: Runtime): string {
  if (data !== undefined) return data;
  throw new Error(`${environment}: expected a folder of ${images}; start the server with --data DIR`);
}
