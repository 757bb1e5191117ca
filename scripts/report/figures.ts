/** The charts of the page as SVG and PNG, drawn without a browser. */
import { join } from 'node:path';
import { BarChart, CustomChart, HeatmapChart, LineChart, ParallelChart, ScatterChart } from 'echarts/charts';
import {
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  ParallelComponent,
  TitleComponent,
  TooltipComponent,
  VisualMapContinuousComponent,
} from 'echarts/components';
import { init, setPlatformAPI, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { EChartsOption } from 'echarts';
import { importances } from '../../env/server/dashboard/analysis/importance.ts';
import { noiseOf, thetaGroups, withIntervals } from '../../env/server/dashboard/analysis/noise.ts';
import { evaluationRow } from '../../env/server/dashboard/analysis/rows.ts';
import { RunData, runName } from '../../env/server/dashboard/analysis/run-data.ts';
import { groupRuns, searchRewards } from '../../env/server/dashboard/analysis/run-groups.ts';
import type { ReportedRuns } from '../../env/server/dashboard/answers.ts';
import { compareChart } from '../../env/server/dashboard/charts/compare.ts';
import { contourChart } from '../../env/server/dashboard/charts/contour.ts';
import { importanceChart } from '../../env/server/dashboard/charts/importance.ts';
import { LIGHT, type Palette } from '../../env/server/dashboard/charts/palette.ts';
import { MOST_LINES, parallelChart } from '../../env/server/dashboard/charts/parallel.ts';
import { proportionsChart, simplexesOf } from '../../env/server/dashboard/charts/proportions.ts';
import { rewardChart } from '../../env/server/dashboard/charts/reward.ts';
import { sliceChart } from '../../env/server/dashboard/charts/slice.ts';
import { thinned } from '../../env/server/dashboard/analysis/thin.ts';
import { defaultLevel } from '../../protocol/reward-curve.ts';
import { writeWhole } from '../../protocol/whole-file.ts';
import { FONT_FAMILY, rasterise } from '../figures/rasterise.ts';
import { trajectoriesFigure } from './trajectories.ts';

use([
  ...[BarChart, CustomChart, HeatmapChart, LineChart, ParallelChart, ScatterChart, SVGRenderer, GridComponent],
  ...[
    LegendComponent,
    MarkLineComponent,
    ParallelComponent,
    TitleComponent,
    TooltipComponent,
    VisualMapContinuousComponent,
  ],
]);

/** The mean width of a letter of the figures' font, in font sizes: without a canvas, ECharts takes all for narrower. */
const LETTER = 0.62;
setPlatformAPI({
  measureText: (text, font) => ({ width: text.length * LETTER * Number(/([\d.]+)px/.exec(font ?? '')?.[1] ?? 12) }),
});

const PALETTE: Palette = { ...LIGHT, font: FONT_FAMILY };
const WIDTH = 900;
const HEIGHT = 420;
const TITLE = 34;
const MOST_BARS = 12;
const MOST_AXES = 7;

/**
 * Draws the figures of a report into a folder: of each run, and of those together whose rewards can be compared.
 *
 * @returns the paths of the PNGs; an SVG lies beside each
 */
export function drawFigures({ runs }: ReportedRuns, folder: string): string[] {
  const all = runs.map(dataOf);
  const paths: string[] = [];
  const write = (name: string, svg: string) => {
    const path = join(folder, name);
    writeWhole(`${path}.svg`, svg);
    writeWhole(`${path}.png`, rasterise(svg, 2));
    paths.push(`${path}.png`);
  };
  all.forEach((data, i) => {
    const prefix = all.length === 1 ? '' : `${i + 1}-${fileName(agentAndSeed(data))}-`;
    for (const [name, svg] of runFigures(data)) write(`${prefix}${name}`, svg);
  });
  const scored = all.filter((data) => data.scored().length > 0);
  for (const hash of new Set(scored.map(({ description }) => description.spec_hash))) {
    const same = scored.filter(({ description }) => description.spec_hash === hash);
    if (same.length < 2) continue;
    const groups = groupRuns(same);
    const level = defaultLevel(groups.map((group) => group.runs.map(searchRewards)));
    const { env_id } = same[0]!.description;
    const title = `Mean reward of each agent, ${env_id}`;
    write(`compare-${fileName(env_id)}-${hash.slice(0, 6)}`, chart(title, compareChart(groups, level, PALETTE)));
  }
  return paths;
}

function dataOf({ description, evaluations, notes }: ReportedRuns['runs'][number]): RunData {
  const data = new RunData(description);
  const metrics = description.metrics.map(({ name }) => name);
  data.add(evaluations.map((entry) => evaluationRow(entry, data.columns, metrics)));
  data.addNotes(notes);
  return data;
}

function* runFigures(data: RunData): Generator<[name: string, svg: string]> {
  const title = runName(data.description);
  const groups = thetaGroups(data);
  const noise = noiseOf(data, groups);
  yield ['reward', chart(title, rewardChart(data, withIntervals(groups, noise), noise, PALETTE))];
  yield ['trajectories', trajectoriesFigure(data, title, PALETTE)];
  for (const name of simplexesOf(data)) {
    yield [`proportions-${fileName(name)}`, chart(`${name}: ${title}`, proportionsChart(data, name, PALETTE))];
  }
  const all = importances(data);
  const [first, second] = all;
  if (!first || !second) return;
  const top = all.slice(0, MOST_BARS);
  yield ['importance', chart(title, importanceChart(top, data.columns, PALETTE), 90 + 26 * top.length)];
  yield [`slice-${fileName(data.columns[first.column]!.name)}`, chart(title, sliceChart(data, first.column, PALETTE))];
  yield ['contour', chart(title, contourChart(data, first.column, second.column, PALETTE))];
  const axes = all.slice(0, MOST_AXES).map(({ column }) => column);
  const scored = data.scored();
  const rows = thinned(scored.length, MOST_LINES).map((k) => scored[k]!);
  yield [
    'parallel',
    chart(
      title,
      parallelChart(
        data,
        axes.sort((a, b) => a - b),
        rows,
        PALETTE,
      ),
    ),
  ];
}

function agentAndSeed({ description: { about } }: RunData): string {
  const seed = about?.options?.['seed'];
  return `${about?.agent ?? 'run'}${typeof seed === 'number' ? `-${seed}` : ''}`;
}

/** Names of parameters and agents come from outside. */
const fileName = (name: string) =>
  name
    .replace(/[^\w.-]/g, '_')
    .replace(/^\.+/, '_')
    .slice(0, 60);

/** A chart of the page with a title above it, as SVG. */
function chart(title: string, option: EChartsOption, height = HEIGHT): string {
  const drawn = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: height + TITLE });
  try {
    drawn.setOption({
      ...lowered(option),
      title: { text: title, left: 8, top: 6, textStyle: { fontSize: 14, color: PALETTE.ink } },
    });
    return drawn.renderToSVGString();
  } finally {
    drawn.dispose();
  }
}

/** The same chart, with room for a title. Pages scroll their legends; a figure shows all of it. */
function lowered(option: EChartsOption): EChartsOption {
  const lower = (part: unknown, by = TITLE) => {
    const { top = 0 } = part as { top?: number | string };
    return { ...(part as object), ...(typeof top === 'number' && { top: top + by }) };
  };
  const still = { ...option };
  delete still.dataZoom;
  return {
    ...still,
    backgroundColor: PALETTE.paper,
    // A legend may take two lines.
    ...(option.grid && { grid: lower(option.grid, option.legend ? TITLE + 16 : TITLE) }),
    ...(option.legend && { legend: { ...lower(option.legend), type: 'plain' } }),
    ...('parallel' in option && { parallel: lower(option['parallel']) }),
  };
}
