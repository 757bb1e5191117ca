/** Boxes of KITTI's object benchmark: `label_2`, https://www.cvlibs.net/datasets/kitti/eval_object.php?obj_benchmark=2d */
import { readFileSync } from 'node:fs';
import { shown } from '../../protocol/errors.ts';
import type { TrueBox } from './boxed-image.ts';

/** What KITTI asks for: the least height in pixels, the highest level of occlusion, and the largest share cut off. */
const LIMITS = {
  easy: { height: 40, occlusion: 0, truncation: 0.15 },
  moderate: { height: 25, occlusion: 1, truncation: 0.3 },
  hard: { height: 25, occlusion: 2, truncation: 0.5 },
} as const;
export type KittiDifficulty = keyof typeof LIMITS;
export const DIFFICULTIES = ['easy', 'moderate', 'hard'] as const satisfies readonly KittiDifficulty[];

const TYPES = ['Car', 'Van', 'Truck', 'Pedestrian', 'Person_sitting', 'Cyclist', 'Tram', 'Misc', 'DontCare'] as const;
type KittiType = (typeof TYPES)[number];

/** What is neither right nor wrong to find, as KITTI's own evaluation has it. */
const NEIGHBOURS: Partial<Record<KittiType, KittiType>> = { Car: 'Van', Pedestrian: 'Person_sitting' };

/** KITTI's types that a class stands for. @throws {RangeError} where it has none */
export function kittiTypes(wanted: string): readonly KittiType[] {
  if (wanted.toLowerCase() === 'person') return ['Pedestrian', 'Cyclist'];
  const types = TYPES.filter((type) => type !== 'DontCare' && type.toLowerCase() === wanted.toLowerCase());
  if (types.length > 0) return types;
  const known = TYPES.slice(0, -1).join(', ');
  throw new RangeError(`classes: expected KITTI’s ${known}, or person for those on foot or bicycle, got ${wanted}`);
}

/**
 * The boxes of a file of labels, for the classes that are wanted. What is too hard, what is like a wanted object, and
 * regions where nobody has looked (DontCare) are ignored: it is neither right nor wrong to find something there.
 *
 * @throws {Error} naming the line that breaks a rule
 */
export function readKittiBoxes(path: string, wanted: readonly string[], difficulty: KittiDifficulty): TrueBox[] {
  const types = wanted.map((name) => ({ name, own: kittiTypes(name) }));
  const { height, occlusion, truncation } = LIMITS[difficulty];
  return readFileSync(path, 'utf8')
    .split(/\r?\n/)
    .flatMap((line, i) => {
      if (line.trim() === '') return [];
      const { type, truncated, occluded, ...box } = objectIn(line, `${path}:${i + 1}`);
      const isHard = box.height < height || occluded > occlusion || truncated > truncation;
      return types.flatMap(({ name: category, own }): TrueBox[] => {
        if (own.includes(type)) return [{ ...box, category, ignored: isHard }];
        const isNear = type === 'DontCare' || own.some((each) => NEIGHBOURS[each] === type);
        return isNear ? [{ ...box, category, ignored: true }] : [];
      });
    });
}

/** A line: type, truncation, occlusion, angle, left, top, right, bottom, and what concerns space. */
function objectIn(line: string, place: string) {
  const [word = '', ...rest] = line.trim().split(/\s+/);
  const type = TYPES.find((known) => known === word);
  if (!type) throw new Error(`${place}: expected one of ${TYPES.join(', ')} first, got ${shown(word)}`);
  const numbers = rest.slice(0, 7).map(Number);
  if (numbers.length < 7 || numbers.some((value) => !Number.isFinite(value))) {
    throw new Error(
      `${place}: expected a type, truncation, occlusion, angle, left, top, right, bottom, got ${shown(line)}`,
    );
  }
  const [truncated, occluded, , left, top, right, bottom] = numbers as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (right < left || bottom < top) throw new Error(`${place}: expected left, top, right, bottom, got ${shown(line)}`);
  return { type, truncated, occluded, x: left, y: top, width: right - left, height: bottom - top };
}
