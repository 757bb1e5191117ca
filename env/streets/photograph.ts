/** Reads photographs as a screen shows them. */
import sharp from 'sharp';
import { decodedFile } from './image-file.ts';

export interface Photograph {
  readonly width: number;
  readonly height: number;
  /** Colours as a screen shows them (sRGB), uint8 [height, width, 3]. */
  readonly rgb: Uint8Array;
}

/**
 * Reads a photograph whole: turned as its EXIF says, converted from its profile (gray, RGB or CMYK) to sRGB, 16 bits
 * rounded to 8. Alpha is left out, and with it what it hides shows.
 *
 * @throws {Error} naming the file, when it is no image, or not a whole one
 */
export async function readPhotograph(path: string): Promise<Photograph> {
  return decodedFile(path, photographOf);
}

async function photographOf(bytes: Buffer): Promise<Photograph> {
  const image = sharp(bytes).autoOrient().removeAlpha();
  const wide = (await image.metadata()).depth === 'ushort';
  const { data, info } = await image
    .toColourspace(wide ? 'rgb16' : 'srgb')
    .raw({ depth: wide ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  if (!wide) return { width, height, rgb: data };
  const samples = new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
  return { width, height, rgb: Uint8Array.from(samples, (sample) => Math.round(sample / 257)) };
}

/** The part of a photograph, scaled: uint8 [height, width, 3]. */
export async function scaled(
  { width, height, rgb }: Photograph,
  part: { readonly left: number; readonly top: number; readonly width: number; readonly height: number },
  size: { readonly width: number; readonly height: number },
): Promise<Uint8Array> {
  const image = sharp(rgb, { raw: { width, height, channels: 3 } }).extract(part);
  return new Uint8Array(await image.resize(size.width, size.height, { fit: 'fill' }).raw().toBuffer());
}
