import { CLASS_ID, VOID } from '../../../../env/streets/classes.ts';
import type { LabelledImage } from '../../../../env/streets/labelled-image.ts';
import { Random, type Seed } from '../../../../protocol/random.ts';

/** A blue gradient of sky over gray road, with two or three dark-footed rectangles: the simplest street with cars. */
export function syntheticScene(seed: Seed, width = 64, height = 48): LabelledImage {
  const random = new Random(seed);
  const rgb = new Uint8Array(width * height * 3);
  const classes = new Uint8Array(width * height);
  const horizon = Math.floor(height * random.uniform(0.35, 0.55));
  const put = (x: number, y: number, colour: readonly number[], id: number) => {
    classes[y * width + x] = id;
    colour.forEach((value, c) => (rgb[(y * width + x) * 3 + c] = value + random.uniform(-12, 12)));
  };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (y < horizon) put(x, y, [120 + y, 160 + y, 220], CLASS_ID.sky);
      else put(x, y, [95, 95, 100], CLASS_ID.road);
    }
  }
  for (let car = 0; car < 3; car++) {
    const carWidth = 12 + random.integer(10);
    const carHeight = 8 + random.integer(6);
    const left = random.integer(width - carWidth);
    const top = Math.min(height - carHeight, horizon - 2 + random.integer(12));
    const paint = [random.uniform(150, 240), random.uniform(20, 90), random.uniform(20, 90)];
    for (let y = top; y < top + carHeight; y++) {
      for (let x = left; x < left + carWidth; x++) {
        put(x, y, y > top + 0.6 * carHeight ? [25, 25, 25] : paint, CLASS_ID.car);
      }
    }
  }
  return { width, height, rgb, classes };
}

export function syntheticScenes(count: number, seed: Seed): LabelledImage[] {
  return Array.from({ length: count }, (_, i) => syntheticScene(seed * 1000 + i));
}

/** The same image with nothing known of its left half. */
export function withVoidLeft(image: LabelledImage): LabelledImage {
  return { ...image, classes: image.classes.map((id, i) => (i % image.width < image.width / 2 ? VOID : id)) };
}
