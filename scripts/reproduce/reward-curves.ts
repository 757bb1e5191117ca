/** Scores over evaluations: a line for each arm, the mean over its search seeds, and a band for its 95 % interval. */
import { join } from 'node:path';
import { rewardCurve, type CurvePoint } from '../../protocol/reward-curve.ts';
import { coloursOf, writeChart } from '../figures/chart.ts';
import { meanOf, searchOptionsOf } from './arms.ts';
import { areAlike } from './search-log.ts';
import type { Scores } from '../../env/tasks/task.ts';
import type { Figure } from './study.ts';

/** From so many evaluations on, the axis is logarithmic. */
const LOGARITHMIC_FROM = 1000;
/** Pixels. */
const WIDTH = 560;
const HEIGHT = 340;
const LINE_HEIGHT = 14;
/** More intervals than this would hide each other: then each curve has a panel with its own, below. */
const TOGETHER = 3;
const PANELS_ACROSS = 3;
const PANEL = { width: 170, height: 90 };
/** Lines with fewer points than this show each: of a line with one, nothing else would be seen. */
const FEW_POINTS = 10;
/** Pixels between two ticks of the axis of evaluations. */
const TICK = 40;

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

/**
 * A figure of what searches try, over their evaluations, with levels of other arms: of the searches in the parameters of
 * the study, from a start of their own. Searches that discard evaluations are left out: the scores of the others are a
 * choice of the good ones.
 */
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
  /**
   * Arms whose mean on validation is a line; with a title other than the arm's. There are none where searches evaluate
   * otherwise than these arms do.
   */
  levels: readonly { readonly arm: string; readonly title?: string }[];
}): Figure {
  return {
    async draw(evidence, folder) {
      const arms = evidence.arms();
      const { study, preset } = evidence;
      const asStudied = { environment: study.environment, comparedWith: searchOptionsOf(preset) };
      const own = Object.entries(evidence.searches()).filter(([, searches]) =>
        searches.every(
          (search) =>
            areAlike(search, asStudied) &&
            search.startsFrom === undefined &&
            search.trials.every(({ outcome }) => outcome !== 'discarded'),
        ),
      );
      const curves = own.flatMap(([arm, searches]) =>
        rewardCurve(
          arms[arm]!.title,
          searches.map(({ trials }) => trials.map(({ scores }) => score(scores) ?? null)),
        ),
      );
      const isShort = preset.searchOptions !== undefined;
      const references = (isShort ? [] : levels).map(({ arm, title = arms[arm]!.title }) => {
        return [title, meanOf(arms[arm]!.validation.map((scores) => score(scores)!))] as const;
      });
      const metric = isShort ? `${axis}, short evaluations` : axis;
      await drawRewardCurves({ title, metric }, curves, Object.fromEntries(references), join(folder, file));
    },
  };
}

/**
 * Draws the curves of several arms. The intervals of more than three are not drawn over each other, but below, a panel
 * for each arm.
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
  const arms = [...new Set(curves.map(({ arm }) => arm))];
  const colours = coloursOf(arms.length);
  const ends = curves.map(({ evaluations }) => evaluations);
  const right = Math.max(...ends);
  // No more ticks than evaluations, or some would stand between two.
  const ticks = (most: number) =>
    right < LOGARITHMIC_FROM ? { tickCount: Math.min(most, Math.max(1, right - Math.min(...ends))) } : {};
  const scale =
    right < LOGARITHMIC_FROM
      ? ({ type: 'linear', nice: false, zero: false } as const)
      : ({ type: 'log', nice: false } as const);
  const shown = [...curves.map(({ mean }) => mean), ...Object.values(references)];
  const [low, high] = [Math.min(...shown), Math.max(...shown)];
  const margin = 0.08 * (high - low || 1);
  const gap = ((high - low + 2 * margin) * LINE_HEIGHT) / HEIGHT;
  const places = apart(Object.values(references), gap);
  const top = Math.max(high + margin, ...places.map((place) => place + gap / 2));
  const levels = { domain: [low - margin, top], clamp: true, zero: false };
  const y = { type: 'quantitative' as const, scale: levels };
  const x = { field: 'evaluations', type: 'quantitative', scale } as const;

  const band = (values: readonly CurvePoint[], look: object, axes: { x: object; y: object }, color?: object) => ({
    data: { values: [...values] },
    mark: { type: 'area' as const, clip: true, ...look },
    encoding: {
      x: { ...x, ...axes.x },
      y: { field: 'low', ...y, ...axes.y },
      y2: { field: 'high' },
      ...color,
    },
  });
  const line = (values: readonly CurvePoint[], look: object, axes: { x: object; y: object }, color?: object) => ({
    data: { values: [...values] },
    mark: { type: 'line' as const, clip: true, ...look },
    encoding: { x: { ...x, ...axes.x }, y: { field: 'mean', ...y, ...axes.y }, ...color },
  });

  // Vega's place for a title would be beside the axis, upright.
  const axis = { titleAngle: 0, titleAlign: 'left', titleAnchor: 'end', titleX: 0, titleY: -10 } as const;
  const axes = { x: { title: 'evaluations', axis: ticks(WIDTH / TICK) }, y: { title: metric, axis } };
  const legend = { orient: 'bottom', columns: 2, symbolType: 'stroke' } as const;
  const range = { domain: arms, range: colours };
  const color = { color: { field: 'arm', type: 'nominal' as const, title: null, scale: range, legend } };
  const main = {
    width: WIDTH,
    height: HEIGHT,
    layer: [
      ...(arms.length <= TOGETHER ? [band(curves, { opacity: 0.2 }, axes, color)] : []),
      line(curves, { strokeWidth: 2, point: curves.length < FEW_POINTS * arms.length }, axes, color),
      ...Object.entries(references).map(([name, value], i) => levelNamed(name, value, places[i]!, y)),
    ].flat(),
  };
  const bare = {
    x: { title: null, axis: { tickCount: 4, ...ticks(4), labelOverlap: true, labelFontSize: 9 } },
    y: { title: null, axis: { tickCount: 3, labelFontSize: 9 } },
  };
  const panels = arms.map((arm, i) => {
    const own = curves.filter((point) => point.arm === arm);
    const others = curves.filter((point) => point.arm !== arm);
    return {
      ...PANEL,
      title: { text: arm, fontSize: 10, fontWeight: 'normal' as const, anchor: 'start' as const },
      layer: [
        line(others, { strokeWidth: 0.7, color: '#bbb' }, bare, { detail: { field: 'arm' } }),
        band(own, { opacity: 0.3, color: colours[i]! }, bare),
        line(
          own,
          { strokeWidth: 2, color: colours[i]!, point: own.length < FEW_POINTS && { color: colours[i]! } },
          bare,
        ),
      ],
    };
  });
  const heading = { text: title, anchor: 'start', offset: 12 } as const;
  if (arms.length <= TOGETHER) await writeChart({ title: heading, ...main }, path);
  else {
    const below = {
      title: 'Each with its 95 % interval, which the frame may cut',
      concat: panels,
      columns: PANELS_ACROSS,
      spacing: 22,
    };
    const resolve = { scale: { color: 'independent' } } as const; // The legend stays with the curves.
    await writeChart({ title: heading, vconcat: [main, below], spacing: 30, resolve }, path);
  }
}

/** A dashed line at a level, and its name to the right of the picture, where no curve runs. */
function levelNamed(name: string, value: number, place: number, y: object) {
  const named = { type: 'text' as const, align: 'left' as const, baseline: 'middle' as const, fontSize: 11 };
  return [
    {
      data: { values: [{ value }] },
      mark: { type: 'rule' as const, strokeDash: [5, 4], color: '#666' },
      encoding: { y: { field: 'value', ...y } },
    },
    {
      data: { values: [{ place, name }] },
      mark: { ...named, color: '#444' },
      encoding: { x: { value: WIDTH + 6 }, y: { field: 'place', ...y }, text: { field: 'name' } },
    },
  ];
}
