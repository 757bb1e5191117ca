import type { CountableImage } from '../../../../env/tasks/counting/counts.ts';
import { Random, type Seed } from '../../../../protocol/random.ts';

/** Red and blue blocks on gray, as far apart as cells of 8 pixels: the simplest street with cars of two types. */
export const TYPES = ['red', 'blue'] as const;

/** @param red chance that a block is red */
export function countableScene(seed: Seed, red = 0.5, width = 64, height = 48): CountableImage {
  const random = new Random(seed);
  const rgb = Uint8Array.from({ length: width * height * 3 }, () => 110 + random.uniform(-10, 10));
  const instances = new Uint16Array(width * height);
  const cars: { instance: number; type: string }[] = [];
  const places = random.shuffle([4, 24, 44].flatMap((left) => [6, 28].map((top) => [left, top] as const)));
  for (const [left, top] of places.slice(0, random.integer(6))) {
    const type = random.chance(red) ? TYPES[0] : TYPES[1];
    const instance = cars.length + 1;
    cars.push({ instance, type });
    for (let y = top; y < top + 10; y++) {
      for (let x = left; x < left + 14; x++) {
        instances[y * width + x] = instance;
        rgb.set(type === 'red' ? [220, 40, 40] : [40, 60, 220], (y * width + x) * 3);
      }
    }
  }
  return { width, height, rgb, instances, cars };
}

export function countableScenes(count: number, seed: Seed, red = 0.5): CountableImage[] {
  return Array.from({ length: count }, (_, i) => countableScene(seed * 1000 + i, red));
}
