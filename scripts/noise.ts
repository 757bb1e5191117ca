/**
 * Measures how noisy an evaluation is: `npm run noise -- --env TrafficSegmentation-v0`.
 *
 * Random θ are evaluated with the same few seeds each, by full and by short evaluations. Differences between the seeds of
 * one θ are noise; differences between θ are what a search can find. A stopped measurement continues from its log.
 */
import { isDeepStrictEqual } from 'node:util';
import { join } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { filePath, integer, jsonObject, word } from '../agents/run/flags.ts';
import { makeFolder } from '../protocol/make-folder.ts';
import { newCommand, runProgram } from '../agents/run/run-program.ts';
import { difference } from '../agents/run/warm-start.ts';
import { evaluationSeeds } from '../env/evaluate.ts';
import { loadDefinition } from '../env/experiments/load.ts';
import type { Experiment } from '../env/experiments/experiment.ts';
import type { Runtime } from '../env/runtime.ts';
import { describeExperiment } from '../env/server/describe.ts';
import type { Scores } from '../env/tasks/task.ts';
import type { Specification } from '../protocol/messages.ts';
import { deriveSeed } from '../protocol/random.ts';
import { keptEvaluations } from './kept-evaluations.ts';
import { commandLine } from './provenance.ts';
import { noiseReport, type Measurement } from './noise/report.ts';
import { randomTheta } from './random-theta.ts';
import { addProgramFlags, programRuntime, type ProgramFlags } from './program-flags.ts';
import { backendFlag, dataFlag, type RuntimeFlags } from './runtime-flags.ts';
import { writeWhole } from '../protocol/whole-file.ts';

interface Flags extends RuntimeFlags, ProgramFlags {
  readonly env: string;
  readonly preset?: string;
  readonly envOptions: Record<string, unknown>;
  readonly thetas: number;
  readonly seeds: number;
  readonly short: number;
  readonly shortOptions: readonly Record<string, unknown>[];
  readonly beside?: string;
  readonly workers: number;
  readonly out: string;
  readonly log?: string;
}

/** One evaluation, as a line of the log. */
interface Line {
  readonly kind: 'full' | 'short';
  readonly options: Readonly<Record<string, unknown>>;
  readonly theta: number;
  readonly seed: number;
  readonly reward: number | null;
  /** Empty where there is no reward. */
  readonly scores: Scores;
  readonly seconds: number;
}

function share(text: string): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (!(value > 0 && value < 1)) throw new InvalidArgumentError(`expected a number between 0 and 1, got ${text}`);
  return value;
}

/** Options that decide the amount of work in an evaluation. */
const WORK = ['steps', 'trainingImages', 'pointsPerComponent'];

/** The same options with a share of the work. */
function shortened(options: Readonly<Record<string, unknown>>, part: number): Record<string, unknown> {
  const less = Object.entries(options).map(([name, value]) =>
    WORK.includes(name) ? [name, Math.max(1, Math.round(Number(value) * part))] : [name, value],
  );
  return Object.fromEntries(less) as Record<string, unknown>;
}

/** A kind of evaluation that is measured. */
type Kind = Pick<Line, 'kind' | 'options'>;

/** Which evaluation it is. */
type Which = Pick<Line, 'kind' | 'options' | 'theta' | 'seed'>;

const keyOf = ({ kind, options, theta, seed }: Which) => JSON.stringify([kind, options, theta, seed]);

type Wanted = Which & { readonly key: string };

/** Evaluates in worker processes what is missing in the log, and returns all evaluations. */
function measure(
  flags: Flags,
  runtime: Runtime,
  { parameters }: Experiment['simulator'],
  spec: Specification,
  kinds: readonly Kind[],
  log: string,
): Promise<Line[]> {
  const wanted = kinds.flatMap((kind) =>
    Array.from({ length: flags.thetas * flags.seeds }, (_, i): Wanted => {
      const [theta, seed] = [Math.floor(i / flags.seeds), i % flags.seeds];
      const one = { ...kind, theta, seed };
      return { key: keyOf(one), ...one };
    }),
  );
  const { env, workers } = flags;
  return keptEvaluations<Wanted, Line>(wanted, {
    script: 'noise',
    flags,
    env,
    spec,
    runtime,
    workers,
    log,
    keyOf,
    jobOf: ({ options, theta, seed }) => ({
      options,
      request: {
        theta: randomTheta(parameters, deriveSeed(0, 'noise', theta)),
        seeds: evaluationSeeds(seed),
        test: false,
      },
    }),
    lineOf({ kind, options, theta, seed }, { reward, scores, timing }) {
      const seconds = (timing.simulateMs + timing.trainMs + timing.validateMs) / 1000;
      return { kind, options, theta, seed, reward, scores, seconds };
    },
    words: ({ theta, seed, kind, reward, seconds }) =>
      `θ ${theta}, seed ${seed}, ${kind}, reward ${reward?.toFixed(4) ?? 'none'}, ${seconds.toFixed(1)} s`,
  });
}

/** With the same free parameters. @throws {Error} when its parameters differ: θ of one would be none of the other */
async function besideOf(id: string, own: Specification, runtime: Runtime): Promise<Specification> {
  const { free } = own.options;
  const { spec } = describeExperiment(await loadDefinition(id), free === undefined ? {} : { free }, runtime, undefined);
  const other = difference(spec.parameters, own.parameters);
  if (other === undefined) return spec;
  throw new Error(`--beside: ${id}: expected the parameters of ${own.env_id}: ${other}`);
}

const command = addProgramFlags(newCommand('noise'))
  .description('Measures the noise of evaluations: within θ, between θ, and the loss of a shorter evaluation.')
  .requiredOption('--env <id>', 'environment: an id or the path of a module', word)
  .option('--preset <name>', 'a preset of the environment', word)
  .option('--env-options <json>', 'its options, {…} or a file', jsonObject, {})
  .addOption(backendFlag())
  .addOption(dataFlag())
  .option('--thetas <n>', 'number of random θ', integer(3, 1000), 24)
  .option('--seeds <n>', 'number of seeds, the same for each θ', integer(2, 100), 5)
  .option('--short <share>', 'share of steps and images in a short evaluation', share, 0.4)
  .option(
    '--short-options <json>',
    'options of a short evaluation, instead of --short; several times: several kinds of short evaluations',
    (word, before: readonly Record<string, unknown>[]) => [...before, jsonObject(word)],
    [],
  )
  .option(
    '--beside <id>',
    'another environment with the same parameters: how its rewards rank the same θ, such as TrafficMatch-v0',
    word,
  )
  .option('--workers <n>', 'number of worker processes', integer(1, 64), 2)
  .option('--out <folder>', 'folder for noise-<env>.md', filePath, 'results')
  .option('--log <file>', 'log of the evaluations, to continue from (default: runs/noise-<env>.jsonl)', filePath)
  .parse();

await runProgram('noise', async () => {
  const flags = command.opts<Flags>();
  const runtime = programRuntime(flags, flags.workers);
  const definition = await loadDefinition(flags.env);
  const given = { ...(flags.preset !== undefined && { preset: flags.preset }), ...flags.envOptions };
  const { experiment, spec } = describeExperiment(definition, given, runtime, undefined);
  const name = [definition.id, flags.preset].filter(Boolean).join('-');
  const log = flags.log ?? join('runs', `noise-${name}.jsonl`);
  makeFolder(flags.out);
  const shorts = flags.shortOptions.map((changed) => ({ ...spec.options, ...changed }));
  if (shorts.length === 0) {
    const short = shortened(spec.options, flags.short);
    if (!isDeepStrictEqual(short, spec.options)) shorts.push(short);
    else
      console.log(
        `No short evaluation: ${WORK.join(', ')} do not stand in the options, or are 1; see --short-options.`,
      );
  }
  const kinds: Kind[] = [
    { kind: 'full', options: spec.options },
    ...shorts.map((options): Kind => ({ kind: 'short', options })),
  ];
  kinds.forEach(({ options }, i) => {
    if (!kinds.slice(0, i).some((other) => isDeepStrictEqual(other.options, options))) return;
    throw new Error(
      `--short-options: expected options of another evaluation, got the same again (${i} of ${shorts.length})`,
    );
  });
  const other = flags.beside === undefined ? undefined : await besideOf(flags.beside, spec, runtime);
  const lines = await measure(flags, runtime, experiment.simulator, spec, kinds, log);

  const measurement = (all: readonly Line[], { options }: Kind): Measurement => {
    const own = all.filter((line) => isDeepStrictEqual(line.options, options));
    const thetas = Array.from({ length: flags.thetas }, (_, theta) => own.filter((line) => line.theta === theta));
    return {
      rewards: thetas.map((row) => row.map(({ reward }) => reward)),
      scores: thetas.map((row) => row.map(({ scores }) => scores)),
      seconds: own.reduce((sum, { seconds }) => sum + seconds, 0) / own.length,
      options,
    };
  };
  const [full, ...short] = kinds.map((kind) => measurement(lines, kind));
  if (other) {
    const kind: Kind = { kind: 'full', options: other.options };
    const own = log.replace(/(\.jsonl)?$/, `-beside-${other.env_id}.jsonl`);
    const rewards = await measure({ ...flags, env: flags.beside! }, runtime, experiment.simulator, other, [kind], own);
    short.push({ ...measurement(rewards, kind), environment: other.env_id });
  }
  const report = noiseReport({
    title: name,
    metric: experiment.task.reward,
    command: commandLine('noise'),
    full: full!,
    short,
  });
  const path = join(flags.out, `noise-${name}.md`);
  writeWhole(path, report);
  console.log(`\n${report}\nwritten to ${path}`);
});
