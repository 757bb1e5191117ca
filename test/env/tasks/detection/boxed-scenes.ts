import type { BoxedImage, TrueBox } from '../../../../env/streets/boxed-image.ts';
import { Random, type Seed } from '../../../../protocol/random.ts';

/** Red rectangles of several sizes on gray, none on another, and one that is too small to be asked for. */
function boxedScene(seed: Seed, width = 64, height = 48): BoxedImage {
  const random = new Random(seed);
  const rgb = Uint8Array.from({ length: width * height * 3 }, () => 100 + random.integer(20));
  const boxes: TrueBox[] = [];
  for (let slot = 0; slot < 3; slot++) {
    const ignored = slot === 2;
    const size = ignored ? [2, 2] : [10 + random.integer(9), 8 + random.integer(10)];
    const [x, y] = [(slot * width) / 3, height].map((from, i) =>
      Math.floor(i === 0 ? from : random.integer(from - size[1]!)),
    );
    const box = { x: x!, y: y!, width: size[0]!, height: size[1]! };
    boxes.push({ ...box, category: 'car', ignored });
    for (let row = box.y; row < box.y + box.height; row++) {
      for (let column = box.x; column < box.x + box.width; column++) {
        rgb.set([220, 40, 30], (row * width + column) * 3);
      }
    }
  }
  return { width, height, rgb, boxes };
}

export const boxedScenes = (count: number, seed: Seed): BoxedImage[] =>
  Array.from({ length: count }, (_, i) => boxedScene(seed * 1000 + i));
