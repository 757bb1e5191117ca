/** Sheets of pictures: rows of images with captions, written as one PNG or JPEG. */
import { writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { CLASSES, VOID } from '../../env/streets/classes.ts';
import { FONT_FAMILY, rasterise } from './rasterise.ts';

export interface Cell {
  readonly width: number;
  readonly height: number;
  /** sRGB bytes, uint8 [height, width, 3]. */
  readonly rgb: Uint8Array;
  /** The text below the picture. */
  readonly caption?: string;
}

export interface Row {
  /** The text to the left of the pictures; it may have several lines. */
  readonly caption?: string;
  readonly cells: readonly Cell[];
}

export interface Sheet {
  /** The text above everything. */
  readonly title?: string;
  readonly rows: readonly Row[];
  /** Pixels of the sheet for each pixel of a picture; 2 if left out. */
  readonly scale?: number;
}

const FONT_SIZE = 12;
const LINE = 16;
const GAP = 6;
/** Mean width of a letter in pixels. The caller must keep captions short enough. */
const LETTER = 7.4;

/**
 * Writes a sheet: a JPEG if the path ends in .jpg, otherwise a PNG.
 *
 * Pictures are enlarged without smoothing; every column is as wide as its widest picture.
 *
 * @throws {RangeError} when a picture's bytes are not its width × height × 3
 */
export async function writeSheet(sheet: Sheet, path: string): Promise<void> {
  const png = await renderSheet(sheet);
  await writeFile(path, path.endsWith('.jpg') ? await sharp(png).jpeg({ quality: 80, mozjpeg: true }).toBuffer() : png);
}

/** The sheet as the bytes of a PNG. */
export async function renderSheet({ title, rows, scale = 2 }: Sheet): Promise<Buffer> {
  const lines = rows.map((row) => row.caption?.split('\n') ?? []);
  const longest = Math.max(0, ...lines.flat().map((line) => line.length));
  const left = GAP + (longest > 0 ? Math.ceil(longest * LETTER) + GAP : 0);
  const columns = Math.max(1, ...rows.map((row) => row.cells.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(0, ...rows.map((row) => (row.cells[column]?.width ?? 0) * scale)),
  );

  const parts: string[] = [];
  let y = GAP;
  if (title !== undefined) {
    parts.push(label(GAP, y + FONT_SIZE, title, 'font-weight="bold"'));
    y += LINE + GAP;
  }
  for (const [i, row] of rows.entries()) {
    lines[i]!.forEach((line, k) => parts.push(label(GAP, y + FONT_SIZE + k * LINE, line)));
    let x = left;
    let height = lines[i]!.length * LINE;
    for (const [column, cell] of row.cells.entries()) {
      parts.push(await image(cell, x, y, scale));
      if (cell.caption !== undefined) parts.push(label(x, y + cell.height * scale + FONT_SIZE + 1, cell.caption));
      height = Math.max(height, cell.height * scale + (cell.caption === undefined ? 0 : LINE));
      x += widths[column]! + GAP;
    }
    y += height + GAP;
  }
  const pictures = widths.reduce((sum, width) => sum + width + GAP, left);
  const width = Math.max(pictures, GAP * 2 + Math.ceil((title?.length ?? 0) * LETTER * 1.1));
  return rasterise(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}">${parts.join('')}</svg>`);
}

function label(x: number, y: number, text: string, attributes = ''): string {
  return `<text x="${x}" y="${y}" font-family="${FONT_FAMILY}" font-size="${FONT_SIZE}" fill="#222" ${attributes}>${escape(text)}</text>`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

async function image({ rgb, width, height }: Cell, x: number, y: number, scale: number): Promise<string> {
  if (rgb.length !== width * height * 3) {
    throw new RangeError(`sheet: expected ${width * height * 3} bytes for ${width}×${height}, got ${rgb.length}`);
  }
  const size = { width: width * scale, height: height * scale };
  const png = await sharp(rgb, { raw: { width, height, channels: 3 } })
    .resize({ ...size, kernel: 'nearest' })
    .png()
    .toBuffer();
  const source = `data:image/png;base64,${png.toString('base64')}`;
  return `<image x="${x}" y="${y}" width="${size.width}" height="${size.height}" href="${source}"/>`;
}

/** Class ids as colours, VOID as black. @returns sRGB bytes, uint8 [n, 3] */
export function classColours(classes: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(classes.length * 3);
  classes.forEach((id, i) => {
    if (id !== VOID) rgb.set(CLASSES[id]!.colour, i * 3);
  });
  return rgb;
}

/** Colours from near to far, at equal steps of the logarithm of the distance: yellow, red, violet, black. */
const DEPTH_COLOURS = [
  [252, 253, 191],
  [254, 159, 109],
  [222, 73, 104],
  [140, 41, 129],
  [59, 15, 112],
  [0, 0, 4],
] as const;
const NEAREST = 2;
const FURTHEST = 200;

/** Distances in metres as colours from 2 m (pale yellow) to 200 m (black); Infinity is white. @returns uint8 [n, 3] */
export function depthColours(depth: Float32Array): Uint8Array {
  const rgb = new Uint8Array(depth.length * 3).fill(255);
  const last = DEPTH_COLOURS.length - 1;
  depth.forEach((metres, i) => {
    if (!Number.isFinite(metres)) return;
    const share = Math.log(metres / NEAREST) / Math.log(FURTHEST / NEAREST);
    const at = Math.min(1, Math.max(0, share)) * last;
    const step = Math.min(last - 1, Math.floor(at));
    const [from, to] = [DEPTH_COLOURS[step]!, DEPTH_COLOURS[step + 1]!];
    for (let c = 0; c < 3; c++) rgb[i * 3 + c] = from[c]! + (to[c]! - from[c]!) * (at - step);
  });
  return rgb;
}
