/** Parallel coordinates: a line for each evaluation through the values of its θ, in the colour of its reward. */
import type { EChartsOption } from 'echarts';
import { thinned } from '../analysis/thin.ts';
import type { RunData } from '../analysis/run-data.ts';
import { common, type Palette } from './palette.ts';

/** Drawing more lines takes seconds, and shows no more. */
export const MOST_LINES = 1500;

/** A part of an axis that was brushed. */
export interface Brush {
  /** Of a column; the reward is −1. */
  readonly column: number;
  readonly low: number;
  readonly high: number;
}

/** The rows within all brushes. */
export function brushedRows(data: RunData, brushes: readonly Brush[]): number[] {
  return data.scored().filter((i) =>
    brushes.every(({ column, low, high }) => {
      const value = column < 0 ? data.rewards[i]! : data.valuesOf(column)[i]!;
      return value >= low && value <= high;
    }),
  );
}

/**
 * @param columns the axes, from the left; the reward is the last one
 * @param rows    what is drawn: at most MOST_LINES of them, the best always among them
 */
export function parallelChart(
  data: RunData,
  columns: readonly number[],
  rows: readonly number[],
  palette: Palette,
): EChartsOption {
  const byReward = [...rows].sort((a, b) => data.rewards[a]! - data.rewards[b]!);
  const drawn = thinned(byReward.length, MOST_LINES).map((k) => byReward[k]!); // the best last, on top
  const rewards = drawn.map((i) => data.rewards[i]!);
  const text = { color: palette.ink, fontSize: 11 };
  const axis = (column: number, dim: number) => {
    const { name, log, choices } = data.columns[column]!;
    const [min, max] = data.range(column);
    const kind = choices
      ? { type: 'category' as const, data: [...choices] }
      : { type: log ? ('log' as const) : ('value' as const), min, max };
    return { dim, name, ...kind };
  };
  return {
    ...common(palette),
    parallel: {
      ...{ left: 46, right: 64, top: 34, bottom: 18, axisExpandable: false },
      parallelAxisDefault: {
        nameTextStyle: { ...text, width: 90, overflow: 'truncate' },
        nameTruncate: { maxWidth: 96 },
        axisLabel: {
          color: palette.muted,
          fontSize: 10,
          formatter: (value: number | string) =>
            typeof value === 'number' ? String(Number(value.toPrecision(3))) : value,
        },
        axisLine: { lineStyle: { color: palette.muted } },
        axisTick: { lineStyle: { color: palette.muted } },
        areaSelectStyle: { width: 18, color: palette.accent, opacity: 0.25, borderColor: palette.accent },
      },
    },
    parallelAxis: [
      ...columns.map(axis),
      { dim: columns.length, name: data.description.reward, type: 'value', scale: true },
    ],
    visualMap: {
      ...{ show: false, type: 'continuous', dimension: columns.length },
      ...{ min: Math.min(...rewards), max: Math.max(Math.min(...rewards) + 1e-9, ...rewards) },
      inRange: { color: [...palette.scale] },
    },
    series: [
      {
        type: 'parallel',
        lineStyle: { width: 1, opacity: drawn.length > 400 ? 0.35 : 0.55 },
        inactiveOpacity: 0.03,
        activeOpacity: 0.9,
        progressive: 400,
        data: drawn.map((i) => [
          ...columns.map((column) => {
            const { choices } = data.columns[column]!;
            const value = data.valuesOf(column)[i]!;
            return choices ? (choices[value] ?? '') : value;
          }),
          data.rewards[i]!,
        ]),
      },
    ],
  };
}
