/** One contender of `bench backbone`: `backbone-ours.ts BACKEND WIDTH HEIGHT BATCH SECONDS` prints images per CPU second. */
import type { BackendPreference } from '../../env/runtime.ts';
import { loadBackbone } from '../../env/tasks/backbone/backbone.ts';
import { IMAGE_TASK_DEFAULTS } from '../../env/tasks/image-task.ts';
import { loadBackend } from '../../env/tasks/tensorflow/backend.ts';
import { Random } from '../../protocol/random.ts';
import { perSecond } from './rounds.ts';

const [backend, ...rest] = process.argv.slice(2);
const [width = NaN, height = NaN, batch = NaN, seconds = NaN] = rest.map(Number);
await loadBackend(backend as BackendPreference);
const random = new Random(1);
const images = Float32Array.from({ length: batch * height * width * 3 }, () => random.normal());
const backbone = loadBackbone([batch, height, width, 3], IMAGE_TASK_DEFAULTS.taps);
console.log(batch * (await perSecond(() => void backbone.run(images), seconds)));
