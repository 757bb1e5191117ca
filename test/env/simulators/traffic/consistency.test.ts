/** Colours, labels, instances, depth, boxes and counts of one scene agree, whatever θ. `SCENES=5000` draws more. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Matrix4, Vector3 } from 'three';
import { CLASS_ID, CLASSES } from '../../../../env/streets/classes.ts';
import { SoftwareRenderer } from '../../../../env/render/software/software-renderer.ts';
import { drawSample } from '../../../../env/simulators/draw-samples.ts';
import {
  annotator,
  type Annotation,
  countCars,
  VISIBLE_SHARE,
} from '../../../../env/simulators/traffic/annotations.ts';
import { CAR_TYPES } from '../../../../env/simulators/traffic/parameters.ts';
import { type TrafficImage, trafficSimulator } from '../../../../env/simulators/traffic/traffic.ts';
import { actionSize, actionToTheta } from '../../../../protocol/parameters.ts';

const SCENES = Number(process.env['SCENES'] ?? 1000);
const renderer = new SoftwareRenderer();
const simulator = trafficSimulator({ width: 48, height: 32, renderer });
const annotate = annotator(renderer);
const { parameters } = simulator;
const size = actionSize(parameters);

/** Draws scenes of actions from `component` and checks each. */
async function check(component: fc.Arbitrary<number>, numRuns: number, seed: number): Promise<void> {
  const actions = fc.array(component, { minLength: size, maxLength: size });
  await fc.assert(
    fc.asyncProperty(actions, fc.nat(1e6), async (action, sceneSeed) => {
      const image = await drawSample(simulator, actionToTheta(parameters, action), sceneSeed, 0);
      assertPixels(image);
      assertPlaces(image);
      assertAnnotations(image, await annotate(image));
    }),
    { numRuns, seed },
  );
}

describe(`${SCENES} scenes @slow`, () => {
  it('are consistent for any θ of the action cube', async () => {
    await check(fc.double({ min: -1, max: 1, noNaN: true }), SCENES / 2, 1);
  });

  it('are consistent at the ends of the parameters', async () => {
    await check(fc.constantFrom(-1, -1, 0, 1, 1), SCENES / 4, 2);
    await check(fc.constantFrom(-1, 1), SCENES / 4, 3);
  });
});

const known = new Set(CLASSES.map(({ id }) => id));
const { car, bus, truck, person, rider, bicycle, sky, building } = CLASS_ID;
const countable = new Set<number>([car, bus, truck, person, rider, bicycle]);

/** Every pixel has a colour, a known class, a depth unless it shows the sky, and an object where its class asks for one. */
function assertPixels({ width, height, rgb, classes, instances, depth, cars, people }: TrafficImage): void {
  const objects = [...cars, ...people];
  const ids = new Set(objects.map(({ instance }) => instance));
  assert.equal(ids.size, objects.length, 'each object has an instance of its own');
  assert.equal(rgb.length, width * height * 3);
  const seen = new Set<number>();
  classes.forEach((id, i) => {
    seen.add(id);
    assert.ok(known.has(id), `class ${id}`);
    assert.equal(Number.isFinite(depth[i]!), id !== sky, `depth ${depth[i]} where class is ${id}`);
    assert.ok(depth[i]! > 0, `depth ${depth[i]}`);
    assert.equal(instances[i] !== 0, countable.has(id), `instance ${instances[i]} where class is ${id}`);
    if (instances[i] !== 0) assert.ok(ids.has(instances[i]!), `instance ${instances[i]} is listed`);
  });
  // A bus beside the camera may hide everything else, and so may a tall house where the road bends right ahead.
  const wall = seen.has(bus) || seen.has(truck) || seen.has(building);
  assert.ok(seen.size >= 2 || wall, `only class ${[...seen].join()}`);
}

/** Each pixel of a car, carried back into the street by its depth, lies within the box of the car. */
function assertPlaces(image: TrafficImage): void {
  const { width, height, instances, depth, cars, camera } = image;
  const toWorld = new Matrix4().fromArray(camera.matrixWorld);
  const focal = camera.projectionMatrix[5]!;
  const byId = new Map(cars.map((one) => [one.instance, one]));
  const margin = 0.17; // mirrors stand out on both sides
  instances.forEach((id, i) => {
    const one = byId.get(id);
    if (one === undefined) return;
    const [x, y] = [((i % width) + 0.5) / width, (Math.floor(i / width) + 0.5) / height];
    const far = depth[i]!;
    const point = new Vector3(
      ((2 * x - 1) * far * (width / height)) / focal,
      ((1 - 2 * y) * far) / focal,
      -far,
    ).applyMatrix4(toWorld);
    assert.ok(point.y > -0.05 && point.y < one.height + 0.05, `car ${id}: ${point.y} m high`);
    point.sub(new Vector3(one.x, 0, one.z)).applyAxisAngle(new Vector3(0, 1, 0), -one.rotation);
    assert.ok(Math.abs(point.x) < one.width / 2 + margin, `car ${id}: ${point.x} m to its side`);
    assert.ok(Math.abs(point.z) < one.length / 2 + margin, `car ${id}: ${point.z} m along it`);
  });
}

/** Boxes, areas, categories and counts follow from the pixels. */
function assertAnnotations(image: TrafficImage, annotations: readonly Annotation[]): void {
  const { width, classes, instances } = image;
  const byId = new Map(annotations.map((annotation) => [annotation.instance, annotation]));
  const areas = new Map<number, number>();
  const edges = new Map<number, Set<string>>();
  instances.forEach((id, i) => {
    if (id === 0) return;
    const annotation = byId.get(id);
    assert.ok(annotation, `instance ${id} is annotated`);
    areas.set(id, (areas.get(id) ?? 0) + 1);
    const [left, top, across, down] = annotation.box;
    const [x, y] = [i % width, Math.floor(i / width)];
    assert.ok(x >= left && x < left + across && y >= top && y < top + down, `${x}, ${y} in ${annotation.box.join()}`);
    assert.ok(classesOf(annotation).includes(classes[i]!), `class ${classes[i]} of a ${annotation.category}`);
    const touched = edges.get(id) ?? new Set();
    if (x === left) touched.add('left');
    if (x === left + across - 1) touched.add('right');
    if (y === top) touched.add('top');
    if (y === top + down - 1) touched.add('bottom');
    edges.set(id, touched);
  });
  for (const { instance, area, visibility, truncation, distance } of annotations) {
    assert.equal(area, areas.get(instance));
    assert.equal(edges.get(instance)!.size, 4, 'the box is tight');
    assert.ok(visibility > 0 && visibility <= 1, `visibility ${visibility}`);
    assert.ok(truncation > -1e-9 && truncation <= 1, `truncation ${truncation}`);
    assert.ok(distance > 0 && distance < 600, `distance ${distance}`);
  }
  const least = VISIBLE_SHARE * width * image.height;
  const expected = CAR_TYPES.map(
    (type) => annotations.filter(({ category, area }) => category === type && area >= least).length,
  );
  assert.deepEqual(countCars(image), expected);
}

function classesOf({ category }: Annotation): readonly number[] {
  if (category === 'person') return [person];
  if (category === 'rider') return [rider, bicycle];
  return category === 'bus' ? [bus, truck] : [car];
}
