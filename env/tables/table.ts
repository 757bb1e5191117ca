/** A table of evaluations: a row for each, with θ and what came of it. */
import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { parquetReadObjects } from 'hyparquet';
import { completeTheta, thetaToAction, type Parameter, type Theta } from '../../protocol/parameters.ts';
import { OUTCOMES, type Outcome } from '../../protocol/messages.ts';
import { isRegularFile } from '../../protocol/regular-file.ts';
import type { TableDescription } from './description.ts';

/** The evaluations of one θ. */
export interface Configuration {
  readonly theta: Theta;
  /** The action of θ, [D]. */
  readonly action: readonly number[];
  /** What came of the evaluations that have all their numbers: in the order of the table's outputs. */
  readonly results: readonly (readonly number[])[];
  /** The others. */
  readonly failures: readonly Failure[];
}

export interface Failure {
  readonly outcome: Exclude<Outcome, 'ok'>;
  readonly reason: string;
}

/** A number that each evaluation of the table has. */
export interface Output {
  /** The number of the table's column, such as `scores.carIou`. */
  readonly column: string;
  readonly set: 'validation' | 'test' | 'early';
  /** The metric; on a further test set, `<set>.<metric>`. */
  readonly name: string;
  /** Of an early score: the share of the training that was done. */
  readonly fraction?: number;
}

/** The mean of each output over the evaluations of a configuration, which has at least one with numbers. */
export function meansOf({ results }: Pick<Configuration, 'results'>): number[] {
  return results[0]!.map((_, output) => results.reduce((sum, result) => sum + result[output]!, 0) / results.length);
}

export interface Table {
  readonly outputs: readonly Output[];
  /** The columns of test and early scores that are left out, since not every evaluation has them. */
  readonly incomplete: readonly string[];
  /** In the order of their first row. */
  readonly configurations: readonly Configuration[];
}

/** Outcomes of evaluations that somebody has stopped. */
const STOPPED = ['discarded', 'cancelled'];

type Cell = string | number | bigint | boolean | null | undefined | Date;
type Row = Readonly<Record<string, Cell>>;

/**
 * Reads a table whose columns are named as in `npm run table`: `theta.fog`, `theta.weather.rain`, `scores.carIou`, and
 * `outcome`, `test_scores.carIou`, `early_scores.0.5.carIou` where it has them. In tables of other projects, `fog` and
 * `carIou` will do. Other columns are ignored, and so are evaluations that were stopped (discarded, cancelled), which say
 * nothing of their θ, and scores on test and early ones that some evaluations lack, as in the log of a run.
 *
 * @throws {Error} naming the file, the row and the column that is missing or wrong
 */
export async function readTable(path: string, description: TableDescription): Promise<Table> {
  const all = (await readRows(path)).map((row, i) => ({ row, place: `${path}, row ${i + 1}` }));
  const rows = all.filter(({ row }) => !STOPPED.includes(String(row['outcome'])));
  if (rows.length === 0) throw new Error(`${path}: expected an evaluation that has ended, got none`);
  const columns = Object.keys(rows[0]!.row);
  const named = outputsOf(columns, description);
  const isComplete = ({ column }: Output) =>
    rows.every(({ row }) => !isEmpty(row[column]) || (row['outcome'] ?? 'ok') !== 'ok');
  const outputs = named.filter((output) => output.set === 'validation' || isComplete(output));
  const incomplete = named.filter((output) => !outputs.includes(output)).map(({ column }) => column);
  const missing = description.metrics.find(({ name }) => !outputs.some((one) => one.name === name));
  if (missing) {
    throw new Error(`${path}: expected a column scores.${missing.name} or ${missing.name}, got ${columns.join(', ')}`);
  }
  const thetaOf = thetaReader(path, columns, description.parameters);
  const known = new Map<string, { theta: Theta; action: number[]; results: number[][]; failures: Failure[] }>();
  for (const { row, place } of rows) {
    const theta = thetaOf(row, place);
    const action = thetaToAction(description.parameters, theta);
    const key = action.join();
    const one = known.get(key) ?? { theta, action, results: [], failures: [] };
    known.set(key, one);
    const outcome = outcomeOf(row, place);
    if (outcome === 'ok') one.results.push(outputs.map(({ column }) => numberOf(row[column], `${place}, ${column}`)));
    else one.failures.push({ outcome, reason: String(row['reason'] ?? 'as in the table') });
  }
  return { outputs, incomplete, configurations: [...known.values()] };
}

async function readRows(path: string): Promise<Row[]> {
  isRegularFile(path, 'file');
  const bytes = readFileSync(path);
  try {
    if (!/\.parquet$/i.test(path)) return parse<Row>(bytes, { columns: true, bom: true, skipEmptyLines: true });
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    return await parquetReadObjects({ file });
  } catch (error) {
    throw new Error(`${path}: expected a table that can be read, got ${(error as Error).message}`, { cause: error });
  }
}

function outputsOf(columns: readonly string[], { metrics }: TableDescription): Output[] {
  const names = metrics.map(({ name }) => name);
  const isMetric = (name: string) => names.some((metric) => name === metric || name.endsWith(`.${metric}`));
  return columns.flatMap((column): Output[] => {
    const [, field, rest = ''] = /^(scores|test_scores|early_scores)\.(.+)$/.exec(column) ?? [];
    const [, share, early = ''] = /^([01]?\.\d+)\.(.+)$/.exec(rest) ?? [];
    if (field === 'scores' && names.includes(rest)) return [{ column, set: 'validation', name: rest }];
    if (field === 'test_scores' && isMetric(rest)) return [{ column, set: 'test', name: rest }];
    if (field === 'early_scores' && names.includes(early)) {
      return [{ column, set: 'early', name: early, fraction: Number(share) }];
    }
    const isPlain = field === undefined && names.includes(column) && !columns.includes(`scores.${column}`);
    return isPlain ? [{ column, set: 'validation', name: column }] : [];
  });
}

/** Makes a function that reads the θ of a row. @throws {Error} naming the columns that are missing */
function thetaReader(
  path: string,
  columns: readonly string[],
  parameters: readonly Parameter[],
): (row: Row, place: string) => Theta {
  const columnOf = (name: string) => {
    const found = [`theta.${name}`, name].find((column) => columns.includes(column));
    if (found === undefined) throw new Error(`${path}: expected a column theta.${name}, got ${columns.join(', ')}`);
    return found;
  };
  const readers = parameters.map((p): [string, (row: Row, place: string) => Theta[string]] => {
    if (p.kind === 'simplex') {
      const parts = p.labels.map((label) => columnOf(`${p.name}.${label}`));
      return [p.name, (row, place) => parts.map((column) => numberOf(row[column], `${place}, ${column}`))];
    }
    const column = columnOf(p.name);
    switch (p.kind) {
      case 'boolean':
        return [p.name, (row, place) => booleanOf(row[column], `${place}, ${column}`)];
      case 'categorical':
        return [p.name, (row) => String(row[column])];
      case 'continuous':
      case 'integer':
        return [p.name, (row, place) => numberOf(row[column], `${place}, ${column}`)];
    }
  });
  return (row, place) => {
    const theta = Object.fromEntries(readers.map(([name, read]) => [name, read(row, place)]));
    try {
      return completeTheta(parameters, theta);
    } catch (error) {
      throw new Error(`${place}: ${(error as Error).message}`, { cause: error });
    }
  };
}

/** `ok` in a table without outcomes. */
function outcomeOf(row: Row, place: string): Outcome {
  const { outcome = 'ok' } = row;
  const found = OUTCOMES.find((one) => one === outcome);
  if (found === undefined) {
    throw new Error(`${place}, outcome: expected one of ${OUTCOMES.join(', ')}, got ${String(outcome)}`);
  }
  return found;
}

const isEmpty = (cell: Cell) => (typeof cell === 'string' ? cell.trim() === '' : (cell ?? undefined) === undefined);

function numberOf(cell: Cell, place: string): number {
  const value = isEmpty(cell) ? NaN : Number(cell);
  if (Number.isFinite(value)) return value;
  throw new Error(`${place}: expected a number, got ${JSON.stringify(cell) ?? 'nothing'}`);
}

function booleanOf(cell: Cell, place: string): boolean {
  const word = String(cell).toLowerCase();
  if (word === 'true' || word === '1') return true;
  if (word === 'false' || word === '0') return false;
  throw new Error(`${place}: expected true or false, got ${word}`);
}
