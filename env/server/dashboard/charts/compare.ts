/** Groups of runs: the mean reward of successive windows, with its interval over the runs. */
import type { EChartsOption, SeriesOption } from 'echarts';
import { rewardCurve } from '../../../../protocol/reward-curve.ts';
import { searchRewards, type RunGroup } from '../analysis/run-groups.ts';
import { band } from './band.ts';
import { axisLook, common, legendLook, ZOOM, type Palette } from './palette.ts';

/** @param level the reward that is to be reached: a dashed line */
export function compareChart(groups: readonly RunGroup[], level: number, palette: Palette): EChartsOption {
  const series = groups.flatMap(({ name, runs }, k): SeriesOption[] => {
    const colour = palette.series[k % palette.series.length]!;
    const points = rewardCurve(name, runs.map(searchRewards));
    const line: SeriesOption = {
      ...{ type: 'line', name, symbolSize: 5, showSymbol: points.length < 10, z: 3 },
      lineStyle: { width: 2.5, color: colour },
      itemStyle: { color: colour },
      data: points.map(({ evaluations, mean }) => [evaluations, mean]),
      ...(k === 0 && {
        markLine: {
          ...{ silent: true, symbol: 'none', lineStyle: { type: 'dashed', color: palette.muted } },
          label: { formatter: 'to be reached', position: 'insideStartTop', color: palette.muted },
          data: [{ yAxis: level }],
        },
      }),
    };
    if (runs.length < 2) return [line];
    return [
      line,
      band(
        points.map(({ evaluations, low, high }) => [evaluations, low, high] as const),
        `${name} interval`,
        colour,
      ),
    ];
  });
  const last = Math.max(...groups.flatMap(({ runs }) => runs.map((run) => searchRewards(run).length)));
  return {
    ...common(palette),
    dataZoom: ZOOM,
    tooltip: { ...common(palette).tooltip, trigger: 'item' },
    legend: { ...legendLook(palette), data: groups.map(({ name }) => name) },
    grid: { left: 8, right: 16, top: 48, bottom: 28, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    xAxis: {
      ...{ type: 'value', name: 'evaluations', nameLocation: 'middle', nameGap: 28, min: 0, max: Math.max(2, last) },
      ...axisLook(palette),
      splitLine: { show: false },
    },
    yAxis: {
      ...{ type: 'value', scale: true, name: groups[0]!.runs[0]!.description.reward },
      ...axisLook(palette),
      nameTextStyle: { color: palette.muted, align: 'left' },
    },
    series,
  };
}
