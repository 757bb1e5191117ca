/**
 * Objects as centre points (Zhou et al. 2019, arXiv 1904.07850): a cell of the network's output says for each class how
 * likely an object has its centre there, and where that object's box is.
 *
 * The box is learned around the centre, not at the centre alone, with the weights of a Gaussian: a short training learns
 * more from that (Liu et al. 2020, arXiv 1909.00700).
 */
import { type Rectangle, type BoxedImage, type TrueBox } from '../../streets/boxed-image.ts';
import type { Grid } from '../training/architecture.ts';
import type { ImageView, Size } from '../training/augmentation.ts';
import type { Detection } from './average-precision.ts';
import { softplus } from '../training/softplus.ts';

/** Numbers of a box at a cell: the offset of its centre across and down in cells, ln of its width and height in cells. */
export const BOX_NUMBERS = 4;

/** A cell whose class nobody knows. */
const UNKNOWN = -1;

/** Standard deviation of the Gaussian around a centre: this share of the box's side (.54 / 6), and at least half a cell. */
const SPREAD = 0.54 / 6;
const LEAST_SPREAD = 0.5;

/** Where a Gaussian is lower than this, nothing is learned about the box. */
const LEAST_WEIGHT = 0.1;

/** An object of which a view shows less than this is ignored in it. */
const LEAST_SHOWN = 0.3;

/** The loss of the boxes, beside that of the classes. */
const BOX_WEIGHT = 1;

/** The number of numbers in the answer for a cell: of each class its likeness, the weight of the box, the box. */
export const answerNumbers = (classes: number): number => classes + 1 + BOX_NUMBERS;

/**
 * Writes for each cell what the network should give.
 *
 * @param classes what is detected, in the order of the outputs
 * @param answers is overwritten, [height / cell, width / cell, classes + 1 + 4]
 */
export function writeCentres(
  image: BoxedImage,
  classes: readonly string[],
  view: ImageView,
  { size, cell }: Grid,
  answers: Float32Array,
): void {
  const [rows, columns] = [size.height / cell, size.width / cell];
  const numbers = answerNumbers(classes.length);
  answers.fill(0);
  const objects = image.boxes.flatMap((box) => seen(box, view, size));
  for (const { ignored, category, ...box } of objects) {
    const id = classes.indexOf(category);
    if (!ignored && id >= 0) place(box, id);
  }
  for (const { ignored, category, ...box } of objects) {
    const id = classes.indexOf(category);
    if (ignored && id >= 0) mark(box, id);
  }

  /** Where an ignored object is, the class is unknown, unless another object's centre is near. */
  function mark(box: Rectangle, id: number): void {
    const [left, right] = [Math.floor(box.x / cell), Math.ceil((box.x + box.width) / cell)];
    const [top, bottom] = [Math.floor(box.y / cell), Math.ceil((box.y + box.height) / cell)];
    for (let row = Math.max(0, top); row < Math.min(rows, bottom); row++) {
      for (let column = Math.max(0, left); column < Math.min(columns, right); column++) {
        const at = (row * columns + column) * numbers + id;
        if (answers[at]! < LEAST_WEIGHT) answers[at] = UNKNOWN;
      }
    }
  }

  function place(box: Rectangle, id: number): void {
    const [x, y] = [(box.x + box.width / 2) / cell, (box.y + box.height / 2) / cell];
    const [across, down] = [box.width / cell, box.height / cell];
    const [column, row] = [Math.min(columns - 1, Math.floor(x)), Math.min(rows - 1, Math.floor(y))];
    const [spreadX, spreadY] = [across, down].map((side) => Math.max(LEAST_SPREAD, SPREAD * side)) as [number, number];
    const [reachX, reachY] = [Math.ceil(3 * spreadX), Math.ceil(3 * spreadY)];
    for (let r = Math.max(0, row - reachY); r <= Math.min(rows - 1, row + reachY); r++) {
      for (let c = Math.max(0, column - reachX); c <= Math.min(columns - 1, column + reachX); c++) {
        const gauss = Math.exp(-(((c - column) / spreadX) ** 2 + ((r - row) / spreadY) ** 2) / 2);
        const at = (r * columns + c) * numbers;
        answers[at + id] = Math.max(answers[at + id]!, gauss);
        const weightAt = at + classes.length;
        if (gauss < LEAST_WEIGHT || gauss <= answers[weightAt]!) continue;
        answers[weightAt] = gauss;
        answers.set([x - (c + 0.5), y - (r + 0.5), Math.log(across), Math.log(down)], weightAt + 1);
      }
    }
  }
}

/** The box as a view shows it, in pixels of the network's image; none where the view does not show it. */
function seen(box: TrueBox, view: ImageView, size: Size): TrueBox[] {
  const [scaleX, scaleY] = [size.width / view.width, size.height / view.height];
  const [left, top] = [(box.x - view.left) * scaleX, (box.y - view.top) * scaleY];
  const [right, bottom] = [left + box.width * scaleX, top + box.height * scaleY];
  const [x, y] = [Math.max(0, left), Math.max(0, top)];
  const [width, height] = [Math.min(size.width, right) - x, Math.min(size.height, bottom) - y];
  if (width <= 0 || height <= 0) return [];
  const shown = (width * height) / ((right - left) * (bottom - top));
  const ignored = box.ignored || shown < LEAST_SHOWN;
  return [{ ...box, ignored, x: view.mirrored ? size.width - x - width : x, y, width, height }];
}

/**
 * The penalty-reduced focal loss of the classes (equation 1 of the paper), over the number of objects, and the distance
 * of the boxes from the true ones, the centre's in units of the box and the sides' as logarithms, averaged with the
 * weights of the cells.
 *
 * @param output   of the network, [cells, classes + 4]: logits, and the numbers of the box
 * @param answers  of `writeCentres`, [cells, classes + 1 + 4]
 * @param gradient ∂loss/∂output, is overwritten
 */
export function centreLoss(
  output: Float32Array,
  answers: Float32Array,
  classes: number,
  gradient: Float32Array,
): number {
  const [given, wanted] = [classes + BOX_NUMBERS, answerNumbers(classes)];
  const cells = output.length / given;
  let objects = 0;
  let weights = 0;
  for (let cell = 0; cell < cells; cell++) {
    const answer = cell * wanted;
    for (let c = 0; c < classes; c++) if (answers[answer + c] === 1) objects++;
    weights += answers[answer + classes]!;
  }
  const perObject = 1 / Math.max(1, objects);
  const perWeight = weights > 0 ? BOX_WEIGHT / weights : 0;
  let loss = 0;
  gradient.fill(0);
  for (let cell = 0; cell < cells; cell++) {
    const [from, answer] = [cell * given, cell * wanted];
    for (let c = 0; c < classes; c++) {
      const likeness = answers[answer + c]!;
      if (likeness === UNKNOWN) continue;
      const logit = output[from + c]!;
      const [p, q] = [1 / (1 + Math.exp(-logit)), 1 / (1 + Math.exp(logit))];
      if (likeness === 1) {
        const logP = -softplus(-logit);
        loss -= perObject * q * q * logP;
        gradient[from + c] = perObject * q * q * (2 * p * logP - q);
      } else {
        const logQ = -softplus(logit);
        const weight = perObject * (1 - likeness) ** 4;
        loss -= weight * p * p * logQ;
        gradient[from + c] = weight * p * p * (p - 2 * q * logQ);
      }
    }
    const weight = perWeight * answers[answer + classes]!;
    if (weight === 0) continue;
    for (let k = 0; k < BOX_NUMBERS; k++) {
      const scale = k < 2 ? weight / Math.exp(answers[answer + classes + 1 + 2 + k]!) : weight;
      const off = output[from + classes + k]! - answers[answer + classes + 1 + k]!;
      loss += scale * Math.abs(off);
      gradient[from + classes + k] = scale * Math.sign(off);
    }
  }
  return loss;
}

/** A cell that is less likely than this has no object. */
const LEAST_SCORE = 0.01;

/** A side is at most this many cells: ln of it is cut there, before it overflows. */
const LARGEST_SIDE = Math.log(1e3);

/**
 * The objects that a network sees: cells that are likelier than their eight neighbours.
 *
 * @param output of the network for one image, [rows, columns, classes + 4]
 * @returns the detections of each class, in pixels of the image
 */
export function detectionsIn(output: Float32Array, image: Size, { size, cell }: Grid, classes: number): Detection[][] {
  const [rows, columns] = [size.height / cell, size.width / cell];
  const given = classes + BOX_NUMBERS;
  const [scaleX, scaleY] = [(cell * image.width) / size.width, (cell * image.height) / size.height];
  const logitAt = (row: number, column: number, c: number) => output[(row * columns + column) * given + c]!;
  const isPeak = (row: number, column: number, c: number): boolean => {
    const own = logitAt(row, column, c);
    for (let r = Math.max(0, row - 1); r <= Math.min(rows - 1, row + 1); r++) {
      for (let other = Math.max(0, column - 1); other <= Math.min(columns - 1, column + 1); other++) {
        if (logitAt(r, other, c) > own) return false;
      }
    }
    return true;
  };
  const boxAt = (row: number, column: number): Rectangle => {
    const at = (row * columns + column) * given + classes;
    const [width, height] = [2, 3].map((k) => Math.exp(Math.min(LARGEST_SIDE, output[at + k]!))) as [number, number];
    const [x, y] = [column + 0.5 + output[at]!, row + 0.5 + output[at + 1]!];
    const [left, right] = [x - width / 2, x + width / 2].map((edge) => within(edge * scaleX, image.width)) as [
      number,
      number,
    ];
    const [top, bottom] = [y - height / 2, y + height / 2].map((edge) => within(edge * scaleY, image.height)) as [
      number,
      number,
    ];
    return { x: left, y: top, width: right - left, height: bottom - top };
  };
  return Array.from({ length: classes }, (_, c) => {
    const found: Detection[] = [];
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const score = 1 / (1 + Math.exp(-logitAt(row, column, c)));
        if (score >= LEAST_SCORE && isPeak(row, column, c)) found.push({ ...boxAt(row, column), score });
      }
    }
    return found;
  });
}

const within = (edge: number, most: number): number => Math.min(most, Math.max(0, edge));

/** The boxes of a class that are there. */
export const truthOf = ({ boxes }: BoxedImage, category: string): TrueBox[] =>
  boxes.filter((box) => box.category === category);
