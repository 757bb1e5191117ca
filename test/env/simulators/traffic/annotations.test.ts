import assert from 'node:assert/strict';
import { SoftwareRenderer } from '../../../../env/render/software/software-renderer.ts';
import {
  annotator,
  CATEGORIES,
  type Category,
  countCars,
  visibleBoxes,
} from '../../../../env/simulators/traffic/annotations.ts';
import { CAR_TYPES } from '../../../../env/simulators/traffic/parameters.ts';
import { type TrafficImage, trafficSimulator } from '../../../../env/simulators/traffic/traffic.ts';
import { defaultTheta, type Theta } from '../../../../protocol/parameters.ts';

const renderer = new SoftwareRenderer();
const simulator = trafficSimulator({ width: 128, height: 96, renderer });
const annotate = annotator(renderer);
/** One lane each way with nothing on it but leading cars. */
const alone: Theta = {
  ...defaultTheta(simulator.parameters),
  carTypes: [1, 0, 0, 0, 0],
  junctions: [1, 0, 0, 0, 0, 0],
  parkedShare: 0,
  oncomingRate: 0,
  leadingRate: 0.5,
  nearestCar: 9,
  poleRate: 0,
  treeRate: 0,
  peopleRate: 0,
  clutterRate: 0,
  lanes: 1,
  curvature: 0,
};

/** Images of scenes 0, 1, … until there are `count` that pass. */
async function imagesWhere(
  theta: Theta,
  passes: (image: TrafficImage) => boolean | Promise<boolean>,
  count: number,
): Promise<TrafficImage[]> {
  const found: TrafficImage[] = [];
  const set = simulator.open(theta, 8);
  for (let index = 0; found.length < count && index < 500; index++) {
    const image = await set.draw(index);
    if (await passes(image)) found.push(image);
  }
  assert.equal(found.length, count);
  return found;
}

describe('annotations of a picture', () => {
  it('say that a car which stands alone is fully visible', async () => {
    for (const image of await imagesWhere(alone, ({ cars }) => cars.length === 1, 5)) {
      const [only] = await annotate(image);
      assert.equal(only!.visibility, 1);
      assert.equal(only!.category, 'hatchback');
      assert.equal(only!.area, image.instances.filter((id) => id > 0).length);
    }
  });

  it('measure how much of a car another car hides: the pixels that appear when the other is removed', async () => {
    const hidesOne = async (image: TrafficImage) => (await annotate(image)).some((a) => a.visibility < 0.6);
    const crowded = { ...alone, leadingRate: 6 };
    for (const image of await imagesWhere(crowded, hidesOne, 3)) {
      const annotations = await annotate(image);
      const [first] = annotations;
      for (const { visibility, instance } of annotations) {
        if (instance === first!.instance) assert.equal(visibility, 1, 'nothing stands before the nearest');
      }
      const hidden = annotations.find(({ visibility }) => visibility < 0.6)!;
      assert.ok(hidden.distance > first!.distance);
    }
  });

  it('measure how much of a car the edge of the picture cuts off', async () => {
    const near = { ...alone, carTypes: [0, 0, 0, 0, 1], leadingRate: 6, nearestCar: 4, fieldOfView: 40 };
    const far = { ...alone, nearestCar: 40 };
    const seen = ({ instances }: TrafficImage) => instances.some((id) => id > 0);
    let cut = 0;
    for (const image of await imagesWhere(near, seen, 8)) {
      const { truncation, box } = (await annotate(image))[0]!;
      const [left, top, width, height] = box;
      if (truncation < 0.1) continue;
      cut++;
      assert.ok(left === 0 || top === 0 || left + width === image.width || top + height === image.height, box.join());
    }
    assert.ok(cut >= 4, `${cut} of 8 buses right ahead reach over the edge`);
    for (const image of await imagesWhere(far, seen, 4)) assert.ok((await annotate(image))[0]!.truncation < 1e-9);
  });

  it('count the cars of each type that show enough pixels', async () => {
    for (const image of await imagesWhere(
      { ...alone, carTypes: [0, 0, 0, 1, 0] },
      ({ cars }) => cars.length === 1,
      3,
    )) {
      const { area } = (await annotate(image))[0]!;
      const share = area / (image.width * image.height);
      assert.deepEqual(countCars(image, share * 0.99), [0, 0, 0, 1, 0]);
      assert.deepEqual(countCars(image, share * 1.01), [0, 0, 0, 0, 0]);
    }
  });

  it('cover the car types, people and riders', async () => {
    assert.deepEqual(CATEGORIES, [...CAR_TYPES, 'person', 'rider']);
    const busy = { ...alone, peopleRate: 15, leadingRate: 4, carTypes: [0.2, 0.2, 0.2, 0.2, 0.2] };
    const seen = new Set<Category>();
    for (const image of await imagesWhere(busy, () => true, 60))
      for (const { category } of await annotate(image)) seen.add(category);
    assert.deepEqual([...seen].sort(), [...CATEGORIES].sort());
  });

  it('put a box around exactly the pixels of an id', () => {
    const width = 6;
    const instances = Uint16Array.from([0, 0, 0, 0, 0, 0, 0, 3, 0, 3, 0, 0, 0, 0, 3, 0, 0, 5]);
    assert.deepEqual([...visibleBoxes(instances, width)], [
      [3, { box: [1, 1, 3, 2], area: 3 }],
      [5, { box: [5, 2, 1, 1], area: 1 }],
    ]); // prettier-ignore
  });
});
