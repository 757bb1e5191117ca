/**
 * A table of evaluations as an environment: an evaluation is looked up, and takes milliseconds.
 *
 * The file is named when the server starts (`serve --table FILE`), never by a client. The card in env/README.md says what
 * the lookups are for.
 */
import { z } from 'zod';
import { thetaToAction, completeTheta, type Theta } from '../../protocol/parameters.ts';
import { deriveSeed, type Seed } from '../../protocol/random.ts';
import { FailedError } from '../failed-error.ts';
import type { Runtime } from '../runtime.ts';
import { InfeasibleError } from '../simulators/simulator.ts';
import { fileHash } from '../streets/content.ts';
import { descriptionPath, readDescription } from '../tables/description.ts';
import { answerOf, LOOKUPS, type TableAnswer } from '../tables/lookup.ts';
import { readTable, type Output, type Table } from '../tables/table.ts';
import type { Metric, Scores } from '../tasks/task.ts';
import { defineExperiment, type Experiment } from './experiment.ts';

const options = z.strictObject({
  /** What is said of a θ that is not in the table; `auto`: a surrogate says it, where the table has one. */
  lookup: z.enum(['auto', ...LOOKUPS]).default('auto'),
  /** `false`: all scores are the means of the θ, as nobody could measure them; for what a search would do without noise. */
  noise: z.boolean().default(true),
});

/** A sample is the question, or the name of the set that is scored. */
type TableSample = { readonly theta: Theta; readonly seed: Seed } | 'validation' | 'test';

/** A table, read when an evaluation first needs it. */
interface Opened {
  readonly table: Table;
  readonly answer: TableAnswer;
}

/** @throws {Error} in a sentence, when the server was started without a table, or its description is wrong */
export function tableExperiment(given: z.infer<typeof options>, { table: path }: Runtime): Experiment<TableSample> {
  if (path === undefined) throw new Error('Table-v0: expected a table: npm run serve -- --table FILE');
  const description = readDescription(path);
  const { parameters, metrics, reward, start, surrogate } = description;
  const lookup = given.lookup !== 'auto' ? given.lookup : surrogate ? 'surrogate' : 'nearest';
  let opened: Promise<Opened> | undefined;
  const open = () =>
    (opened ??= readTable(path, description).then((table) => ({
      table,
      answer: answerOf(table, description, lookup),
    })));
  return {
    simulator: {
      name: 'table',
      version: 1,
      parameters,
      open: (theta, seed) => ({ draw: () => ({ theta: completeTheta(parameters, theta), seed }) }),
    },
    task: {
      name: `table, ${lookup}`,
      metrics,
      reward,
      async train([sample], { initialisation, order }, report) {
        const { theta, seed } = sample as Exclude<TableSample, string>;
        const { table, answer } = await open();
        const noise = given.noise ? deriveSeed(seed, 'table', initialisation, order) : undefined;
        const found = answer(thetaToAction(parameters, theta), noise);
        if (!found) throw new InfeasibleError('expected a θ that is in the table, got another one');
        if ('failure' in found) {
          const { outcome, reason } = found.failure;
          if (outcome === 'infeasible') throw new InfeasibleError(reason);
          if (outcome !== 'diverged') throw new FailedError(reason);
          return { score: async () => ({ [reward]: NaN }), dispose() {} };
        }
        const values = scoresOf(table.outputs, metrics, found.values);
        for (const [fraction, scores] of values.early) await report({ fraction, scores });
        // Without test scores of its own, the table's mean is the best that is known of a θ.
        const test =
          Object.keys(values.test).length > 0 ? values.test : scoresOf(table.outputs, metrics, found.means).validation;
        return { score: async ([set]) => (set === 'test' ? test : values.validation), dispose() {} };
      },
    },
    target: {
      name: 'table',
      validation: async () => ['validation'],
      test: async () => ['test'],
      content: () => [path, descriptionPath(path)].map(fileHash).join(' '),
    },
    trainingSamples: 1,
    start,
    async prepare() {
      const { configurations, incomplete } = (await open()).table;
      const evaluations = configurations.reduce(
        (sum, { results, failures }) => sum + results.length + failures.length,
        0,
      );
      const left = incomplete.length > 0 ? `, without ${incomplete.join(', ')}, which some of them lack` : '';
      return `a table of ${evaluations} evaluations of ${configurations.length} θ${left}`;
    },
  };
}

interface FoundScores {
  readonly validation: Scores;
  /** With those of further test sets. */
  readonly test: Scores;
  readonly early: readonly (readonly [fraction: number, scores: Scores])[];
}

function scoresOf(outputs: readonly Output[], metrics: readonly Metric[], values: readonly number[]): FoundScores {
  const of = (isIncluded: (output: Output) => boolean): Scores =>
    Object.fromEntries(
      outputs.flatMap((output, i): [string, number][] =>
        isIncluded(output) ? [[output.name, within(metrics, output.name, values[i]!)]] : [],
      ),
    );
  const fractions = [...new Set(outputs.flatMap(({ fraction = [] }) => fraction))].sort((a, b) => a - b);
  return {
    validation: of(({ set }) => set === 'validation'),
    test: of(({ set }) => set === 'test'),
    early: fractions.map((fraction) => [fraction, of((output) => output.fraction === fraction)]),
  };
}

/** A surrogate may be beyond the bounds of a metric. */
function within(metrics: readonly Metric[], name: string, value: number): number {
  const { low, high } = metrics.find((metric) => name === metric.name || name.endsWith(`.${metric.name}`))!;
  return Math.min(high, Math.max(low, value));
}

export default defineExperiment({
  id: 'Table-v0',
  title: 'A table of evaluations',
  options,
  create: tableExperiment,
});
