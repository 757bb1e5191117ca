/** Reward over one parameter: every evaluation, and their smoothed mean. */
import type { EChartsOption } from 'echarts';
import { numberOf, shareOf } from '../analysis/columns.ts';
import type { RunData } from '../analysis/run-data.ts';
import { smoothLine } from '../analysis/smooth.ts';
import { thinned } from '../analysis/thin.ts';
import { axisLook, common, legendLook, ZOOM, type Palette } from './palette.ts';

const MOST_POINTS = 3000;

/** The axis of a column, of its kind. */
function columnAxis(data: RunData, column: number, palette: Palette) {
  const { name, unit, log, choices } = data.columns[column]!;
  const look = axisLook(palette);
  const title = unit === '' || unit === 'probability' ? name : `${name} (${unit})`;
  if (choices) return { type: 'category' as const, data: [...choices], name: title, ...look };
  const [min, max] = data.range(column);
  const exact = { ...look, axisLabel: { ...look.axisLabel, showMinLabel: true, showMaxLabel: true, formatter: tick } };
  return { type: log ? ('log' as const) : ('value' as const), min, max, name: title, ...exact };
}

const tick = (value: number) => String(Number(value.toPrecision(3)));

export function sliceChart(data: RunData, column: number, palette: Palette): EChartsOption {
  const own = data.columns[column]!;
  const range = data.range(column);
  const values = data.valuesOf(column);
  const scored = data.scored().filter((i) => !Number.isNaN(values[i]!));
  const shown = thinned(scored.length, MOST_POINTS).map((k) => scored[k]!);
  const line = own.choices
    ? []
    : smoothLine(scored.map((i) => [shareOf(own, values[i]!, range), data.rewards[i]!] as const));
  const at = (share: number) =>
    own.log && range[0] > 0 ? range[0] * (range[1] / range[0]) ** share : range[0] + (range[1] - range[0]) * share;
  const best = data.best();
  const truth = numberOf(own, undefined);
  const hidden = data.truth(column);
  return {
    ...common(palette),
    dataZoom: ZOOM,
    legend: legendLook(palette),
    grid: { left: 8, right: 20, top: 52, bottom: 28, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    xAxis: { ...columnAxis(data, column, palette), nameLocation: 'middle', nameGap: 28, splitLine: { show: false } },
    yAxis: {
      ...{ type: 'value', scale: true, name: data.description.reward },
      ...axisLook(palette),
      nameTextStyle: { color: palette.muted, align: 'left' },
    },
    series: [
      {
        type: 'scatter',
        name: 'evaluation',
        symbolSize: shown.length > 800 ? 3 : 5,
        itemStyle: { color: palette.muted, opacity: 0.5 },
        data: shown.map((i) => [values[i]!, data.rewards[i]!]),
      },
      {
        type: 'line',
        name: 'smoothed',
        symbol: 'none',
        lineStyle: { width: 2.5, color: palette.accent },
        itemStyle: { color: palette.accent },
        data: line.map(({ x, mean }) => [at(x), mean]),
        ...(!Number.isNaN(hidden) && {
          markLine: {
            ...{ silent: true, symbol: 'none', lineStyle: { type: 'dashed', color: palette.ink } },
            label: { show: false },
            data: [{ xAxis: hidden }],
          },
        }),
      },
      {
        type: 'scatter',
        name: 'best',
        symbolSize: 12,
        itemStyle: { color: 'transparent', borderColor: palette.good, borderWidth: 2 },
        data: best < 0 || Number.isNaN(values[best] ?? truth) ? [] : [[values[best]!, data.rewards[best]!]],
      },
    ],
  };
}
