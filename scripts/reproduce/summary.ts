/** What a reproduction leaves as text: summary.json, and the table as CSV and Markdown. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../../protocol/make-folder.ts';
import { csvCells, csvNames } from '../csv.ts';
import { markdownTable } from '../markdown.ts';
import { summarise, withInterval, type Summary } from '../../protocol/statistics.ts';
import type { Scores } from '../../env/tasks/task.ts';
import type { ArmScores, EnvOptions, Preset, Study } from './study.ts';
import { writeWhole } from '../../protocol/whole-file.ts';

export interface Provenance {
  readonly experiment: string;
  /** What made it, to be run again. */
  readonly command: string;
  /** Of this repository; with `+changes` where the working tree differs from it. */
  readonly commit: string;
  readonly backend: string;
}

interface ArmSummary {
  readonly evaluations: number;
  readonly validation: Summary;
  readonly test: Summary;
  /** Of further test scores, by name, such as `heldOut.carIou`. */
  readonly also?: Readonly<Record<string, Summary>>;
}

export interface ReproductionSummary extends Provenance {
  readonly arms: Readonly<Record<string, ArmSummary>>;
}

/** Further scores that the sets of this study do not have are left out. */
export function summariseArms(
  provenance: Provenance,
  arms: Readonly<Record<string, ArmScores>>,
  { metric, alsoReported }: Pick<Study, 'metric' | 'alsoReported'>,
): ReproductionSummary {
  const of = (all: readonly Scores[], name: string) => summarise(all.map((scores) => scores[name]!));
  const summaryOf = ({ evaluations, validation, test }: ArmScores): ArmSummary => {
    const known = alsoReported.filter((name) => test.every((scores) => scores[name] !== undefined));
    const also = Object.fromEntries(known.map((name) => [name, of(test, name)]));
    return {
      evaluations,
      validation: of(validation, metric),
      test: of(test, metric),
      ...(known.length > 0 && { also }),
    };
  };
  return { ...provenance, arms: Object.fromEntries(Object.entries(arms).map(([name, arm]) => [name, summaryOf(arm)])) };
}

/** What {@link writeSummary} has written into a folder. */
export function readSummary(folder: string): ReproductionSummary {
  return JSON.parse(readFileSync(join(folder, 'summary.json'), 'utf8')) as ReproductionSummary;
}

interface Column {
  readonly name: string;
  readonly of: (arm: ArmSummary) => Summary | undefined;
}

const SEARCHED =
  'Mean ± half of the 95 % interval (Student’s t): over n search seeds, each the mean of some trainings; over trainings for a given θ and for real data; over θ for random ones. The validation score of a best one is the one that it was chosen by. The searches saw validation alone.';

/** What a table says of searches that evaluate otherwise than the rest. */
function shortened(options: EnvOptions): string {
  const words = Object.entries(options).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return ` While they search, evaluations are shorter (${words.join(', ')}); all scores of this table are of whole ones.`;
}

/**
 * Writes `summary.json`, `table.csv` and `table.md` into a folder.
 *
 * @param machine what it ran on, in a line
 */
export function writeSummary(
  folder: string,
  summary: ReproductionSummary,
  {
    arms,
    study: { metric, alsoReported, about = SEARCHED },
    machine,
    searchOptions,
  }: { arms: Readonly<Record<string, ArmScores>>; study: Study; machine: string } & Pick<Preset, 'searchOptions'>,
): void {
  makeFolder(folder);
  const told = about + (searchOptions ? shortened(searchOptions) : '');
  const rows = Object.entries(summary.arms).map(([name, arm]) => ({ name, title: arms[name]!.title, ...arm }));
  writeWhole(join(folder, 'summary.json'), `${JSON.stringify(summary, undefined, 2)}\n`);

  const columns: Column[] = [
    { name: 'validation', of: ({ validation }) => validation },
    { name: 'test', of: ({ test }) => test },
    ...alsoReported
      .filter((name) => rows.some(({ also }) => also?.[name]))
      .map((name) => ({ name: `test ${name}`, of: ({ also }: ArmSummary) => also?.[name] })),
  ];
  const head = ['arm', 'evaluations', ...columns.flatMap(({ name }) => csvNames(name.replaceAll(' ', '_')))];
  const csv = rows.map((row) => [row.name, row.evaluations, ...columns.flatMap(({ of }) => csvCells(of(row)))].join());
  writeWhole(join(folder, 'table.csv'), `${[head.join(), ...csv].join('\n')}\n`);
  writeWhole(join(folder, 'table.md'), markdown(summary, rows, columns, { metric, machine, about: told }));
}

function markdown(
  { experiment, command, commit, backend }: Provenance,
  rows: readonly (ArmSummary & { readonly title: string })[],
  columns: readonly Column[],
  { metric, machine, about }: { metric: string; machine: string; about: string },
): string {
  const lines = [...rows]
    .sort((a, b) => b.test.mean - a.test.mean)
    .map((row) => {
      const cells = columns.map(({ of }) => cell(of(row)));
      return [row.title, row.evaluations, ...cells, row.test.n];
    });
  return [
    `# ${experiment}: ${metric}`,
    '',
    about,
    '',
    ...markdownTable(['', 'evaluations', ...columns.map(({ name }) => name), 'n'], lines),
    '',
    `Made by \`${command}\` at commit ${commit}, backend ${backend}, on ${machine}.`,
    '',
  ].join('\n');
}

function cell(score: Summary | undefined): string {
  return score ? withInterval(score, 4) : '';
}
