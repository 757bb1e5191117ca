/** Scores over evaluations: a line for each arm, the mean over its search seeds, in a band of its 95 % interval. */
import type { TopLevelSpec } from 'vega-lite';
import { summarise } from '../../agents/statistics.ts';
import { writeChart } from '../figures/chart.ts';

/** From so many evaluations on, the axis is logarithmic. */
const LOGARITHMIC_FROM = 1000;
/** Points on a line; the rewards between two of them are averaged. */
const POINTS = 25;

export interface CurvePoint {
  readonly arm: string;
  /** Evaluations at the end of the window. */
  readonly evaluations: number;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The mean reward of successive windows of a search, over its seeds.
 *
 * Windows grow with the evaluations, as the axis of the figure is logarithmic; the first ends at 16, so that each
 * holds enough to average.
 *
 * @param rewards of each seed's search, in its order; null where an evaluation failed
 */
export function rewardCurve(arm: string, rewards: readonly (readonly (number | null)[])[]): CurvePoint[] {
  const total = Math.min(...rewards.map(({ length }) => length));
  const first = Math.min(16, total);
  const ends = Array.from({ length: POINTS }, (_, i) => Math.round(first * (total / first) ** (i / (POINTS - 1))));
  const points: CurvePoint[] = [];
  let begin = 0;
  for (const end of new Set(ends)) {
    if (end - begin < Math.min(8, total) && end < total) continue; // too few to average: part of the next window
    const means = rewards.flatMap((row) => {
      const known = row.slice(begin, end).filter((reward) => reward !== null);
      return known.length > 0 ? [known.reduce((sum, reward) => sum + reward, 0) / known.length] : [];
    });
    begin = end;
    if (means.length === 0) continue;
    const { mean, ci95 } = summarise(means);
    points.push({ arm, evaluations: end, mean, low: ci95?.[0] ?? mean, high: ci95?.[1] ?? mean });
  }
  return points;
}

/**
 * Draws the curves of several arms.
 *
 * @param references levels without a search, such as the ceiling, by title
 * @param path       without an ending: `.svg` and `.png` are written
 */
export async function drawRewardCurves(
  { title, metric }: { title: string; metric: string },
  curves: readonly CurvePoint[],
  references: Readonly<Record<string, number>>,
  path: string,
): Promise<void> {
  const levels = Object.entries(references).map(([name, value]) => ({ name, value }));
  const right = Math.max(...curves.map(({ evaluations }) => evaluations));
  const type = right < LOGARITHMIC_FROM ? 'linear' : 'log';
  const x = {
    field: 'evaluations',
    type: 'quantitative',
    scale: { type, nice: false, zero: false },
    title: 'evaluations',
  } as const;
  const legend = { labelLimit: 0, symbolType: 'stroke', symbolOpacity: 1, symbolStrokeWidth: 3 } as const;
  const color = { field: 'arm', type: 'nominal', title: null, sort: null, legend } as const;
  const shown = [...curves.map(({ mean }) => mean), ...Object.values(references)];
  const [low, high] = [Math.min(...shown), Math.max(...shown)];
  const margin = 0.08 * (high - low || 1);
  const y = { scale: { domain: [low - margin, high + margin], clamp: true, zero: false } };
  const spec: TopLevelSpec = {
    title,
    width: 560,
    height: 340,
    layer: [
      {
        data: { values: [...curves] },
        mark: { type: 'area', opacity: 0.13, clip: true },
        encoding: {
          x,
          y: { field: 'low', type: 'quantitative', title: metric, ...y },
          y2: { field: 'high' },
          color,
        },
      },
      {
        data: { values: [...curves] },
        mark: { type: 'line', strokeWidth: 2, clip: true },
        encoding: { x, y: { field: 'mean', type: 'quantitative', ...y }, color },
      },
      {
        data: { values: levels },
        mark: { type: 'rule', strokeDash: [5, 4], color: '#666' },
        encoding: { y: { field: 'value', type: 'quantitative', ...y } },
      },
      {
        data: { values: levels.map((level) => ({ ...level, evaluations: right })) },
        mark: { type: 'text', align: 'right', baseline: 'bottom', dy: -2, color: '#444', fontSize: 11 },
        encoding: { x, y: { field: 'value', type: 'quantitative', ...y }, text: { field: 'name' } },
      },
    ],
  };
  await writeChart(spec, path);
}
