/** Runs an experiment of the paper from start to end: `npm run reproduce -- mixture --preset quick`. */
import { copyFileSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Argument, Command, Option } from 'commander';
import { filePath, integer, jsonObject } from '../agents/run/flags.ts';
import { loadDefinition } from '../env/experiments/load.ts';
import type { Runtime } from '../env/runtime.ts';
import { streetFrames } from '../env/streets/street-images.ts';
import { pretrain } from './pretraining.ts';
import { ownPrograms, startServer } from './programs.ts';
import { commandLine, commit, machine } from './provenance.ts';
import { countingReproduction } from './reproduce/counting.ts';
import type { EnvOptions, Experiment, Preset } from './reproduce/experiment.ts';
import { mixtureReproduction } from './reproduce/mixture.ts';
import { segmentationRealReproduction } from './reproduce/segmentation-real.ts';
import { segmentationReproduction } from './reproduce/segmentation.ts';
import { summariseArms, writeSummary } from './reproduce/summary.ts';
import { backendFlag, dataFlag, runtimeOf, type RuntimeFlags } from './runtime-flags.ts';

const EXPERIMENTS: Readonly<Record<string, Experiment>> = {
  mixture: mixtureReproduction,
  counting: countingReproduction,
  segmentation: segmentationReproduction,
  'segmentation-real': segmentationRealReproduction,
};
/** Logs up to this size go with the results. */
const SMALL_BYTES = 1_000_000;

interface Options extends RuntimeFlags {
  readonly preset: 'quick' | 'standard';
  readonly out?: string;
  readonly logs?: string;
  readonly workers?: number;
  readonly evaluations?: number;
  readonly searchSeeds?: number;
  readonly randomThetas?: number;
  readonly envOptions: EnvOptions;
}

const command = new Command('reproduce')
  .description(
    'Runs an experiment through the real server and agents, and writes table, figures and logs. ' +
      'Stopped with Ctrl-C, the same command goes on.',
  )
  .addArgument(new Argument('<experiment>').choices([...Object.keys(EXPERIMENTS), 'all']))
  .addOption(
    new Option('--preset <size>', 'quick: minutes; standard: up to hours')
      .choices(['quick', 'standard'])
      .default('standard'),
  )
  .addOption(dataFlag())
  .option('--out <folder>', 'where tables and figures go (default: results/<experiment>)', filePath)
  .option(
    '--logs <folder>',
    'trial logs, from which it goes on (default: runs/reproduce-<experiment>-<preset>)',
    filePath,
  )
  .option('--workers <n>', 'evaluations at once (default: one a core)', integer(1))
  .addOption(backendFlag())
  .option('--evaluations <n>', 'what every search may spend at most (default: as the preset says)', integer(1))
  .option('--search-seeds <n>', 'runs of each search (default: as the preset says)', integer(1))
  .option('--random-thetas <n>', 'how many random θ are scored (default: as the preset says)', integer(1))
  .option(
    '--env-options <json>',
    'options of the environment that override the preset’s: {…} or a file',
    jsonObject,
    {},
  )
  .addHelpText(
    'after',
    `
  mixture            which two Gaussians a class teach an SVM a world of three
  counting           whether the search finds hidden proportions of car types and weathers, from three starts
  segmentation       which streets teach a network to find the cars of hidden ones
  segmentation-real  which streets teach it to find the cars of real ones; needs --data
  all                one after the other`,
  )
  .parse();

/** The preset, with what the command line says otherwise. */
function presetOf({ presets }: Experiment, options: Options): Preset {
  const preset = presets[options.preset];
  const most = options.evaluations ?? Infinity;
  const evaluations = Object.fromEntries(
    Object.entries(preset.evaluations).map(([arm, n]) => [arm, Math.min(n, most)]),
  );
  return {
    ...preset,
    evaluations,
    searchSeeds: options.searchSeeds ?? preset.searchSeeds,
    randomThetas: options.randomThetas ?? preset.randomThetas,
    envOptions: { ...preset.envOptions, ...options.envOptions },
  };
}

/** Copies the logs beside the results where they are small. */
function keepSmallLogs(logs: string, out: string): void {
  const files = readdirSync(logs).filter((name) => name.endsWith('.jsonl'));
  const bytes = files.reduce((sum, name) => sum + statSync(join(logs, name)).size, 0);
  if (bytes > SMALL_BYTES) {
    console.log(`${logs}  trial logs, ${(bytes / 1e6).toFixed(1)} MB: too large to go with the results`);
    return;
  }
  mkdirSync(join(out, 'logs'), { recursive: true });
  for (const name of files) copyFileSync(join(logs, name), join(out, 'logs', name));
}

const programs = ownPrograms();

/** The experiments that were asked for. @throws {Error} when one of them needs a folder that is not named or readable */
function chosen(name: string, { data, out, logs }: Options): [string, Experiment][] {
  const experiments = Object.entries(EXPERIMENTS).filter(([each]) => name === 'all' || name === each);
  if (experiments.some(([, { needsData }]) => needsData)) {
    if (data === undefined) throw new Error(`${name}: expected --data DIR, a folder of real street images, got none`);
    streetFrames(data);
  }
  if (experiments.length > 1 && (out ?? logs) !== undefined) {
    throw new Error(`${name}: expected neither --out nor --logs, which are of one experiment, got ${out ?? logs}`);
  }
  return experiments;
}

/**
 * The preset with weights to start every training from, where it wants some and the command line names none: made now,
 * unless they are there.
 */
async function withWeights({ environment }: Experiment, preset: Preset, runtime: Runtime): Promise<Preset> {
  const { pretraining, envOptions } = preset;
  if (!pretraining || envOptions['pretrained'] !== undefined) return preset;
  const { envOptions: own, ...work } = pretraining;
  const say = (line: string) => console.log(`weights to fine-tune from: ${line}`);
  const pretrained = await pretrain(await loadDefinition(environment), { ...envOptions, ...own }, work, runtime, say);
  return { ...preset, envOptions: { ...envOptions, pretrained } };
}

async function reproduce(name: string, experiment: Experiment, options: Options): Promise<void> {
  const out = options.out ?? join('results', name);
  const logs = options.logs ?? join('runs', `reproduce-${name}-${options.preset}`);
  const preset = presetOf(experiment, options);
  console.log(`reproduce ${JSON.stringify({ ...options, experiment: name, out, logs, ...preset })}`);

  const made = commit(); // before anything is written
  mkdirSync(out, { recursive: true });
  const flags = ['--env', experiment.environment, '--backend', options.backend];
  if (options.workers !== undefined) flags.push('--workers', String(options.workers));
  if (experiment.needsData) flags.push('--data', options.data!);
  const server = await startServer(programs, flags);
  const runtime = runtimeOf(options);
  try {
    const tuned = await withWeights(experiment, preset, runtime);
    const arms = await experiment.run({ programs, server, preset: tuned, runtime, logs, out });
    const provenance = {
      experiment: name,
      command: commandLine('reproduce'),
      commit: made,
      backend: server.backend ?? experiment.backend,
    };
    const summary = summariseArms(provenance, arms, experiment);
    writeSummary(out, summary, { arms, metrics: experiment, machine: machine() });
    keepSmallLogs(logs, out);
    console.log(`${out}  table.md, table.csv, summary.json, figures`);
  } finally {
    await server.stop();
  }
}

async function main(): Promise<void> {
  const [name] = command.processedArgs as [string];
  const options = command.opts<Options>();
  const experiments = chosen(name, options);
  for (const [each, experiment] of experiments) await reproduce(each, experiment, options);
}

void main().catch((error: unknown) => {
  console.error(`reproduce: ${(error as Error).message}`);
  process.exitCode = programs.interrupted ? 130 : 1;
});
