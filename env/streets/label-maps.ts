/** How data sets write the classes of classes.ts: as ids, or as colours. */
import { CLASS_ID, CLASSES, VOID, type ClassName } from './classes.ts';

/**
 * Our class id for each value that a data set's labels have; VOID for those that the data set itself calls void. A value
 * that is not there is none of the data set's.
 */
type LabelMap = ReadonlyMap<number, number>;

/** What a label image of a data set may hold. */
export interface LabelMaps {
  readonly name: string;
  /** By id. */
  readonly ids: LabelMap;
  /** By colour, as red · 65536 + green · 256 + blue. */
  readonly palette: LabelMap;
}

/** What many tools write for pixels that do not count: −1 in 8 and in 16 bits. */
export const IGNORED = [255, 65535];

function idMap(entries: readonly (readonly [value: number, name: ClassName])[], voids: readonly number[]): LabelMap {
  const known = entries.map(([value, name]) => [value, CLASS_ID[name]] as const);
  return new Map([...[...voids, ...IGNORED].map((value) => [value, VOID] as const), ...known]);
}

const camvid11: readonly ClassName[] = [
  'sky', 'building', 'pole', 'road', 'sidewalk', 'vegetation', 'traffic sign', 'fence', 'car', 'person', 'rider',
]; // prettier-ignore

/** CamVid in 11 classes, as the SegNet tutorial prepared it; 11 is void. Vans, lorries and buses are its class car. */
const CAMVID_11 = idMap(
  camvid11.map((name, value) => [value, name]),
  [11],
);

/** Cityscapes' label ids (`labelIds.png`), which KITTI's semantic benchmark shares. */
const CITYSCAPES_LABEL_IDS = idMap(
  [
    [7, 'road'],
    [8, 'sidewalk'],
    [11, 'building'],
    [12, 'wall'],
    [13, 'fence'],
    [17, 'pole'],
    [19, 'traffic light'],
    [20, 'traffic sign'],
    [21, 'vegetation'],
    [22, 'terrain'],
    [23, 'sky'],
    [24, 'person'],
    [25, 'rider'],
    [26, 'car'],
    [27, 'truck'],
    [28, 'bus'],
    [31, 'train'],
    [32, 'motorcycle'],
    [33, 'bicycle'],
  ],
  [0, 1, 2, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 29, 30],
);

/** Cityscapes' train ids (`labelTrainIds.png`): our own. */
const CITYSCAPES_TRAIN_IDS = idMap(
  CLASSES.map(({ id, name }) => [id, name as ClassName]),
  [],
);

type Colour = readonly [red: number, green: number, blue: number];

/** A colour as a key of a palette. */
export const packed = ([red, green, blue]: Colour) => (red << 16) | (green << 8) | blue;

function palette(entries: readonly (readonly [...Colour, name: ClassName])[], voids: readonly Colour[]): LabelMap {
  const known = entries.map(([red, green, blue, name]) => [packed([red, green, blue]), CLASS_ID[name]] as const);
  return new Map([...voids.map((colour) => [packed(colour), VOID] as const), ...known]);
}

/** The colours of Cityscapes (`color.png`). */
const CITYSCAPES_PALETTE = palette(
  CLASSES.map(({ colour, name }) => [...colour, name as ClassName]),
  [
    [0, 0, 0], // unlabelled, ego vehicle, out of the picture, static
    [111, 74, 0], // dynamic
    [81, 0, 81], // ground
    [250, 170, 160], // parking
    [230, 150, 140], // rail track
    [180, 165, 180], // guard rail
    [150, 100, 100], // bridge
    [150, 120, 90], // tunnel
    [0, 0, 90], // caravan
    [0, 0, 110], // trailer
  ],
);

/** The colours of CamVid's 32 classes (Brostow et al. 2009), merged as its 11 classes merge them. */
const CAMVID_PALETTE = palette(
  [
    [128, 128, 128, 'sky'],
    [128, 0, 0, 'building'],
    [192, 0, 128, 'building'], // archway
    [0, 128, 64, 'building'], // bridge
    [64, 192, 0, 'building'], // wall
    [64, 0, 64, 'building'], // tunnel
    [192, 192, 128, 'pole'],
    [0, 0, 64, 'pole'], // traffic cone
    [128, 64, 128, 'road'],
    [128, 0, 192, 'road'], // lane markings
    [192, 0, 64, 'road'],
    [128, 128, 192, 'sidewalk'], // road shoulder
    [0, 0, 192, 'sidewalk'],
    [64, 192, 128, 'sidewalk'], // parking block
    [128, 128, 0, 'vegetation'],
    [192, 192, 0, 'vegetation'],
    [192, 128, 128, 'traffic sign'],
    [128, 128, 64, 'traffic sign'], // text
    [0, 64, 64, 'traffic sign'], // traffic light
    [64, 64, 128, 'fence'],
    [64, 0, 128, 'car'],
    [64, 128, 192, 'car'], // pick-up
    [192, 128, 192, 'car'], // lorry and bus
    [192, 64, 128, 'car'], // train
    [128, 64, 64, 'car'], // other moving
    [64, 64, 0, 'person'],
    [192, 128, 64, 'person'], // child
    [64, 0, 192, 'person'], // pram
    [64, 128, 64, 'person'], // animal
    [0, 128, 192, 'rider'],
    [192, 0, 192, 'rider'], // motorcycle
    [60, 40, 222, 'sidewalk'], // so in the SegNet tutorial
    [255, 69, 0, 'road'], // lane markings there
  ],
  [[0, 0, 0]],
);

export const CAMVID: LabelMaps = { name: 'CamVid', ids: CAMVID_11, palette: CAMVID_PALETTE };
/** In label ids, as KITTI has them too. */
export const CITYSCAPES: LabelMaps = { name: 'Cityscapes', ids: CITYSCAPES_LABEL_IDS, palette: CITYSCAPES_PALETTE };
export const CITYSCAPES_TRAIN: LabelMaps = { ...CITYSCAPES, name: 'Cityscapes train ids', ids: CITYSCAPES_TRAIN_IDS };
