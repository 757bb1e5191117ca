import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  actionSize,
  actionToTheta,
  completeTheta,
  defaultTheta,
  defineParameters,
  LOGIT_OF_ONE,
  ParameterError,
  thetaToAction,
} from '../../protocol/parameters.ts';

const parameters = defineParameters([
  { kind: 'continuous', name: 'fog', low: 0, high: 4, scale: 'linear', default: 1, unit: '1/km', meaning: 'Fog.' },
  { kind: 'simplex', name: 'weather', labels: ['clear', 'rain', 'snow'], default: [0.5, 0.25, 0.25], meaning: 'Sky.' },
  { kind: 'continuous', name: 'noise', low: 0.01, high: 1, scale: 'log', default: 0.1, unit: '', meaning: 'Noise.' },
]);

const broken = (run: () => unknown, path: string, rule: string, value: RegExp) =>
  assert.throws(run, (error) => {
    assert.ok(error instanceof ParameterError);
    assert.deepEqual([error.path, error.rule], [path, rule]);
    assert.match(error.message, value);
    return true;
  });

describe('parameters', () => {
  it('puts parameters one after the other into the action', () => {
    assert.deepEqual(
      parameters.map((p) => p.slice),
      [
        [0, 1],
        [1, 4],
        [4, 5],
      ],
    );
    assert.equal(actionSize(parameters), 5);
  });

  it('maps an action to θ: affine, softmax, and affine in the logarithm', () => {
    const theta = actionToTheta(parameters, [0.5, 1, 0, -1, 0]);
    assert.equal(theta['fog'], 3);
    assert.ok(Math.abs((theta['noise'] as number) - 0.1) < 1e-12, 'half way between .01 and 1 in the logarithm');
    const weights = [Math.exp(LOGIT_OF_ONE), 1, Math.exp(-LOGIT_OF_ONE)];
    const total = weights[0]! + weights[1]! + weights[2]!;
    (theta['weather'] as number[]).forEach((p, i) => assert.ok(Math.abs(p - weights[i]! / total) < 1e-12));
  });

  it('reaches both bounds exactly, and never leaves them', () => {
    assert.equal(actionToTheta(parameters, [-1, 0, 0, 0, -1])['fog'], 0);
    assert.equal(actionToTheta(parameters, [1, 0, 0, 0, 1])['noise'], 1);
  });

  it('maps θ to an action and back to the same θ', () => {
    const action = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(action, (a) => {
        const theta = actionToTheta(parameters, a);
        const again = actionToTheta(parameters, thetaToAction(parameters, theta));
        for (const name of ['fog', 'noise']) {
          assert.ok(Math.abs((again[name] as number) - (theta[name] as number)) < 1e-9);
        }
        (again['weather'] as number[]).forEach((p, i) =>
          assert.ok(Math.abs(p - (theta['weather'] as number[])[i]!) < 1e-9),
        );
      }),
    );
  });

  it('has an action even for a probability of 1', () => {
    const action = thetaToAction(parameters, { weather: [1, 0, 0] });
    assert.deepEqual(action.slice(1, 4), [1, -1, -1]);
  });

  it('fills a partial θ with the defaults', () => {
    assert.deepEqual(completeTheta(parameters, { fog: 2 }), { ...defaultTheta(parameters), fog: 2 });
  });

  it('names the place, the rule and the value of an action that it refuses', () => {
    broken(() => actionToTheta(parameters, [0, 0]), '/action', 'shape', /expected 5 numbers, got 2/);
    broken(
      () => actionToTheta(parameters, [0, 0, 1.7, 0, 0]),
      '/action/2',
      'range',
      /weather\.rain.*-1\.\.1, got 1\.7/,
    );
    broken(() => actionToTheta(parameters, [NaN, 0, 0, 0, 0]), '/action/0', 'not_finite', /fog.*got NaN/);
  });

  it('names the place, the rule and the value of a θ that it refuses', () => {
    broken(() => completeTheta(parameters, { fgo: 1 }), '/params/fgo', 'unknown', /fog, weather, noise/);
    broken(() => completeTheta(parameters, { fog: 5 }), '/params/fog', 'range', /0\.\.4 1\/km, got 5/);
    broken(() => completeTheta(parameters, { fog: [1] }), '/params/fog', 'type', /got \[1\]/);
    broken(() => completeTheta(parameters, { fog: NaN }), '/params/fog', 'not_finite', /got NaN/);
    broken(() => completeTheta(parameters, { weather: [1, 0] }), '/params/weather', 'shape', /3 probabilities/);
    broken(() => completeTheta(parameters, { weather: [1, 1, -1] }), '/params/weather', 'simplex', /sum to 1/);
    broken(() => completeTheta(parameters, { weather: [0.5, 0.5, 0.1] }), '/params/weather', 'simplex', /0\.1/);
  });

  it('refuses a description that contradicts itself', () => {
    const draft = {
      kind: 'continuous',
      low: 0,
      high: 1,
      scale: 'linear',
      default: 0.5,
      unit: '',
      meaning: '',
    } as const;
    const named = { ...draft, name: 'a' };
    assert.throws(() => defineParameters([named, named]), /a name of its own/);
    assert.throws(() => defineParameters([{ ...named, low: 1 }]), /low < high/);
    assert.throws(() => defineParameters([{ ...named, scale: 'log' }]), /low > 0 on a log scale/);
    assert.throws(() => defineParameters([{ ...named, default: 2 }]), /expected 0\.\.1, got 2/);
  });
});
