import { isTooSmall, type BoxedImage, type TrueBox } from '../../streets/boxed-image.ts';
import type { DataSet, Simulator } from '../simulator.ts';
import { visibleBoxes } from './annotations.ts';
import type { TrafficImage } from './traffic.ts';

/** Objects, each with the id by which `instances` shows it. */
type Objects = readonly { readonly instance: number }[];

/** The boxes of the cars and people in view; small ones, and what others hide but for a strip, are ignored. */
export function boxesOf({
  cars,
  people,
  instances,
  width,
  height,
}: Pick<TrafficImage, 'instances' | 'width' | 'height'> & {
  readonly cars: Objects;
  readonly people: Objects;
}): TrueBox[] {
  const seen = visibleBoxes(instances, width);
  const all = [
    ...cars.map(({ instance }) => ({ instance, category: 'car' as const })),
    ...people.map(({ instance }) => ({ instance, category: 'person' as const })),
  ];
  return all.flatMap(({ instance, category }): TrueBox[] => {
    const visible = seen.get(instance);
    if (visible === undefined) return [];
    const [x, y, across, down] = visible.box;
    const ignored = isTooSmall({ width: across, height: down }, height);
    return [{ category, ignored, x, y, width: across, height: down }];
  });
}

/** The same streets, as pictures with boxes. */
export function boxed(streets: Simulator<TrafficImage>): Simulator<BoxedImage> {
  return {
    ...streets,
    open(theta, seed): DataSet<BoxedImage> {
      const set = streets.open(theta, seed);
      const boxedImage = (image: TrafficImage): BoxedImage => {
        const { width, height, rgb } = image;
        return { width, height, rgb, boxes: boxesOf(image) };
      };
      return {
        draw(index, signal) {
          const image = set.draw(index, signal);
          return image instanceof Promise ? image.then(boxedImage) : boxedImage(image);
        },
        close: () => set.close?.(),
      };
    },
  };
}
