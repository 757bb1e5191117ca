/**
 * The classes of a street image.
 *
 * Our ids *are* the train ids of Cityscapes (which KITTI's semantic benchmark shares), so that our labels fit the most
 * used data sets without a conversion. `camvid` converts them to CamVid's 11 classes.
 */

export interface SemanticClass {
  readonly id: number;
  readonly name: string;
  /** The colour of label pictures (Cityscapes' palette), 0 to 255. */
  readonly colour: readonly [red: number, green: number, blue: number];
  /** Position in CamVid's 11 classes (sky building pole road pavement tree sign fence car pedestrian bicyclist). */
  readonly camvid: number;
}

/** Pixels of no class: never trained on, never scored. */
export const VOID = 255;

const table = [
  [0, 'road', [128, 64, 128], 3],
  [1, 'sidewalk', [244, 35, 232], 4],
  [2, 'building', [70, 70, 70], 1],
  [3, 'wall', [102, 102, 156], 1],
  [4, 'fence', [190, 153, 153], 7],
  [5, 'pole', [153, 153, 153], 2],
  [6, 'traffic light', [250, 170, 30], 6],
  [7, 'traffic sign', [220, 220, 0], 6],
  [8, 'vegetation', [107, 142, 35], 5],
  [9, 'terrain', [152, 251, 152], 5],
  [10, 'sky', [70, 130, 180], 0],
  [11, 'person', [220, 20, 60], 9],
  [12, 'rider', [255, 0, 0], 10],
  [13, 'car', [0, 0, 142], 8],
  [14, 'truck', [0, 0, 70], 8],
  [15, 'bus', [0, 60, 100], 8],
  [16, 'train', [0, 80, 100], 8],
  [17, 'motorcycle', [0, 0, 230], 8],
  [18, 'bicycle', [119, 11, 32], 10],
] as const;

/** Every class, at the position of its id. */
export const CLASSES: readonly SemanticClass[] = table.map(([id, name, colour, camvid]) => ({
  id,
  name,
  colour,
  camvid,
}));

export type ClassName = (typeof table)[number][1];

/** The id of each class by name: `CLASS_ID.car`. */
export const CLASS_ID = Object.fromEntries(table.map(([id, name]) => [name, id])) as Readonly<
  Record<ClassName, number>
>;
