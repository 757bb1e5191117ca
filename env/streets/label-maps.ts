/** How data sets write the classes of classes.ts: as ids in a gray image, or as colours. */
import { CLASS_ID, CLASSES, VOID, type ClassName } from './classes.ts';

/** Our class id for each value of a gray label image; all other values are VOID. */
export type IdMap = Uint8Array; // [256]

function idMap(entries: readonly (readonly [value: number, name: ClassName])[]): IdMap {
  const map = new Uint8Array(256).fill(VOID);
  for (const [value, name] of entries) map[value] = CLASS_ID[name];
  return map;
}

const camvid11: readonly ClassName[] = [
  'sky', 'building', 'pole', 'road', 'sidewalk', 'vegetation', 'traffic sign', 'fence', 'car', 'person', 'rider',
]; // prettier-ignore

/** CamVid in 11 classes, as the SegNet tutorial prepared it; 11 is void. Vans, lorries and buses are its class car. */
export const CAMVID_11: IdMap = idMap(camvid11.map((name, value) => [value, name]));

/** Cityscapes' label ids (`labelIds.png`), which KITTI's semantic benchmark shares. */
export const CITYSCAPES_LABEL_IDS: IdMap = idMap([
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
]);

/** Our class id for each colour of a label image, keyed by red · 65536 + green · 256 + blue. */
export type Palette = ReadonlyMap<number, number>;

function palette(entries: readonly (readonly [red: number, green: number, blue: number, name: ClassName])[]): Palette {
  return new Map(entries.map(([red, green, blue, name]) => [(red << 16) | (green << 8) | blue, CLASS_ID[name]]));
}

/** The colours of Cityscapes (`color.png`). */
export const CITYSCAPES_PALETTE: Palette = palette(CLASSES.map(({ colour, name }) => [...colour, name as ClassName]));

/** The colours of CamVid's 32 classes (Brostow et al. 2009), merged as its 11 classes merge them. */
export const CAMVID_PALETTE: Palette = palette([
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
]);
