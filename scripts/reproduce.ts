/** Runs an experiment of the paper from start to end: `npm run reproduce -- mixture --preset quick`. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { Argument, Command, Option } from 'commander';
import { integer } from '../agents/flags.ts';
import { ownPrograms, startServer } from './programs.ts';
import type { Experiment, Preset } from './reproduce/experiment.ts';
import { mixtureReproduction } from './reproduce/mixture.ts';
import { summariseArms, writeSummary } from './reproduce/summary.ts';

const EXPERIMENTS: Readonly<Record<string, Experiment>> = { mixture: mixtureReproduction };
/** Logs up to this size go with the results. */
const SMALL_BYTES = 1_000_000;

interface Options {
  readonly preset: 'quick' | 'standard';
  readonly out?: string;
  readonly logs?: string;
  readonly workers?: number;
  readonly backend: string;
  readonly evaluations?: number;
  readonly searchSeeds?: number;
}

const command = new Command('reproduce')
  .description('Runs an experiment through the real server and agents, and writes its tables and figures.')
  .addArgument(new Argument('<experiment>').choices(Object.keys(EXPERIMENTS)))
  .addOption(
    new Option('--preset <size>', 'quick: minutes; standard: up to hours')
      .choices(['quick', 'standard'])
      .default('standard'),
  )
  .option('--out <folder>', 'where tables and figures go (default: results/<experiment>)')
  .option('--logs <folder>', 'trial logs, from which it goes on (default: runs/reproduce-<experiment>-<preset>)')
  .option('--workers <n>', 'evaluations at once (default: one a core)', integer(1))
  .option('--backend <name>', 'of TensorFlow.js: auto, tfjs-node-gpu, tfjs-node or wasm', 'auto')
  .option('--evaluations <n>', 'what every search may spend at most (default: as the preset says)', integer(1))
  .option('--search-seeds <n>', 'runs of each search (default: as the preset says)', integer(1))
  .parse();

/** The preset, with what the command line says otherwise. */
function presetOf({ presets }: Experiment, options: Options): Preset {
  const preset = presets[options.preset];
  const most = options.evaluations ?? Infinity;
  const evaluations = Object.fromEntries(
    Object.entries(preset.evaluations).map(([arm, n]) => [arm, Math.min(n, most)]),
  );
  return { ...preset, evaluations, searchSeeds: options.searchSeeds ?? preset.searchSeeds };
}

/** The commit, and whether the working tree differs from it in more than results. */
function commit(): string {
  const git = (...words: string[]) => execFileSync('git', words, { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
  try {
    const changes = git('status', '--porcelain', '--', ':/', ':(exclude,top)results');
    return git('rev-parse', 'HEAD') + (changes === '' ? '' : '+changes');
  } catch {
    return 'unknown';
  }
}

function machine(): string {
  const [first] = cpus();
  return `${cpus().length} × ${first?.model.trim() ?? 'unknown CPU'}, Node ${process.versions.node}`;
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

async function main(): Promise<void> {
  const [name] = command.processedArgs as [string];
  const options = command.opts<Options>();
  const experiment = EXPERIMENTS[name]!;
  const out = options.out ?? join('results', name);
  const logs = options.logs ?? join('runs', `reproduce-${name}-${options.preset}`);
  const preset = presetOf(experiment, options);
  console.log(`reproduce ${JSON.stringify({ experiment: name, ...options, out, logs, ...preset })}`);

  const made = commit(); // before anything is written
  const workers = options.workers === undefined ? [] : ['--workers', String(options.workers)];
  const flags = ['--env', experiment.environment, '--backend', options.backend, ...workers];
  const server = await startServer(programs, flags);
  try {
    const arms = await experiment.run({ programs, server, preset, logs, out });
    const words = process.argv.slice(2).map((word) => (/\s/.test(word) ? `'${word}'` : word));
    const provenance = {
      experiment: name,
      command: ['npm run reproduce --', ...words].join(' '),
      commit: made,
      backend: server.backend ?? experiment.backend,
    };
    const summary = summariseArms(provenance, arms);
    writeSummary(out, summary, { arms, metric: experiment.metric, machine: machine() });
    keepSmallLogs(logs, out);
    console.log(`${out}  table.md, table.csv, summary.json, figures`);
  } finally {
    await server.stop();
  }
}

void main().catch((error: unknown) => {
  console.error(`reproduce: ${(error as Error).message}`);
  process.exitCode = programs.interrupted ? 130 : 1;
});
