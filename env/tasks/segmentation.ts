/**
 * Semantic segmentation of street images, scored by how well cars are found: the main task of the paper's experiments
 * on KITTI (section 4.3), at a size that trains in seconds on one core.
 *
 * The network predicts cells of 4×4 pixels. Scores are taken at the resolution of the image, on every labelled pixel.
 */
import type { Runtime } from '../runtime.ts';
import type { LabelledImage } from '../streets/labelled-image.ts';
import { IMAGE_TASK_DEFAULTS, imageTask, type ImageTask, type ImageTaskOptions } from './image-task.ts';
import { VOID } from '../streets/classes.ts';
import { crossEntropy } from './segmentation/cross-entropy.ts';
import { writeLabels } from './segmentation/labels.ts';
import { streetClasses, type ClassSet } from './segmentation/merged-classes.ts';
import { smallSegmentation } from './segmentation/network.ts';
import { segmentationPictures } from './segmentation/pictures.ts';
import { predictPixels, type PixelPrediction } from './segmentation/prediction.ts';
import { segmentationMetrics, segmentationScores } from './segmentation/scores.ts';
import type { Grid } from './training/architecture.ts';
import type { Answer } from './training/image-batches.ts';

/** A `width` of 1 is about 39 thousand weights. */
export interface SegmentationOptions extends ImageTaskOptions {
  /** What is told apart, and scored. */
  readonly classes: ClassSet;
  /** The weight of a car's cell in the loss, or of what else is scored, where other cells have 1: it is mostly rare. */
  readonly carWeight: number;
  /** A metric; empty: the first one. */
  readonly reward: string;
}

/** The logit of the class of a cell that a linear map learns; those of others are 0. */
const LINEAR_LOGIT = 6;

export type SegmentationTask = ImageTask<LabelledImage, PixelPrediction>;

/** The task with these options; those that are left out are {@link IMAGE_TASK_DEFAULTS}. */
export function segmentationTask(options: Partial<SegmentationOptions>, runtime: Runtime): SegmentationTask {
  const { classes = streetClasses(), carWeight = 2, reward = '', ...given } = options;
  const training = { ...IMAGE_TASK_DEFAULTS, ...given };
  const metrics = segmentationMetrics(classes);
  return imageTask<LabelledImage, PixelPrediction>(
    {
      name: 'segmentation',
      metrics,
      reward: reward === '' ? metrics[0]!.name : reward,
      small: smallSegmentation(classes.names.length, training.width),
      outputs: classes.names.length,
      answer: (grid) => cellClasses(grid, classes, carWeight),
      predict: (logits, image, grid) => predictPixels(logits, image, grid, classes),
      linearTarget: (labels, cell, target) => {
        if (labels[cell] === VOID) return 0;
        target[labels[cell]!] = LINEAR_LOGIT;
        return 1;
      },
      score: (predicted) => segmentationScores(predicted, classes),
      pictures: segmentationPictures(classes),
    },
    training,
    runtime,
  );
}

/** The answer that the network learns (the class of each cell) and its loss. */
function cellClasses({ size, cell }: Grid, classes: ClassSet, carWeight: number): Answer<LabelledImage> {
  const weights = classes.names.map((_, id) => (id === classes.scored ? carWeight : 1));
  return {
    length: (size.width / cell) * (size.height / cell),
    write: (image, view, labels) => writeLabels(image, view, size, cell, labels, classes),
    loss: (logits, labels, gradient) => crossEntropy(logits, labels, weights, gradient),
  };
}
