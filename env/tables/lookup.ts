/** What a table says of a θ: that of its rows, or that of a surrogate between them. */
import { Random, type Seed } from '../../protocol/random.ts';
import type { TableDescription } from './description.ts';
import { Surrogate } from './surrogate.ts';
import { meansOf, type Configuration, type Failure, type Table } from './table.ts';

export const LOOKUPS = ['surrogate', 'nearest', 'exact'] as const;
export type Lookup = (typeof LOOKUPS)[number];

/** An action is that of a row where no component differs by more. */
const SAME = 1e-6;
/** The noise at a θ is that of the evaluations of so many configurations around it. */
const NEIGHBOURS = 32;
/** A surrogate of more configurations than this would take minutes and gigabytes. */
const MOST_POINTS = 4000;

/** What came of an evaluation that is looked up: a number for each output of the table, or none. */
type Found = { readonly values: readonly number[]; readonly means: readonly number[] } | { readonly failure: Failure };

/**
 * Answers for a θ, by its action, and a seed that chooses the noise; without a seed there is none, and a θ fails only where
 * all of its evaluations did. Undefined where the table does not have this θ.
 */
export type TableAnswer = (action: readonly number[], seed?: Seed) => Found | undefined;

/** @throws {Error} in a sentence, when the table cannot be looked up so */
export function answerOf(table: Table, description: TableDescription, lookup: Lookup): TableAnswer {
  switch (lookup) {
    case 'surrogate':
      return surrogateAnswer(table, description);
    case 'nearest':
      return (action, seed) => ofRows(nearest(table.configurations, action, 1)[0]!, seed);
    case 'exact':
      return (action, seed) => {
        const [one] = nearest(table.configurations, action, 1);
        const isSame = one!.action.every((value, d) => Math.abs(value - action[d]!) <= SAME);
        return isSame ? ofRows(one!, seed) : undefined;
      };
  }
}

/** What came of one of the evaluations of a configuration; without random numbers, their mean. */
function drawn(configuration: Configuration, random?: Random): readonly number[] | { readonly failure: Failure } {
  const { results, failures } = configuration;
  if (!random) return results.length > 0 ? meansOf(configuration) : { failure: failures[0]! };
  const i = random.integer(results.length + failures.length);
  return i < results.length ? results[i]! : { failure: failures[i - results.length]! };
}

function ofRows(configuration: Configuration, seed?: Seed): Found {
  const values = drawn(configuration, randomOf(seed));
  return 'failure' in values ? values : { values, means: meansOf(configuration) };
}

const randomOf = (seed?: Seed) => (seed === undefined ? undefined : new Random(seed));

function surrogateAnswer({ configurations, outputs }: Table, { surrogate }: TableDescription): TableAnswer {
  if (!surrogate) {
    throw new Error(
      'lookup surrogate: expected a table with a surrogate, got none; `npm run table -- --fit FILE` finds one, and the lookups nearest and exact need none',
    );
  }
  const whole = configurations.filter(({ results }) => results.length > 0);
  const repeated = whole.filter(({ results }) => results.length > 1);
  if (whole.length === 0) throw new Error('lookup surrogate: expected a θ with scores, got none');
  if (whole.length > MOST_POINTS) {
    throw new Error(
      `lookup surrogate: expected at most ${MOST_POINTS} θ, got ${whole.length}; take the lookup nearest`,
    );
  }
  const means = whole.map(meansOf);
  const process = new Surrogate(
    whole.map(({ action }) => action),
    outputs.map((_, kind) => means.map((mean) => mean[kind]!)),
    whole.map(({ results }) => results.length),
    surrogate,
  );
  return (action, seed) => {
    const random = randomOf(seed);
    const there = drawn(nearest(configurations, action, 1, surrogate.lengths)[0]!, random);
    if ('failure' in there) return there;
    const mean = process.at(action);
    if (!random || repeated.length === 0) return { values: mean, means: mean };
    // A whole evaluation's differences from the mean of its θ: so the noise of the scores keeps its shape, and theirs.
    const around = nearest(repeated, action, NEIGHBOURS, surrogate.lengths);
    const one = around[random.integer(around.length)]!;
    const { length } = one.results;
    const scale = Math.sqrt(length / (length - 1)); // the mean has a part of the noise in it
    const result = one.results[random.integer(length)]!;
    const centre = meansOf(one);
    return { values: mean.map((value, kind) => value + scale * (result[kind]! - centre[kind]!)), means: mean };
  };
}

/** The configurations whose actions are nearest, the nearest first. */
function nearest(
  configurations: readonly Configuration[],
  action: readonly number[],
  count: number,
  lengths?: readonly number[],
): Configuration[] {
  const distances = configurations.map(({ action: other }, i): [distance: number, i: number] => {
    let sum = 0;
    for (let d = 0; d < action.length; d++) sum += ((action[d]! - other[d]!) / (lengths?.[d] ?? 1)) ** 2;
    return [sum, i];
  });
  if (count > 1) distances.sort(([a], [b]) => a - b);
  const first =
    count > 1 ? distances.slice(0, count) : [distances.reduce((best, one) => (one[0] < best[0] ? one : best))];
  return first.map(([, i]) => configurations[i]!);
}
