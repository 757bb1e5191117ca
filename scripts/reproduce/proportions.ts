/** What a search makes of hidden proportions: their path over its evaluations, and how far off they end. */
import { join } from 'node:path';
import { summarise, withInterval } from '../../protocol/statistics.ts';
import { actionToTheta, type Parameter, type Theta } from '../../protocol/parameters.ts';
import { writeChart } from '../figures/chart.ts';
import { markdownTable } from '../markdown.ts';
import { meanOf } from './arms.ts';
import type { FinishedSearch } from './search-log.ts';
import { writeWhole } from '../../protocol/whole-file.ts';

type Simplex = Extract<Parameter, { kind: 'simplex' }>;

export const simplexes = (parameters: readonly Parameter[]): Simplex[] =>
  parameters.flatMap((p) => (p.kind === 'simplex' ? [p] : []));

/** Σ |p − q|: 0 where the proportions are the same, 2 where they share nothing. */
export function l1(p: readonly number[], q: readonly number[]): number {
  return p.reduce((sum, value, i) => sum + Math.abs(value - q[i]!), 0);
}

/** θ of the policy's mean after each iteration of a search, with the start before them. */
function policyPath(
  parameters: readonly Parameter[],
  { states, start, told }: FinishedSearch,
): { evaluations: number; theta: Theta }[] {
  const means = states.map((state, i) => ({
    evaluations: told[i]!,
    theta: actionToTheta(parameters, state['mu'] as number[]),
  }));
  return [{ evaluations: 0, theta: start.theta }, ...means];
}

/**
 * Draws a panel for each simplex: its probabilities over the evaluations, a thick line for the mean of the searches and
 * a thin one for each, with the hidden ones dashed in the same colour.
 *
 * @param path without an ending: `.svg` and `.png` are written
 */
export async function drawProportions(
  title: string,
  parameters: readonly Parameter[],
  searches: readonly FinishedSearch[],
  hidden: Theta,
  path: string,
): Promise<void> {
  const rows = searches.flatMap((search) =>
    policyPath(parameters, search).flatMap(({ evaluations, theta }) =>
      simplexes(parameters).flatMap(({ name, labels }) =>
        labels.map((label, i) => ({
          name,
          label,
          seed: search.seed,
          evaluations,
          probability: (theta[name] as number[])[i]!,
        })),
      ),
    ),
  );
  const panels = simplexes(parameters).map(({ name, labels }) => {
    const x = { field: 'evaluations', type: 'quantitative', scale: { nice: false } } as const;
    const scale = { domain: [0, 1] };
    const y = { type: 'quantitative', scale, title: 'probability' } as const;
    const color = { field: 'label', type: 'nominal' as const, title: null, scale: { domain: [...labels] } };
    const truth = labels.map((label, i) => ({ label, hidden: (hidden[name] as number[])[i]! }));
    return {
      title: name,
      width: 330,
      height: 260,
      data: { values: rows.filter((row) => row.name === name) },
      layer: [
        {
          mark: { type: 'line' as const, strokeWidth: 0.8, opacity: 0.35 },
          encoding: { x, y: { field: 'probability', ...y }, color, detail: { field: 'seed' } },
        },
        {
          mark: { type: 'line' as const, strokeWidth: 2.4 },
          encoding: { x, y: { field: 'probability', aggregate: 'mean' as const, ...y }, color },
        },
        {
          data: { values: truth },
          mark: { type: 'rule' as const, strokeDash: [5, 4], strokeWidth: 1.2 },
          encoding: { y: { field: 'hidden', ...y }, color },
        },
      ],
    };
  });
  const thin = searches.length > 1 ? 'thick: the mean of the searches; thin: each of them' : 'the policy’s mean';
  const heading = { text: title, subtitle: `${thin}; dashed: the hidden proportions, in the same colours` };
  await writeChart({ title: heading, hconcat: panels, resolve: { scale: { color: 'independent' } } }, path);
}

/** A search arm with the hidden proportions that its searches could find. */
export interface Recovery {
  readonly arm: string;
  readonly title: string;
  readonly searches: readonly FinishedSearch[];
}

const STAGES = ['start', 'learned', 'policyMean'] as const;
type Stage = (typeof STAGES)[number];

/** θ of a search at its start, what it recommends, and its policy's mean after its last iteration. */
function stagesOf(parameters: readonly Parameter[], search: FinishedSearch): Record<Stage, Theta> {
  const policyMean = policyPath(parameters, search).at(-1)!.theta;
  return { start: search.start.theta, learned: search.learned.theta, policyMean };
}

/** The mean of each label's probability. */
const meanProportions = (all: readonly (readonly number[])[]) =>
  all[0]!.map((_, i) => meanOf(all.map((proportions) => proportions[i]!)));

/**
 * Writes `proportions.csv` and `proportions.md`: the L1 distance to the hidden proportions at the start, of the θ that
 * the run recommends, and of the policy's mean at the end, for each search, and of the mean of what they found; and what
 * each of them found.
 */
export function writeProportions(
  folder: string,
  parameters: readonly Parameter[],
  recoveries: readonly Recovery[],
  hidden: Theta,
): void {
  const parts = simplexes(parameters);
  const of = (theta: Theta, { name }: Simplex) => theta[name] as number[];
  const found = recoveries.map(({ arm, title, searches }) => ({
    arm,
    title,
    searches: searches.map((search) => ({ seed: search.seed, thetas: stagesOf(parameters, search) })),
  }));
  const distances = (thetas: Readonly<Record<Stage, Theta>>) =>
    parts.flatMap((part) => STAGES.map((stage) => l1(of(thetas[stage], part), of(hidden, part))));
  const columns = parts.flatMap(({ name }) => STAGES.map((stage) => `${name} ${stage}`));

  const csv = found.flatMap(({ arm, searches }) =>
    searches.map(({ seed, thetas }) => [arm, seed, ...distances(thetas)].join()),
  );
  writeWhole(join(folder, 'proportions.csv'), `${[['arm', 'seed', ...columns].join(), ...csv].join('\n')}\n`);

  const rounded = (values: readonly number[]) => values.map((value) => value.toFixed(2));
  const distanceRows = found.flatMap(({ title, searches }) => {
    const rows = searches.map(({ seed, thetas }) => [title, seed, ...rounded(distances(thetas))]);
    if (searches.length === 1) return rows;
    const means = columns.map((_, i) =>
      withInterval(summarise(searches.map(({ thetas }) => distances(thetas)[i]!)), 2),
    );
    const meanTheta = (stage: Stage): Theta =>
      Object.fromEntries(
        parts.map((part) => [part.name, meanProportions(searches.map(({ thetas }) => of(thetas[stage], part)))]),
      );
    const meanThetas = {
      start: meanTheta('start'),
      learned: meanTheta('learned'),
      policyMean: meanTheta('policyMean'),
    };
    return [...rows, [title, 'mean', ...means], [title, 'of the mean θ', ...rounded(distances(meanThetas))]];
  });
  const labels = parts.flatMap((part) => part.labels);
  const proportions = (theta: Theta) => rounded(parts.flatMap((part) => of(theta, part)));
  const foundRows = found.flatMap(({ title, searches }) =>
    searches.map(({ seed, thetas }) => [title, seed, ...proportions(thetas.learned)]),
  );
  const text = [
    '# L1 distance to the hidden proportions',
    '',
    'Σ |p − p*| over the labels, from 0 (the same) to 2 (nothing shared): at the start, of the θ that the run recommends (learned), and of the policy’s mean after its last iteration. `mean`: of the distances, ± half of the 95 % interval. `of the mean θ`: of the searches’ mean proportions, in which their own noise cancels and what they have in common remains.',
    '',
    ...markdownTable(['arm', 'seed', ...columns], distanceRows),
    '',
    '# What was learned',
    '',
    ...markdownTable(['arm', 'seed', ...labels], [...foundRows, ['the hidden θ*', '', ...proportions(hidden)]]),
    '',
  ];
  writeWhole(join(folder, 'proportions.md'), text.join('\n'));
}
