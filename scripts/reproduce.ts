/** Runs a study of the paper's experiments from start to end: `npm run reproduce -- mixture --preset quick`. */
import { join, parse } from 'node:path';
import { Argument, Option } from 'commander';
import { absolutePath, filePath, integer, jsonObject } from '../agents/run/flags.ts';
import { newCommand, runProgram } from '../agents/run/run-program.ts';
import { loadDefinition } from '../env/experiments/load.ts';
import type { Runtime } from '../env/runtime.ts';
import { fileHash } from '../env/streets/content.ts';
import { streetFrames } from '../env/streets/street-images.ts';
import { pretrain } from './pretraining.ts';
import { ownPrograms, startServer } from './programs.ts';
import { commandLine, commit } from './provenance.ts';
import { countingStudy } from './reproduce/counting.ts';
import { checkPython } from './reproduce/examples.ts';
import { detectionStudy } from './reproduce/detection.ts';
import { leaderboardStudy } from './reproduce/leaderboard.ts';
import { mixtureStudy } from './reproduce/mixture.ts';
import { identityOf, keptLogs, prepareFolders, redraw, runStudy } from './reproduce/run-study.ts';
import { segmentationRealStudy } from './reproduce/segmentation-real.ts';
import { segmentationStudy } from './reproduce/segmentation.ts';
import { searchesOf } from './reproduce/search-log.ts';
import type { EnvOptions, Preset, Study } from './reproduce/study.ts';
import { thirdPartyCounting, thirdPartyMixture, writeTable } from './reproduce/third-party.ts';
import { backendFlag, dataFlag, runtimeOf, type RuntimeFlags } from './runtime-flags.ts';

const PAPER = [mixtureStudy, countingStudy, segmentationStudy, segmentationRealStudy, detectionStudy];
const THIRD_PARTY = [thirdPartyMixture, thirdPartyCounting];
const STUDIES = [...PAPER, ...THIRD_PARTY];
/** The study of a table, which is named on the command line. */
const LEADERBOARD = 'leaderboard';
/** Several studies by one name, made one after the other. */
const GROUPS: Readonly<Record<string, readonly Study[]>> = { all: PAPER, 'third-party': THIRD_PARTY };

interface Options extends RuntimeFlags {
  readonly preset: string;
  readonly out?: string;
  readonly table?: string;
  readonly logs?: string;
  readonly workers?: number;
  readonly evaluations?: number;
  readonly searchSeeds?: number;
  readonly randomThetas?: number;
  readonly envOptions: EnvOptions;
  readonly figuresOnly?: true;
}

const command = newCommand('reproduce')
  .description(
    'Runs an experiment through the real server and agents, and writes table, figures and logs. ' +
      'Stopped with Ctrl-C, the same command goes on.',
  )
  .addArgument(
    new Argument('<experiment>').choices([...STUDIES.map(({ name }) => name), LEADERBOARD, ...Object.keys(GROUPS)]),
  )
  .addOption(
    new Option('--preset <size>', 'quick: minutes; standard: up to hours; pretrained: on a pretrained backbone')
      .choices([...new Set(STUDIES.flatMap(({ presets }) => Object.keys(presets)))])
      .default('standard'),
  )
  .addOption(dataFlag())
  .option('--table <file>', 'evaluations for the leaderboard, as npm run table makes them', absolutePath)
  .option(
    '--out <folder>',
    'where tables and figures go (default: results/<experiment>, …-<preset> if not standard; a folder beside the table)',
    filePath,
  )
  .option(
    '--logs <folder>',
    'trial logs, from which it goes on (default: runs/reproduce-<experiment>-<preset>)',
    filePath,
  )
  .option('--figures-only', 'evaluate nothing: write tables and figures again from the logs, or those kept in --out')
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
  detection          which streets teach a network to find the boxes of hidden cars
  all                these, one after the other
  leaderboard        all optimisers on a table of evaluations, over many seeds; needs --table and .python
  third-party        optimisers of other libraries beside our agents, on the mixture and on counting; needs .python
                     (npm run setup:python), and writes the table of agents/README.md. One alone: third-party-mixture,
                     third-party-counting`,
  )
  .parse();

/** The preset, with what the command line says otherwise. @throws {Error} when the study has no such preset */
function presetOf({ name, presets }: Study, options: Options): Preset {
  const preset = presets[options.preset];
  if (!preset) {
    const names = Object.keys(presets).join(', ');
    throw new Error(`${name}: expected one of its presets (${names}), got --preset ${options.preset}`);
  }
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
    searchOptions: shorter(preset, options),
  };
}

/** What differs in searches, but for what the command line says. */
function shorter({ searchOptions }: Preset, { envOptions }: Options): EnvOptions | undefined {
  const left = Object.entries(searchOptions ?? {}).filter(([name]) => !(name in envOptions));
  return left.length > 0 ? Object.fromEntries(left) : undefined;
}

const programs = ownPrograms();

/** The studies that were asked for. @throws {Error} when one of them needs Python, or a folder that is not named or readable */
function chosen(name: string, { data, table, out, logs, figuresOnly }: Options): readonly Study[] {
  if (table !== undefined && name !== LEADERBOARD) {
    throw new Error(`${name}: expected no --table, which is for ${LEADERBOARD}, got ${table}`);
  }
  const studies =
    name === LEADERBOARD ? [leaderboardOf(table)] : (GROUPS[name] ?? STUDIES.filter((study) => study.name === name));
  if (!figuresOnly) studies.forEach(checkPython);
  if (!figuresOnly && studies.some(({ needsData }) => needsData)) {
    if (data === undefined) throw new Error(`${name}: expected --data DIR, a folder of real street images, got none`);
    streetFrames(data);
  }
  if (studies.length > 1 && (out ?? logs) !== undefined) {
    throw new Error(`${name}: expected neither --out nor --logs, which are of one experiment, got ${out ?? logs}`);
  }
  return studies;
}

/**
 * The preset with weights to start every training from, where it wants some and the command line names none: made now,
 * unless they are there.
 */
async function withWeights({ environment }: Study, preset: Preset, runtime: Runtime): Promise<Preset> {
  const { pretraining, envOptions } = preset;
  if (!pretraining || envOptions['pretrained'] !== undefined) return preset;
  const { envOptions: own, ...work } = pretraining;
  const say = (line: string) => console.log(`weights to fine-tune from: ${line}`);
  const pretrained = await pretrain(await loadDefinition(environment), { ...envOptions, ...own }, work, runtime, say);
  return { ...preset, envOptions: { ...envOptions, pretrained } };
}

/** The environments of a study, its own first. */
function environmentsOf(study: Study, preset: Preset): string[] {
  return [...new Set([study.environment, ...searchesOf(study, preset).map(({ environment }) => environment)])];
}

function leaderboardOf(table: string | undefined): Study {
  if (table !== undefined) return leaderboardStudy(table);
  throw new Error(`${LEADERBOARD}: expected --table FILE, evaluations that npm run table has made, got none`);
}

/** The folder where a study's results go, unless it is named. */
function resultsOf({ name, table }: Study, { preset }: Options): string {
  const sized = (stem: string) => (preset === 'standard' ? stem : `${stem}-${preset}`);
  return table === undefined ? join('results', sized(name)) : sized(table.replace(/\.\w+$/, ''));
}

async function reproduce(study: Study, options: Options): Promise<void> {
  const { name, table } = study;
  const out = options.out ?? resultsOf(study, options);
  // Of each table its own, also of one that was made again.
  const of = table === undefined ? name : `${name}-${parse(table).name}-${fileHash(table).slice(0, 8)}`;
  const logs = options.logs ?? join('runs', `reproduce-${of}-${options.preset}`);
  if (options.figuresOnly) {
    await redraw(study, [logs, keptLogs(out)], out, `npm run reproduce -- ${name} --preset ${options.preset}`);
    return;
  }
  const given = presetOf(study, options);
  const runtime = { ...runtimeOf(options), ...(table !== undefined && { table }) };
  await identityOf(study, given, runtime, options.preset); // an error now, when the environment does not take its options
  prepareFolders(logs, out);
  const made = { command: commandLine('reproduce'), commit: commit() }; // before anything is written
  const served = table === undefined ? environmentsOf(study, given).flatMap((id) => ['--env', id]) : ['--table', table];
  const flags = ['--backend', options.backend, ...served];
  if (options.workers !== undefined) flags.push('--workers', String(options.workers));
  if (study.needsData) flags.push('--data', options.data!);
  const server = await startServer(programs, flags);
  try {
    console.log(`reproduce ${JSON.stringify({ ...options, experiment: name, out, logs, ...given })}`);
    const preset = await withWeights(study, given, runtime);
    const identity = await identityOf(study, preset, runtime, options.preset);
    const backend = server.backend ?? study.backend;
    await runStudy(study, preset, { programs, url: server.url, runtime, logs }, { ...made, backend, identity }, out);
  } finally {
    await server.stop();
  }
}

async function main(): Promise<void> {
  const [name] = command.processedArgs as [string];
  const options = command.opts<Options>();
  for (const study of chosen(name, options)) await reproduce(study, options);
  if (GROUPS[name] === THIRD_PARTY && options.preset === 'standard') {
    const page = join('agents', 'README.md');
    writeTable(page, {
      mixture: resultsOf(thirdPartyMixture, options),
      counting: resultsOf(thirdPartyCounting, options),
    });
    console.log(`${page}  the table of all optimisers`);
  }
}

await runProgram('reproduce', main, () => (programs.interrupted ? 130 : 1));
