import assert from 'node:assert/strict';
import { buildCarBody, GLASS } from '../../../../../env/simulators/traffic/cars/car-body.ts';
import { carShape, type CarShape } from '../../../../../env/simulators/traffic/cars/car-shapes.ts';
import { drawTraffic, type Car } from '../../../../../env/simulators/traffic/cars/vehicles.ts';
import { TRAFFIC_PARAMETERS, type TrafficTheta } from '../../../../../env/simulators/traffic/parameters.ts';
import { BAY_DEPTH, drawLayout, type Side } from '../../../../../env/simulators/traffic/street/layout.ts';
import { completeTheta } from '../../../../../protocol/parameters.ts';
import { Random } from '../../../../../protocol/random.ts';

const FULL = completeTheta(TRAFFIC_PARAMETERS, {
  ...{ parkedShare: 1, curvature: 0, junctions: [1, 0, 0, 0, 0, 0] },
  carTypes: [0.3, 0.1, 0.1, 0.1, 0.4],
}) as unknown as TrafficTheta;

/** The parked cars of many streets, by whether they stand in bays, with the distance of the kerb. */
function parked(): { car: Car; inBays: boolean; kerb: number }[] {
  return Array.from({ length: 40 }, (_, seed) => seed).flatMap((seed) => {
    const layout = drawLayout(FULL, new Random(seed));
    return drawTraffic(FULL, layout, seed)
      .filter(({ role }) => role === 'parked')
      .map((car) => {
        const { parkingWidth, kerb } = layout.roadside(Math.sign(car.x) as Side);
        return { car, inBays: parkingWidth === BAY_DEPTH, kerb };
      });
  });
}

describe('parked cars', () => {
  it('stand along the kerb, or across it in bays, where nothing long stands', () => {
    const all = parked();
    const bays = all.filter(({ inBays }) => inBays);
    assert.ok(bays.length > 100 && all.length - bays.length > 100, `${bays.length} of ${all.length} in bays`);
    for (const { car, inBays, kerb } of all) {
      const across = inBays ? car.length : car.width;
      const angle = inBays ? Math.abs(Math.cos(car.rotation)) : Math.abs(Math.sin(car.rotation));
      assert.ok(angle < 0.15, `a car at ${car.rotation} rad, in bays: ${inBays}`);
      const gap = kerb - Math.abs(car.x) - across / 2;
      assert.ok(gap > 0.09 && gap < 0.41, `a gap of ${gap} m to the kerb`);
      assert.ok(!inBays || car.length < 5.61, `${car.length} m long in a bay`);
    }
    assert.ok(
      all.some(({ car, inBays }) => !inBays && car.length > 9),
      'buses park along the kerb',
    );
  });
});

describe('a bus', () => {
  it('has a second row of windows where it has two decks', () => {
    const glassOf = (shape: CarShape) => {
      const { positions, vertexCount } = buildCarBody(shape, 1)[GLASS]!;
      const middle = (shape.waist + shape.height) / 2;
      const heights = Array.from({ length: vertexCount }, (_, i) => positions[3 * i + 1]! - middle);
      return { below: heights.filter((y) => y < -0.3).length, above: heights.filter((y) => y > 0.3).length };
    };
    const shapes = Array.from({ length: 6 }, (_, variant) => carShape('bus', variant));
    assert.deepEqual(
      shapes.map(({ decks = 1 }) => decks),
      [1, 2, 1, 1, 2, 1],
    );
    for (const shape of shapes.filter(({ decks }) => decks === 2)) {
      assert.ok(shape.height > 4, `${shape.height} m high`);
      const { below, above } = glassOf(shape);
      assert.ok(below > 20 && above > 20, `${below} corners of glass below, ${above} above`);
    }
  });
});
