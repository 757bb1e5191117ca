import assert from 'node:assert/strict';
import { readLayout } from '../../../env/streets/folder-layouts.ts';
import { classesIn } from '../../../env/streets/named-classes.ts';
import { readFrames } from '../../../env/streets/street-images.ts';
import { colour, gray, RED, streetFolder, type StreetFolder } from './street-folder.ts';

describe('classes.json', () => {
  let folder: StreetFolder;
  beforeEach(() => (folder = streetFolder()));
  afterEach(() => folder.remove());

  const classes = (value: unknown) => {
    folder.put('classes.json', JSON.stringify(value));
    return classesIn(folder.path)!;
  };

  it('names classes by their ids, in a list or an object; null is void, and equal names are one class', () => {
    const list = classes(['sea', 'boat', null, 'boat']);
    assert.deepEqual(list.names, ['sea', 'boat']);
    assert.deepEqual(
      [0, 1, 2, 3, 4, 255].map((id) => list.maps.ids.get(id)),
      [0, 1, 255, 1, undefined, 255],
    );
    const object = classes({
      '7': 'boat',
      '1000': { name: 'sea', colour: [0, 0, 255] },
      '9': { name: null, color: [1, 1, 1] },
    });
    assert.deepEqual(object.names, ['boat', 'sea']);
    assert.deepEqual(
      [7, 1000, 9].map((id) => object.maps.ids.get(id)),
      [0, 1, 255],
    );
    assert.deepEqual(
      [255, 0x010101].map((key) => object.maps.palette.get(key)),
      [1, 255],
    );
  });

  it('is refused with the place, the rule and the value', () => {
    assert.throws(
      () => classes('boat'),
      /classes\.json: the file: expected a list of names, or an object .*, got "boat"/,
    );
    assert.throws(() => classes(['sea', 7]), /classes\.json: 1: expected a name, null for void, or .*, got 7/);
    assert.throws(() => classes({ sea: 'boat' }), /classes\.json: sea: expected ids of 0 to 65535 as keys/);
    assert.throws(() => classes(['sea']), /classes\.json: expected 2 to 254 classes, got 1: \["sea"\]/);
    assert.throws(
      () => classes(['sea', { name: 'boat', colour: [1, 2, 300] }]),
      /classes\.json: 1\.colour\.2: .*, got 300/,
    );
    assert.equal(classesIn(`${folder.path}/none`), undefined);
  });

  it('makes a data set of any folder with images and labels, as ids or colours', async () => {
    folder.put(
      'classes.json',
      JSON.stringify(['sea', { name: 'boat', colour: [255, 0, 0] }, { name: 'sky', colour: [0, 0, 255] }]),
    );
    folder.put('images/pier.jpg', RED);
    folder.put('labels/pier.png', gray(2, [1, 0]));
    folder.put('images/quay.png', RED);
    folder.put('labels/quay.png', colour(2, [[0, 0, 255], [255, 0, 0]])); // prettier-ignore
    const { name, pool, classes: named } = readLayout(folder.path);
    assert.deepEqual([name, named!.names], ['images and labels', ['sea', 'boat', 'sky']]);
    const images = await readFrames(pool, { width: 2, height: 1 });
    assert.deepEqual(images.map(({ classes }) => [...classes]), [[1, 0], [2, 1]]); // prettier-ignore
    folder.put('labels/quay.png', gray(2, [1, 9]));
    await assert.rejects(
      readFrames(readLayout(folder.path).pool, { width: 2, height: 1 }),
      /quay\.png: expected ids or colours of the data set, got 1 others in 50\.0 % of the pixels, such as 9/,
    );
    folder.remove('images');
    assert.throws(() => readLayout(folder.path), /expected images\/ and labels\/ beside classes\.json/);
  });

  it('may name splits too', () => {
    folder.put('classes.json', '["sea", "boat"]');
    for (const split of ['train', 'test']) {
      folder.put(`${split}/images/pier.png`, RED);
      folder.put(`${split}/labels/pier.png`, gray(2, [1, 0]));
    }
    const { name, pool, test, classes: named } = readLayout(folder.path);
    assert.deepEqual([name, pool.length, test.length, named!.names.length], ['images and labels', 1, 1, 2]);
  });
});
