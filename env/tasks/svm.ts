import type { LabelledPoint } from '../simulators/mixture/mixture.ts';
import { regionPictures } from '../simulators/mixture/pictures.ts';
import type { Task, TrainedModel } from './task.ts';

type Libsvm = Awaited<typeof import('libsvm-js').default>;
let libsvm: Promise<Libsvm> | undefined;

/** Loads LIBSVM as WebAssembly. Its loader would try `fetch` on a file and complain on stderr, so `fetch` is hidden. */
async function load(): Promise<Libsvm> {
  const { fetch } = globalThis;
  Reflect.deleteProperty(globalThis, 'fetch');
  try {
    return await (
      await import('libsvm-js')
    ).default;
  } finally {
    globalThis.fetch = fetch;
  }
}

export interface SvmOptions {
  /** γ of the kernel exp(−γ|x − y|²). */
  readonly gamma: number;
  /** C: the price of a point on the wrong side of the margin. */
  readonly cost: number;
}

/** A model that also classifies points, for pictures of its decision boundary. */
export interface TrainedSvm extends TrainedModel<LabelledPoint> {
  /** @returns a label for each point, 0 or 1 */
  predict(points: readonly (readonly [x: number, y: number])[]): number[];
}

export interface SvmTask extends Task<LabelledPoint> {
  train(samples: readonly LabelledPoint[]): Promise<TrainedSvm>;
}

/**
 * Classifies points with a support vector machine with an RBF kernel, by LIBSVM (Chang & Lin 2011).
 *
 * Training is convex: it needs no seed.
 */
export function svmTask({ gamma, cost }: SvmOptions): SvmTask {
  return {
    name: 'svm',
    metrics: [{ name: 'accuracy', meaning: 'Share of the points that are classified right.', low: 0, high: 1 }],
    reward: 'accuracy',
    async train(samples) {
      const SVM = await (libsvm ??= load());
      const svm = new SVM({ gamma, cost, quiet: true });
      svm.train(
        samples.map(({ point }) => point),
        samples.map(({ label }) => label),
      );
      const predict = (points: readonly (readonly [x: number, y: number])[]) => svm.predict(points);
      return {
        predict,
        async score(set) {
          const predicted = predict(set.map(({ point }) => point));
          return { accuracy: predicted.filter((label, i) => label === set[i]!.label).length / set.length };
        },
        pictures: async (set) => regionPictures(set, predict),
        dispose: () => svm.free(),
      };
    },
  };
}
