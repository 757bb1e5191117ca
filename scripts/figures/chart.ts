/** Charts as SVG and PNG, without a browser. */
import * as vega from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { FONT_FAMILY, rasterise } from './rasterise.ts';
import { writeWhole } from '../../protocol/whole-file.ts';

const style = {
  font: FONT_FAMILY,
  background: 'white',
  axis: { grid: true, gridColor: '#e8e8e8', domainColor: '#888', labelFontSize: 11, titleFontSize: 12 },
  legend: { labelFontSize: 11, titleFontSize: 12, labelLimit: 0, symbolStrokeWidth: 3 },
  view: { stroke: null },
} as const;

/** Colours for so many things: ten that differ, then lighter ones between them. */
export function coloursOf(count: number): string[] {
  const colours = vega.scheme(count <= 10 ? 'tableau10' : 'tableau20') as string[];
  return Array.from({ length: count }, (_, i) => colours[i % colours.length]!);
}

/** What is in a Vega specification here: marks within marks, and legends. */
interface Part {
  legends?: vega.Legend[];
  marks?: Part[];
}

/** Widths of letters in the figures' font, in font sizes: without this Vega takes a text for longer than it is. */
const LETTER = { normal: 0.63, bold: 0.72 };
interface Text {
  readonly fontSize?: number;
  readonly fontWeight?: string | number;
}
const metrics = (vega as unknown as { textMetrics: { width: (item: Text, text: unknown) => number } }).textMetrics;
metrics.width = ({ fontSize = 11, fontWeight = 'normal' }, text) =>
  String(text).length * fontSize * (fontWeight === 'bold' ? LETTER.bold : LETTER.normal);

/** Shows the colours themselves in legends: without this they are as faint as the marks of some layer. */
function strengthenLegends({ legends = [], marks = [] }: Part): void {
  for (const { encode } of legends) delete encode?.symbols?.update?.opacity;
  marks.forEach(strengthenLegends);
}

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
  const compiled = compile(spec, { config: style }).spec;
  strengthenLegends(compiled as Part);
  const view = new vega.View(vega.parse(compiled), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  writeWhole(`${path}.svg`, svg);
  writeWhole(`${path}.png`, rasterise(svg, 2));
  return `${path}.png`;
}
