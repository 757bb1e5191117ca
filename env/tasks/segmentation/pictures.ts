/** What a segmentation network predicts, beside the truth, for people. */
import type { Strip } from '../../pictures.ts';
import { VOID } from '../../streets/classes.ts';
import { classColours, classKey } from '../../streets/colours.ts';
import type { LabelledImage } from '../../streets/labelled-image.ts';
import type { Predicted } from '../image-task.ts';
import { CLASS_OF_MERGED, MERGED_CLASSES, MERGED_ID } from './merged-classes.ts';
import type { PixelPrediction } from './prediction.ts';

/** Labels in the classes that the network is asked for, each as the class that stands for it. */
export function askedClasses(classes: Uint8Array): Uint8Array {
  return classes.map((id) => CLASS_OF_MERGED[MERGED_ID[id]!] ?? VOID);
}

/** The names of the classes that the network is asked for, by the ids that stand for them. */
export const ASKED_NAMES: readonly string[] = (() => {
  const names: string[] = [];
  CLASS_OF_MERGED.forEach((id, merged) => (names[id] = MERGED_CLASSES[merged]!));
  return names;
})();

export function segmentationPictures(all: readonly Predicted<LabelledImage, PixelPrediction>[]): Strip[] {
  const truth = all.map(({ image }) => askedClasses(image.classes));
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
      key: classKey([...truth, ...predicted], ASKED_NAMES).entries,
    },
  ];
}
