import assert from 'node:assert/strict';
import { Matrix4, Vector3 } from 'three';
import { defaultTheta, type Theta } from '../../../../protocol/parameters.ts';
import { SoftwareRenderer } from '../../../../env/render/software/software-renderer.ts';
import { drawSample } from '../../../../env/simulators/draw-samples.ts';
import { type Car, type TrafficImage, trafficSimulator } from '../../../../env/simulators/traffic/traffic.ts';

const [width, height] = [96, 64];
const simulator = trafficSimulator({ width, height, renderer: new SoftwareRenderer() });
const { parameters } = simulator;
const usual = defaultTheta(parameters);

/** Pixels of an image that show a car, as x and y. */
function pixelsOf({ instances }: TrafficImage, { instance }: Car): [number, number][] {
  const pixels: [number, number][] = [];
  instances.forEach((id, i) => {
    if (id === instance) pixels.push([i % width, Math.floor(i / width)]);
  });
  return pixels;
}

/** The box around a car as the camera sees it, from the camera's matrices and nothing of the renderer. */
function projectedBox({ camera }: TrafficImage, car: Car) {
  const view = new Matrix4().fromArray(camera.matrixWorld).invert();
  const projection = new Matrix4().fromArray(camera.projectionMatrix);
  const mirror = 0.16; // stand out on both sides of the body
  const corners = [-1, 1].flatMap((side) =>
    [-1, 1].flatMap((end) =>
      [0, 1].map((up) => {
        const local = new Vector3(side * (car.width / 2 + mirror), up * car.height, (end * car.length) / 2);
        return local.applyAxisAngle(new Vector3(0, 1, 0), car.rotation).add(new Vector3(car.x, 0, car.z));
      }),
    ),
  );
  const seen = corners.map((corner) => corner.clone().applyMatrix4(view));
  const depths = seen.map((corner) => -corner.z);
  const screen = seen.map((corner) => corner.applyMatrix4(projection));
  const xs = screen.map(({ x }) => ((x + 1) / 2) * width);
  const ys = screen.map(({ y }) => ((1 - y) / 2) * height);
  return {
    left: Math.min(...xs),
    right: Math.max(...xs),
    top: Math.min(...ys),
    bottom: Math.max(...ys),
    near: Math.min(...depths),
    far: Math.max(...depths),
  };
}

describe('the traffic simulator', () => {
  it('gives the same bytes for the same (θ, seed, index), whatever was drawn before', async () => {
    const first = await drawSample(simulator, usual, 5, 3);
    await drawSample(simulator, { ...usual, fog: 0.05, cameraHeight: 3 }, 9, 0);
    const again = await drawSample(simulator, usual, 5, 3);
    const elsewhere = await drawSample(
      trafficSimulator({ width, height, renderer: new SoftwareRenderer() }),
      usual,
      5,
      3,
    );
    assert.deepEqual(again, first);
    assert.deepEqual(elsewhere, first);
  });

  it('gives the same bytes in whatever order many scenes are drawn @slow', async () => {
    const set = simulator.open(usual, 7);
    const other = trafficSimulator({ width, height, renderer: new SoftwareRenderer() }).open(usual, 7);
    const images = [];
    for (let i = 0; i < 40; i++) images[i] = await set.draw(i);
    for (let i = 39; i >= 0; i--) assert.deepEqual(await other.draw(i), images[i], `scene ${i}`);
  });

  it('reads and checks θ when it is opened, once for all its samples', async () => {
    let reads = 0;
    const theta = {
      get fog() {
        reads++;
        return 0.004;
      },
    };
    const set = simulator.open(theta, 5);
    const opened = reads;
    assert.ok(opened > 0);
    assert.deepEqual(await set.draw(3), await drawSample(simulator, { ...usual, fog: 0.004 }, 5, 3));
    for (const index of [0, 1, 2]) await set.draw(index);
    assert.equal(reads, opened);
    assert.throws(() => simulator.open({ fog: 1 }, 5), /fog: expected 0\.0005\.\.0\.08 1\/m, got 1/);
    assert.throws(() => simulator.open({ fgo: 1 }, 5), /fgo: expected one of carTypes/);
  });

  it('gives samples that later draws do not change', async () => {
    const image = await drawSample(simulator, usual, 1, 0);
    const copy = structuredClone(image);
    await drawSample(simulator, usual, 1, 1);
    assert.deepEqual(image, copy);
  });

  it('gives another scene for another index and for another seed', async () => {
    const image = await drawSample(simulator, usual, 1, 0);
    assert.notDeepEqual((await drawSample(simulator, usual, 1, 1)).classes, image.classes);
    assert.notDeepEqual((await drawSample(simulator, usual, 2, 0)).classes, image.classes);
  });

  it('labels pixels of a car only where the car is projected, at its distance', async () => {
    let cars = 0;
    for (let index = 0; index < 12; index++) {
      const image = await drawSample(simulator, usual, 11, index);
      for (const car of image.cars) {
        const box = projectedBox(image, car);
        if (box.near < 0.5) continue; // reaches behind the camera: its corners do not bound it
        const pixels = pixelsOf(image, car);
        if (pixels.length > 0) cars++;
        for (const [x, y] of pixels) {
          const where = `scene ${index}, car ${car.instance} at ${x}, ${y}`;
          assert.ok(x + 1 > box.left && x < box.right && y + 1 > box.top && y < box.bottom, where);
          const depth = image.depth[y * width + x]!;
          assert.ok(depth > box.near - 0.05 && depth < box.far + 0.05, `${where}: depth ${depth}`);
        }
      }
    }
    assert.ok(cars > 40, `${cars} cars seen`);
  });

  it('labels most of the projected box of a car that nothing hides', async () => {
    const alone: Theta = {
      ...usual,
      carTypes: [1, 0, 0, 0, 0],
      junctions: [1, 0, 0, 0, 0, 0],
      parkedShare: 0,
      oncomingRate: 0,
      leadingRate: 6,
      nearestCar: 9,
      poleRate: 0,
      treeRate: 0,
      peopleRate: 0,
      clutterRate: 0,
      lanes: 1,
      curvature: 0,
      cameraYawSpread: 0,
    };
    for (let index = 0; index < 10; index++) {
      const image = await drawSample(simulator, alone, 3, index);
      const first = image.cars[0]!;
      const box = projectedBox(image, first);
      const [left, right] = [Math.max(0, box.left), Math.min(width, box.right)];
      const area = (right - left) * (Math.min(height, box.bottom) - Math.max(0, box.top));
      const share = pixelsOf(image, first).length / area;
      assert.ok(share > 0.5, `scene ${index}: ${share} of the box`);
    }
  });
});
