import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readLayout, readPhotographs } from '../../../env/streets/folder-layouts.ts';
import { gray, RED, streetFolder, type StreetFolder } from './street-folder.ts';

const CAR_AND_ROAD = gray(2, [8, 3]);

describe('the layout of a folder', () => {
  let folder: StreetFolder;
  beforeEach(() => (folder = streetFolder()));
  afterEach(() => folder.remove());

  /** A frame in CamVid's layout. */
  const putFrame = (name: string, split = 'train') => {
    folder.put(`${split}/images/${name}.png`, RED);
    folder.put(`${split}/labels/${name}.png`, CAR_AND_ROAD);
  };
  const putCity = (frame: string, labels: string, end = '_leftImg8bit.png') => {
    folder.put(`leftImg8bit/${frame}${end}`, RED);
    folder.put(`gtFine/${frame}_gtFine_${labels}.png`, gray(2, [1, 1]));
  };
  const poolNames = () => readLayout(folder.path).pool.map(({ image }) => basename(image));

  it('is CamVid’s, with labels in a folder beside the images, or named after theirs', () => {
    putFrame('S1_001');
    folder.put('val/images/S1_002.jpg', RED);
    folder.put('val/labels/S1_002_L.png', CAR_AND_ROAD);
    putFrame('S2_001', 'test');
    const { name, pool, test } = readLayout(folder.path);
    assert.deepEqual([name, pool.length, test.length], ['camvid', 2, 1]);
    folder.remove('train');
    folder.put('train/S1_003.png', RED);
    folder.put('trainannot/S1_003.png', CAR_AND_ROAD);
    assert.deepEqual(poolNames(), ['S1_002.jpg', 'S1_003.png']);
  });

  it('of photographs is any: what lies in folders of labels is none, and labels are not needed', () => {
    const names = () => readPhotographs(folder.path).pool.map(({ image }) => image.slice(folder.path.length + 1));
    folder.put('a/9.jpg', RED);
    folder.put('a/10.jpg', RED);
    folder.put('b/1.png', RED);
    folder.put('.hidden/1.png', RED);
    folder.put('notes.txt', '');
    assert.deepEqual([readPhotographs(folder.path).name, names()], ['photographs', ['a/9.jpg', 'a/10.jpg', 'b/1.png']]);
    folder.put('images/1.png', RED);
    folder.put('labels/1.png', CAR_AND_ROAD);
    assert.deepEqual(names(), ['a/9.jpg', 'a/10.jpg', 'b/1.png', 'images/1.png'], 'as a simulator writes them');
    folder.put('a/10_L.png', RED);
    folder.put('a/10_depth.png', RED);
    folder.put('a/left_L.png', RED);
    folder.put('a/snap_Color.png', RED);
    assert.deepEqual(
      names().filter((name) => name.startsWith('a/')),
      ['a/9.jpg', 'a/10.jpg', 'a/left_L.png', 'a/snap_Color.png'],
      'the left camera, and the picture beside a depth map',
    );
    putFrame('S1_002');
    putFrame('S1_001', 'val');
    putFrame('S2_001', 'test');
    assert.deepEqual(names(), ['val/images/S1_001.png', 'train/images/S1_002.png']);
    assert.equal(readPhotographs(folder.path).test.length, 1);
    assert.deepEqual(
      readPhotographs(folder.path).pool.map(({ image }) => image),
      readLayout(folder.path).pool.map(({ image }) => image),
      'of a known layout the same, in the same order',
    );
    folder.remove('val/labels');
    assert.equal(names().length, 2, 'labels are not missed');
    putCity('train/bonn/b_000001_000001', 'labelIds');
    putCity('train/bonn/b_000001_000000', 'color');
    putCity('val/ulm/u_000000_000000', 'labelIds');
    assert.deepEqual(
      readPhotographs(folder.path).pool.map(({ image, sequence }) => [basename(image).slice(0, 15), sequence]),
      [
        ['b_000001_000000', 'bonn'],
        ['b_000001_000001', 'bonn'],
      ],
    );
    assert.equal(readPhotographs(folder.path).test.length, 1);
    folder.remove('leftImg8bit');
    folder.put('training/image_2/000001.png', RED);
    folder.put('testing/image_2/000002.png', RED);
    assert.deepEqual(names(), ['training/image_2/000001.png']);
    for (const name of ['training', 'testing', 'train', 'val', 'test', 'a', 'b', 'images']) folder.remove(name);
    assert.throws(names, /expected images \(\.png, \.jpg or \.jpeg\) in the folder or below it, found none/);
  });

  it('is KITTI’s, whose frames are one sequence', () => {
    for (const frame of ['000000_10', '000001_10', '000002_10']) {
      folder.put(`training/image_2/${frame}.png`, RED);
      folder.put(`training/semantic/${frame}.png`, gray(2, [26, 7]));
    }
    const { name, pool } = readLayout(folder.path);
    assert.equal(name, 'kitti');
    assert.equal(pool.length, 3);
    assert.equal(new Set(pool.map(({ sequence }) => sequence)).size, 1);
    folder.put('training/semantic_rgb/000001_10.png', RED);
    folder.remove('training/semantic');
    folder.remove('training/image_2/000000_10.png');
    folder.remove('training/image_2/000002_10.png');
    assert.equal(readLayout(folder.path).pool[0]!.labels, join(folder.path, 'training/semantic_rgb/000001_10.png'));
  });

  it('is Cityscapes’, whose cities are sequences, and `val` the test', () => {
    putCity('train/ulm/ulm_000000_000019', 'labelIds');
    putCity('train/ulm/ulm_000001_000019', 'labelTrainIds');
    putCity('train/bonn/bonn_000000_000019', 'color');
    putCity('val/lindau/lindau_000000_000019', 'labelIds');
    const { name, pool, test } = readLayout(folder.path);
    assert.deepEqual([name, test.length], ['cityscapes', 1]);
    assert.deepEqual(
      pool.map(({ sequence, labels, maps }) => [sequence, labels.replace(/.*_gtFine_/, ''), maps.ids.has(26)]),
      [
        ['bonn', 'color.png', true],
        ['ulm', 'labelIds.png', true],
        ['ulm', 'labelTrainIds.png', false],
      ],
    );
  });

  it('may have JPEG photographs, in capitals too, and suffixes of Cityscapes in the path to it', () => {
    const inner = 'my_leftImg8bit.png_data';
    for (const end of ['_leftImg8bit.jpg', '_leftImg8bit.JPEG', '_leftImg8bit.PNG']) {
      folder.put(`${inner}/leftImg8bit/train/ulm/ulm${end[13]}_000019${end}`, RED);
      folder.put(`${inner}/gtFine/train/ulm/ulm${end[13]}_000019_gtFine_labelIds.png`, gray(2, [26, 7]));
    }
    const { pool } = readLayout(join(folder.path, inner));
    assert.equal(pool.length, 3);
    for (const { labels } of pool) assert.ok(labels.startsWith(join(folder.path, inner, 'gtFine/train/ulm')), labels);
  });

  it('has no frames in what is hidden or left behind by a system', () => {
    putFrame('S1_001');
    const left = ['._S1_001.png', '.S1_002.jpg', '.ipynb_checkpoints/S1_001-checkpoint.png', 'Thumbs.db'];
    for (const kind of ['images', 'labels']) {
      for (const name of [...left, '.DS_Store', '@eaDir/S1_001.png', '__MACOSX/S1_001.png']) {
        folder.put(`train/${kind}/${name}`, 'nothing');
      }
    }
    assert.deepEqual(poolNames(), ['S1_001.png']);
    assert.equal(readLayout(folder.path).pool.length, 1);
  });

  it('is found in a folder whose own path is hidden', () => {
    folder.put('.data/train/images/S1_001.png', RED);
    folder.put('.data/train/labels/S1_001.png', CAR_AND_ROAD);
    assert.equal(readLayout(join(folder.path, '.data')).pool.length, 1);
  });

  it('orders frames by their numbers, and tells their sequences from what comes before', () => {
    for (const name of ['S1_10', 'S1_9', 'S2_1', '12', '8', 'drive-3', 'drive-20']) putFrame(name);
    const { pool } = readLayout(folder.path);
    const shown = pool.map(({ image, sequence }) => [basename(image, '.png'), sequence]);
    assert.deepEqual(shown, [
      ['8', ''],
      ['12', ''],
      ['S1_9', 'S1_'],
      ['S1_10', 'S1_'],
      ['S2_1', 'S2_'],
      ['drive-3', 'drive-'],
      ['drive-20', 'drive-'],
    ]);
  });

  it('has a sequence in each folder, and in the changed copies of one image that Roboflow makes', () => {
    for (const drive of ['drive1', 'drive2']) {
      for (const i of [1, 2, 3]) folder.put(`train/images/${drive}/${i}.png`, RED);
      for (const i of [1, 2, 3]) folder.put(`train/labels/${drive}/${i}.png`, CAR_AND_ROAD);
    }
    const frames = readLayout(folder.path).pool;
    assert.deepEqual(
      frames.map(({ image }) => image.slice(-12)),
      ['drive1/1.png', 'drive1/2.png', 'drive1/3.png', 'drive2/1.png', 'drive2/2.png', 'drive2/3.png'],
    );
    assert.deepEqual(new Set(frames.map(({ sequence }) => sequence)).size, 2);
    folder.remove('train');
    for (const name of ['a_0001', 'a_0002', 'b_0001', 'b_0002'])
      for (const hash of ['00ff12', '3a0b99']) folder.put(`${name}_jpg.rf.${hash}.jpg`, RED);
    const photographs = readPhotographs(folder.path).pool;
    assert.deepEqual(
      photographs.map(({ sequence }) => sequence),
      [...Array<string>(4).fill('a_'), ...Array<string>(4).fill('b_')],
    );
  });

  it('has one sequence of frames that an earlier number counts, whatever stands behind it', () => {
    const numbered = (of: (index: string) => string, digits = 6) =>
      Array.from({ length: 20 }, (_, i) => of(String(i).padStart(digits, '0')));
    const sequencesOf = (names: readonly string[]) => {
      folder.remove();
      for (const name of names) putFrame(name);
      return new Set(readLayout(folder.path).pool.map(({ sequence }) => sequence)).size;
    };
    for (const names of [
      numbered((i) => `${i}_10`, 5),
      numbered((i) => `${i}_10`, 10),
      numbered((i) => i, 10),
      numbered((i) => `kitti_${i}_10`),
      numbered((i) => `${i}_10_rgb`),
      numbered((i) => `${i}_100`),
      numbered((i) => `frame${i}_v2`, 4),
      numbered((i) => `${i}a1`, 4),
      numbered((i) => `v2_${i}_10_rgb8`),
    ]) {
      assert.equal(sequencesOf(names), 1, names[1]);
    }
    assert.equal(sequencesOf(['a', 'b'].flatMap((drive) => numbered((i) => `${drive}1_${i}`, 3))), 2);
    assert.equal(sequencesOf(['035e29', '08d12d', '0c2f57', 'ab2d1f']), 4, 'names without an order');
  });

  it('is refused, naming what is there and what is known', () => {
    assert.throws(
      () => readLayout(join(folder.path, 'none')),
      /none: expected a folder of street images, found nothing/,
    );
    assert.throws(
      () => readLayout(folder.path),
      /Cityscapes \(leftImg8bit\/train, gtFine\/train\), COCO .*, found nothing$/,
    );
    folder.put('.DS_Store', '');
    folder.put('readme.txt', 'hello');
    assert.throws(() => readLayout(folder.path), /expected CamVid .* KITTI .* Cityscapes .*, found readme.txt$/);
    assert.throws(
      () => readLayout(join(folder.path, 'readme.txt')),
      /expected a folder of street images, found a file/,
    );
  });

  it('is refused without images, naming where they would be', () => {
    mkdirSync(join(folder.path, 'train/images'), { recursive: true });
    folder.put('train/images/frames.txt', '');
    assert.throws(() => readLayout(folder.path), /expected images \(.*\) in train\/images or train, found none$/);
    folder.remove('train');
    mkdirSync(join(folder.path, 'trainannot'));
    assert.throws(() => readLayout(folder.path), /in train\/images or train, found none$/);
    folder.remove('trainannot');
    mkdirSync(join(folder.path, 'leftImg8bit/train/ulm'), { recursive: true });
    assert.throws(() => readLayout(folder.path), /in leftImg8bit\/train, found none$/);
    mkdirSync(join(folder.path, 'training/image_2'), { recursive: true });
    mkdirSync(join(folder.path, 'training/semantic'));
    assert.throws(() => readLayout(folder.path), /in training\/image_2, found none$/);
  });

  it('is refused where a whole split has labels and no images', () => {
    putFrame('S1_001');
    folder.put('test/labels/S2_001.png', CAR_AND_ROAD);
    const message = /test\/images: expected the images of 1 label images, such as .*S2_001\.png, found none/;
    assert.throws(() => readLayout(folder.path), message);
    mkdirSync(join(folder.path, 'test/images'));
    assert.throws(() => readLayout(folder.path), message);
    folder.remove('test');
    folder.put('testannot/S2_001.png', CAR_AND_ROAD);
    assert.throws(() => readLayout(folder.path), /\/test: expected the images of 1 label images/);
    folder.remove();
    putCity('train/ulm/ulm_000000_000019', 'labelIds');
    folder.put('gtFine/val/lindau/lindau_000000_000019_gtFine_labelIds.png', gray(2, [1, 1]));
    assert.throws(() => readLayout(folder.path), /leftImg8bit\/val: expected the images of 1 label images/);
    folder.remove();
    mkdirSync(join(folder.path, 'training/image_2'), { recursive: true });
    folder.put('training/semantic/000000_10.png', gray(2, [1, 1]));
    assert.throws(() => readLayout(folder.path), /training\/image_2: expected the images of 1 label images/);
  });

  it('is refused with what lies there, two folders deep', () => {
    mkdirSync(join(folder.path, 'train'));
    assert.throws(() => readLayout(folder.path), /, found train, which is empty$/);
    folder.put('train/image/S1_001.png', RED);
    folder.put('val.txt', '');
    assert.throws(() => readLayout(folder.path), /, found train\/image, val\.txt$/);
    folder.remove('train');
    folder.put('train/labels/S1_001.png', CAR_AND_ROAD);
    assert.throws(() => readLayout(folder.path), /train\/images: expected the images of 1 label images/);
  });

  it('is refused where an image has no labels', () => {
    folder.put('train/images/S1_001.png', RED);
    folder.put('train/labels/other.png', CAR_AND_ROAD);
    assert.throws(
      () => readLayout(folder.path),
      /S1_001\.png: expected its labels at .*S1_001\.png or .*S1_001_L\.png, found none/,
    );
  });

  it('is refused where labels have no image, unless they are few', () => {
    putFrame('S1_001');
    folder.put('train/labels/S1_002.png', CAR_AND_ROAD);
    assert.throws(
      () => readLayout(folder.path),
      /labels\/S1_002\.png: expected an image that these labels belong to, found none \(1 of 2 label images have none\)/,
    );
    for (let frame = 3; frame < 102; frame++) putFrame(`S1_${frame}`);
    assert.equal(readLayout(folder.path).pool.length, 100, '1 of 101');
    folder.put('train/labels/S1_998.png', CAR_AND_ROAD);
    assert.throws(() => readLayout(folder.path), /\(2 of 102 label images have none\)/);
  });

  it('may lack whole cities of Cityscapes, and its other kinds of labels are not missed', () => {
    putCity('train/ulm/ulm_000000_000019', 'labelIds');
    for (const kind of ['labelTrainIds', 'color', 'instanceIds']) {
      folder.put(`gtFine/train/ulm/ulm_000000_000019_gtFine_${kind}.png`, gray(2, [1, 1]));
    }
    folder.put('gtFine/train/bonn/bonn_000000_000019_gtFine_labelIds.png', gray(2, [1, 1]));
    assert.equal(readLayout(folder.path).pool.length, 1);
    folder.put('gtFine/train/ulm/ulm_000009_000019_gtFine_labelIds.png', gray(2, [1, 1]));
    assert.throws(() => readLayout(folder.path), /ulm_000009_000019_gtFine_labelIds\.png: expected an image/);
  });
});
