/** Measures the stages of one evaluation, and compares two workers with one. */
import { completeTheta } from '../../protocol/parameters.ts';
import { evaluationSeeds, type Evaluation } from '../../env/evaluate.ts';
import { createExperiment, loadDefinition } from '../../env/experiments/load.ts';
import { processEvaluations } from '../../env/workers/processes/process-evaluations.ts';
import { runtimeOf, type RuntimeFlags } from '../runtime-flags.ts';
import { median } from './rounds.ts';

export interface EvaluateBenchOptions extends RuntimeFlags {
  readonly env: string;
  readonly preset?: string;
  readonly envOptions?: Record<string, unknown>;
  /** Evaluations of each measurement, after one warm-up evaluation per worker. */
  readonly evaluations: number;
  readonly json?: boolean;
}

interface Measured {
  readonly perMinute: number;
  readonly outcomes: readonly Evaluation[];
}

/** Runs the evaluations with this number of workers: the start θ, each time with another seed. */
async function measure(
  workers: number,
  { env, preset, envOptions, evaluations: count, ...flags }: EvaluateBenchOptions,
): Promise<Measured> {
  const runtime = runtimeOf(flags);
  const definition = await loadDefinition(env);
  const { experiment, options } = createExperiment(definition, { ...(preset && { preset }), ...envOptions }, runtime);
  const theta = completeTheta(experiment.simulator.parameters, experiment.start);
  const evaluations = processEvaluations({ size: workers, sources: [env], runtime });
  const run = (seed: number) => {
    const request = { theta, seeds: evaluationSeeds(seed), test: false };
    return evaluations.submit({ id: `bench-${seed}`, source: env, options, runtime, request }, { owner: 'bench' });
  };
  try {
    await evaluations.ready;
    while (evaluations.counts.readyWorkers < workers) await new Promise((resolve) => setTimeout(resolve, 50));
    await Promise.all(Array.from({ length: workers }, (_, i) => run(i)));
    const start = performance.now();
    const outcomes = await Promise.all(Array.from({ length: count }, (_, i) => run(100 + i)));
    const minutes = (performance.now() - start) / 60_000;
    const failed = outcomes.find(({ outcome }) => outcome !== 'ok');
    if (failed) throw new Error(`evaluate: expected outcome ok, got ${failed.outcome} (${failed.reason})`);
    return { perMinute: count / minutes, outcomes };
  } finally {
    await evaluations.close();
  }
}

/** Prints the median of each stage and the rate with one and with two workers. */
export async function benchEvaluate(options: EvaluateBenchOptions): Promise<void> {
  const one = await measure(1, options);
  const stages = { simulate: 'simulateMs', train: 'trainMs', validate: 'validateMs' } as const;
  const medianMs = Object.fromEntries(
    Object.entries(stages).map(([name, key]) => [name, median(one.outcomes.map(({ timing }) => timing[key]))]),
  );
  const staged = Object.values(medianMs).reduce((sum, ms) => sum + ms, 0);
  const rest = Math.max(0, 60_000 / one.perMinute - staged);
  console.log(`one worker: ${one.perMinute.toFixed(1)} evaluations a minute`);
  for (const [name, ms] of [...Object.entries(medianMs), ['everything else', rest] as const]) {
    console.log(
      `  ${name.padEnd(16)} ${(ms / 1000).toFixed(2).padStart(7)} s  ${((100 * ms) / (staged + rest)).toFixed(0).padStart(3)} %`,
    );
  }
  const two = await measure(2, options);
  const ratio = two.perMinute / one.perMinute;
  console.log(`two workers: ${two.perMinute.toFixed(1)} evaluations a minute, ${ratio.toFixed(2)} × one`);
  if (options.json) {
    const rounded = Object.fromEntries(Object.entries(medianMs).map(([name, ms]) => [`${name}Ms`, Math.round(ms)]));
    console.log(JSON.stringify({ ...rounded, perMinute: { one: one.perMinute, two: two.perMinute }, ratio }));
  }
}
