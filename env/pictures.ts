/** Pictures for people: of samples, and of what a trained model predicts for them. */

/** Pictures of one kind, one for each of some samples, side by side: images, labels, depth. */
export interface Strip {
  readonly name: string;
  /** What the pictures show, in a sentence. */
  readonly meaning: string;
  readonly pictures: readonly RgbPicture[];
  readonly key?: ColourKey['entries'];
}

export interface RgbPicture {
  readonly width: number;
  readonly height: number;
  /** sRGB bytes, uint8 [height, width, 3]. */
  readonly rgb: Uint8Array;
  readonly caption?: string;
}

/** What colours mean. */
export interface ColourKey {
  readonly title: string;
  readonly entries: readonly KeyEntry[];
}

interface KeyEntry {
  readonly name: string;
  readonly colour: readonly [red: number, green: number, blue: number];
}

/** How the samples of a simulator are shown. */
export interface SamplePictures<Sample> {
  /** The number of samples that give an impression of θ: a few scenes, or as many points as a cloud needs. */
  readonly samples: number;
  draw(samples: readonly Sample[]): readonly Strip[] | Promise<readonly Strip[]>;
}

/** Strips as JSON, each picture a PNG in base64. @throws {RangeError} when a picture has not width × height × 3 bytes */
export function encodedStrips(strips: readonly Strip[]): Promise<EncodedStrip[]> {
  return Promise.all(
    strips.map(async (strip) => ({ ...strip, pictures: await Promise.all(strip.pictures.map(encoded)) })),
  );
}

export interface EncodedStrip extends Omit<Strip, 'pictures'> {
  readonly pictures: readonly (Omit<RgbPicture, 'rgb'> & { readonly png: string })[];
}

async function encoded({ rgb, ...rest }: RgbPicture) {
  const { width, height } = rest;
  if (rgb.length !== width * height * 3) {
    throw new RangeError(`picture: expected ${width * height * 3} bytes for ${width}×${height}, got ${rgb.length}`);
  }
  const { default: sharp } = await import('sharp'); // only those who draw load it
  const png = sharp(rgb, { raw: { width, height, channels: 3 } }).png({ compressionLevel: 2, adaptiveFiltering: true });
  return { ...rest, png: (await png.toBuffer()).toString('base64') };
}
