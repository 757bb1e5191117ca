/** What a search makes of hidden proportions: their path over its evaluations, and how far off they end. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { summarise } from '../../agents/statistics.ts';
import { actionToTheta, type Parameter, type Theta } from '../../protocol/parameters.ts';
import { writeChart } from '../figures/chart.ts';
import type { FinishedSearch } from './searches.ts';

type Simplex = Extract<Parameter, { kind: 'simplex' }>;

export const simplexes = (parameters: readonly Parameter[]): Simplex[] =>
  parameters.flatMap((p) => (p.kind === 'simplex' ? [p] : []));

/** Σ |p − q|: 0 where the proportions are the same, 2 where they share nothing. */
export function l1(p: readonly number[], q: readonly number[]): number {
  return p.reduce((sum, value, i) => sum + Math.abs(value - q[i]!), 0);
}

/**
 * Proportions ∝ √p: what teaches best where the error on scenes of a label falls as one over their number, since
 * Σ pᵢ / qᵢ is least at q ∝ √p.
 */
export function rooted(p: readonly number[]): number[] {
  const roots = p.map(Math.sqrt);
  const sum = roots.reduce((total, root) => total + root, 0);
  return roots.map((root) => root / sum);
}

/** θ of the policy's mean after each iteration of a search, with the start before them. */
export function policyPath(
  parameters: readonly Parameter[],
  { states, start, trials }: FinishedSearch,
): { evaluations: number; theta: Theta }[] {
  const batch = Math.floor(trials.length / Math.max(1, states.length));
  const means = states.map((state, i) => ({
    evaluations: (i + 1) * batch,
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
  await writeChart({ title, hconcat: panels, resolve: { scale: { color: 'independent' } } }, path);
}

/** A search arm with the hidden proportions that its searches could find. */
export interface Recovery {
  readonly arm: string;
  readonly title: string;
  readonly searches: readonly FinishedSearch[];
}

/**
 * Writes `proportions.csv` and `proportions.md`: the L1 distance to the hidden proportions at the start, of the θ that
 * the run recommends, and of the policy's mean at the end, for each search; and that of the learned ones to √p*.
 */
export function writeProportions(
  folder: string,
  parameters: readonly Parameter[],
  recoveries: readonly Recovery[],
  hidden: Theta,
): void {
  const names = simplexes(parameters).map(({ name }) => name);
  const stages = ['start', 'learned', 'policyMean', 'learned to root'] as const;
  const rows = recoveries.flatMap(({ arm, title, searches }) =>
    searches.map((search) => {
      const { start, learned } = search;
      const policyMean = policyPath(parameters, search).at(-1)!.theta;
      const distances = names.flatMap((name) => {
        const p = hidden[name] as number[];
        const from = (theta: Theta, q: readonly number[]) => l1(theta[name] as number[], q);
        return [from(start.theta, p), from(learned.theta, p), from(policyMean, p), from(learned.theta, rooted(p))];
      });
      return { arm, title, seed: search.seed, distances };
    }),
  );
  const head = names.flatMap((name) => stages.map((stage) => `${name} ${stage}`));
  const csv = rows.map(({ arm, seed, distances }) => [arm, seed, ...distances].join());
  writeFileSync(join(folder, 'proportions.csv'), `${[['arm', 'seed', ...head].join(), ...csv].join('\n')}\n`);

  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  const body = recoveries.flatMap(({ title }) => {
    const own = rows.filter((row) => row.title === title);
    const means = head.map((_, i) => {
      const { mean, ci95 } = summarise(own.map(({ distances }) => distances[i]!));
      return ci95 ? `${mean.toFixed(2)} ± ${(ci95[1] - mean).toFixed(2)}` : mean.toFixed(2);
    });
    const single = own.map(({ seed, distances }) => line([title, seed, ...distances.map((d) => d.toFixed(2))]));
    return own.length > 1 ? [...single, line([title, 'mean', ...means])] : single;
  });
  const text = [
    '# L1 distance to the hidden proportions',
    '',
    'Σ |p − p*| over the labels, from 0 (the same) to 2 (nothing shared): at the start, of the θ that the run recommends (learned), and of the policy’s mean after its last iteration; and of the learned ones to proportions ∝ √p*, which would be the best to learn from if the error on scenes of a label fell as one over their number.',
    '',
    line(['arm', 'seed', ...head]),
    `|---|--:|${head.map(() => '--:|').join('')}`,
    ...body,
    '',
  ];
  writeFileSync(join(folder, 'proportions.md'), text.join('\n'));
}
