/** SVG to PNG, the same on every machine: drawn by resvg, with fonts from an npm package. */
import { createRequire } from 'node:module';
import { Resvg } from '@resvg/resvg-js';

export const FONT_FAMILY = 'DejaVu Sans';

const require = createRequire(import.meta.url);
const fontFiles = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((file) =>
  require.resolve(`dejavu-fonts-ttf/ttf/${file}`),
);

/** @param scale pixels for each unit of the SVG */
export function rasterise(svg: string, scale = 1): Buffer {
  const font = { loadSystemFonts: false, fontFiles, defaultFontFamily: FONT_FAMILY };
  return new Resvg(svg, { background: 'white', fitTo: { mode: 'zoom', value: scale }, font }).render().asPng();
}
