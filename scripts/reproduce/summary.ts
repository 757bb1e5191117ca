/** What a reproduction leaves as text: summary.json, and the table as CSV and Markdown. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { summarise, type Summary } from '../../agents/statistics.ts';
import type { Arm } from './experiment.ts';

export interface Provenance {
  readonly experiment: string;
  /** What made it, to be run again. */
  readonly command: string;
  /** Of this repository; with `+changes` where the working tree differs from it. */
  readonly commit: string;
  readonly backend: string;
}

export interface ReproductionSummary extends Provenance {
  readonly arms: Readonly<
    Record<string, { readonly evaluations: number; readonly validation: Summary; readonly test: Summary }>
  >;
}

export function summariseArms(provenance: Provenance, arms: Readonly<Record<string, Arm>>): ReproductionSummary {
  const entries = Object.entries(arms).map(([name, { evaluations, validation, test }]) => [
    name,
    { evaluations, validation: summarise(validation), test: summarise(test) },
  ]);
  return { ...provenance, arms: Object.fromEntries(entries) as ReproductionSummary['arms'] };
}

/**
 * Writes `summary.json`, `table.csv` and `table.md` into a folder.
 *
 * @param metric  what the scores are
 * @param machine what it ran on, in a line
 */
export function writeSummary(
  folder: string,
  summary: ReproductionSummary,
  { arms, metric, machine }: { arms: Readonly<Record<string, Arm>>; metric: string; machine: string },
): void {
  mkdirSync(folder, { recursive: true });
  const rows = Object.entries(summary.arms).map(([name, arm]) => ({ name, title: arms[name]!.title, ...arm }));
  writeFileSync(join(folder, 'summary.json'), `${JSON.stringify(summary, undefined, 2)}\n`);

  const sets = ['validation', 'test'] as const;
  const head = [
    'arm',
    'evaluations',
    ...sets.flatMap((set) => [`${set}_mean`, `${set}_low`, `${set}_high`, `${set}_n`]),
  ];
  const csv = rows.map((row) =>
    [
      row.name,
      row.evaluations,
      ...sets.flatMap((set) => [row[set].mean, row[set].ci95?.[0] ?? '', row[set].ci95?.[1] ?? '', row[set].n]),
    ].join(),
  );
  writeFileSync(join(folder, 'table.csv'), `${[head.join(), ...csv].join('\n')}\n`);
  writeFileSync(join(folder, 'table.md'), markdown(summary, rows, metric, machine));
}

function markdown(
  { experiment, command, commit, backend }: Provenance,
  rows: readonly (ArmSummary & { readonly title: string })[],
  metric: string,
  machine: string,
): string {
  const lines = [...rows]
    .sort((a, b) => b.test.mean - a.test.mean)
    .map(
      ({ title, evaluations, validation, test }) =>
        `| ${title} | ${evaluations} | ${cell(validation)} | ${cell(test)} | ${test.n} |`,
    );
  return [
    `# ${experiment}: ${metric}`,
    '',
    'Mean ± half of the 95 % interval (Student’s t) over n search seeds (over θ for random ones, over data sets for real ones). The searches saw validation alone.',
    '',
    '| | evaluations | validation | test | n |',
    '|---|--:|--:|--:|--:|',
    ...lines,
    '',
    `Made by \`${command}\` at commit ${commit}, backend ${backend}, on ${machine}.`,
    '',
  ].join('\n');
}

type ArmSummary = ReproductionSummary['arms'][string];

function cell({ mean, ci95 }: Summary): string {
  return ci95 ? `${mean.toFixed(4)} ± ${(ci95[1] - mean).toFixed(4)}` : mean.toFixed(4);
}
