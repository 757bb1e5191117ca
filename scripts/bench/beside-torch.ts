/** Measures a network of ours on each backend, beside the same in PyTorch and beside what the processor can do. */
import { fileURLToPath } from 'node:url';
import type { BackendPreference } from '../../env/runtime.ts';
import { installedBackends } from '../../env/tasks/tensorflow/backend.ts';
import { absent, medians, rateOf, type Contender } from './rounds.ts';

export interface NetworkBenchOptions {
  /** The size of the images in pixels. */
  readonly width: number;
  readonly height: number;
  /** Images at once. */
  readonly batch: number;
  /** Length of one measurement, in CPU seconds. */
  readonly seconds: number;
  /** The number of measurements of each; medians are compared. */
  readonly rounds: number;
  /** Our backend; `auto` measures every installed one. */
  readonly backend: BackendPreference;
  /** A Python that has torch. */
  readonly python: string;
  readonly json?: boolean;
}

export interface NetworkComparison {
  /** Our programs in this folder; their words are `words`, the backend, width, height, batch and seconds. */
  readonly ours: readonly { readonly title: string; readonly program: string; readonly words: readonly string[] }[];
  /** The program in peers/; its words are the memory layout, width, height, batch and seconds. */
  readonly torch: string;
  /** Whether that program also knows the layout `cuda`: then a GPU is measured, where there is one. */
  readonly torchHasCuda?: boolean;
  /** What one image needs. */
  readonly multiplyAdds: number;
}

/** Measures on the processor, and on a GPU where there is one. */
export async function compareWithTorch(options: NetworkBenchOptions, comparison: NetworkComparison): Promise<void> {
  const hasGpu = comparison.torchHasCuda && installedBackends().includes(GPU);
  if (options.backend !== GPU || !hasGpu) await compareOnProcessor(options, comparison);
  if (hasGpu && (options.backend === 'auto' || options.backend === GPU)) await compareOnGpu(options, comparison);
}

const GPU = 'tfjs-node-gpu';

/** Measures all contenders in turn on the GPU, by the clock, and prints medians and a ratio. */
async function compareOnGpu(
  { width, height, batch, seconds, rounds, python }: NetworkBenchOptions,
  { ours, torch }: NetworkComparison,
): Promise<void> {
  const words = [width, height, batch, seconds].map(String);
  const contenders = new Map(
    ours.map(({ title, program, words: first }) => [
      `ours, ${GPU}${title}`,
      node(program, [...first, GPU, ...words], seconds),
    ]),
  );
  const peer = 'pytorch, cuda';
  try {
    const pytorch = (length: number) =>
      contender(python, [path(`peers/${torch}`), 'cuda', ...words.slice(0, 3), String(length)], length);
    await pytorch(0.1)();
    contenders.set(peer, pytorch(seconds));
  } catch (error) {
    absent(peer, python, error);
  }
  const rates = await medians(contenders, rounds, 'img/s');
  console.log(
    `\non a GPU, medians of ${rounds} rounds, ${width}×${height}, batch ${batch}, images a second of the clock`,
  );
  for (const [name, rate] of rates) {
    const best = rates.get(peer);
    const beside =
      best === undefined || name === peer ? '' : `   ${(rate / best).toFixed(2)} × PyTorch on the same GPU`;
    console.log(`${name.padEnd(32)} ${rate.toFixed(0).padStart(6)} img/s${beside}`);
  }
}

/** Measures all contenders in turn on one core, round after round, and prints medians and ratios. */
async function compareOnProcessor(options: NetworkBenchOptions, comparison: NetworkComparison): Promise<void> {
  const { width, height, batch, seconds, rounds, python, json } = options;
  const { multiplyAdds } = comparison;
  const sizes = [width, height, batch].map(String);
  const pytorch = (layout: string, length: number) =>
    contender(python, [path(`peers/${comparison.torch}`), layout, ...sizes, String(length)], length);

  // A GPU does not compare with one CPU core.
  const installed = installedBackends().filter((name) => name !== GPU);
  const backends = options.backend === 'auto' ? installed : [options.backend];
  const ours = backends.flatMap((backend) =>
    comparison.ours.map(({ title, program, words }) => ({
      name: `ours, ${backend}${title}`,
      backend,
      measure: node(program, [...words, backend, ...sizes, String(seconds)], seconds),
    })),
  );
  const products = new Map(
    backends.map((backend) => [backend, node('matrix-product.ts', [backend, String(seconds)], seconds)] as const),
  );
  const peers = new Map<string, Contender>();
  try {
    await pytorch('nchw', 0.1)();
    for (const layout of ['nchw', 'channels_last']) peers.set(`pytorch, ${layout}`, pytorch(layout, seconds));
  } catch (error) {
    absent('pytorch', python, error);
  }
  const productOf = (backend: string) => `matrix product, ${backend}`;
  const contenders = new Map([
    ...ours.map(({ name, measure }) => [name, measure] as const),
    ...peers,
    ...[...products].map(
      ([backend, measure]) => [productOf(backend), async () => (await measure()) / multiplyAdds] as const,
    ),
  ]);
  const rates = await medians(contenders, rounds, 'img/s');

  const best = peers.size > 0 ? Math.max(...[...peers.keys()].map((name) => rates.get(name)!)) : undefined;
  console.log(
    `\nmedians of ${rounds} rounds, ${width}×${height}, batch ${batch}, images a CPU second, one thread each\n` +
      `matrix product: ${(multiplyAdds / 1e6).toFixed(1)} million multiply-adds an image, at the speed of one large matrix product`,
  );
  for (const [name, rate] of rates) {
    const own = ours.find((each) => each.name === name);
    const beside = own && best !== undefined ? `   ${(rate / best).toFixed(2)} × the better PyTorch` : '';
    const share = own ? `   ${(rate / rates.get(productOf(own.backend))!).toFixed(2)} × the matrix product` : '';
    console.log(`${name.padEnd(32)} ${rate.toFixed(0).padStart(6)} img/s${beside}${share}`);
  }
  if (json) {
    const [first] = ours;
    const found = best === undefined ? {} : { pytorch: Math.round(best) };
    console.log(JSON.stringify({ ours: Math.round(rates.get(first!.name)!), backend: first!.backend, peers: found }));
  }
}

const path = (program: string) => fileURLToPath(new URL(program, import.meta.url));

/** A program of ours in this folder. */
function node(program: string, words: readonly string[], seconds: number): Contender {
  return contender(process.execPath, [...process.execArgv, path(program), ...words], seconds); // execArgv loads tsx
}

function contender(command: string, args: readonly string[], seconds: number): Contender {
  return () => rateOf(command, args, (seconds * 20 + 120) * 1000);
}
