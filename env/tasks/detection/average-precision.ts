/**
 * Average precision, as COCO defines it and pycocotools computes it: https://cocodataset.org/#detection-eval, for all
 * areas and at most 100 detections an image.
 */
import type { Rectangle } from '../../streets/boxed-image.ts';

/** A box that a model has found. */
export interface Detection extends Rectangle {
  /** The higher, the surer. */
  readonly score: number;
}

/** The boxes of one class in one image. */
export interface DetectionsIn {
  readonly truth: readonly (Rectangle & { readonly ignored: boolean })[];
  readonly detections: readonly Detection[];
}

/** Equally spaced numbers, rounded as NumPy's linspace rounds them: equal thresholds decide equally. */
function spaced(first: number, last: number, count: number): readonly number[] {
  const step = (last - first) / (count - 1);
  return Array.from({ length: count }, (_, i) => (i === count - 1 ? last : i * step + first));
}

/** The overlaps from which COCO calls a box found: .5, .55 … .95. */
export const COCO_OVERLAPS = spaced(0.5, 0.95, 10);

/** Overlaps from hardly any to nearly all: .1, .15 … .95. */
export const ALL_OVERLAPS = spaced(0.1, 0.95, 18);

const RECALLS = spaced(0, 1, 101);
const MOST_DETECTIONS = 100;

/** Intersection over union; for an ignored `truth`, over the area of the detection. */
export function overlap(found: Rectangle, truth: Rectangle & { readonly ignored: boolean }): number {
  const across = Math.min(found.x + found.width, truth.x + truth.width) - Math.max(found.x, truth.x);
  const down = Math.min(found.y + found.height, truth.y + truth.height) - Math.max(found.y, truth.y);
  if (across <= 0 || down <= 0) return 0;
  const shared = across * down;
  const area = found.width * found.height;
  return shared / (truth.ignored ? area : area + truth.width * truth.height - shared);
}

/** A detection after matching. */
interface Judged {
  readonly score: number;
  /** Whether it has found an object, neither or is not to be judged. */
  readonly verdict: 'right' | 'wrong' | 'ignored';
}

/**
 * Average precision of one class at one overlap, over the images in their order.
 *
 * @returns 0 to 1; undefined where no object is to be found
 */
export function averagePrecision(images: readonly DetectionsIn[], least: number): number | undefined {
  const wanted = images.reduce((sum, { truth }) => sum + truth.filter(({ ignored }) => !ignored).length, 0);
  if (wanted === 0) return undefined;
  const judged = bestFirst(images.flatMap((image) => match(image, least))).filter(
    ({ verdict }) => verdict !== 'ignored',
  );
  let right = 0;
  const curve = judged.map(({ verdict }, i) => {
    if (verdict === 'right') right++;
    return { recall: right / wanted, precision: right / (i + 1 + Number.EPSILON) };
  });
  let best = 0;
  const highest = curve.map(() => 0); // the precision at this recall or a higher one
  for (let i = curve.length - 1; i >= 0; i--) highest[i] = best = Math.max(best, curve[i]!.precision);
  let at = 0;
  let sum = 0;
  for (const recall of RECALLS) {
    while (at < curve.length && curve[at]!.recall < recall) at++;
    sum += highest[at] ?? 0;
  }
  return sum / RECALLS.length;
}

/** The mean over overlaps; undefined where no object is to be found. */
export function meanAveragePrecision(images: readonly DetectionsIn[], overlaps: readonly number[]): number | undefined {
  const all = overlaps.map((least) => averagePrecision(images, least));
  if (all[0] === undefined) return undefined;
  return all.reduce<number>((sum, ap) => sum + ap!, 0) / all.length;
}

/** The surest detections each take the object that they overlap most; an object to be found goes before an ignored one. */
function match({ truth, detections }: DetectionsIn, least: number): Judged[] {
  const objects = [...truth].sort((a, b) => Number(a.ignored) - Number(b.ignored));
  const taken = new Set<number>();
  return bestFirst(detections)
    .slice(0, MOST_DETECTIONS)
    .map((found): Judged => {
      let most = Math.min(least, 1 - 1e-10);
      let chosen = -1;
      for (const [i, object] of objects.entries()) {
        if (taken.has(i) && !object.ignored) continue; // any number may lie in an ignored one
        if (chosen >= 0 && !objects[chosen]!.ignored && object.ignored) break;
        const shared = overlap(found, object);
        if (shared < most) continue;
        most = shared;
        chosen = i;
      }
      if (chosen < 0) return { score: found.score, verdict: 'wrong' };
      taken.add(chosen);
      return { score: found.score, verdict: objects[chosen]!.ignored ? 'ignored' : 'right' };
    });
}

/** Sorts by score, highest first; equal ones keep their order. */
const bestFirst = <T extends { readonly score: number }>(all: readonly T[]): T[] =>
  [...all].sort((a, b) => b.score - a.score);
