/**
 * Detection of the cars in street images, and of the people if they are asked for: each is a box and a score. The
 * paper's text names the task and has no experiment on it (Ruiz et al. 2019, sec. 1).
 */
import type { Runtime } from '../runtime.ts';
import type { BoxedImage } from '../streets/boxed-image.ts';
import type { Detection } from './detection/average-precision.ts';
import { answerNumbers, BOX_NUMBERS, centreLoss, detectionsIn, writeCentres } from './detection/centres.ts';
import { detectionPictures } from './detection/pictures.ts';
import { DETECTION_METRICS, detectionScores } from './detection/scores.ts';
import { IMAGE_TASK_DEFAULTS, imageTask, type ImageTask, type ImageTaskOptions } from './image-task.ts';
import { smallSegmentation } from './segmentation/network.ts';
import type { Grid } from './training/architecture.ts';
import type { Answer } from './training/image-batches.ts';

/** A `width` of 1 is about 39 thousand weights. */
export interface DetectionOptions extends ImageTaskOptions {
  /** What is detected, in the order of the network's outputs. */
  readonly classes: readonly string[];
  readonly reward: 'smoothAp' | 'ap50' | 'ap';
}

/** It predicts the detections of each class. */
export type DetectionTask = ImageTask<BoxedImage, Detection[][]>;

/** The first logit of every class: few cells are the centre of an object. */
const FIRST_LOGIT = -4;

/** The first guess of a box has this side, in cells. */
const FIRST_SIDE = 3;

/** The task with these options; those that are left out are {@link IMAGE_TASK_DEFAULTS}. */
export function detectionTask(options: Partial<DetectionOptions>, runtime: Runtime): DetectionTask {
  const { classes = ['car'], reward = 'smoothAp', ...given } = options;
  const training = { ...IMAGE_TASK_DEFAULTS, ...given };
  const outputs = classes.length + BOX_NUMBERS;
  return imageTask<BoxedImage, Detection[][]>(
    {
      name: 'detection',
      metrics: DETECTION_METRICS,
      reward,
      small: smallSegmentation(outputs, training.width), // an output for each cell of 4 pixels, whatever it means
      outputs,
      answer: (grid) => centres(classes, grid),
      firstBias: () => [...classes.map(() => FIRST_LOGIT), 0, 0, Math.log(FIRST_SIDE), Math.log(FIRST_SIDE)],
      predict: (output, image, grid) => detectionsIn(output, image, grid, classes.length),
      score: (predicted) => detectionScores(predicted, classes),
      pictures: (all) => detectionPictures(all, classes),
    },
    training,
    runtime,
  );
}

/** The answer that the network learns (centres and boxes) and its loss. */
function centres(classes: readonly string[], grid: Grid): Answer<BoxedImage> {
  const { size, cell } = grid;
  return {
    length: (size.width / cell) * (size.height / cell) * answerNumbers(classes.length),
    write: (image, view, answers) => writeCentres(image, classes, view, grid, answers),
    loss: (output, answers, gradient) => centreLoss(output, answers, classes.length, gradient),
  };
}
