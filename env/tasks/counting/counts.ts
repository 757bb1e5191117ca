/** The number of cars of each type in an image, and where they are: the truth that counting learns from. */
import { axes, type Picture, type Size, type ImageView } from '../training/augmentation.ts';

/** An image whose cars are known one by one. */
export interface CountableImage extends Picture {
  /** The car that a pixel shows, uint16 [height, width]; 0 or the id of something else where it shows no car. */
  readonly instances: Uint16Array;
  /** The cars of the scene, in view or not, with their ids in `instances`. */
  readonly cars: readonly { readonly instance: number; readonly type: string }[];
}

/**
 * A car counts when at least this share of the picture shows it: 80 pixels of 96×72.
 *
 * A small network cannot tell smaller cars apart, and whether a speck is seen at all would be noise in the truth.
 */
export const COUNTED_SHARE = 80 / (96 * 72);

/**
 * Writes where the counted cars are. A car adds 1 in total, divided among cells by the number of its pixels in each.
 *
 * So the sum over all cells is the number of cars, and a network that learns the cells learns to count.
 *
 * @param types   the types that are counted, in the order of the last axis
 * @param cell    side of a cell, in pixels of `size`
 * @param density is overwritten, [height / cell, width / cell, types]
 * @throws {RangeError} naming a car of another type
 */
export function writeDensity(
  image: CountableImage,
  types: readonly string[],
  view: ImageView,
  size: Size,
  cell: number,
  density: Float32Array,
): void {
  const { nearest: columns } = axes(image, view, size).columns;
  const { nearest: rows } = axes(image, view, size).rows;
  const typeOf = typesByInstance(image, types);
  const pixels = new Uint32Array(typeOf.length);
  const cellColumns = size.width / cell;
  forEachPixel((instance) => pixels[instance]!++);
  const least = COUNTED_SHARE * size.width * size.height;
  density.fill(0);
  forEachPixel((instance, x, y) => {
    if (pixels[instance]! < least) return;
    const place = Math.floor(y / cell) * cellColumns + Math.floor(x / cell);
    density[place * types.length + typeOf[instance]!]! += 1 / pixels[instance]!;
  });

  /** Visits every pixel that shows a car. */
  function forEachPixel(visit: (instance: number, x: number, y: number) => void): void {
    for (let y = 0; y < size.height; y++) {
      const row = rows[y]! * image.width;
      for (let x = 0; x < size.width; x++) {
        const instance = image.instances[row + columns[x]!]!;
        if (instance < typeOf.length && typeOf[instance]! >= 0) visit(instance, x, y);
      }
    }
  }
}

/** The type of each instance id, as a position in `types`; −1 where it is no car. */
function typesByInstance({ cars }: CountableImage, types: readonly string[]): Int16Array {
  const typeOf = new Int16Array(1 + cars.reduce((most, { instance }) => Math.max(most, instance), 0)).fill(-1);
  for (const { instance, type } of cars) {
    const id = types.indexOf(type);
    if (id < 0) throw new RangeError(`counting: expected cars of the types ${types.join(', ')}, got ${type}`);
    typeOf[instance] = id;
  }
  return typeOf;
}

/** The number of cars of each type that count in the whole image, float32 [types]. */
export function carCounts(image: CountableImage, types: readonly string[]): Float32Array {
  const typeOf = typesByInstance(image, types);
  const pixels = new Uint32Array(typeOf.length);
  for (const instance of image.instances) if (instance < pixels.length) pixels[instance]!++;
  const counts = new Float32Array(types.length);
  const least = COUNTED_SHARE * image.width * image.height;
  typeOf.forEach((type, instance) => {
    if (type >= 0 && pixels[instance]! >= least) counts[type]!++;
  });
  return counts;
}
