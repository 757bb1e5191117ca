import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  ALL_OVERLAPS,
  averagePrecision,
  COCO_OVERLAPS,
  meanAveragePrecision,
  overlap,
  type DetectionsIn,
} from '../../../../env/tasks/detection/average-precision.ts';
import { randomCase } from './random-cases.ts';

const python = join(import.meta.dirname, '../../../../.python/bin/python');

/** What coco.py gives for the cases of these seeds, at COCO's overlaps: the mean, and that of .5. */
const KNOWN: Readonly<Record<number, readonly [ap: number, ap50: number]>> = {
  3: [0.29661767017037854, 0.6239010455667416],
  11: [0.35346534653465345, 0.5049504950495048],
  42: [0.3768561471531769, 0.5711855800964712],
};

const box = (x: number, y: number, width: number, height: number) => ({ x, y, width, height });
const CAR = { ...box(10, 10, 10, 10), ignored: false };
const close = (got: number | undefined, expected: number, what: string) =>
  assert.ok(got !== undefined && Math.abs(got - expected) < 1e-6, `${what}: expected ${expected}, got ${got}`);

describe('average precision', () => {
  it('is 1 where all is found and nothing else, and 0 where nothing is', () => {
    const found = { truth: [CAR], detections: [{ ...CAR, score: 0.3 }] };
    close(averagePrecision([found, found], 0.95), 1, 'all');
    assert.equal(averagePrecision([{ truth: [CAR], detections: [] }], 0.5), 0);
    assert.equal(averagePrecision([{ truth: [], detections: found.detections }], 0.5), undefined);
  });

  it('falls with surer mistakes, not with less sure ones', () => {
    const wrong = { ...box(50, 50, 5, 5), score: 0.9 };
    const found = { ...CAR, score: 0.5 };
    close(averagePrecision([{ truth: [CAR], detections: [wrong, found] }], 0.5), 0.5, 'surer');
    close(averagePrecision([{ truth: [CAR], detections: [{ ...wrong, score: 0.1 }, found] }], 0.5), 1, 'less sure');
  });

  it('counts a second box on the same object as a mistake, and one on an ignored object not at all', () => {
    const twice = [CAR, CAR].map((found, i) => ({ ...found, score: 0.9 - i / 10 }));
    const other = { ...box(40, 10, 10, 10), ignored: false };
    const detections = [...twice, { ...other, score: 0.1 }];
    close(averagePrecision([{ truth: [CAR, other], detections }], 0.5), (51 + (50 * 2) / 3) / 101, 'twice');
    const ignored = { ...CAR, ignored: true };
    close(averagePrecision([{ truth: [ignored, other], detections }], 0.5), 1, 'ignored');
  });

  it('measures the overlap over the union, and over the detection where the object is ignored', () => {
    const half = box(15, 10, 10, 10);
    close(overlap(half, CAR), 50 / 150, 'union');
    close(overlap(half, { ...CAR, ignored: true }), 50 / 100, 'ignored');
    assert.equal(overlap(box(20, 10, 5, 5), CAR), 0);
  });

  for (const [seed, [ap, ap50]] of Object.entries(KNOWN)) {
    it(`is what pycocotools computes for random boxes ${seed}`, () => {
      const images = randomCase(Number(seed));
      close(meanAveragePrecision(images, COCO_OVERLAPS), ap, 'ap');
      close(averagePrecision(images, 0.5), ap50, 'ap50');
    });
  }

  it('is what pycocotools computes for 200 sets of random boxes, where it is installed @slow', function () {
    const imports = existsSync(python) && spawnSync(python, ['-c', 'import pycocotools']).status === 0;
    if (!imports) return this.skip();
    const cases = Array.from({ length: 200 }, (_, seed) => randomCase(seed));
    for (const [overlaps, known] of [
      [[0.5, 0.95, 10], COCO_OVERLAPS],
      [[0.1, 0.95, 18], ALL_OVERLAPS],
    ] as const) {
      const input = JSON.stringify(cases.map((images) => ({ images: images.map(asNumbers), overlaps })));
      const script = join(import.meta.dirname, 'coco.py');
      const { stdout, stderr } = spawnSync(python, [script], { input, encoding: 'utf8', maxBuffer: 1e8 });
      const answers = JSON.parse(stdout || assert.fail(stderr)) as number[][];
      for (const [i, images] of cases.entries()) {
        for (const [k, least] of known.entries()) {
          close(averagePrecision(images, least), answers[i]![k]!, `boxes ${i}, overlap ${least}`);
        }
      }
    }
  });
});

function asNumbers({ truth, detections }: DetectionsIn) {
  return {
    truth: truth.map(({ x, y, width, height, ignored }) => [x, y, width, height, ignored]),
    detections: detections.map(({ x, y, width, height, score }) => [x, y, width, height, score]),
  };
}
