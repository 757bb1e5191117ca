/**
 * The seven classes of the segmentation network, and which of Cityscapes' 19 classes each one merges.
 *
 * Small images cannot show finer classes, and the score is about cars: every vehicle on four wheels or more is one
 * class, as in CamVid's 11.
 */
import { CLASSES, CLASS_ID, VOID, type ClassName } from '../../streets/classes.ts';

const members: Readonly<Record<string, readonly ClassName[]>> = {
  sky: ['sky'],
  building: ['building', 'wall'],
  ground: ['road', 'sidewalk'],
  vegetation: ['vegetation', 'terrain'],
  car: ['car', 'truck', 'bus', 'train'],
  person: ['person', 'rider', 'bicycle', 'motorcycle'],
  other: ['fence', 'pole', 'traffic light', 'traffic sign'],
};

/** The names of the merged classes, at the position of their ids. */
export const MERGED_CLASSES: readonly string[] = Object.keys(members);

/** The merged id of car. */
export const MERGED_CAR = MERGED_CLASSES.indexOf('car');

/** The merged id of every class id, uint8 [256]; VOID for every other value. */
const MERGED_ID: Readonly<Uint8Array> = (() => {
  const table = new Uint8Array(256).fill(VOID);
  Object.values(members).forEach((names, id) => names.forEach((name) => (table[CLASS_ID[name]] = id)));
  return table;
})();

/** The class id that stands for each merged class in pictures: the first of its classes. */
const CLASS_OF_MERGED: Readonly<Uint8Array> = Uint8Array.from(
  Object.values(members).map((names) => CLASSES[CLASS_ID[names[0]!]]!.id),
);

/** What a network tells apart, and which of it the scores are about. */
export interface ClassSet {
  /** At the positions of the network's outputs. */
  readonly names: readonly string[];
  /** The output for each class id of an image, uint8 [256]; VOID for every other value. */
  readonly outputOf: Readonly<Uint8Array>;
  /** The class id that stands for each output in pictures. */
  readonly classOf: Readonly<Uint8Array>;
  /** The output whose IoU is the score. */
  readonly scored: number;
}

/** The merged classes. @throws {RangeError} naming them, where none has the name that is to be scored */
export function streetClasses(scored = 'car'): ClassSet {
  const at = positionOf(scored, MERGED_CLASSES);
  return { names: MERGED_CLASSES, outputOf: MERGED_ID, classOf: CLASS_OF_MERGED, scored: at };
}

/**
 * Classes of other images, none of them merged. Their ids are their positions.
 *
 * @param scored the name of the class that is scored; empty: `car` where there is one, or the second, since the first is
 *   mostly the background
 * @throws {RangeError} as {@link streetClasses} does
 */
export function namedClasses(names: readonly string[], scored: string): ClassSet {
  const ids = Uint8Array.from(names, (_, id) => id);
  const outputOf = new Uint8Array(256).fill(VOID);
  outputOf.set(ids);
  return { names, outputOf, classOf: ids, scored: scored === '' ? byDefault(names) : positionOf(scored, names) };
}

function byDefault(names: readonly string[]): number {
  const car = names.indexOf('car');
  return car < 0 ? 1 : car;
}

function positionOf(name: string, names: readonly string[]): number {
  const position = names.indexOf(name);
  if (position >= 0) return position;
  throw new RangeError(`scoreClass: expected one of ${names.join(', ')}, got ${name}`);
}
