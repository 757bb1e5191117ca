/** The probabilities of a simplex over a search, as the paper draws weathers and car types; dashed: the hidden ones. */
import type { EChartsOption, SeriesOption } from 'echarts';
import type { RunData } from '../analysis/run-data.ts';
import { movingMean, thinned } from '../analysis/thin.ts';
import { axisLook, common, legendLook, ZOOM, type Palette } from './palette.ts';
import { windowOf } from './reward.ts';

const MOST_ON_LINE = 300;

/** The names of the parameters that are probabilities. */
export function simplexesOf({ description }: RunData): string[] {
  return description.parameters.filter(({ labels }) => labels !== undefined).map(({ name }) => name);
}

/** @param name of the parameter. The lines are the policy's mean where there is one, else the mean of the latest evaluations */
export function proportionsChart(data: RunData, name: string, palette: Palette): EChartsOption {
  const columns = data.columns.flatMap(({ parameter }, i) => (parameter.name === name ? [i] : []));
  const told = data.notes.filter(({ mean }) => mean !== undefined);
  const window = windowOf(data.rows.length);
  const truths = columns.map((column) => data.truth(column));
  const series = columns.map((column, k): SeriesOption => {
    const { parameter, label } = data.columns[column]!;
    const colour = palette.series[k % palette.series.length]!;
    const searched = data.valuesOf(column).map((value, i) => (data.purposes[i] === 'search' ? value : NaN));
    const means = told.length > 0 ? [] : movingMean(searched, window);
    const line =
      told.length > 0
        ? thinned(told.length, MOST_ON_LINE).map((i) => [told[i]!.evaluations, told[i]!.mean![column] as number])
        : thinned(means.length, MOST_ON_LINE).map((i) => [data.rows[i]!.seq, means[i]!]);
    const truth = truths[k]!;
    return {
      type: 'line',
      name: parameter.labels![label!]!,
      symbol: 'none',
      lineStyle: { width: 2, color: colour },
      itemStyle: { color: colour },
      data: line,
      ...(!Number.isNaN(truth) && {
        markLine: {
          silent: true,
          symbol: 'none',
          label: { show: false },
          lineStyle: { type: 'dashed', width: 1.5, color: colour },
          data: [{ yAxis: truth }],
        },
      }),
    };
  });
  return {
    ...common(palette),
    dataZoom: ZOOM,
    tooltip: { ...common(palette).tooltip, trigger: 'axis' },
    legend: legendLook(palette),
    grid: { left: 8, right: 16, top: 34, bottom: 26, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    xAxis: {
      ...{ type: 'value', name: 'evaluation', nameLocation: 'middle', nameGap: 26, min: 1 },
      ...{ max: Math.max(2, data.seq), ...axisLook(palette), splitLine: { show: false } },
    },
    yAxis: {
      type: 'value',
      min: 0,
      max: (range: { max: number }) =>
        Math.min(1, Math.ceil(Math.max(range.max, ...truths.filter((truth) => !Number.isNaN(truth))) * 11) / 10),
      ...axisLook(palette),
    },
    series,
  };
}
