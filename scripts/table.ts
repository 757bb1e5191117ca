/**
 * Makes a table of what θ are worth: `npm run table -- --env TrafficSegmentation-v0 --preset quick`.
 *
 * A Latin hypercube of θ is evaluated with a few seeds each, and a surrogate is fitted, so that `serve --table` can answer
 * for any θ in milliseconds. Some fresh θ, which the surrogate does not see, tell how well it agrees with real
 * evaluations. A stopped run goes on from its log.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { latinHypercube } from '../agents/gaussian-process.ts';
import { filePath, integer, jsonObject, word } from '../agents/run/flags.ts';
import { newCommand, runProgram } from '../agents/run/run-program.ts';
import { csvOf, labelled, type CsvCell } from '../agents/history/csv-table.ts';
import { evaluationSeeds, type Evaluation, type EvaluationProgress, type EvaluationSeeds } from '../env/evaluate.ts';
import { loadDefinition } from '../env/experiments/load.ts';
import { describeExperiment } from '../env/server/describe.ts';
import { descriptionPath, readDescription, type SurrogateFit } from '../env/tables/description.ts';
import { fitSurrogate, Surrogate } from '../env/tables/surrogate.ts';
import { meansOf, readTable, type Configuration } from '../env/tables/table.ts';
import type { Specification } from '../protocol/messages.ts';
import { actionSize, actionToTheta, thetaToAction, type Parameter, type Theta } from '../protocol/parameters.ts';
import { deriveSeed, Random } from '../protocol/random.ts';
import { writeWhole } from '../protocol/whole-file.ts';
import { keptEvaluations } from './kept-evaluations.ts';
import { commandLine, commit, machine } from './provenance.ts';
import { randomTheta } from './random-theta.ts';
import { addProgramFlags, programRuntime, type ProgramFlags } from './program-flags.ts';
import { backendFlag, dataFlag, type RuntimeFlags } from './runtime-flags.ts';
import { agreementOf, type Agreement } from './table/agreement.ts';

interface Flags extends RuntimeFlags, ProgramFlags {
  readonly env?: string;
  readonly preset?: string;
  readonly envOptions: Record<string, unknown>;
  readonly thetas: number;
  readonly seeds: number;
  readonly fresh: number;
  readonly test: boolean;
  readonly workers: number;
  readonly out?: string;
  readonly log?: string;
  readonly fit?: string;
}

/** Length scales are chosen with this number of θ at most. */
const FIT_POINTS = 400;

/** One evaluation, as a line of the log. */
interface Line {
  readonly part: Part;
  /** The number of θ in its part, and of the evaluation of this θ. */
  readonly number: number;
  readonly repeat: number;
  readonly theta: Theta;
  readonly seeds: EvaluationSeeds;
  readonly outcome: Evaluation['outcome'];
  readonly reason?: string | undefined;
  readonly reward: number | null;
  readonly scores: Evaluation['scores'];
  readonly testScores?: Evaluation['testScores'];
  readonly early: readonly { readonly fraction: number; readonly scores: Readonly<Record<string, number>> }[];
  readonly timing: Evaluation['timing'];
}

/** `fresh`: the θ that the surrogate does not see. */
type Part = 'design' | 'fresh';
type Wanted = Pick<Line, 'part' | 'number' | 'repeat' | 'theta' | 'seeds'> & { readonly key: string };

const keyOf = ({ part, number, repeat }: Pick<Line, 'part' | 'number' | 'repeat'>) => `${part}/${number}/${repeat}`;

/** All evaluations: θ of the design first, those of one θ one after the other. */
function wantedOf({ thetas, seeds, fresh }: Flags, parameters: readonly Parameter[]): Wanted[] {
  const actions = latinHypercube(thetas, actionSize(parameters), new Random(deriveSeed(0, 'table', thetas)));
  const of = (part: Part, all: readonly Theta[]) =>
    all.flatMap((theta, number) =>
      Array.from({ length: seeds }, (_, repeat): Wanted => {
        const one = { part, number, repeat };
        return { ...one, key: keyOf(one), theta, seeds: evaluationSeeds(deriveSeed(1, 'table', part, number, repeat)) };
      }),
    );
  const design = actions.map((action) => actionToTheta(parameters, action));
  const others = Array.from({ length: fresh }, (_, i) => randomTheta(parameters, deriveSeed(0, 'table', 'fresh', i)));
  return [...of('design', design), ...of('fresh', others)];
}

function earlyOf(progress: readonly EvaluationProgress[], metrics: readonly string[]): Line['early'] {
  return progress
    .filter(({ scored }) => scored)
    .map(({ fraction, metrics: values = {} }) => ({
      fraction,
      scores: Object.fromEntries(Object.entries(values).filter(([name]) => metrics.includes(name))),
    }));
}

type Row = ReadonlyMap<string, CsvCell>;

function rowOf(line: Line, parameters: readonly Parameter[]): Row {
  const { number, repeat, theta, outcome, reward, reason, scores, testScores = {}, early, seeds, timing } = line;
  const named = (field: string, values: Readonly<Record<string, CsvCell>>) =>
    Object.entries(values).map(([name, value]): [string, CsvCell] => [`${field}.${name}`, value]);
  return new Map<string, CsvCell>([
    ['number', number],
    ['repeat', repeat],
    ...named('theta', labelled(theta, parameters)),
    ['outcome', outcome],
    ['reward', reward],
    ['reason', reason],
    ...named('scores', scores),
    ...named('test_scores', testScores),
    ...early.flatMap(({ fraction, scores }) => named(`early_scores.${fraction.toFixed(2)}`, scores)),
    ...named('seeds', { ...seeds }),
    ...named('timing', { ...timing }),
  ]);
}

/** The columns of all rows, as they first come, without those that are empty. */
function columnsOf(rows: readonly Row[]): string[] {
  const columns = new Set(rows.flatMap((row) => [...row.keys()]));
  return [...columns].filter((column) => rows.some((row) => (row.get(column) ?? null) !== null));
}

function parquetOf(columns: readonly string[], rows: readonly Row[]): Uint8Array {
  const columnData = columns.map((name) => {
    const cells = rows.map((row) => row.get(name) ?? null);
    const some = cells.find((cell) => cell !== null);
    const type = typeof some === 'number' ? 'DOUBLE' : typeof some === 'boolean' ? 'BOOLEAN' : 'STRING';
    return { name, data: cells, type, nullable: true } as const;
  });
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

/** Chooses the surrogate of a table, and compares it with fresh evaluations, where there are some. */
async function fitted(
  path: string,
  fresh: readonly (readonly Line[])[],
): Promise<{ fit: SurrogateFit; agreement: Agreement | undefined }> {
  const description = readDescription(path);
  const { configurations, outputs } = await readTable(path, description);
  const output = outputs.findIndex(({ set, name }) => set === 'validation' && name === description.reward);
  const whole = configurations.filter(({ results }) => results.length > 0);
  const some = whole.slice(0, FIT_POINTS);
  const points = (those: readonly Configuration[]) => those.map(({ action }) => action);
  const scores = (those: readonly Configuration[]) => those.map((one) => meansOf(one)[output]!);
  const counts = (those: readonly Configuration[]) => those.map(({ results }) => results.length);
  if (some.length < 3) throw new Error(`${path}: expected at least 3 θ with scores, got ${some.length}`);
  let told = 0;
  const fit = fitSurrogate(points(some), scores(some), counts(some), (fraction) => {
    if (fraction - told < 0.25) return;
    told = fraction;
    console.log(`surrogate: length scales, ${(100 * fraction).toFixed(0)} %`);
  });
  const surrogate = new Surrogate(points(whole), [scores(whole)], counts(whole), fit);
  const { parameters } = description;
  const compared = fresh
    .filter((lines) => lines.every(({ reward }) => reward !== null))
    .map((lines) => ({
      expected: surrogate.at(thetaToAction(parameters, lines[0]!.theta))[0]!,
      rewards: lines.map(({ reward }) => reward!),
    }));
  return { fit, agreement: compared.length < 3 ? undefined : agreementOf(compared) };
}

/** Writes what was found into the description, and leaves the rest of it. */
function describe(path: string, found: object): void {
  const file = descriptionPath(path);
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as object) : {};
  writeWhole(file, `${JSON.stringify({ ...before, ...found }, null, 2)}\n`);
}

async function make(flags: Flags & { readonly env: string }): Promise<void> {
  const { env, preset, envOptions, test, workers, thetas, seeds, fresh } = flags;
  const runtime = programRuntime(flags, workers);
  const definition = await loadDefinition(env);
  const { spec } = describeExperiment(
    definition,
    { ...(preset !== undefined && { preset }), ...envOptions },
    runtime,
    undefined,
  );
  const name = [definition.id, preset].filter(Boolean).join('-');
  const out = (flags.out ?? join('results', 'table', name)).replace(/\.(csv|parquet)$/, '');
  const lines = await keptEvaluations<Wanted, Line>(wantedOf(flags, spec.parameters), {
    script: 'table',
    flags,
    env,
    spec,
    runtime,
    workers,
    log: flags.log ?? join('runs', `table-${name}.jsonl`),
    keyOf,
    jobOf: ({ theta, seeds }) => ({ options: spec.options, request: { theta, seeds, test, earlyScores: true } }),
    lineOf: (wanted, { outcome, reason, reward, scores, testScores, timing }, progress) => {
      const early = earlyOf(
        progress,
        spec.metrics.map((metric) => metric.name),
      );
      return { ...wanted, outcome, reason, reward, scores, ...(testScores && { testScores }), early, timing };
    },
    differs: (wanted, line) => {
      if (JSON.stringify(wanted.theta) !== JSON.stringify(line.theta))
        return 'expected another θ: was --thetas different?';
      const isOther = line.outcome === 'ok' && test !== (line.testScores !== undefined);
      return isOther ? `expected ${test ? '' : 'no '}scores on the test set, got the contrary` : undefined;
    },
    words: ({ part, number, repeat, outcome, reward }) =>
      `${part} θ ${number}, ${repeat}: ${reward?.toFixed(4) ?? outcome}`,
  });
  const partOf = (part: Part) => lines.filter((line) => line.part === part);
  const rows = (part: Part) => partOf(part).map((line) => rowOf(line, spec.parameters));
  const design = rows('design');
  const columns = columnsOf(design);
  writeWhole(`${out}.csv`, csvOf(columns, design));
  writeWhole(`${out}.parquet`, parquetOf(columns, design));
  if (fresh > 0) writeWhole(`${out}-fresh.csv`, csvOf(columns, rows('fresh')));
  const { parameters, start, metrics, reward } = spec;
  const made = provenanceOf(spec, `a Latin hypercube of ${thetas} θ, ${seeds} evaluations of each`);
  describe(`${out}.csv`, { parameters, start, metrics, reward: reward.metric, made });
  const freshLines = partOf('fresh'); // the evaluations of one θ stand together
  const groups = Array.from({ length: fresh }, (_, i) => freshLines.slice(i * seeds, (i + 1) * seeds));
  const { fit, agreement } = await fitted(`${out}.csv`, groups);
  describe(`${out}.csv`, { surrogate: fit, ...(agreement && { made: { ...made, agreement } }) });
  if (agreement) {
    const { thetas, rank, rankAtBest, error } = agreement;
    const best = rankAtBest === undefined ? '' : `, at best ${rankAtBest.toFixed(3)} with this noise`;
    console.log(
      `surrogate: rank agreement with ${thetas} fresh θ ${rank.toFixed(3)}${best}; typical error ${error.toPrecision(3)}`,
    );
  }
  console.log(`${out}.csv, .parquet and .json: npm run serve -- --table ${out}.csv`);
}

function provenanceOf({ env_id, spec_hash, options }: Specification, design: string) {
  return { command: commandLine('table'), commit: commit(), machine: machine(), env_id, spec_hash, options, design };
}

const command = addProgramFlags(newCommand('table'))
  .description('Evaluates many θ into a table, which `serve --table` answers from in milliseconds.')
  .option('--env <id>', 'environment: an id or the path of a module', word)
  .option('--preset <name>', 'a preset of the environment', word)
  .option('--env-options <json>', 'its options, {…} or a file', jsonObject, {})
  .addOption(backendFlag())
  .addOption(dataFlag())
  .option('--thetas <n>', 'number of θ', integer(3, 100_000), 2000)
  .option('--seeds <n>', 'number of evaluations of each θ', integer(1, 100), 2)
  .option('--fresh <n>', 'number of further θ, on which the surrogate is tried', integer(0, 10_000), 50)
  .option('--no-test', 'leave out the scores on the test set')
  .option('--workers <n>', 'number of worker processes', integer(1, 64), 2)
  .option('--out <path>', 'the table, without .csv (default: results/table/<env>-<preset>)', filePath)
  .option(
    '--log <file>',
    'log of the evaluations, to continue from (default: runs/table-<env>-<preset>.jsonl)',
    filePath,
  )
  .option('--fit <table>', 'evaluate nothing, and fit the surrogate of this table, .csv or .parquet', filePath)
  .parse();

await runProgram('table', async () => {
  const flags = command.opts<Flags>();
  const { env, fit } = flags;
  if (fit !== undefined) {
    describe(fit, { surrogate: (await fitted(fit, [])).fit });
    console.log(`${descriptionPath(fit)}  the surrogate`);
    return;
  }
  if (env === undefined) return command.error('--env: expected an environment, or --fit a table');
  await make({ ...flags, env });
});
