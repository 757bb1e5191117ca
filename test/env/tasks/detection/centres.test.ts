import assert from 'node:assert/strict';
import type { BoxedImage, TrueBox } from '../../../../env/streets/boxed-image.ts';
import {
  answerNumbers,
  BOX_NUMBERS,
  centreLoss,
  detectionsIn,
  writeCentres,
} from '../../../../env/tasks/detection/centres.ts';
import { plainView, type ImageView } from '../../../../env/tasks/training/augmentation.ts';
import { Random } from '../../../../protocol/random.ts';

const SIZE = { width: 40, height: 32 };
const GRID = { size: SIZE, cell: 4 };
const CELLS = 10 * 8;
const car = (x: number, y: number, width: number, height: number, ignored = false): TrueBox => ({
  ...{ category: 'car', x, y, width, height, ignored },
});
const imageOf = (...boxes: TrueBox[]): BoxedImage => ({ ...SIZE, rgb: new Uint8Array(0), boxes });

function answersOf(image: BoxedImage, view: ImageView = plainView(SIZE), classes = ['car'] as const): number[][] {
  const numbers = answerNumbers(classes.length);
  const answers = new Float32Array(CELLS * numbers).fill(7);
  writeCentres(image, classes, view, GRID, answers);
  return Array.from({ length: CELLS }, (_, cell) => [...answers.subarray(cell * numbers, (cell + 1) * numbers)]);
}

const close = (a: readonly number[], b: readonly number[]) =>
  assert.ok(
    a.length === b.length && a.every((value, i) => Math.abs(value - b[i]!) < 1e-5),
    `expected ${b.join(' ')}, got ${a.join(' ')}`,
  );

describe('centres of objects', () => {
  it('are 1 in the cell of the centre, which has the whole box, and less around it', () => {
    const cells = answersOf(imageOf(car(10, 6, 12, 8)));
    const centre = cells[2 * 10 + 4]!; // (16, 10) is in the cell of column 4 and row 2
    close(centre, [1, 1, -0.5, 0, Math.log(3), Math.log(2)]);
    const beside = cells[2 * 10 + 3]!;
    close(beside.slice(1), [Math.exp(-2), 0.5, 0, Math.log(3), Math.log(2)]);
    assert.equal(beside[0], beside[1]);
    assert.ok(cells.every(([likeness], i) => i === 24 || (likeness! >= 0 && likeness! < 0.2)));
  });

  it('give back the box that was written', () => {
    const image = imageOf(car(10, 6, 12, 8), car(25, 20, 9, 11));
    const output = Float32Array.from(answersOf(image).flatMap(([likeness, , ...box]) => [12 * likeness! - 6, ...box]));
    const [found] = detectionsIn(output, SIZE, GRID, 1);
    const sure = found!.filter(({ score }) => score > 0.9);
    assert.equal(sure.length, 2);
    sure.forEach(({ x, y, width, height }, i) => {
      const { x: left, y: top, width: across, height: down } = image.boxes[i]!;
      close([x, y, width, height], [left, top, across, down]);
    });
    const [twice] = detectionsIn(output, { width: 80, height: 64 }, GRID, 1);
    close([twice![0]!.x, twice![0]!.width], [20, 24]);
  });

  it('are moved and mirrored with the view, and cut where it ends; what is mostly outside is unknown', () => {
    const right: ImageView = { ...plainView(SIZE), left: 20, width: 20, mirrored: true };
    const cells = answersOf(imageOf(car(16, 8, 12, 8), car(36, 20, 20, 8), car(0, 0, 10, 8)), right);
    // Of the first, 8 of 12 pixels are seen: 0 to 16 of 40, mirrored 24 to 40.
    const at = cells.findIndex(([likeness]) => likeness === 1);
    close([at % 10, Math.floor(at / 10)], [8, 3]);
    close(cells[at]!.slice(2), [-0.5, -0.5, Math.log(4), Math.log(2)]);
    assert.equal(cells.filter(([likeness]) => likeness === 1).length, 1);
    assert.equal(cells[5 * 10]![0], -1); // of the second, a fifth is seen
  });

  it('are unknown where an ignored object is, but for the centres of others', () => {
    const cells = answersOf(imageOf(car(0, 0, 40, 16, true), car(10, 6, 12, 8)));
    assert.equal(cells[24]![0], 1);
    assert.equal(cells[0]![0], -1);
    assert.equal(cells[79]![0], 0);
  });

  it('has no other class', () => {
    const person: TrueBox = { ...car(10, 6, 12, 8), category: 'person' };
    assert.ok(answersOf(imageOf(person)).every((cell) => cell.every((value) => value === 0)));
  });

  it('lie within the image, whatever the network says', () => {
    const output = Float32Array.from({ length: CELLS * 5 }, (_, i) => (i % 5 === 0 ? i : i % 2 === 0 ? 1e4 : -1e4));
    for (const { x, y, width, height } of detectionsIn(output, SIZE, GRID, 1)[0]!) {
      assert.ok(
        x >= 0 && y >= 0 && x + width <= SIZE.width && y + height <= SIZE.height,
        `${x} ${y} ${width} ${height}`,
      );
    }
  });
});

describe('the loss of centres', () => {
  it('has the gradient that finite differences give', () => {
    const random = new Random(3);
    const answers = Float32Array.from(
      answersOf(imageOf(car(10, 6, 12, 8), car(24, 16, 9, 11), car(0, 20, 8, 8, true))).flat(),
    );
    const output = Float32Array.from({ length: CELLS * (1 + BOX_NUMBERS) }, () => random.normal());
    const gradient = new Float32Array(output.length).fill(9);
    centreLoss(output, answers, 1, gradient);
    const step = 1e-3;
    const scratch = new Float32Array(output.length);
    for (let i = 0; i < output.length; i++) {
      const at = (move: number) => {
        const moved = output.slice();
        moved[i]! += move;
        return centreLoss(moved, answers, 1, scratch);
      };
      const slope = (at(step) - at(-step)) / (2 * step);
      assert.ok(Math.abs(slope - gradient[i]!) < 2e-3, `${i}: expected ${slope}, got ${gradient[i]}`);
    }
  });

  it('is finite and has a gradient without an object, and with logits that are far off', () => {
    const answers = Float32Array.from(answersOf(imageOf()).flat());
    for (const logit of [-1e3, 0, 1e3]) {
      const output = new Float32Array(CELLS * 5).fill(logit);
      const gradient = new Float32Array(output.length);
      const loss = centreLoss(output, answers, 1, gradient);
      assert.ok(Number.isFinite(loss) && gradient.every(Number.isFinite), `${logit}: ${loss}`);
      assert.equal(gradient[0]! > 0, logit >= 0);
    }
  });
});
