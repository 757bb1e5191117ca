/**
 * The numbers that a PNG stores.
 *
 * To an image library samples are light: it applies colour profile, gamma, palette and depth to them. Labels are
 * numbers, so the library is given a file that has nothing but them: the chunks that say how they look are left out, and
 * indices of a palette are declared as gray.
 */
import { crc32 } from 'node:zlib';
import sharp from 'sharp';

export interface StoredSamples {
  readonly width: number;
  readonly height: number;
  /** 3 for colours; 1 for gray and for the indices of a palette. Alpha is left out. */
  readonly channels: 1 | 3;
  /** As they are stored, of 1 to 16 bits, [height, width, channels]. */
  readonly samples: Uint8Array | Uint16Array;
  /** The colours behind the indices, as red · 65536 + green · 256 + blue. */
  readonly palette?: readonly number[];
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** The pixels, and which way is up. */
const KEPT = ['IDAT', 'eXIf', 'IEND'];
/** Colour types: https://www.w3.org/TR/png-3/#6Colour-values */
const GRAY = 0;
const INDEXED = 3;

interface Chunk {
  readonly type: string;
  readonly data: Buffer;
  /** Length, type, data and check sum as they stand in the file. */
  readonly whole: Buffer;
}

function* chunksOf(png: Buffer): Generator<Chunk> {
  for (let at = SIGNATURE.length; at + 8 <= png.length;) {
    const end = at + 8 + png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    yield { type, data: png.subarray(at + 8, end), whole: png.subarray(at, end + 4) };
    at = end + 4;
  }
}

function chunk(type: string, data: Buffer): Buffer {
  const whole = Buffer.alloc(data.length + 12);
  whole.writeUInt32BE(data.length);
  whole.write(type, 4, 'latin1');
  data.copy(whole, 8);
  whole.writeUInt32BE(crc32(whole.subarray(4, -4)), data.length + 8);
  return whole;
}

/** The file without what changes its numbers, its bits a sample, and its palette if it has one. */
function bared(png: Buffer): { bare: Buffer; depth: number; palette: readonly number[] | undefined } {
  if (!png.subarray(0, SIGNATURE.length).equals(SIGNATURE)) throw new Error('no PNG, which keeps numbers as they are');
  const kept: Buffer[] = [SIGNATURE];
  let depth = 0;
  let palette: number[] | undefined;
  for (const { type, data, whole } of chunksOf(png)) {
    if (type === 'IHDR' && data.length === 13) {
      depth = data[8]!;
      const header = Buffer.from(data);
      if (data[9] === INDEXED) {
        header[9] = GRAY;
        palette = [];
      }
      kept.push(chunk('IHDR', header));
    }
    if (type === 'PLTE' && palette) {
      for (let i = 0; i + 3 <= data.length; i += 3) palette.push(data.readUIntBE(i, 3));
    }
    if (KEPT.includes(type)) kept.push(whole);
  }
  return { bare: Buffer.concat(kept), depth, palette };
}

/**
 * Reads a PNG, turned as its EXIF says.
 *
 * Samples of 16 bits that are samples of 8 bits widened (each is a multiple of 257) are those of 8 bits.
 *
 * @throws {Error} when the bytes are no PNG, or not a whole one
 */
export async function storedSamples(png: Buffer): Promise<StoredSamples> {
  const { bare, depth, palette } = bared(png);
  const image = sharp(bare).autoOrient().removeAlpha();
  const isGray = ['b-w', 'grey16'].includes((await image.metadata()).space);
  const wide = depth === 16;
  const { data, info } = await image
    .toColourspace(isGray ? (wide ? 'grey16' : 'b-w') : wide ? 'rgb16' : 'srgb')
    .raw({ depth: wide ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const samples = wide
    ? narrowed(new Uint16Array(data.buffer, data.byteOffset, data.length / 2))
    : new Uint8Array(data);
  const most = 2 ** depth - 1;
  return {
    width: info.width,
    height: info.height,
    channels: isGray ? 1 : 3,
    // The library spreads 1, 2 and 4 bits over 0 to 255.
    samples: depth < 8 ? samples.map((sample) => (sample * most) / 255) : samples,
    ...(palette && { palette }),
  };
}

function narrowed(samples: Uint16Array): Uint16Array {
  return samples.every((sample) => sample % 257 === 0) ? samples.map((sample) => sample / 257) : samples;
}
