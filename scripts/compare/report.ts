/** A comparison as a figure and as tables. */
import { join } from 'node:path';
import { makeFolder } from '../../protocol/make-folder.ts';
import { withInterval, type Summary } from '../../protocol/statistics.ts';
import { restartIds } from '../figures/chart.ts';
import { csvCells, csvNames } from '../csv.ts';
import { markdownTable } from '../markdown.ts';
import { rewardCurve } from '../../protocol/reward-curve.ts';
import { drawRewardCurves } from '../reproduce/reward-curves.ts';
import { rewardsBySpending, type GroupComparison, type GroupMeasures } from './measures.ts';
import { writeWhole } from '../../protocol/whole-file.ts';

/** Of which set of θ test scores are. */
const THETAS = ['start', 'learned'] as const;

/**
 * Writes `rewards.svg` and `.png`, `table.md`, `table.csv` (a row an agent) and `runs.csv` (a row a run) into a folder:
 * the same bytes for the same logs.
 *
 * @returns the table in Markdown
 */
export async function writeComparison(comparison: GroupComparison, environment: string, out: string): Promise<string> {
  makeFolder(out);
  const table = markdown(comparison, environment);
  writeWhole(join(out, 'table.md'), table);
  writeWhole(join(out, 'table.csv'), groupsCsv(comparison));
  writeWhole(join(out, 'runs.csv'), runsCsv(comparison));
  restartIds();
  const curves = comparison.groups.flatMap(({ name, runs }) =>
    rewardCurve(
      name,
      runs.map(({ run }) => rewardsBySpending(run)),
    ),
  );
  const labels = { title: environment, metric: 'reward (validation), mean over the runs and its 95 % interval' };
  await drawRewardCurves(labels, curves, { 'to be reached': comparison.level }, join(out, 'rewards'));
  return table;
}

/** The test scores that any group has. */
const testNames = ({ groups }: GroupComparison) => [
  ...new Set(groups.flatMap(({ test }) => Object.keys(test.learned))),
];

function markdown(comparison: GroupComparison, environment: string): string {
  const { level, groups } = comparison;
  const names = testNames(comparison);
  const shown = (score: Summary | undefined) => (score ? withInterval(score, 4) : '–');
  const rows = [...groups]
    .sort((a, b) => b.lastTenth.mean - a.lastTenth.mean)
    .map((group) => [
      ...[group.name, group.runs.length, group.evaluations, shown(group.best), shown(group.lastTenth)],
      ...[reached(group), ...names.map((name) => shown(group.test.learned[name]))],
    ]);
  const head = ['agent', 'runs', 'evaluations', 'best', 'last tenth', `to reach ${level.toFixed(4)}`];
  const open = groups.flatMap(({ runs }) => runs.filter(({ run }) => !run.reported)).length;
  return [
    `# ${environment}`,
    '',
    'Mean ± half of the 95 % interval (Student’s t) over the runs. Best: the highest reward of a run, which is also the luckiest. ' +
      'Last tenth: the mean reward of the last tenth of the search. To reach: evaluations until the mean reward of a tenth of the search is first that high; ' +
      'the median over the runs, and how many of them got there. Test: the learned θ, of which the search saw validation alone.',
    '',
    ...markdownTable([...head, ...names.map((name) => `test ${name}`)], rows),
    '',
    ...starts(groups, names, shown),
    ...(open > 0
      ? [`${open} of the runs ${open === 1 ? 'has' : 'have'} not ended: they count with what they have.`, '']
      : []),
  ].join('\n');
}

function reached({ runs, toReach }: GroupMeasures): string {
  const count = runs.filter(({ toReach }) => toReach !== null).length;
  return `${toReach === null ? '–' : Math.round(toReach)} (${count} of ${runs.length})`;
}

/** The test scores before the searches. */
function starts(
  groups: readonly GroupMeasures[],
  names: readonly string[],
  shown: (score: Summary | undefined) => string,
): string[] {
  const agents = new Map<string, string[]>(); // by their scores: most searches start from the same θ
  for (const { name, test } of groups) {
    const scores = JSON.stringify(names.map((metric) => shown(test.start[metric])));
    if (Object.keys(test.start).length > 0) agents.set(scores, [...(agents.get(scores) ?? []), name]);
  }
  const rows = [...agents].map(([scores, names]) => [names.join(', '), ...(JSON.parse(scores) as string[])]);
  if (rows.length === 0) return [];
  return [
    'Where the searches started:',
    '',
    ...markdownTable(['agent', ...names.map((name) => `test ${name}`)], rows),
    '',
  ];
}

function groupsCsv(comparison: GroupComparison): string {
  const names = testNames(comparison);
  const head = ['agent', 'runs', 'evaluations', 'level', 'evaluations_to_reach', 'runs_that_reach'];
  const scores = ['best', 'last_tenth', ...THETAS.flatMap((of) => names.map((name) => `test_${of}_${name}`))];
  const rows = comparison.groups.map(({ name, runs, evaluations, toReach, best, lastTenth, test }) => [
    ...[quoted(name), runs.length, evaluations, comparison.level, toReach ?? ''],
    runs.filter(({ toReach }) => toReach !== null).length,
    ...[best, lastTenth, ...THETAS.flatMap((of) => names.map((name) => test[of][name]))].flatMap(csvCells),
  ]);
  return csv([...head, ...scores.flatMap(csvNames)], rows);
}

function runsCsv(comparison: GroupComparison): string {
  const names = testNames(comparison);
  const head = ['agent', 'seed', 'log', 'ended', 'evaluations', 'best', 'last_tenth', 'evaluations_to_reach'];
  const rows = comparison.groups.flatMap(({ name, runs }) =>
    runs.map(({ run, best, lastTenth, toReach, test }) => [
      ...[quoted(name), String(run.header.options['seed']), quoted(run.path), run.reported !== undefined],
      ...[run.spent, best, lastTenth, toReach ?? ''],
      ...THETAS.flatMap((of) => names.map((metric) => test[of]?.[metric] ?? '')),
    ]),
  );
  return csv([...head, ...THETAS.flatMap((of) => names.map((name) => `test_${of}_${name}`))], rows);
}

const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
const csv = (head: readonly string[], rows: readonly (readonly unknown[])[]) =>
  `${[head.join(), ...rows.map((row) => row.join())].join('\n')}\n`;
