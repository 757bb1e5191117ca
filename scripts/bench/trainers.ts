/** Trains our segmentation, and the trainer in PyTorch, on the same images: IoU and seconds. */
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeImage } from '../../env/dataset/frame.ts';
import { evaluationSeeds, type Evaluation } from '../../env/evaluate.ts';
import { createExperiment, loadDefinition } from '../../env/experiments/load.ts';
import { SoftwareRenderer } from '../../env/render/software/software-renderer.ts';
import { DEFAULT_RUNTIME, type BackendPreference, type Runtime } from '../../env/runtime.ts';
import { drawSamples } from '../../env/simulators/draw-samples.ts';
import { trafficSimulator } from '../../env/simulators/traffic/traffic.ts';
import { BACKBONE_FILE } from '../../env/tasks/backbone/weights.ts';
import { processEvaluations } from '../../env/workers/processes/process-evaluations.ts';
import { defineParameters } from '../../protocol/parameters.ts';
import { summarise, withInterval } from '../../protocol/statistics.ts';
import { median } from './rounds.ts';

export interface TrainersBenchOptions {
  readonly width: number;
  readonly height: number;
  readonly images: number;
  readonly steps: number;
  readonly seeds: number;
  readonly backend: BackendPreference;
  readonly python: string;
  readonly json?: boolean;
}

/** It copies images that are ready. */
const SIMULATE = 'cp -r "$2/." "$1"';
const TRAINER = 'env/programs/pytorch/train.py';
const METRICS = ['softCarIou', 'carIou', 'meanIou'] as const;
const PARAMETERS = defineParameters([
  { kind: 'continuous', name: 'x', meaning: '', low: 0, high: 1, scale: 'linear', default: 0, unit: '1' },
]);

/** Prints a row for each trainer and network. Trainers take turns, seed by seed, each on one thread. */
export async function benchTrainers(options: TrainersBenchOptions): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'lts-bench-'));
  try {
    await writeSets(folder, options);
    const { width, height, images, steps } = options;
    const size = { width, height, trainingImages: images, validationImages: images, steps };
    const networks = {
      small: size,
      ...(existsSync(BACKBONE_FILE) && {
        'efficientnet-lite0': { ...size, network: 'efficientnet-lite0', cell: 8, learningRate: 0.004 },
      }),
    };
    console.log(
      `${'trainer'.padEnd(10)} ${'network'.padEnd(18)} ${METRICS.map((name) => name.padStart(15)).join(' ')}  seconds`,
    );
    const rows: object[] = [];
    for (const [network, given] of Object.entries(networks)) {
      for (const [trainer, results] of Object.entries(await inTurns(folder, given, options))) {
        const seconds = median(results.map(({ timing }) => ((timing.trainMs ?? 0) + (timing.validateMs ?? 0)) / 1000));
        const scores = METRICS.map((name) => summarise(results.map(({ scores }) => scores[name]!)));
        const cells = scores.map((score) => withInterval(score, 3).padStart(15));
        console.log(
          `${trainer.padEnd(10)} ${network.padEnd(18)} ${cells.join(' ')}  ${seconds.toFixed(2).padStart(7)}`,
        );
        rows.push({
          trainer,
          network,
          seconds,
          scores: Object.fromEntries(METRICS.map((name, i) => [name, scores[i]])),
        });
      }
    }
    if (options.json) console.log(JSON.stringify(rows));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The evaluations of each trainer, one for each seed, after one that warms it up. */
async function inTurns(
  folder: string,
  given: Record<string, unknown>,
  { seeds, python, backend }: TrainersBenchOptions,
) {
  const programs = { simulator: simulating(folder), deterministic: true, callsPerStart: 1000, threads: 1, keep: false };
  const trainer = {
    command: `${python} ${TRAINER}`,
    warm: true,
    metrics: METRICS.map((name) => ({ name, low: 0, high: 1 })),
  };
  const common = { ...DEFAULT_RUNTIME, backend, data: join(folder, 'data') };
  const runtimes: Record<string, Runtime> = {
    ours: { ...common, programs: { ...programs, work: join(folder, 'ours') } },
    pytorch: { ...common, programs: { ...programs, trainer, work: join(folder, 'pytorch') } },
  };
  const source = 'Program-v0';
  const definition = await loadDefinition(source);
  const all = Object.entries(runtimes).map(([name, runtime]) => {
    const { options } = createExperiment(definition, given, runtime);
    const evaluations = processEvaluations({ size: 1, sources: [source], runtime });
    const evaluate = (seed: number) => {
      const request = { theta: { x: 0 }, seeds: evaluationSeeds(seed), test: false };
      return evaluations.submit({ id: `bench-${seed}`, source, options, runtime, request }, { owner: 'bench' });
    };
    return { name, evaluations, evaluate };
  });
  const results = Object.fromEntries(all.map(({ name }) => [name, [] as Evaluation[]]));
  try {
    for (const { evaluations } of all) await evaluations.ready;
    for (let seed = 0; seed <= seeds; seed++) {
      for (const { name, evaluate } of all) {
        const result = await evaluate(seed);
        if (result.outcome !== 'ok') throw new Error(`trainers: ${name}: expected outcome ok, got ${result.reason}`);
        if (seed > 0) results[name]!.push(result);
      }
    }
  } finally {
    for (const { evaluations } of all) await evaluations.close();
  }
  return results;
}

function simulating(folder: string) {
  const command = `sh ${join(folder, 'simulate.sh')} {out} ${join(folder, 'training')}`;
  return { command, warm: false, parameters: PARAMETERS, start: {} };
}

/** Streets of the default θ: a set to train on, and one to score. */
async function writeSets(folder: string, { width, height, images }: TrainersBenchOptions): Promise<void> {
  writeFileSync(join(folder, 'simulate.sh'), SIMULATE);
  const simulator = trafficSimulator({ width, height, renderer: new SoftwareRenderer() });
  for (const [seed, set] of ['training', 'data/validation'].entries()) {
    const drawn = await drawSamples(simulator, {}, seed, images);
    for (const [index, image] of drawn.entries()) await writeImage(join(folder, set), index, image);
  }
  cpSync(join(folder, 'data/validation'), join(folder, 'data/test'), { recursive: true });
}
