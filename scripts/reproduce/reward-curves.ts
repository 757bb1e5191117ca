/** Scores over evaluations: a line for each arm, the mean over its search seeds, in a band of its 95 % interval. */
import { join } from 'node:path';
import type { TopLevelSpec } from 'vega-lite';
import { summarise } from '../../agents/run/statistics.ts';
import { writeChart } from '../figures/chart.ts';
import { meanOf } from './arms.ts';
import type { Scores } from '../../env/tasks/task.ts';
import type { Figure } from './study.ts';

/** From so many evaluations on, the axis is logarithmic. */
const LOGARITHMIC_FROM = 1000;
/** Pixels. */
const HEIGHT = 340;
const LINE_HEIGHT = 14;
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

/** Where to write the names of levels: at their level, or above the name below if that is nearer than `gap`. */
export function apart(levels: readonly number[], gap: number): number[] {
  const places = [...levels];
  let below = -Infinity;
  for (const i of levels.map((_, i) => i).sort((i, j) => levels[i]! - levels[j]!)) {
    places[i] = Math.max(levels[i]!, below + gap);
    below = places[i]!;
  }
  return places;
}

/** A figure of the searches' scores over their evaluations, with levels of other arms. */
export function curvesFigure({
  file,
  title,
  axis,
  score,
  levels,
}: {
  /** Without an ending. */
  file: string;
  title: string;
  axis: string;
  /** What of an evaluation's scores is shown; it has none where it failed. */
  score: (scores: Scores) => number | undefined;
  /** Arms whose mean on validation is a line; with a title other than the arm's. */
  levels: readonly { readonly arm: string; readonly title?: string }[];
}): Figure {
  return {
    async draw(evidence, folder) {
      const arms = evidence.arms();
      const curves = Object.entries(evidence.searches()).flatMap(([arm, searches]) =>
        rewardCurve(
          arms[arm]!.title,
          searches.map(({ trials }) => trials.map(({ scores }) => score(scores) ?? null)),
        ),
      );
      const references = levels.map(({ arm, title = arms[arm]!.title }) => {
        return [title, meanOf(arms[arm]!.validation.map((scores) => score(scores)!))] as const;
      });
      await drawRewardCurves({ title, metric: axis }, curves, Object.fromEntries(references), join(folder, file));
    },
  };
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
  const scale =
    right < LOGARITHMIC_FROM
      ? ({ type: 'linear', nice: false, zero: false } as const)
      : ({ type: 'log', nice: false } as const);
  const x = {
    field: 'evaluations',
    type: 'quantitative',
    scale,
    title: 'evaluations',
  } as const;
  const legend = { labelLimit: 0, symbolType: 'stroke', symbolOpacity: 1, symbolStrokeWidth: 3 } as const;
  const color = { field: 'arm', type: 'nominal', title: null, sort: null, legend } as const;
  const shown = [...curves.map(({ mean }) => mean), ...Object.values(references)];
  const [low, high] = [Math.min(...shown), Math.max(...shown)];
  const margin = 0.08 * (high - low || 1);
  const gap = ((high - low + 2 * margin) * LINE_HEIGHT) / HEIGHT;
  const places = apart(Object.values(references), gap);
  const top = Math.max(high + margin, ...places.map((place) => place + gap));
  const y = { scale: { domain: [low - margin, top], clamp: true, zero: false } };
  // Vega takes a title for longer than it is: upright it would reach beyond the picture.
  const axis = { titleAngle: 0, titleAlign: 'left', titleAnchor: 'end', titleX: 0, titleY: -10 } as const;
  const names = levels.map(({ name }, i) => ({ name, place: places[i]!, evaluations: right }));
  const named = (look: object) => ({
    data: { values: names },
    mark: {
      type: 'text' as const,
      align: 'right' as const,
      baseline: 'bottom' as const,
      dy: -2,
      fontSize: 11,
      ...look,
    },
    encoding: { x, y: { field: 'place', type: 'quantitative' as const, ...y }, text: { field: 'name' } },
  });
  const spec: TopLevelSpec = {
    title: { text: title, anchor: 'start', offset: 12 },
    width: 560,
    height: HEIGHT,
    layer: [
      {
        data: { values: [...curves] },
        mark: { type: 'area', opacity: 0.13, clip: true },
        encoding: {
          x,
          y: { field: 'low', type: 'quantitative', title: metric, axis, ...y },
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
      named({ stroke: 'white', strokeWidth: 4, strokeJoin: 'round' }), // So that no line runs through a name.
      named({ color: '#444' }),
    ],
  };
  await writeChart(spec, path);
}
