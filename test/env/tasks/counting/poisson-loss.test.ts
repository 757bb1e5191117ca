import assert from 'node:assert/strict';
import { poissonLoss } from '../../../../env/tasks/counting/poisson-loss.ts';
import { inverseSoftplus, softplus } from '../../../../env/tasks/training/softplus.ts';

describe('poissonLoss', () => {
  it('is λ − y ln λ with λ = ln(1 + eᶻ), summed over an image and averaged over the images', () => {
    const at = (mean: number) => inverseSoftplus(mean);
    const output = Float32Array.of(at(1), at(2), at(0.5), at(3));
    const density = Float32Array.of(1, 0, 0.25, 2);
    const expected = (1 + 2 + (0.5 - 0.25 * Math.log(0.5)) + (3 - 2 * Math.log(3))) / 2;
    assert.ok(Math.abs(poissonLoss(output, density, 2, new Float32Array(4)) - expected) < 1e-5);
  });

  it('has the gradient that finite differences give, and none where λ is the mean', () => {
    const output = Float32Array.of(-3, -0.5, 0, 2);
    const density = Float32Array.of(0.1, 0, 1.5, 2);
    const gradient = new Float32Array(4);
    poissonLoss(output, density, 1, gradient);
    for (let i = 0; i < 4; i++) {
      const moved = (by: number) => poissonLoss(output.with(i, output[i]! + by), density, 1, new Float32Array(4));
      assert.ok(Math.abs((moved(1e-2) - moved(-1e-2)) / 2e-2 - gradient[i]!) < 1e-3);
    }
    poissonLoss(Float32Array.of(inverseSoftplus(0.7)), Float32Array.of(0.7), 1, gradient);
    assert.ok(Math.abs(gradient[0]!) < 1e-6);
  });

  it('stays finite at both ends', () => {
    const gradient = new Float32Array(4);
    const loss = poissonLoss(Float32Array.of(-200, -200, 200, 200), Float32Array.of(0, 1, 0, 1), 1, gradient);
    assert.ok(Math.abs(loss - (0 + 200 + 200 + 200 - Math.log(200))) < 1e-3);
    assert.deepEqual(
      [...gradient].map((slope) => Math.round(slope * 1e3) / 1e3),
      [0, -1, 1, 0.995],
    );
  });
});

describe('softplus', () => {
  it('has the inverse that undoes it', () => {
    for (const z of [-20, -1, 0, 3, 30]) assert.ok(Math.abs(inverseSoftplus(softplus(z)) - z) < 1e-5);
  });
});
