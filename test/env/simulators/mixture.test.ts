import assert from 'node:assert/strict';
import { drawSample, drawSamples } from '../../../env/simulators/draw-samples.ts';
import { mixtureSimulator, realPoints } from '../../../env/simulators/mixture/mixture.ts';
import { completeTheta } from '../../../protocol/parameters.ts';

const simulator = mixtureSimulator();
const theta = completeTheta(simulator.parameters, { 'a1.mean.x': 3, 'a1.sd.x': 2, 'b0.mean.y': -4, 'b0.sd.y': 0.5 });

describe('the mixture simulator', () => {
  it('gives the same point for (θ, seed, index), in any order', async () => {
    const forwards = await drawSamples(simulator, theta, 7, 20);
    const set = simulator.open(theta, 7);
    const backwards = Array.from({ length: 20 }, (_, i) => set.draw(19 - i)).reverse();
    assert.deepEqual(forwards, backwards);
    assert.notDeepEqual(forwards[0], await drawSample(simulator, theta, 8, 0));
  });

  it('draws the same number of points of each component, with its mean and deviation', async () => {
    const points = await drawSamples(simulator, theta, 7, 8000);
    const component = (i: number) => points.filter((_, index) => index % 4 === i);
    assert.deepEqual(
      [0, 1, 2, 3].map((i) => component(i)[0]!.label),
      [0, 0, 1, 1],
    );
    const check = (values: number[], mean: number, sd: number) => {
      const m = values.reduce((sum, x) => sum + x, 0) / values.length;
      const s = Math.sqrt(values.reduce((sum, x) => sum + (x - m) ** 2, 0) / values.length);
      assert.ok(Math.abs(m - mean) < 0.15 * sd, `mean ${m}, expected ${mean}`);
      assert.ok(Math.abs(s / sd - 1) < 0.1, `deviation ${s}, expected ${sd}`);
    };
    check(
      component(1).map(({ point }) => point[0]),
      3,
      2,
    );
    check(
      component(2).map(({ point }) => point[1]),
      -4,
      0.5,
    );
  });

  it('has real data with three components per class', () => {
    const points = realPoints(1, 600);
    assert.equal(points.filter(({ label }) => label === 1).length, 300);
  });
});
