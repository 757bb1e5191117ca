/** What a segmentation network predicts, beside the truth, for people. */
import type { Strip } from '../../pictures.ts';
import { VOID } from '../../streets/classes.ts';
import { classColours, classKey } from '../../streets/colours.ts';
import type { LabelledImage } from '../../streets/labelled-image.ts';
import type { Predicted } from '../image-task.ts';
import type { ClassSet } from './merged-classes.ts';
import type { PixelPrediction } from './prediction.ts';

/** Labels in the classes that the network is asked for, each as the class that stands for it. */
export function askedClasses(labels: Uint8Array, { outputOf, classOf }: ClassSet): Uint8Array {
  return labels.map((id) => classOf[outputOf[id]!] ?? VOID);
}

/** The names of the classes that the network is asked for, by the ids that stand for them. */
export function askedNames({ names, classOf }: ClassSet): readonly string[] {
  const byId: string[] = [];
  classOf.forEach((id, output) => (byId[id] = names[output]!));
  return byId;
}

/** Makes the function that draws what a network for these classes predicts. */
export const segmentationPictures =
  (asked: ClassSet) =>
  (all: readonly Predicted<LabelledImage, PixelPrediction>[]): Strip[] => {
    const truth = all.map(({ image }) => askedClasses(image.classes, asked));
    const predicted = all.map(({ prediction }) => prediction.classes);
    const strip = (rgbs: readonly Uint8Array[]) =>
      all.map(({ image: { width, height } }, i) => ({ width, height, rgb: rgbs[i]! }));
    return [
      { name: 'validation image', meaning: 'never trained on', pictures: strip(all.map(({ image }) => image.rgb)) },
      {
        name: 'truth',
        meaning: 'its labels, in the classes that are asked for',
        pictures: strip(truth.map(classColours)),
      },
      {
        name: 'prediction',
        meaning: 'what the network sees there',
        pictures: strip(predicted.map(classColours)),
        key: classKey([...truth, ...predicted], askedNames(asked)).entries,
      },
    ];
  };
