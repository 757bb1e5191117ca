import type { Parameter, Theta } from '../../protocol/parameters.ts';
import type { PastEvaluation } from '../run/trial-log.ts';

/** The fields of an evaluation, as columns from left to right. */
const FIELDS = ['step_id', 'key', 'env_id', 'spec_hash', 'accepted_at', 'outcome', 'reward', 'reason'] as const;
const NAMED_FIELDS = ['theta', 'scores', 'test_scores', 'seeds', 'timing'] as const;

/** Empty where there is no value. */
export type CsvCell = string | number | boolean | null | undefined;

/**
 * Evaluations as CSV (RFC 4180), a row each: `reward`, `theta.fog`, `theta.weather.rain`, `scores.carIou` … A column that
 * would be empty is left out, and so is a value that is not known.
 *
 * @param parametersOf names the classes of simplexes; where they are not known, they are numbered
 */
export function csvTable(
  evaluations: readonly PastEvaluation[],
  parametersOf: (evaluation: PastEvaluation) => readonly Parameter[],
): string {
  const rows = evaluations.map((evaluation) => cellsOf(evaluation, parametersOf(evaluation)));
  const known = new Set(rows.flatMap((row) => [...row.keys()]));
  const field = (column: string) => column.split('.', 1)[0];
  const columns = [...FIELDS, ...NAMED_FIELDS].flatMap((name) => [...known].filter((column) => field(column) === name));
  return csvOf(columns, rows);
}

/** CSV with these columns, of rows by column. */
export function csvOf(columns: readonly string[], rows: readonly ReadonlyMap<string, CsvCell>[]): string {
  const lines = [columns, ...rows.map((row) => columns.map((column) => row.get(column)))];
  return lines.map((line) => `${line.map(quoted).join()}\n`).join('');
}

function cellsOf(evaluation: PastEvaluation, parameters: readonly Parameter[]): Map<string, CsvCell> {
  const { theta, scores, test_scores, seeds, timing, repro } = evaluation;
  const plain = { ...evaluation, spec_hash: repro.spec_hash };
  const named = { theta: labelled(theta, parameters), scores, test_scores, seeds, timing };
  const cells: [string, CsvCell][] = [
    ...FIELDS.map((field): [string, CsvCell] => [field, plain[field]]),
    ...NAMED_FIELDS.flatMap((field) =>
      Object.entries<CsvCell>(named[field] ?? {}).map(([name, value]): [string, CsvCell] => [
        `${field}.${name}`,
        value,
      ]),
    ),
  ];
  return new Map(cells.filter(([, value]) => value !== undefined && value !== null));
}

/** θ by component: a simplex has one for each of its labels. */
export function labelled(theta: Theta, parameters: readonly Parameter[]): Record<string, CsvCell> {
  return Object.fromEntries(
    Object.entries(theta).flatMap(([name, value]): [string, CsvCell][] => {
      if (!Array.isArray(value)) return [[name, value]];
      const parameter = parameters.find((p) => p.name === name);
      const labels = parameter?.kind === 'simplex' ? parameter.labels : value.map((_, i) => i);
      return value.map((probability: number, i) => [`${name}.${labels[i]}`, probability]);
    }),
  );
}

function quoted(cell: CsvCell): string {
  const text = String(cell ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
