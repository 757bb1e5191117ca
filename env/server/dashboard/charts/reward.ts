/** Reward over the evaluations of a run. */
import type { EChartsOption, SeriesOption } from 'echarts';
import type { RewardNoise, ThetaGroup } from '../analysis/noise.ts';
import type { Purpose, RunData } from '../analysis/run-data.ts';
import { bestSoFar, movingMean, movingSpread, stepsOf, thinned } from '../analysis/thin.ts';
import { band } from './band.ts';
import { axisLook, common, legendLook, ZOOM, type Palette } from './palette.ts';

/** More points than this are thinned: a screen has fewer places. */
const MOST_POINTS = 4000;
const MOST_ON_LINE = 600;

const PURPOSES: Readonly<Record<Purpose, { name: string; symbol: string }>> = {
  search: { name: 'search', symbol: 'circle' },
  finalist: { name: 'finalists, again', symbol: 'diamond' },
  report: { name: 'final report', symbol: 'triangle' },
};

/** The number of evaluations that the line of their mean takes together. */
export const windowOf = (count: number) => Math.max(4, Math.round(count / 25));

/**
 * Every reward, the best so far, mean and spread of the latest ones, and the mean of each θ that was evaluated several times
 * with its 95 % interval.
 *
 * @param last only the last so many evaluations; 0 for all
 */
export function rewardChart(
  data: RunData,
  groups: readonly ThetaGroup[],
  noise: RewardNoise | undefined,
  palette: Palette,
  { last = 0, metric = data.description.reward }: { last?: number; metric?: string } = {},
): EChartsOption {
  const { rewards, purposes, rows } = data;
  const from = last > 0 ? Math.max(0, rewards.length - last) : 0;
  const numberAt = (i: number) => rows[i]!.seq;
  const scored = data.scored().filter((i) => i >= from);
  const shown = thinned(scored.length, MOST_POINTS).map((k) => scored[k]!);
  // The best point is never left out.
  const best = data.best();
  if (best >= from && !shown.includes(best)) shown.push(best);
  const points = (purpose: Purpose) => shown.filter((i) => purposes[i] === purpose);
  const bests = bestSoFar(rewards);
  const steps = stepsOf(bests).filter((i) => i >= from);
  if (from < rewards.length && steps[0] !== from && !Number.isNaN(bests[from]!)) steps.unshift(from);
  const searched = rewards.map((reward, i) => (purposes[i] === 'search' ? reward : NaN));
  const window = windowOf(rewards.length);
  const means = movingMean(searched, window);
  const spreads = movingSpread(searched, window);
  const line = thinned(rewards.length - from, MOST_ON_LINE)
    .map((k) => k + from)
    .filter((i) => purposes[i] === 'search' && !Number.isNaN(means[i]!));
  const repeated = groups.filter(({ rows: all }) => all.length > 1 && all.at(-1)! >= from).slice(-200);

  const series: SeriesOption[] = (Object.keys(PURPOSES) as Purpose[]).map((purpose, k) => ({
    type: 'scatter',
    name: PURPOSES[purpose].name,
    symbol: PURPOSES[purpose].symbol,
    symbolSize: purpose === 'search' ? (shown.length > 800 ? 3 : 5) : 8,
    itemStyle: {
      color: purpose === 'search' ? palette.muted : palette.series[k]!,
      opacity: purpose === 'search' ? 0.55 : 0.9,
    },
    large: purpose === 'search' && shown.length > 2000,
    data: points(purpose).map((i) => [numberAt(i), rewards[i]!]),
  }));
  series.push(
    {
      type: 'line',
      name: 'best so far',
      step: 'end',
      symbol: 'none',
      lineStyle: { width: 1.5, color: palette.good },
      itemStyle: { color: palette.good },
      data: steps.map((i) => [numberAt(i), bests[i]!]),
    },
    {
      type: 'line',
      name: `mean of the last ${window}`,
      symbol: 'none',
      lineStyle: { width: 2.5, color: palette.accent },
      itemStyle: { color: palette.accent },
      data: line.map((i) => [numberAt(i), means[i]!]),
    },
  );
  series.push(
    band(
      line
        .filter((i) => !Number.isNaN(spreads[i]!))
        .map((i) => [numberAt(i), means[i]! - spreads[i]!, means[i]! + spreads[i]!] as const),
      'their spread (sd)',
      palette.accent,
    ),
  );
  if (repeated.length > 0 && noise) {
    const ends = repeated.map(({ rows: all, mean, half }) => [numberAt(all.at(-1)!), mean, mean - half, mean + half]);
    series.push({
      type: 'custom',
      name: 'same θ, several seeds: mean, 95 %',
      itemStyle: { color: palette.ink },
      encode: { x: 0, y: [1, 2, 3], tooltip: [1, 2, 3] },
      data: ends,
      renderItem: (_parameters, api) => {
        const [x, mean] = api.coord([api.value(0), api.value(1)]) as [number, number];
        const [, low] = api.coord([api.value(0), api.value(2)]) as [number, number];
        const [, high] = api.coord([api.value(0), api.value(3)]) as [number, number];
        const style = { stroke: palette.ink, lineWidth: 1.5, fill: palette.ink };
        return {
          type: 'group',
          children: [
            { type: 'line', shape: { x1: x, y1: low, x2: x, y2: high }, style },
            { type: 'line', shape: { x1: x - 4, y1: low, x2: x + 4, y2: low }, style },
            { type: 'line', shape: { x1: x - 4, y1: high, x2: x + 4, y2: high }, style },
            { type: 'circle', shape: { cx: x, cy: mean, r: 3 }, style },
          ],
        };
      },
    });
  }
  return {
    ...common(palette),
    dataZoom: ZOOM,
    legend: {
      ...legendLook(palette),
      data: series.filter(({ data: all }) => (all as unknown[]).length > 0).map(({ name }) => String(name)),
    },
    grid: { left: 8, right: 16, top: 48, bottom: 26, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    xAxis: {
      type: 'value',
      name: 'evaluation',
      nameLocation: 'middle',
      nameGap: 26,
      min: from + 1,
      max: Math.max(from + 2, rewards.length),
      minInterval: 1,
      ...axisLook(palette),
      splitLine: { show: false },
    },
    yAxis: { type: 'value', name: metric, scale: true, ...axisLookNamed(palette) },
    series,
  };
}

/** A value axis whose name stands above it, from its left. */
function axisLookNamed(palette: Palette) {
  const look = axisLook(palette);
  return { ...look, nameTextStyle: { ...look.nameTextStyle, align: 'left' as const } };
}
