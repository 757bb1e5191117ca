/** Measures what an evaluation by two programs costs beyond the programs' own time. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeImage } from '../../env/dataset/frame.ts';
import { evaluationSeeds } from '../../env/evaluate.ts';
import { createExperiment, loadDefinition } from '../../env/experiments/load.ts';
import { DEFAULT_RUNTIME, type Runtime } from '../../env/runtime.ts';
import { processEvaluations } from '../../env/workers/processes/process-evaluations.ts';
import { defineParameters } from '../../protocol/parameters.ts';
import { median } from './rounds.ts';

export interface ProgramsBenchOptions {
  readonly width: number;
  readonly height: number;
  readonly images: number;
  readonly evaluations: number;
  readonly json?: boolean;
}

const PARAMETERS = defineParameters([
  { kind: 'continuous', name: 'x', meaning: '', low: 0, high: 1, scale: 'linear', default: 0, unit: '1' },
]);

/** Programs that do next to nothing: one copies images that are ready, the other writes a score. */
const SIMULATE = 'cp -r "$2/." "$1"';
const TRAIN = `echo '{"scores":{"score":1}}' > "$1/result.json"`;

/** Prints the median time of an evaluation, of the programs alone, and of what is between the two. */
export async function benchPrograms(options: ProgramsBenchOptions): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'lts-bench-'));
  try {
    const { wholeMs, ownMs } = await measure(folder, options);
    const [whole, own] = [median(wholeMs), median(ownMs)];
    const overhead = median(wholeMs.map((ms, i) => ms - ownMs[i]!));
    console.log(`an evaluation        ${whole.toFixed(1).padStart(8)} ms`);
    console.log(`its programs alone   ${own.toFixed(1).padStart(8)} ms`);
    console.log(`beyond their time    ${overhead.toFixed(1).padStart(8)} ms (median of the differences)`);
    if (options.json) console.log(JSON.stringify({ evaluationMs: whole, programsMs: own, overheadMs: overhead }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The times of each evaluation, and of the same programs with nothing around them right after it. */
async function measure(folder: string, { width, height, images, evaluations: count }: ProgramsBenchOptions) {
  const { simulate, train, ready } = await prepare(folder, { width, height, images });
  const runtime: Runtime = {
    ...DEFAULT_RUNTIME,
    data: join(folder, 'data'),
    programs: {
      simulator: { command: `sh ${simulate} {out} ${ready}`, warm: false, parameters: PARAMETERS, start: {} },
      trainer: { command: `sh ${train} {out}`, warm: false, metrics: [{ name: 'score', low: null, high: null }] },
      deterministic: true,
      callsPerStart: 1,
      threads: 1,
      work: join(folder, 'work'),
      keep: false,
    },
  };
  const source = 'Program-v0';
  const { options } = createExperiment(
    await loadDefinition(source),
    { width, height, trainingImages: images },
    runtime,
  );
  const evaluations = processEvaluations({ size: 1, sources: [source], runtime });
  const [wholeMs, ownMs]: [number[], number[]] = [[], []];
  try {
    await evaluations.ready;
    for (let i = -1; i < count; i++) {
      const began = performance.now();
      const request = { theta: { x: 0 }, seeds: evaluationSeeds(i + 1), test: false };
      const { outcome, reason } = await evaluations.submit({ source, options, runtime, request }, { owner: 'bench' });
      const ended = performance.now();
      if (outcome !== 'ok') throw new Error(`programs: expected outcome ok, got ${outcome} (${reason})`);
      const out = join(folder, `out${i}`);
      mkdirSync(out);
      const ownMsOfBoth = (await timeOf('sh', simulate, out, ready)) + (await timeOf('sh', train, out));
      rmSync(out, { recursive: true });
      if (i < 0) continue; // the first one warms up
      wholeMs.push(ended - began);
      ownMs.push(ownMsOfBoth);
    }
  } finally {
    await evaluations.close();
  }
  return { wholeMs, ownMs };
}

async function prepare(folder: string, { width, height, images }: Omit<ProgramsBenchOptions, 'evaluations'>) {
  const ready = join(folder, 'ready');
  const rgb = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * i) % 251);
  const classes = Uint8Array.from({ length: width * height }, (_, i) => i % 19);
  for (let index = 0; index < images; index++) await writeImage(ready, index, { width, height, rgb, classes });
  for (const set of ['validation', 'test']) {
    mkdirSync(join(folder, 'data', set), { recursive: true });
    writeFileSync(join(folder, 'data', set, 'nothing'), '');
  }
  const [simulate, train] = [join(folder, 'simulate.sh'), join(folder, 'train.sh')];
  writeFileSync(simulate, SIMULATE);
  writeFileSync(train, TRAIN);
  return { simulate, train, ready };
}

/** From the start of a program to its end, in milliseconds. */
async function timeOf(program: string, ...words: string[]): Promise<number> {
  const began = performance.now();
  const child = spawn(program, words, { stdio: 'ignore' });
  const [code] = (await once(child, 'exit')) as [number];
  if (code !== 0) throw new Error(`programs: expected exit code 0 of ${words[0]}, got ${code}`);
  return performance.now() - began;
}
