/** What a detection network finds, beside the truth, for people. */
import type { Strip } from '../../pictures.ts';
import { boxColour, boxKey, outlined, trueBoxes } from '../../streets/box-pictures.ts';
import type { BoxedImage } from '../../streets/boxed-image.ts';
import type { Predicted } from '../image-task.ts';
import type { Detection } from './average-precision.ts';

/** Detections that are less sure than this are not drawn. */
export const SURE = 0.3;

/** @param classes what each list of detections is of */
export function detectionPictures(
  all: readonly Predicted<BoxedImage, Detection[][]>[],
  classes: readonly string[],
): Strip[] {
  const found = all.map(({ image, prediction }) => {
    const boxes = prediction.flatMap((detections, c) =>
      detections
        .filter(({ score }) => score >= SURE)
        .map((box) => ({ ...box, opacity: box.score, colour: boxColour(c) })),
    );
    return outlined(image, boxes);
  });
  return [
    {
      name: 'truth',
      meaning: 'validation images, never trained on',
      pictures: all.map(({ image }) => outlined(image, trueBoxes(image, classes))),
    },
    {
      name: 'prediction',
      meaning: 'what the network finds there; the fainter, the less sure',
      pictures: found,
      key: boxKey(classes),
    },
  ];
}
