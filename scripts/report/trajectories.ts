/** The ways of all parameters of a run as one figure: small pictures in rows. */
import type { RunData } from '../../env/server/dashboard/analysis/run-data.ts';
import type { Palette } from '../../env/server/dashboard/charts/palette.ts';
import { trajectoryPaths } from '../../env/server/dashboard/charts/trajectory.ts';

const COLUMNS = 4;
const SIZE = { width: 170, height: 56 };
const CELL = { width: 222, height: 92 };
const LEFT = 44;
const TOP = 40;

export function trajectoriesFigure(data: RunData, title: string, palette: Palette): string {
  const cells = data.columns.map((_, i) => cell(data, i, palette));
  const rows = Math.ceil(cells.length / COLUMNS);
  const placed = cells.map((content, i) => {
    const [x, y] = [(i % COLUMNS) * CELL.width + 8, Math.floor(i / COLUMNS) * CELL.height + TOP];
    return `<g transform="translate(${x} ${y})">${content}</g>`;
  });
  const size = { width: COLUMNS * CELL.width + 16, height: rows * CELL.height + TOP + 8 };
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}" font-family="${palette.font}">` +
    `<rect width="${size.width}" height="${size.height}" fill="${palette.paper}"/>` +
    `<text x="8" y="22" font-size="14" font-weight="bold" fill="${palette.ink}">${escaped(title)}</text>${placed.join('')}</svg>`
  );
}

function cell(data: RunData, column: number, { ink, muted, accent, good, line }: Palette): string {
  const { name, choices } = data.columns[column]!;
  const [low, high] = choices
    ? [choices[0]!, choices.at(-1)!]
    : data.range(column).map((end) => String(Number(end.toPrecision(3))));
  const { dots, mean, band, truth, best } = trajectoryPaths(data, column, SIZE);
  const path = (d: string, look: string) => (d === '' ? '' : `<path d="${d}" ${look}/>`);
  return [
    `<text x="0" y="10" font-size="11" fill="${ink}">${escaped(name)}</text>`,
    `<text x="${LEFT - 4}" y="26" font-size="9" text-anchor="end" fill="${muted}">${escaped(high!)}</text>`,
    `<text x="${LEFT - 4}" y="${18 + SIZE.height}" font-size="9" text-anchor="end" fill="${muted}">${escaped(low!)}</text>`,
    `<g transform="translate(${LEFT} 18)"><rect width="${SIZE.width}" height="${SIZE.height}" fill="none" stroke="${line}"/>`,
    path(band, `fill="${accent}" fill-opacity="0.2"`),
    path(dots, `fill="none" stroke="${muted}" stroke-opacity="0.5" stroke-width="2.5" stroke-linecap="round"`),
    truth === undefined ? '' : path(`M0 ${truth}H${SIZE.width}`, `fill="none" stroke="${ink}" stroke-dasharray="5 4"`),
    path(mean, `fill="none" stroke="${accent}" stroke-width="1.8"`),
    best ? `<circle cx="${best[0]}" cy="${best[1]}" r="3.5" fill="none" stroke="${good}" stroke-width="1.8"/>` : '',
    '</g>',
  ].join('');
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
