/** The importance of parameters as bars, beside what chance alone would give. */
import type { EChartsOption } from 'echarts';
import type { Column } from '../analysis/columns.ts';
import type { Importance } from '../analysis/importance.ts';
import { axisLook, common, type Palette } from './palette.ts';

/** @param all the most important first */
export function importanceChart(
  all: readonly Importance[],
  columns: readonly Column[],
  palette: Palette,
): EChartsOption {
  const rows = [...all].reverse(); // a category axis grows upwards
  const percent = (share: number) => Number((100 * share).toFixed(1));
  return {
    ...common(palette),
    tooltip: { ...common(palette).tooltip, valueFormatter: (value) => `${String(value)} %` },
    grid: { left: 8, right: 24, top: 4, bottom: 26, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    xAxis: { type: 'value', name: 'part of all, %', nameLocation: 'middle', nameGap: 26, min: 0, ...axisLook(palette) },
    yAxis: {
      type: 'category',
      data: rows.map(({ column }) => columns[column]!.name),
      ...axisLook(palette),
      axisLabel: { color: palette.ink, fontSize: 12, width: 150, overflow: 'truncate' },
      splitLine: { show: false },
    },
    series: [
      {
        type: 'bar',
        name: 'importance',
        barWidth: '62%',
        data: rows.map(({ share, chance }) => ({
          value: percent(share),
          itemStyle: { color: share > chance ? palette.accent : palette.muted, borderRadius: [0, 3, 3, 0] },
        })),
      },
      {
        type: 'scatter',
        name: 'by chance, at most',
        symbol: 'rect',
        symbolSize: [2, 12],
        itemStyle: { color: palette.ink },
        data: rows.map(({ chance }) => percent(chance)),
      },
    ],
  };
}
