/** Trains a small network on a backend, and prints its version and speed: `node --import tsx scripts/try-backend.ts <name> <folder>`. */
import { resolve } from 'node:path';
import { Argument } from 'commander';
import { newCommand, runProgram } from '../agents/run/run-program.ts';
import { BACKEND_NAMES, DEFAULT_RUNTIME, type BackendName } from '../env/runtime.ts';
import { segmentationTask } from '../env/tasks/segmentation.ts';
import { loadBackend } from '../env/tasks/tensorflow/backend.ts';

const STEPS = 20;
const IMAGES = 8;

const [name, folder] = newCommand('try-backend')
  .description('Trains a small network on a backend, and prints its version and speed.')
  .addArgument(new Argument('<name>', 'the backend').choices(BACKEND_NAMES))
  .argument('<folder>', 'where it is installed')
  .parse().processedArgs as [BackendName, string];

await runProgram('try-backend', async () => {
  const backend = await loadBackend(name, [resolve(folder)]);
  const [width, height] = [96, 64];
  const image = {
    width,
    height,
    rgb: new Uint8Array(width * height * 3).map((_, i) => i * 7),
    classes: new Uint8Array(width * height),
  };
  const options = { steps: STEPS, batchSize: IMAGES };
  const task = segmentationTask(options, { ...DEFAULT_RUNTIME, backend: name });
  const images = Array.from({ length: IMAGES }, () => image);
  const start = performance.now();
  (await task.train(images, { initialisation: 1, order: 2 }, () => {})).dispose();
  const perSecond = (1000 * STEPS * IMAGES) / (performance.now() - start);
  process.stdout.write(`RESULT ${backend.version}, ${Math.round(perSecond)} images a second\n`);
});
