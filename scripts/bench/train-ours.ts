/**
 * One contender of `bench train`, in its own process like the peers:
 * `train-ours.ts WHAT BACKEND WIDTH HEIGHT BATCH SECONDS` prints images per CPU second, or
 * on a GPU per second of the clock.
 */
import { CLASSES } from '../../env/streets/classes.ts';
import type { LabelledImage } from '../../env/streets/labelled-image.ts';
import { DEFAULT_RUNTIME } from '../../env/runtime.ts';
import { crossEntropy } from '../../env/tasks/segmentation/cross-entropy.ts';
import { MERGED_CLASSES } from '../../env/tasks/segmentation/merged-classes.ts';
import { smallSegmentation } from '../../env/tasks/segmentation/network.ts';
import { segmentationTask } from '../../env/tasks/segmentation.ts';
import { initialWeights } from '../../env/tasks/training/layers.ts';
import { train, type Batch } from '../../env/tasks/training/train.ts';
import type { BackendPreference } from '../../env/runtime.ts';
import { loadBackend } from '../../env/tasks/tensorflow/backend.ts';
import { CLOCKS, perSecond } from './rounds.ts';
import { Random } from '../../protocol/random.ts';

const silent = () => {};

function noisyImages(count: number, width: number, height: number): LabelledImage[] {
  const random = new Random(0);
  return Array.from({ length: count }, () => ({
    width,
    height,
    rgb: Uint8Array.from({ length: width * height * 3 }, () => random.integer(256)),
    classes: Uint8Array.from({ length: width * height }, () => random.integer(CLASSES.length)),
  }));
}

/** Trains for this number of steps. */
type Work = (steps: number) => Promise<void>;

/** The work that the peers do too: forward and backward pass on one batch, and AdamW. */
async function stepsAlone(width: number, height: number, count: number): Promise<Work> {
  const architecture = smallSegmentation(MERGED_CLASSES.length);
  const { layers, network, cell } = architecture;
  const weights = initialWeights(layers, new Random(1));
  const images = noisyImages(count, width, height);
  const given = await architecture.inputs({
    images,
    size: { width, height },
    seed: 1,
    augment: false,
    progress: silent,
  });
  const labels = Float32Array.from(
    { length: (count * width * height) / cell ** 2 },
    (_, i) => i % MERGED_CLASSES.length,
  );
  const classWeights = MERGED_CLASSES.map(() => 1);
  const batch: Batch = {
    inputs: given.plain(images),
    loss: (logits, gradient) => crossEntropy(logits, labels, classWeights, gradient),
  };
  const training = {
    layers,
    network,
    weights,
    learningRate: 1e-3,
    weightDecay: 0.01,
    inputShapes: given.shapes(count),
    nextBatch: () => batch,
  };
  return (steps) => train({ ...training, steps, stepsPerEpoch: steps }, silent);
}

/** Whole trainings: each batch is augmented, and the network is prepared for prediction at the end. */
function wholeTraining(width: number, height: number, batchSize: number, backend: BackendPreference): Work {
  const images = noisyImages(64, width, height);
  return async (steps) => {
    const task = segmentationTask({ steps, batchSize }, { ...DEFAULT_RUNTIME, backend });
    (await task.train(images, { initialisation: 1, order: 2 }, silent)).dispose();
  };
}

const [what, backend, ...rest] = process.argv.slice(2);
const [width = NaN, height = NaN, batchSize = NaN, seconds = NaN] = rest.map(Number);
await loadBackend(backend as BackendPreference);
const work =
  what === 'steps'
    ? await stepsAlone(width, height, batchSize)
    : wholeTraining(width, height, batchSize, backend as BackendPreference);
const steps = what === 'steps' ? 20 : 250; // 250 as in an evaluation, so that the start and the end of a training have the same share
const clock = backend === 'tfjs-node-gpu' ? CLOCKS.wall : CLOCKS.cpu;
console.log(steps * batchSize * (await perSecond(() => work(steps), seconds, clock)));
