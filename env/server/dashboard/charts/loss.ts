/** A training: its loss, and the scores of the unfinished model. */
import type { EChartsOption, SeriesOption } from 'echarts';
import type { EarlyScoresOf, Underway } from '../answers.ts';
import { axisLook, common, legendLook, type Palette } from './palette.ts';

/** @param metric the reward's, with the score of the finished model */
export function lossChart(
  losses: Underway['losses'],
  early: EarlyScoresOf,
  metric: { readonly name: string; readonly final: number | undefined },
  palette: Palette,
): EChartsOption {
  const scores = early.flatMap(({ fraction, scores: all }) => {
    const score = all[metric.name];
    return score === undefined ? [] : [[100 * fraction, score]];
  });
  if (scores.length > 0 && metric.final !== undefined) scores.push([100, metric.final]);
  const series: SeriesOption[] = [];
  if (losses.length > 1) {
    const look = { color: palette.accent };
    series.push({
      ...{ type: 'line', name: 'loss', symbol: 'none', itemStyle: look, lineStyle: { width: 2, ...look } },
      data: losses.map(([fraction, loss]) => [100 * fraction, loss]),
    });
  }
  if (scores.length > 0) {
    const look = { color: palette.good };
    series.push({
      ...{
        type: 'line',
        name: metric.name,
        yAxisIndex: 1,
        symbolSize: 7,
        itemStyle: look,
        lineStyle: { width: 2, ...look },
      },
      data: scores,
    });
  }
  const axis = (name: string, position: 'left' | 'right', isShown: boolean) => ({
    ...{ type: 'value' as const, name, position, scale: true, show: isShown, ...axisLook(palette) },
    splitLine: { show: position === 'left', lineStyle: { color: palette.line } },
  });
  return {
    ...common(palette),
    tooltip: { ...common(palette).tooltip, trigger: 'axis' },
    legend: legendLook(palette),
    grid: { left: 8, right: 12, top: 48, bottom: 26, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    xAxis: {
      ...{ type: 'value', name: 'training, %', nameLocation: 'middle', nameGap: 26, min: 0, max: 100 },
      ...axisLook(palette),
      splitLine: { show: false },
    },
    yAxis: [axis('loss', 'left', losses.length > 1), axis(metric.name, 'right', scores.length > 0)],
    series,
  };
}
