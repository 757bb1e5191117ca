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
export const MERGED_ID: Readonly<Uint8Array> = (() => {
  const table = new Uint8Array(256).fill(VOID);
  Object.values(members).forEach((names, id) => names.forEach((name) => (table[CLASS_ID[name]] = id)));
  return table;
})();

/** The class id that stands for each merged class in pictures: the first of its classes. */
export const CLASS_OF_MERGED: Readonly<Uint8Array> = Uint8Array.from(
  Object.values(members).map((names) => CLASSES[CLASS_ID[names[0]!]]!.id),
);
