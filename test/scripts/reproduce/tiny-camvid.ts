import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';

/** Frames of four sequences that train, validate and are held out, and of a test split: a road, and a car on it. */
export async function writeCamvid(folder: string): Promise<void> {
  const [width, height] = [32, 24];
  const isCar = (i: number) => i % width > 8 && i % width < 20 && i > 300 && i < 600;
  const labels = Buffer.from(Array.from({ length: width * height }, (_, i) => (isCar(i) ? 8 : 3)));
  const image = Buffer.from(
    Array.from({ length: width * height }, (_, i) => (isCar(i) ? [200, 0, 0] : [90, 90, 90])).flat(),
  );
  for (const frame of ['train/S1_1', 'train/S2_1', 'train/S3_1', 'train/S4_1', 'test/S5_1']) {
    const [split, name] = frame.split('/') as [string, string];
    mkdirSync(join(folder, split, 'images'), { recursive: true });
    mkdirSync(join(folder, split, 'labels'), { recursive: true });
    const raw = (channels: 1 | 3) => ({ raw: { width, height, channels } });
    const gray = sharp(labels, raw(1)).toColourspace('b-w');
    writeFileSync(join(folder, split, 'labels', `${name}.png`), await gray.png().toBuffer());
    writeFileSync(join(folder, split, 'images', `${name}.png`), await sharp(image, raw(3)).png().toBuffer());
  }
}
