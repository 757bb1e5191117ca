/** The end of a run: the start and the winner are evaluated on their own seeds, and their scores shown in tables. */
import { componentNames, type Parameter, type Theta } from '../../protocol/parameters.ts';
import { deriveSeed } from '../../protocol/random.ts';
import type { RunOptions } from './run-options.ts';
import { summarise, withInterval } from '../../protocol/statistics.ts';
import type { EvaluateTrials, TrialRequest } from './trial.ts';

/** A θ that is reported, with the scores of its evaluations on several seeds. */
export interface Reported {
  readonly name: string;
  readonly action: readonly number[];
  readonly theta: Readonly<Theta>;
  readonly validation: readonly Readonly<Record<string, number>>[];
  readonly test: readonly Readonly<Record<string, number>>[];
  /** Why an evaluation has no scores, as `key: outcome (reason)`; for each that has none. */
  readonly failures?: readonly string[];
}

/**
 * Validation and test scores of an action on several fresh seeds. Nothing else in a run uses the test set.
 *
 * @param key the key of its evaluations in the log, without the number of the seed
 */
export async function report(
  { name, key, action }: { readonly name: string; readonly key: string; readonly action: readonly number[] },
  { seed, reportSeeds }: Pick<RunOptions, 'seed' | 'reportSeeds'>,
  evaluate: EvaluateTrials,
): Promise<Reported> {
  console.log(`testing ${key} on ${reportSeeds} seeds`);
  const requests = Array.from({ length: reportSeeds }, (_, i): TrialRequest => ({
    key: `${key}/${i}`,
    action,
    seed: deriveSeed(seed, 'report', i),
    test: true,
  }));
  const records = await evaluate(requests);
  const scored = records.filter(({ outcome }) => outcome === 'ok');
  const failures = records.flatMap(({ key, outcome, reason }) =>
    outcome === 'ok' ? [] : [`${key}: ${outcome}${reason === undefined ? '' : ` (${reason})`}`],
  );
  return {
    name,
    action,
    theta: records[0]!.theta,
    validation: scored.map(({ scores }) => scores),
    test: scored.map(({ testScores }) => testScores!),
    ...(failures.length > 0 && { failures }),
  };
}

/** @throws {Error} with the reason of the first, when an evaluation of the report failed */
export function checkReported(reported: readonly Reported[], { reportSeeds }: Pick<RunOptions, 'reportSeeds'>): void {
  const failures = reported.flatMap((one) => one.failures ?? []);
  if (failures.length === 0) return;
  const all = reported.length * reportSeeds;
  throw new Error(`report: expected scores on all seeds, got ${all - failures.length} of ${all}; ${failures[0]}`);
}

/** Aligns columns: the first to the left, the others to the right. */
export function alignedTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ');
  return rows.map((row) => line(row).trimEnd()).join('\n');
}

/** A table of θ by name, with units: one column for each reported θ. */
export function describeTheta(parameters: readonly Parameter[], reported: readonly Reported[]): string {
  const rows: string[][] = [['θ', ...reported.map(({ name }) => name), 'unit']];
  for (const p of parameters) {
    const row = (name: string, cell: (value: Theta[string]) => string) =>
      rows.push([name, ...reported.map(({ theta }) => cell(theta[p.name]!)), 'unit' in p ? p.unit : '']);
    if (p.kind === 'continuous') row(p.name, (value) => (value as number).toPrecision(3));
    else if (p.kind !== 'simplex') row(p.name, String);
    else componentNames(p).forEach((name, i) => row(name, (value) => (value as number[])[i]!.toFixed(3)));
  }
  return alignedTable(rows);
}

/** A table of validation and test scores: mean and 95 % interval over the seeds, one row per metric. */
export function reportTable(
  spec: { readonly metrics: readonly { readonly name: string }[]; readonly reward: { readonly metric: string } },
  reported: readonly Reported[],
): string {
  const metrics = spec.metrics.map(({ name }) => name);
  const rows: string[][] = [['score', ...reported.map(({ name, test }) => `${name} (n = ${test.length})`)]];
  for (const set of ['validation', 'test'] as const) {
    // A target may have several test sets: their scores are `<set>.<metric>`.
    const names = set === 'test' ? Object.keys(reported.find(({ test }) => test.length > 0)?.test[0] ?? {}) : metrics;
    for (const name of names) {
      const cells = reported.map((r) => {
        if (r[set].length === 0) return 'failed';
        const scores = r[set].map((all): number | undefined => all[name]);
        // A metric other than the reward may have no value.
        return scores.includes(undefined) ? '–' : withInterval(summarise(scores as number[]), 4);
      });
      rows.push([`${set} ${name}${set === 'validation' && name === spec.reward.metric ? ' (reward)' : ''}`, ...cells]);
    }
  }
  return alignedTable(rows);
}
