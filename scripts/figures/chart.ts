/** Charts as SVG and PNG, without a browser. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { FONT_FAMILY, rasterise } from './rasterise.ts';

const style = {
  font: FONT_FAMILY,
  background: 'white',
  axis: { grid: true, gridColor: '#e8e8e8', domainColor: '#888', labelFontSize: 11, titleFontSize: 12 },
  legend: { labelFontSize: 11, titleFontSize: 12 },
  view: { stroke: null },
} as const;

/**
 * Writes a Vega-Lite chart as `<path>.svg` and `<path>.png`.
 *
 * @returns the path of the PNG
 */
export async function writeChart(spec: TopLevelSpec, path: string): Promise<string> {
  const view = new View(parse(compile(spec, { config: style }).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.svg`, svg);
  writeFileSync(`${path}.png`, rasterise(svg, 2));
  return `${path}.png`;
}
