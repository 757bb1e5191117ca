/** What a run prints: a line for each evaluation, and the tables at its end. */
import type { Parameter } from '../../protocol/parameters.ts';
import { summarise, withInterval } from './statistics.ts';
import type { EvaluationRecord } from './trial-log.ts';

/** Lines of progress, with the best so far, the pace, and the time left. */
export class Progress {
  /** Evaluations; one that was discarded counts by the share that it has cost. */
  private done = 0;
  private paid = 0;
  private best = -Infinity;
  private readonly started = performance.now();

  constructor(
    private readonly metric: string,
    private readonly total: number,
  ) {}

  /** @param past whether the record comes from the log of an earlier part of the run, which took no time now */
  show(record: EvaluationRecord, past: boolean): void {
    const { work = 1 } = record;
    this.done += work;
    if (record.reward !== null) this.best = Math.max(this.best, record.reward);
    if (past) return;
    this.paid += work;
    const minutes = (performance.now() - this.started) / 60_000;
    const pace = this.paid / minutes;
    const count = `[${String(Math.floor(this.done)).padStart(String(this.total).length)}/${this.total}]`;
    const reward =
      record.reward === null
        ? `${record.outcome}${record.reason ? ` (${record.reason})` : ''}`
        : record.reward.toFixed(4);
    const best = Number.isFinite(this.best) ? this.best.toFixed(4) : '–';
    const left = duration(((this.total - this.done) / pace) * 60);
    console.log(`${count} ${this.metric} ${reward}  best ${best}  ${pace.toFixed(1)}/min  ${left} left`);
  }
}

/** Seconds as `m:ss`. */
function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** A θ that is reported, with the scores of its evaluations on several seeds. */
export interface Reported {
  readonly name: string;
  readonly action: readonly number[];
  readonly theta: Readonly<Record<string, number | number[]>>;
  readonly validation: readonly Readonly<Record<string, number>>[];
  readonly test: readonly Readonly<Record<string, number>>[];
}

/** Lines up columns; the first is left-aligned, the others right-aligned. */
export function alignedTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ');
  return rows.map((row) => line(row).trimEnd()).join('\n');
}

/** θ by name, with units, a column for each that is reported. */
export function describeTheta(parameters: readonly Parameter[], reported: readonly Reported[]): string {
  const rows: string[][] = [['θ', ...reported.map(({ name }) => name), 'unit']];
  for (const p of parameters) {
    if (p.kind === 'continuous') {
      rows.push([p.name, ...reported.map(({ theta }) => (theta[p.name] as number).toPrecision(3)), p.unit]);
      continue;
    }
    p.labels.forEach((label, i) => {
      const column = reported.map(({ theta }) => (theta[p.name] as number[])[i]!.toFixed(3));
      rows.push([`${p.name}.${label}`, ...column, p.unit]);
    });
  }
  return alignedTable(rows);
}

/** Validation and test scores: mean and 95 % interval over the seeds, a row for each metric. */
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
        const scores = r[set].map((all) => all[name]);
        // A metric other than the reward may have no value.
        return scores.includes(undefined) ? '–' : withInterval(summarise(scores as number[]), 4);
      });
      rows.push([`${set} ${name}${set === 'validation' && name === spec.reward.metric ? ' (reward)' : ''}`, ...cells]);
    }
  }
  return alignedTable(rows);
}
