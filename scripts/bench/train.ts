/** Compares training images per CPU second of our trainings and of the same network in PyTorch. */
import { fileURLToPath } from 'node:url';
import type { BackendPreference } from '../../env/runtime.ts';
import { installedBackends } from '../../env/tasks/tensorflow/backend.ts';
import { absent, medians, rateOf, type Contender } from './rounds.ts';

export interface TrainBenchOptions {
  /** The size of the images in pixels; multiples of 8. */
  readonly width: number;
  readonly height: number;
  /** Images per step. */
  readonly batch: number;
  /** Length of one measurement, in CPU seconds. */
  readonly seconds: number;
  /** The number of measurements of each; medians are compared. */
  readonly rounds: number;
  /** Our backend; `auto` measures every installed one except tfjs-node-gpu. */
  readonly backend: BackendPreference;
  /** A Python that has torch. */
  readonly python: string;
  readonly json?: boolean;
}

const path = (program: string) => fileURLToPath(new URL(program, import.meta.url));

function ours(what: 'steps' | 'whole', backend: string, options: TrainBenchOptions): Contender {
  const { width, height, batch, seconds } = options;
  const args = [path('train-ours.ts'), what, backend, width, height, batch, seconds].map(String);
  return () => rateOf(process.execPath, [...process.execArgv, ...args], timeoutMs(seconds)); // execArgv loads tsx
}

function pytorch(layout: string, options: TrainBenchOptions, seconds = options.seconds): Contender {
  const { width, height, batch, python } = options;
  const args = [path('peers/train_torch.py'), layout, width, height, batch, seconds].map(String);
  return () => rateOf(python, args, timeoutMs(seconds));
}

const timeoutMs = (seconds: number) => (seconds * 20 + 120) * 1000;

/** PyTorch in both memory layouts; prints why, and returns none, if it is not installed. */
async function peers(options: TrainBenchOptions): Promise<[string, Contender][]> {
  try {
    await pytorch('nchw', options, 0.1)();
  } catch (error) {
    absent('pytorch', options.python, error);
    return [];
  }
  return ['nchw', 'channels_last'].map((layout) => [`pytorch, ${layout}`, pytorch(layout, options)]);
}

/** Measures all contenders in turn, round after round, and prints medians and ratios. */
export async function benchTrain(options: TrainBenchOptions): Promise<void> {
  const { width, height, batch, rounds, json } = options;
  // tfjs-node-gpu does not compare with one CPU core; it runs only if --backend names it.
  const installed = installedBackends().filter((name) => name !== 'tfjs-node-gpu');
  const backends = options.backend === 'auto' ? installed : [options.backend];
  const contenders = new Map<string, Contender>([
    ...backends.map((name): [string, Contender] => [`ours, ${name}`, ours('steps', name, options)]),
    ...(await peers(options)),
    ...backends.map((name): [string, Contender] => [`ours, ${name}, whole training`, ours('whole', name, options)]),
  ]);
  const rates = await medians(contenders, rounds, 'img/s');
  const torch = [...rates].filter(([name]) => name.startsWith('pytorch')).map(([, rate]) => rate);
  const best = torch.length > 0 ? Math.max(...torch) : undefined;
  console.log(
    `\nmedians of ${rounds} rounds, ${width}×${height}, batch ${batch}, images a CPU second, one thread each`,
  );
  for (const [name, rate] of rates) {
    const ratio =
      best !== undefined && name.startsWith('ours') ? `   ${(rate / best).toFixed(2)} × the better PyTorch` : '';
    console.log(`${name.padEnd(32)} ${rate.toFixed(0).padStart(6)} img/s${ratio}`);
  }
  if (json) {
    const [backend] = backends;
    const own = Math.round(rates.get(`ours, ${backend}`)!);
    const found = best === undefined ? {} : { pytorch: Math.round(best) };
    console.log(JSON.stringify({ ours: own, backend, peers: found }));
  }
}
