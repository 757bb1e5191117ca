/** Charts as SVG and PNG, without a browser. */
import { writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder } from '../../agents/run/make-folder.ts';
import * as vega from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { FONT_FAMILY, rasterise } from './rasterise.ts';

const style = {
  font: FONT_FAMILY,
  background: 'white',
  axis: { grid: true, gridColor: '#e8e8e8', domainColor: '#888', labelFontSize: 11, titleFontSize: 12 },
  legend: { labelFontSize: 11, titleFontSize: 12 },
  view: { stroke: null },
} as const;

/** Lets the ids within SVGs, which count on from chart to chart, begin anew: the same charts then have the same bytes. */
export function restartIds(): void {
  (vega as unknown as { resetSVGDefIds: () => void }).resetSVGDefIds(); // its types leave that out
}

/**
 * Writes a Vega-Lite chart as `<path>.svg` and `<path>.png`.
 *
 * @returns the path of the PNG
 */
export async function writeChart(spec: TopLevelSpec, path: string): Promise<string> {
  const view = new vega.View(vega.parse(compile(spec, { config: style }).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  makeFolder(dirname(path));
  writeFileSync(`${path}.svg`, svg);
  writeFileSync(`${path}.png`, rasterise(svg, 2));
  return `${path}.png`;
}
