/** Sheets of pictures: rows of images with captions, written as one PNG or JPEG. */
import sharp from 'sharp';
import type { ColourKey } from '../../env/pictures.ts';
import { writeWhole } from '../../protocol/whole-file.ts';
import { FONT_FAMILY, rasterise } from './rasterise.ts';

export interface Cell {
  readonly width: number;
  readonly height: number;
  /** sRGB bytes, uint8 [height, width, 3]. */
  readonly rgb: Uint8Array;
  /** The text below the picture; it may have several lines. */
  readonly caption?: string;
  /** Drawn onto the picture, in its pixels. */
  readonly outlines?: readonly Outline[];
}

/** The outline of a box. */
export interface Outline {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly colour: readonly [red: number, green: number, blue: number];
  /** 1 if left out. */
  readonly opacity?: number;
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
  /** Below the rows. */
  readonly keys?: readonly ColourKey[];
  /** Pixels of the sheet for each pixel of a picture; 2 if left out. */
  readonly scale?: number;
}

const FONT_SIZE = 12;
const LINE = 16;
const GAP = 6;
/** Width that a letter takes at most in a text of some length, in pixels. */
const LETTER = 7.4;

/**
 * Writes a sheet: a JPEG if the path ends in .jpg, otherwise a PNG.
 *
 * Pictures are enlarged without smoothing; every column is as wide as its widest picture or caption.
 *
 * @throws {RangeError} when a picture's bytes are not its width × height × 3; {Error} naming the file that cannot be written
 */
export async function writeSheet(sheet: Sheet, path: string): Promise<void> {
  const png = await renderSheet(sheet);
  writeWhole(path, path.endsWith('.jpg') ? await sharp(png).jpeg({ quality: 74, mozjpeg: true }).toBuffer() : png);
}

/** The sheet as the bytes of a PNG. */
export async function renderSheet({ title, rows, keys = [], scale = 2 }: Sheet): Promise<Buffer> {
  const lines = rows.map((row) => row.caption?.split('\n') ?? []);
  const longest = Math.max(0, ...lines.flat().map((line) => line.length));
  const left = GAP + (longest > 0 ? Math.ceil(longest * LETTER) + GAP : 0);
  const columns = Math.max(1, ...rows.map((row) => row.cells.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(0, ...rows.map((row) => widthOf(row.cells[column], scale))),
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
      const below = y + cell.height * scale + FONT_SIZE + 1;
      const captions = cell.caption?.split('\n') ?? [];
      captions.forEach((line, k) => parts.push(label(x, below + k * LINE, line)));
      height = Math.max(height, cell.height * scale + captions.length * LINE);
      x += widths[column]! + GAP;
    }
    y += height + GAP;
  }
  const pictures = widths.reduce((sum, width) => sum + width + GAP, left);
  const width = Math.max(pictures, GAP * 2 + Math.ceil((title?.length ?? 0) * LETTER * 1.1));
  for (const key of keys) y = addKey(parts, key, y, width);
  return rasterise(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}">${parts.join('')}</svg>`);
}

/** Pixels that a picture and its caption take. */
function widthOf(cell: Cell | undefined, scale: number): number {
  const lines = cell?.caption?.split('\n') ?? [];
  return Math.max((cell?.width ?? 0) * scale, ...lines.map((line) => Math.ceil(line.length * LETTER)));
}

/** Adds a key in as many lines as it needs. @returns the place below it */
function addKey(parts: string[], { title, entries }: ColourKey, top: number, width: number): number {
  let [x, y] = [GAP, top];
  const place = (wide: number): number => {
    if (x > GAP && x + wide > width) [x, y] = [GAP, y + LINE + GAP / 2];
    x += wide;
    return x - wide;
  };
  const wide = (text: string) => Math.ceil(text.length * LETTER) + 2 * GAP;
  parts.push(label(place(wide(title)), y + FONT_SIZE, title, 'font-weight="bold"'));
  for (const { name, colour } of entries) {
    const left = place(FONT_SIZE + GAP + wide(name));
    const look = `fill="rgb(${colour.join()})" stroke="#999" stroke-width="0.5"`;
    parts.push(`<rect x="${left}" y="${y + 1}" width="${FONT_SIZE}" height="${FONT_SIZE}" ${look}/>`);
    parts.push(label(left + FONT_SIZE + GAP, y + FONT_SIZE, name));
  }
  return y + LINE + GAP;
}

function label(x: number, y: number, text: string, attributes = ''): string {
  return `<text x="${x}" y="${y}" font-family="${FONT_FAMILY}" font-size="${FONT_SIZE}" fill="#222" ${attributes}>${escape(text)}</text>`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

async function image(
  { rgb, width, height, outlines = [] }: Cell,
  x: number,
  y: number,
  scale: number,
): Promise<string> {
  if (rgb.length !== width * height * 3) {
    throw new RangeError(`sheet: expected ${width * height * 3} bytes for ${width}×${height}, got ${rgb.length}`);
  }
  const size = { width: width * scale, height: height * scale };
  const png = await sharp(rgb, { raw: { width, height, channels: 3 } })
    .resize({ ...size, kernel: 'nearest' })
    .png()
    .toBuffer();
  const source = `data:image/png;base64,${png.toString('base64')}`;
  const drawn = outlines.map(({ colour, opacity = 1, ...box }) => {
    const [left, top, across, down] = [x + box.x * scale, y + box.y * scale, box.width * scale, box.height * scale];
    const look = `fill="none" stroke="rgb(${colour.join()})" stroke-width="2" stroke-opacity="${opacity}"`;
    return `<rect x="${left}" y="${top}" width="${across}" height="${down}" ${look}/>`;
  });
  const picture = `<image x="${x}" y="${y}" width="${size.width}" height="${size.height}" href="${source}"/>`;
  return picture + drawn.join('');
}
