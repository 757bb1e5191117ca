import assert from 'node:assert/strict';
import { fitHyperparameters, logPosterior, matern52 } from '../../protocol/gaussian-process.ts';
import { Random } from '../../protocol/random.ts';

const PRIOR = { length: 1, lengthWidth: 1.5, noise: 0.3, noiseWidth: 2 };

describe('the kernel and the hyperparameters of Gaussian processes', () => {
  const random = new Random(3);
  const points = Array.from({ length: 60 }, () => Array.from({ length: 4 }, () => random.uniform(-1, 1)));
  const guided = points.map(([a]) => Math.cos(2 * a!));
  const counts = points.map((_, i) => 1 + (i % 3));
  const values = points.map(
    ([a, b], i) => Math.sin(3 * a!) + 0.3 * b! ** 2 + random.normal(0, 0.1 / Math.sqrt(counts[i]!)),
  );

  it('is 1 where two actions are the same, and (1 + √5 + 5/3) e^−√5 at one length', () => {
    assert.equal(matern52([0.2, 3], [0.2, 3], [0.7, 1]), 1);
    assert.ok(Math.abs(matern52([0, 1], [0.7, 1], [0.7, 9]) - 0.5239941088318203) < 1e-12);
  });

  it('has the likelihood of two points that was computed by hand, at the centre of the prior', () => {
    // K = [[1.25, k], [k, 1.25]], y = ±1: m = 0, and the variance is yᵀK⁻¹y/2 = 1/(1.25 − k)
    const k = matern52([0], [1], [1]);
    const { value } = logPosterior(
      { points: [[0], [1]], values: [1, -1] },
      { lengths: [1], noise: 0.25, trust: 1 },
      { ...PRIOR, noise: 0.25 },
    );
    const variance = 1 / (1.25 - k);
    const expected = -Math.log(2 * Math.PI * variance) - 0.5 * Math.log(1.25 ** 2 - k * k) - 1;
    assert.ok(Math.abs(value - expected) < 1e-9, `${value}, not ${expected}`);
  });

  for (const [name, data] of [
    ['evaluations', { points, values }],
    ['means of several', { points, values, counts }],
    ['a guide', { points, values, guided }],
  ] as const) {
    it(`climbs along the gradient of the posterior of ${name}`, () => {
      const at = (d: number, by: number) => {
        const moved = [0.7, 1.3, 2, 4, 0.2, 0.6].map((value, i) => (i === d ? value * Math.exp(by) : value));
        return logPosterior(data, { lengths: moved.slice(0, 4), noise: moved[4]!, trust: moved[5]! }, PRIOR);
      };
      const { gradient } = at(0, 0);
      assert.equal(gradient.length, 6);
      gradient.forEach((slope, d) => {
        const numeric = (at(d, 1e-5).value - at(d, -1e-5).value) / 2e-5;
        assert.ok(
          Math.abs(slope - numeric) < 1e-4 * (1 + Math.abs(numeric)),
          `hyperparameter ${d}: ${slope}, not ${numeric}`,
        );
      });
    });
  }

  it('trusts a guide that is right, more than one that is not, and has no opinion without one', () => {
    const right = points.map(([a]) => Math.sin(3 * a!));
    const noise = points.map(() => random.normal());
    const trusts = [right, noise].map((guide) => {
      return fitHyperparameters({ points, values, guided: guide }, PRIOR, 40).trust;
    });
    assert.ok(trusts[0]! > 3 * trusts[1]!, trusts.join(', '));
    assert.ok(Math.abs(Math.log(fitHyperparameters({ points, values }, PRIOR, 40).trust)) < 0.01);
  });

  it('ends higher after more steps, with short lengths for the components that matter', () => {
    const data = { points, values, counts };
    const heights = [0, 5, 40].map(
      (steps) => logPosterior(data, fitHyperparameters(data, PRIOR, steps + 1), PRIOR).value,
    );
    assert.ok(heights[0]! < heights[1]! && heights[1]! < heights[2]!, heights.join(', '));
    const { lengths, noise } = fitHyperparameters(data, PRIOR, 40);
    assert.ok(lengths[0]! < lengths[2]! && lengths[0]! < lengths[3]!, lengths.join(', '));
    assert.ok(noise < PRIOR.noise, `${noise}`);
  });
});
