/** Writes PNG files as other programs do: any depth, palette, chunk and order of rows. */
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';

/** https://www.w3.org/TR/png-3/#6Colour-values, and how many samples a pixel has. */
const TYPES = { gray: [0, 1], rgb: [2, 3], indexed: [3, 1], grayAlpha: [4, 2], rgba: [6, 4] } as const;

export interface PngParts {
  readonly width: number;
  readonly type: keyof typeof TYPES;
  /** As they are to be stored, row by row. */
  readonly samples: readonly number[];
  readonly depth?: 1 | 2 | 4 | 8 | 16;
  readonly palette?: readonly (readonly number[])[];
  /** Chunks before the pixels, by type. */
  readonly chunks?: Readonly<Record<string, Buffer>>;
  readonly interlaced?: boolean;
}

/** Where each pass of Adam7 begins, and its steps. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

export function png({ width, type, samples, depth = 8, palette, chunks = {}, interlaced = false }: PngParts): Buffer {
  const [colourType, channels] = TYPES[type];
  const height = samples.length / channels / width;
  const row = (y: number, left: number, step: number): Buffer => {
    let bits = '';
    for (let x = left; x < width; x += step) {
      for (let c = 0; c < channels; c++) {
        bits += samples[(y * width + x) * channels + c]!.toString(2).padStart(depth, '0');
      }
    }
    const bytes = bits.match(/.{1,8}/g) ?? [];
    return Buffer.from([0, ...bytes.map((byte) => parseInt(byte.padEnd(8, '0'), 2))]); // 0: no filter
  };
  const rows: Buffer[] = [];
  for (const [left, top, dx, dy] of interlaced ? PASSES : ([[0, 0, 1, 1]] as const)) {
    for (let y = top; y < height && left < width; y += dy) rows.push(row(y, left, dx));
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colourType, 0, 0, interlaced ? 1 : 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    ...Object.entries(chunks).map(([name, data]) => chunk(name, data)),
    ...(palette ? [chunk('PLTE', Buffer.from(palette.flat()))] : []),
    chunk('IDAT', deflateSync(Buffer.concat(rows))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  return Buffer.concat([uint32(data.length), body, uint32(crc32(body))]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** What a chunk iCCP holds. */
export function profileChunk(profile: Buffer): Buffer {
  return Buffer.concat([Buffer.from('profile\0\0', 'latin1'), deflateSync(profile)]);
}

/** What a chunk gAMA holds: how samples come from light. */
export function gammaChunk(gamma: number): Buffer {
  return uint32(Math.round(gamma * 100_000));
}

/** The colour profile of a display with wide primaries. */
export async function displayP3(): Promise<Buffer> {
  const image = sharp({ create: { width: 1, height: 1, channels: 3, background: 'red' } }).withIccProfile('p3');
  return (await sharp(await image.png().toBuffer()).metadata()).icc!;
}

/** A profile of gray samples: https://www.color.org/specification/ICC.1-2022-05.pdf, 7.2 and 8.3.4 */
export function grayProfile(gamma: number): Buffer {
  const text = (type: string, words: string) =>
    Buffer.concat([Buffer.from(`${type}\0\0\0\0`), Buffer.from(`${words}\0`)]);
  const description = Buffer.concat([Buffer.from('desc\0\0\0\0'), uint32(2), Buffer.from('g\0'), Buffer.alloc(78)]);
  const white = Buffer.concat([Buffer.from('XYZ \0\0\0\0'), uint32(0xf6d6), uint32(0x10000), uint32(0xd32d)]);
  const curve = Buffer.concat([Buffer.from('curv\0\0\0\0'), uint32(1), Buffer.from([gamma, (gamma % 1) * 256])]);
  const tags: [string, Buffer][] = [
    ['cprt', text('text', 'none')],
    ['desc', description],
    ['kTRC', curve],
    ['wtpt', white],
  ];
  const padded = tags.map(([, data]) => Buffer.concat([data, Buffer.alloc(-data.length & 3)]));
  let offset = 128 + 4 + 12 * tags.length;
  const table = tags.map(([name, data], i) => {
    const entry = Buffer.concat([Buffer.from(name), uint32(offset), uint32(data.length)]);
    offset += padded[i]!.length;
    return entry;
  });
  const header = Buffer.alloc(128);
  header.writeUInt32BE(offset, 0);
  header.writeUInt32BE(0x02100000, 8); // version 2.1
  header.write('mntrGRAYXYZ ', 12, 'latin1');
  header.write('acsp', 36, 'latin1');
  Buffer.concat([uint32(0xf6d6), uint32(0x10000), uint32(0xd32d)]).copy(header, 68);
  return Buffer.concat([header, uint32(tags.length), ...table, ...padded]);
}

/** The palette that the tools of Pascal VOC write, whatever the classes are. */
export const VOC_PALETTE = Array.from({ length: 256 }, (_, id) =>
  [0, 1, 2].map((channel) => {
    let value = 0;
    for (let i = 0; i < 8; i++) value |= ((id >> (3 * i + channel)) & 1) << (7 - i);
    return value;
  }),
);
