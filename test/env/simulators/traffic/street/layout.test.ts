import assert from 'node:assert/strict';
import { defaultTheta } from '../../../../../protocol/parameters.ts';
import { Random } from '../../../../../protocol/random.ts';
import {
  drawLayout,
  kerbStretches,
  laneMiddle,
  type Layout,
  mainRoad,
  openSides,
  sideRoad,
} from '../../../../../env/simulators/traffic/street/layout.ts';
import {
  JUNCTIONS,
  type JunctionKind,
  TRAFFIC_PARAMETERS,
  type TrafficTheta,
} from '../../../../../env/simulators/traffic/parameters.ts';

function layoutWith(kind: JunctionKind, curvature = 0): Layout {
  const junctions = JUNCTIONS.map((one) => (one === kind ? 1 : 0));
  const theta = { ...defaultTheta(TRAFFIC_PARAMETERS), junctions } as unknown as TrafficTheta;
  return { ...drawLayout(theta, new Random(4)), curvature };
}

describe('the layout of a street', () => {
  it('puts s metres along a bend at s metres of arc, and d to the right of it', () => {
    const road = mainRoad(layoutWith('none', 0.01)); // a circle of 100 m around (100, 0)
    const { x, z, rotation } = road(50, 0);
    assert.ok(Math.abs(Math.hypot(x - 100, z) - 100) < 1e-9);
    assert.ok(x > 0 && z < 0, 'to the right and ahead');
    assert.ok(Math.abs(rotation + 0.5) < 1e-9, 'half a radian clockwise');
    const right = road(50, 3);
    assert.ok(Math.abs(Math.hypot(right.x - 100, right.z) - 97) < 1e-9);
  });

  it('goes straight ahead along −z without curvature', () => {
    const { x, z, rotation } = mainRoad(layoutWith('none', 0))(20, 2);
    assert.deepEqual([x, z, rotation], [2, -20, 0]);
  });

  it('lets side roads leave at a right angle, on the side that the junction is named after', () => {
    const cross = layoutWith('cross');
    const s = cross.junction.distance;
    const toRight = sideRoad(cross, 1)(30, 2);
    assert.ok(Math.abs(toRight.x - 30) < 1e-9 && Math.abs(toRight.z - (2 - s)) < 1e-9, 'd is to the right: backwards');
    const toLeft = sideRoad(cross, -1)(30, 2);
    assert.ok(Math.abs(toLeft.x + 30) < 1e-9 && Math.abs(toLeft.z - (-2 - s)) < 1e-9, 'd is to the right: ahead');
    assert.deepEqual(openSides(cross), [-1, 1]);
    assert.deepEqual(openSides(layoutWith('teeLeft')), [-1]);
    assert.deepEqual(openSides(layoutWith('bendRight')), [1]);
    assert.deepEqual(openSides(layoutWith('none')), []);
  });

  it('interrupts the kerb where a side road leaves, and ends the road where it bends away', () => {
    const tee = layoutWith('teeRight');
    assert.equal(kerbStretches(tee, -1).length, 1);
    const [before, after] = kerbStretches(tee, 1);
    assert.ok(Math.abs(after![0] - before![1] - 2 * tee.junction.halfWidth) < 1e-9);
    const bend = layoutWith('bendLeft');
    assert.equal(bend.end, bend.junction.distance + bend.junction.halfWidth);
    assert.equal(kerbStretches(bend, -1).length, 1);
  });

  it('keeps to the driving side, within the kerbs', () => {
    for (let seed = 0; seed < 30; seed++) {
      const layout = drawLayout(defaultTheta(TRAFFIC_PARAMETERS) as unknown as TrafficTheta, new Random(seed));
      for (let lane = 0; lane < layout.lanes; lane++) {
        const own = laneMiddle(layout, lane, true);
        assert.equal(Math.sign(own), layout.drivingSide);
        assert.ok(Math.abs(own) + layout.laneWidth / 2 <= layout.roadside(layout.drivingSide).kerb + 1e-9);
        assert.equal(laneMiddle(layout, lane, false), -own);
      }
    }
  });
});
