/** A folder with small programs in sh, and experiments that consist of them. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { evaluate, evaluationSeeds, type Evaluation, type EvaluationOptions } from '../../../env/evaluate.ts';
import type { Experiment } from '../../../env/experiments/experiment.ts';
import { createExperiment, loadDefinition } from '../../../env/experiments/load.ts';
import { DEFAULT_RUNTIME, type ProgramsRuntime, type Runtime } from '../../../env/runtime.ts';
import { defineParameters, type Theta } from '../../../protocol/parameters.ts';
import { gray, colour } from '../streets/street-folder.ts';

/** θ of the programs: whatever they do with it. */
export const PARAMETERS = defineParameters([
  { kind: 'continuous', name: 'x', meaning: '', low: 0, high: 100, scale: 'linear', default: 0, unit: '1' },
]);

/** A square picture, half of it a car (13), half of it road (0). */
export const SIDE = 16;
const PICTURE = colour(
  SIDE,
  Array.from({ length: SIDE ** 2 }, (_, i) => (i % SIDE < SIDE / 2 ? [220, 30, 20] : [90, 90, 90])),
);
const LABELS = gray(
  SIDE,
  Array.from({ length: SIDE ** 2 }, (_, i) => (i % SIDE < SIDE / 2 ? 13 : 0)),
);

export interface Workshop {
  readonly folder: string;
  /** Where the programs work. */
  readonly work: string;
  /** Where two images with labels lie, as a simulator writes them. */
  readonly ready: string;
  /** Writes a program. @returns its path */
  script(name: string, text: string): string;
  runtime(programs: Partial<ProgramsRuntime>): Runtime;
  experiment(programs: Partial<ProgramsRuntime>, options?: Record<string, unknown>): Promise<Experiment>;
  /** What lies below the folder of working folders. */
  left(): string[];
  remove(): void;
}

export function workshop(): Workshop {
  const folder = mkdtempSync(join(tmpdir(), 'programs-'));
  const work = join(folder, 'work');
  const ready = join(folder, 'ready');
  for (const set of [ready, join(folder, 'data/validation'), join(folder, 'data/test')]) {
    for (const [kind, bytes] of [
      ['images', PICTURE],
      ['labels', LABELS],
    ] as const) {
      mkdirSync(join(set, kind), { recursive: true });
      for (const name of ['000000.png', '000001.png']) writeFileSync(join(set, kind, name), bytes);
    }
  }
  const runtime = (programs: Partial<ProgramsRuntime>): Runtime => ({
    ...DEFAULT_RUNTIME,
    data: join(folder, 'data'),
    programs: { deterministic: false, callsPerStart: 100, threads: 1, work, keep: false, ...programs },
  });
  return {
    folder,
    work,
    ready,
    script(name, text) {
      const path = join(folder, name);
      writeFileSync(path, text);
      return path;
    },
    runtime,
    async experiment(programs, options = {}) {
      const small = { width: SIDE, height: SIDE, trainingImages: 2, ...options };
      return createExperiment(await loadDefinition('Program-v0'), small, runtime(programs)).experiment;
    },
    left() {
      try {
        return readdirSync(work, { recursive: true, encoding: 'utf8' }).filter((path) => /[/\\]/.test(path));
      } catch {
        return [];
      }
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** A simulator of sh. */
export function simulating(command: string, warm = false) {
  return { simulator: { command, warm, parameters: PARAMETERS, start: { x: 1 } } };
}

/** A trainer of sh. */
export function training(
  command: string,
  warm = false,
  metrics = [{ name: 'score', low: 0 as number | null, high: null as number | null }],
) {
  return { trainer: { command, warm, metrics } };
}

export function evaluated(
  experiment: Experiment,
  { x = 1, seed = 1, test = false, early = false }: { x?: number; seed?: number; test?: boolean; early?: boolean } = {},
  options: EvaluationOptions = {},
): Promise<Evaluation> {
  const theta: Theta = { x };
  return evaluate(experiment, { theta, seeds: evaluationSeeds(seed), test, earlyScores: early }, options);
}

/** What a program has written to a file, line by line; empty where there is none. */
export function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  } catch {
    return [];
  }
}
