import assert from 'node:assert/strict';
import { streetFolder as target } from '../../../env/targets/street-folder.ts';
import { CLASS_ID, VOID } from '../../../env/streets/classes.ts';
import { namedClasses, streetClasses } from '../../../env/tasks/segmentation/merged-classes.ts';
import { gray, RED, streetFolder, type StreetFolder } from '../streets/street-folder.ts';

describe('a folder whose classes have names', () => {
  let folder: StreetFolder;
  beforeEach(() => {
    folder = streetFolder();
    for (let i = 0; i < 60; i++) {
      folder.put(`images/${i}.png`, RED);
      folder.put(`labels/${i}.png`, gray(2, [7, i % 2]));
    }
  });
  afterEach(() => folder.remove());

  const size = { width: 2, height: 1 };
  const counts = { validation: 100, test: 100 };
  const asStreets = () => target(folder.path, size, counts, () => streetClasses(), { asStreets: true });

  it('is read with Cityscapes’ ids, where streets are wanted', async () => {
    folder.put('classes.json', '{"7": "car", "0": "road", "1": "background"}');
    const [first, second] = await asStreets().target.validation();
    const truths = [first!, second!].map(({ classes }) => [...classes]).sort((a, b) => a[1]! - b[1]!);
    assert.deepEqual(truths, [
      [CLASS_ID.car, CLASS_ID.road],
      [CLASS_ID.car, VOID],
    ]);
  });

  it('is refused there, naming a class that Cityscapes does not have', () => {
    folder.put('classes.json', '{"7": "boat", "0": "road", "1": null}');
    assert.throws(asStreets, /classes\.json: expected classes of streets \(road, .*\), got boat/);
  });

  it('keeps its own ids elsewhere, and its file of classes is part of what tells it apart', async () => {
    folder.put('classes.json', '{"7": "boat", "0": "sea", "1": "pier"}');
    const own = () => target(folder.path, size, counts, (named) => namedClasses(named!.names, 'boat'));
    const { target: first, classes } = own();
    assert.deepEqual([classes.names, classes.scored], [['sea', 'pier', 'boat'], 2]); // in the order of the ids
    assert.equal((await first.validation())[0]!.classes[0], 2);
    const content = first.content!();
    folder.put('classes.json', '{"7": "boat", "0": "sea", "1": "sea"}');
    assert.notEqual(own().target.content!(), content);
  });
});
