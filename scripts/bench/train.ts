/** Measures how many images a CPU second we train on, beside the same network in PyTorch. */
import { fileURLToPath } from 'node:url';
import type { BackendPreference } from '../../env/runtime.ts';
import { installedBackends } from '../../env/tasks/tensorflow/backend.ts';
import { lastWords, medians, rateOf, type Contender } from './rounds.ts';

export interface TrainBenchOptions {
  /** Of the images, in pixels; multiples of 8. */
  readonly width: number;
  readonly height: number;
  /** Images a step. */
  readonly batch: number;
  /** Length of one measurement, in seconds of computing. */
  readonly seconds: number;
  /** How often everything is measured; medians are compared. */
  readonly rounds: number;
  /** Ours; `auto` is the fastest that is installed. */
  readonly backend: BackendPreference;
  /** Python that has torch. */
  readonly python: string;
  readonly json?: boolean;
}

const path = (program: string) => fileURLToPath(new URL(program, import.meta.url));

function ours(what: 'steps' | 'whole', backend: string, options: TrainBenchOptions): Contender {
  const { width, height, batch, seconds } = options;
  const args = [path('train-ours.ts'), what, backend, width, height, batch, seconds].map(String);
  return () => rateOf(process.execPath, [...process.execArgv, ...args], timeoutMs(seconds)); // execArgv brings tsx along
}

function pytorch(layout: string, options: TrainBenchOptions, seconds = options.seconds): Contender {
  const { width, height, batch, python } = options;
  const args = [path('peers/train_torch.py'), layout, width, height, batch, seconds].map(String);
  return () => rateOf(python, args, timeoutMs(seconds));
}

const timeoutMs = (seconds: number) => (seconds * 20 + 120) * 1000;

/** PyTorch in both layouts of memory; nothing, and a word about it, where it is not installed. */
async function peers(options: TrainBenchOptions): Promise<[string, Contender][]> {
  try {
    await pytorch('nchw', options, 0.1)();
  } catch (error) {
    console.log(`pytorch: absent (${lastWords(error)})`);
    return [];
  }
  return ['nchw', 'channels_last'].map((layout) => [`pytorch, ${layout}`, pytorch(layout, options)]);
}

/** Measures all in turn, round after round, and prints medians and their ratios. */
export async function benchTrain(options: TrainBenchOptions): Promise<void> {
  const { width, height, batch, rounds, json } = options;
  // tfjs-node-gpu is no contender on one core; a machine that has it names it.
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
