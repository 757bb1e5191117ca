import type { DetectionsIn } from '../../../../env/tasks/detection/average-precision.ts';
import { Random, type Seed } from '../../../../protocol/random.ts';

/**
 * Images with random boxes, of which some are found, more or less well, and some more boxes where nothing is. Whole
 * numbers and few different scores make equal overlaps and equal scores frequent.
 */
export function randomCase(seed: Seed): DetectionsIn[] {
  const random = new Random(seed);
  const box = () => ({
    x: random.integer(60),
    y: random.integer(40),
    width: 1 + random.integer(30),
    height: 1 + random.integer(30),
  });
  const near = (side: number) => side + random.integer(3) - 1;
  const score = (least = 0) => (least + random.integer(12)) / 20;
  return Array.from({ length: 1 + random.integer(12) }, (_, i) => {
    const truth = Array.from({ length: i === 0 ? 2 : random.integer(5) }, (_, k) => ({
      ...box(),
      ignored: (i > 0 || k > 0) && random.chance(0.3),
    }));
    const found = truth
      .filter(() => random.chance(0.8))
      .map(({ x, y, width, height }) => ({
        x: near(x),
        y: near(y),
        width: Math.max(1, near(width)),
        height: Math.max(1, near(height)),
        score: score(8),
      }));
    const more = Array.from({ length: random.integer(i === 1 ? 150 : 6) }, () => ({ ...box(), score: score() }));
    return { truth, detections: random.shuffle([...found, ...more]) };
  });
}
