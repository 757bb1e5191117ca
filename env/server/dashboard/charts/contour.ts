/** Reward over two parameters: a smoothed map, white where nothing was evaluated, with the evaluations on it. */
import type { EChartsOption } from 'echarts';
import { shareOf } from '../analysis/columns.ts';
import type { RunData } from '../analysis/run-data.ts';
import { smoothMap } from '../analysis/smooth.ts';
import { thinned } from '../analysis/thin.ts';
import { axisLook, common, type Palette } from './palette.ts';

const CELLS = 40;
const MOST_POINTS = 1000;

export function contourChart(data: RunData, across: number, up: number, palette: Palette): EChartsOption {
  const shares = [across, up].map((column) => placesOf(data, column));
  const scored = data.scored().filter((i) => !Number.isNaN(shares[0]![i]!) && !Number.isNaN(shares[1]![i]!));
  const map = smoothMap(
    scored.map((i) => [shares[0]![i]!, shares[1]![i]!, data.rewards[i]!] as const),
    CELLS,
  );
  const cells = [...map].flatMap((mean, i) =>
    Number.isNaN(mean) ? [] : [[i % CELLS, Math.floor(i / CELLS), Number(mean.toPrecision(5))]],
  );
  const means = cells.map(([, , mean]) => mean!);
  const shown = thinned(scored.length, MOST_POINTS).map((k) => scored[k]!);
  const best = data.best();
  const truths = [across, up].map((column) => placeOf(data, column, data.truth(column)));
  const look = { ...axisLook(palette), axisTick: { show: false }, splitLine: { show: false } };
  const cellAxis = { type: 'category' as const, data: Array.from({ length: CELLS }, (_, i) => i), show: false };
  /** Over the same part of the plane as the cells, from 0 to 1. */
  const placeAxis = (column: number) => {
    const { choices, name } = data.columns[column]!;
    return {
      ...{ type: 'value' as const, min: 0, max: 1, name, nameLocation: 'middle' as const, ...look },
      ...(choices
        ? { interval: 0.5 / choices.length, axisLabel: { ...look.axisLabel, formatter: choiceAt(choices) } }
        : {
            interval: 0.25,
            axisLabel: { ...look.axisLabel, formatter: (share: number) => valueAt(data, column, share) },
          }),
    };
  };
  const low = Math.min(...means);
  return {
    ...common(palette),
    grid: { left: 30, right: 84, top: 12, bottom: 30, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    xAxis: [cellAxis, { ...placeAxis(across), position: 'bottom', nameGap: 28 }],
    yAxis: [cellAxis, { ...placeAxis(up), position: 'left', nameGap: 44 }],
    visualMap: {
      ...{ type: 'continuous', seriesIndex: 0, min: low, max: Math.max(low + 1e-9, ...means), right: 0, top: 'middle' },
      ...{ itemHeight: 160, precision: 3, inRange: { color: [...palette.scale] } },
      textStyle: { color: palette.muted, fontSize: 11 },
      text: [data.description.reward, ''],
    },
    series: [
      { type: 'heatmap', name: 'smoothed reward', data: cells, progressive: 0 },
      {
        type: 'scatter',
        name: 'evaluation',
        silent: true,
        xAxisIndex: 1,
        yAxisIndex: 1,
        symbolSize: 3,
        itemStyle: { color: palette.ink, opacity: 0.45 },
        data: shown.map((i) => [shares[0]![i]!, shares[1]![i]!]),
      },
      {
        type: 'scatter',
        name: 'best',
        silent: true,
        xAxisIndex: 1,
        yAxisIndex: 1,
        symbolSize: 13,
        itemStyle: { color: 'transparent', borderColor: palette.ink, borderWidth: 2.5 },
        data: best < 0 ? [] : [[shares[0]![best]!, shares[1]![best]!]],
      },
      {
        type: 'scatter',
        name: 'hidden',
        silent: true,
        symbol: 'diamond',
        xAxisIndex: 1,
        yAxisIndex: 1,
        symbolSize: 13,
        itemStyle: { color: 'transparent', borderColor: palette.ink, borderWidth: 2.5 },
        data: truths.some(Number.isNaN) ? [] : [truths],
      },
    ],
  };
}

/** Where values lie, 0 to 1; choices in the middle of their part. */
function placesOf(data: RunData, column: number): number[] {
  return data.columns[column]!.choices
    ? data.valuesOf(column).map((value) => placeOf(data, column, value))
    : data.shares(column);
}

/** Where a value lies: of a choice, in the middle of its part. */
function placeOf(data: RunData, column: number, value: number): number {
  const one = data.columns[column]!;
  return one.choices ? (value + 0.5) / one.choices.length : shareOf(one, value, data.range(column));
}

/** Names of choices in the middle of their parts. */
const choiceAt = (choices: readonly string[]) => (share: number) => {
  const place = share * choices.length - 0.5;
  return Math.abs(place - Math.round(place)) < 1e-6 ? (choices[Math.round(place)] ?? '') : '';
};

/** The value at a share of a column's range. */
function valueAt(data: RunData, column: number, share: number): string {
  const { log } = data.columns[column]!;
  const [low, high] = data.range(column);
  const value = log && low > 0 ? low * (high / low) ** share : low + (high - low) * share;
  return String(Number(value.toPrecision(2)));
}
