import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cocoPaths, paintedLabels, readCoco } from '../../../env/streets/coco-file.ts';
import { readBoxLayout, readLayout } from '../../../env/streets/folder-layouts.ts';
import { readBoxFrames, readFrames, streetFrames } from '../../../env/streets/street-images.ts';
import { PYTHON } from '../../../scripts/setup/python-folder.ts';
import { colour, streetFolder, type StreetFolder } from './street-folder.ts';

const [WIDTH, HEIGHT] = [8, 6];
const PHOTOGRAPH = colour(
  WIDTH,
  Array.from({ length: WIDTH * HEIGHT }, () => [9, 9, 9]),
);
/** From (1, 1) to (5, 4): 12 pixels. */
const SQUARE = [1, 1, 5, 1, 5, 4, 1, 4];

describe('annotations in the format of COCO', () => {
  let folder: StreetFolder;
  beforeEach(() => (folder = streetFolder()));
  afterEach(() => folder.remove());

  const CATEGORIES = [
    { id: 3, name: 'boat' },
    { id: 7, name: 'buoy' },
  ];
  const image = (id: number, name: string) => ({ id, file_name: name, width: WIDTH, height: HEIGHT });
  const write = (annotations: object[], images = [image(1, 'a.png')], path = 'annotations.json', more = {}) =>
    folder.put(path, JSON.stringify({ images, annotations, categories: CATEGORIES, ...more }));
  const read = (path = 'annotations.json') => readCoco(join(folder.path, path));
  const painted = () => {
    const { classes } = paintedLabels(read().pictures[0]!, ['background', 'boat', 'buoy']);
    return Array.from({ length: HEIGHT }, (_, y) => [...classes.subarray(y * WIDTH, (y + 1) * WIDTH)].join(' '));
  };
  const boat = { image_id: 1, category_id: 3 };

  it('are painted as labels: polygons, run lengths, and run lengths in short form, the smaller over the larger', () => {
    const small = { ...boat, category_id: 7, segmentation: { size: [HEIGHT, WIDTH], counts: [13, 2, 33] } }; // column 2, rows 1 and 2
    write([small, { ...boat, segmentation: [SQUARE] }]);
    const expected = [
      '0 0 0 0 0 0 0 0',
      '0 1 2 1 1 0 0 0',
      '0 1 2 1 1 0 0 0',
      '0 1 1 1 1 0 0 0',
      '0 0 0 0 0 0 0 0',
      '0 0 0 0 0 0 0 0',
    ];
    assert.deepEqual(painted(), expected);
    // 13, 2, 33 in pieces of 5 bits from '0': 13 = '=', 2 = '2', and 33, in two pieces: 1 with a bit for more, 1
    write([
      { ...small, segmentation: { size: [HEIGHT, WIDTH], counts: '=2Q1' } },
      { ...boat, segmentation: [SQUARE] },
    ]);
    assert.deepEqual(painted(), expected);
  });

  it('leave crowds unknown, except where something else is', () => {
    const all = { size: [HEIGHT, WIDTH], counts: [0, 48] };
    write([
      { ...boat, segmentation: [SQUARE] },
      { ...boat, category_id: 7, iscrowd: 1, segmentation: all },
    ]);
    assert.deepEqual(painted()[1], '255 1 1 1 1 255 255 255');
  });

  it('has the masks that pycocotools decodes', function () {
    if (!existsSync(PYTHON)) return void this.skip(); // npm run setup:python brings it
    const code = `
import json, sys, numpy as np
from pycocotools import mask
rng = np.random.default_rng(1)
cases = []
for i in range(40):
    m = np.asfortranarray((rng.random((${HEIGHT}, ${WIDTH})) < rng.random()).astype(np.uint8))
    cases.append({"counts": mask.encode(m)["counts"].decode(), "pixels": m.flatten(order="C").tolist()})
print(json.dumps(cases))`;
    const { stdout, stderr } = spawnSync(PYTHON, ['-c', code], { encoding: 'utf8' });
    assert.notEqual(stdout, '', stderr);
    const cases = JSON.parse(stdout) as { counts: string; pixels: number[] }[];
    for (const { counts, pixels } of cases) {
      write([{ ...boat, segmentation: { size: [HEIGHT, WIDTH], counts } }]);
      const { classes } = paintedLabels(read().pictures[0]!, ['background', 'boat']);
      assert.deepEqual([...classes], pixels, counts);
    }
  });

  it('lie where COCO and the usual tools put them, with their images', () => {
    for (const [annotations, photograph] of [
      ['annotations.json', 'images/a.png'],
      ['_annotations.coco.json', 'a.png'],
      ['annotations/instances_default.json', 'images/a.png'],
      ['annotations/instances_val2017.json', 'val2017/a.png'],
    ] as const) {
      write([], [image(1, 'a.png')], annotations);
      folder.put(photograph, PHOTOGRAPH);
      assert.deepEqual(cocoPaths(folder.path), [join(folder.path, annotations)]);
      const [frame] = readLayout(folder.path).pool;
      assert.equal(frame!.image, join(folder.path, photograph));
      folder.remove(annotations);
      folder.remove(photograph);
    }
  });

  it('are one pool, or train and val, of which val is the test', async () => {
    const many = Array.from({ length: 60 }, (_, i) => image(i, `${i}.png`));
    for (const { file_name } of many) folder.put(`train/${file_name}`, PHOTOGRAPH);
    folder.put('val/a.png', PHOTOGRAPH);
    const objects = many.map(({ id }) => ({
      image_id: id,
      category_id: 3,
      segmentation: [SQUARE],
      bbox: [1, 1, 4, 3],
    }));
    write(objects, many, 'annotations/instances_train.json');
    assert.deepEqual(
      Object.values(streetFrames(folder.path).frames).map((frames) => (frames as unknown[]).length),
      [30, 15, 15, 0],
    );
    write(
      [{ ...boat, segmentation: [SQUARE], bbox: [1, 1, 4, 3] }],
      [image(1, 'a.png')],
      'annotations/instances_val.json',
    );
    const { layout, frames } = streetFrames(folder.path);
    assert.deepEqual(
      [layout.name, layout.classes!.names, frames.test.length],
      ['coco', ['background', 'boat', 'buoy'], 1],
    );
    const [first] = await readFrames(frames.test, { width: WIDTH, height: HEIGHT });
    assert.equal(first!.classes.filter((id) => id === 1).length, 12);
    const boxes = readBoxLayout(folder.path, { classes: ['boat'], difficulty: 'moderate' });
    const [seen] = await readBoxFrames(boxes.test, { width: 2 * WIDTH, height: 2 * HEIGHT });
    assert.deepEqual(seen!.boxes, [{ category: 'boat', ignored: false, x: 2, y: 2, width: 8, height: 6 }]);
    const wrong = boxes.test.map((frame) => ({ ...frame, size: { width: 9, height: 9 } }));
    await assert.rejects(
      readBoxFrames(wrong, { width: WIDTH, height: HEIGHT }),
      /val\/a\.png: expected 9×9, as .*instances_val\.json says, got 8×6/,
    );
    assert.throws(
      () => readBoxLayout(folder.path, { classes: ['car'], difficulty: 'moderate' }),
      /classes: expected categories of .*instances_train\.json \(boat, buoy\), got car/,
    );
  });

  it('are refused with the place, the rule and the value', () => {
    const refused = (message: RegExp, ...given: Parameters<typeof write>) => {
      write(...given);
      assert.throws(painted, message);
    };
    const half = { size: [3, 8], counts: [0, 24] };
    refused(/annotations\.json: annotations\.0\.image_id: expected the id of one of the images, got 2/, [
      { ...boat, image_id: 2 },
    ]);
    refused(/annotations\.0\.category_id: expected the id of one of the categories, got 1/, [
      { ...boat, category_id: 1 },
    ]);
    refused(/annotations\.0: expected a mask \(segmentation\), got none/, [boat]);
    refused(/annotations\.0\.segmentation\.0: expected a polygon of at least 3 points.*, got \[1,1\]/, [
      { ...boat, segmentation: [[1, 1]] },
    ]);
    refused(/segmentation\.size: expected \[6,8\], as its image, got \[3,8\]/, [{ ...boat, segmentation: half }]);
    refused(/segmentation\.counts: expected runs of 48 pixels, got 47/, [
      { ...boat, segmentation: { size: [6, 8], counts: [40, 7] } },
    ]);
    refused(/images: expected an id of its own for each image/, [], [image(1, 'a.png'), image(1, 'b.png')]);
    refused(/images\.0\.width: .*, got "8"/, [], [{ ...image(1, 'a.png'), width: '8' as unknown as number }]);
    folder.put('annotations.json', '{');
    assert.throws(
      () => read(),
      /annotations\.json, line 1, column 2: expected JSON, got the end after { \(close brace expected\)$/,
    );
    write([]);
    assert.throws(
      () => readLayout(folder.path),
      /a\.png: expected an image, since .*annotations\.json names it, found none/,
    );
  });
});
