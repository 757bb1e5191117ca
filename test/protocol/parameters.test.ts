import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  actionSize,
  actionToTheta,
  canonicalAction,
  completeTheta,
  componentNames,
  defaultTheta,
  defineParameters,
  LOGIT_OF_ONE,
  ParameterError,
  thetaToAction,
  type Parameter,
  type Theta,
} from '../../protocol/parameters.ts';
import { Random } from '../../protocol/random.ts';

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

/** A parameter of each kind that jumps, D = 6. */
const jumping = defineParameters([
  { kind: 'integer', name: 'lanes', low: 1, high: 6, scale: 'linear', default: 2, unit: '1', meaning: 'Lanes.' },
  { kind: 'integer', name: 'trees', low: 1, high: 100, scale: 'log', default: 10, unit: '1/km', meaning: 'Trees.' },
  { kind: 'boolean', name: 'night', default: false, meaning: 'Whether it is dark.' },
  { kind: 'categorical', name: 'sky', choices: ['clear', 'rain', 'snow'], default: 'clear', meaning: 'Weather.' },
]);

/** Any description of θ with parameters of every kind, and a θ of it in which a simplex has no rare label. */
const described: fc.Arbitrary<{ parameters: readonly Parameter[]; theta: Theta }> = (() => {
  const named = fc.record({ unit: fc.constant('1'), meaning: fc.constant('') });
  const bounds = (kind: 'integer' | 'continuous') =>
    fc
      .record({
        low: fc.integer({ min: -1e9, max: 1e9 - 1e6 }),
        apart: fc.integer({ min: 1, max: 1e6 }),
        share: fc.nat(),
      })
      .map(({ low, apart, share }) => {
        const scale: 'linear' | 'log' = low > 0 && share % 2 === 0 ? 'log' : 'linear';
        return { kind, low, high: low + apart, scale, default: low + (share % (apart + 1)) };
      });
  const small = fc
    .record({ low: fc.integer({ min: 1, max: 5 }), apart: fc.integer({ min: 1, max: 1e6 }), share: fc.nat() })
    .map(({ low, apart, share }) => ({
      ...{ kind: 'integer' as const, low, high: low + apart, scale: 'log' as const },
      default: low + (share % (apart + 1)),
    }));
  const boolean = fc.boolean().map((value) => ({ kind: 'boolean' as const, default: value }));
  const categorical = fc
    .record({ choices: fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 2 }), index: fc.nat() })
    .map(({ choices, index }) => ({
      kind: 'categorical' as const,
      choices,
      default: choices[index % choices.length]!,
    }));
  const simplex = fc
    .array(fc.double({ min: 0.1, max: 1, noNaN: true }), { minLength: 2, maxLength: 6 })
    .map((weights) => ({
      kind: 'simplex' as const,
      labels: weights.map((_, i) => `label ${i}`),
      default: weights.map((weight) => weight / weights.reduce((a, b) => a + b, 0)),
    }));
  const draft = fc.oneof(bounds('integer'), bounds('continuous'), small, boolean, categorical, simplex);
  return fc.array(fc.tuple(named, draft), { minLength: 1, maxLength: 6 }).map((drafts) => {
    const parameters = defineParameters(drafts.map(([rest, own], i) => ({ ...rest, ...own, name: `p${i}` })));
    return { parameters, theta: defaultTheta(parameters) };
  });
})();

describe('parameters that jump: integers, booleans and choices', () => {
  const theta = (...action: number[]) => actionToTheta(jumping, action);

  it('have one number of the action each, and choices one for each choice, named after it', () => {
    assert.deepEqual(jumping.flatMap(componentNames), ['lanes', 'trees', 'night', 'sky.clear', 'sky.rain', 'sky.snow']);
    assert.deepEqual(
      jumping.map(({ slice }) => slice),
      [
        [0, 1],
        [1, 2],
        [2, 3],
        [3, 6],
      ],
    );
  });

  it('[R4] are the nearest integer, true from 0 on, and the choice of the greatest number, the first of equal ones', () => {
    // From ½ to 6½: a third of [-1, 1] is two lanes wide.
    assert.equal(theta(-0.34, 0, 0, 0, 0, 0)['lanes'], 2);
    assert.equal(theta(-0.32, 0, 0, 0, 0, 0)['lanes'], 3);
    // From ½ to 100½ on a log scale: the middle is √50.25 = 7.09.
    assert.equal(theta(0, 0, 0, 0, 0, 0)['trees'], 7);
    assert.deepEqual([theta(0, 0, -1e-9, 0, 0, 0)['night'], theta(0, 0, 0, 0, 0, 0)['night']], [false, true]);
    assert.deepEqual(
      [theta(0, 0, 0, -1, -0.2, -0.3), theta(0, 0, 0, 0.5, 0.5, 0.5), theta(0, 0, 0, -1, 1, 1)].map(({ sky }) => sky),
      ['rain', 'clear', 'rain'],
    );
  });

  it('reach both ends, and no further', () => {
    assert.deepEqual(theta(-1, -1, -1, -1, -1, 1), { lanes: 1, trees: 1, night: false, sky: 'snow' });
    assert.deepEqual(theta(1, 1, 1, 1, 1, 1), { lanes: 6, trees: 100, night: true, sky: 'clear' });
    const around0 = defineParameters([
      { kind: 'integer', name: 'n', low: 0, high: 1, scale: 'linear', default: 0, unit: '1', meaning: '' },
    ]);
    assert.ok(Object.is(actionToTheta(around0, [-1])['n'], 0), '0 and not −0');
  });

  it('[R5] have fair shares of the action: equal ones, or on a log scale those of the logarithm', () => {
    const counted = (name: string, draw: (i: number) => number[], draws: number) => {
      const counts = new Map<unknown, number>();
      for (let i = 0; i < draws; i++) {
        const value = theta(...draw(i))[name];
        counts.set(value, (counts.get(value) ?? 0) + 1);
      }
      return counts;
    };
    const even = (i: number) => (2 * (i + 0.5)) / 6000 - 1;
    assert.deepEqual([...counted('lanes', (i) => [even(i), 0, 0, 0, 0, 0], 6000).values()], Array(6).fill(1000));
    assert.deepEqual([...counted('night', (i) => [0, 0, even(i), 0, 0, 0], 6000).values()], [3000, 3000]);
    for (const [trees, count] of counted('trees', (i) => [0, even(i), 0, 0, 0, 0], 6000)) {
      const k = trees as number;
      const share = Math.log((k + 0.5) / (k - 0.5)) / Math.log(100.5 / 0.5);
      assert.ok(Math.abs(count - 6000 * share) <= 1, `${k}: ${count} of ${6000 * share}`);
    }
    const random = new Random(1);
    const uniform = () => Array.from({ length: 6 }, () => random.uniform(-1, 1));
    for (const count of counted('sky', uniform, 9000).values()) {
      assert.ok(Math.abs(count - 3000) < 4 * Math.sqrt(2000), `${count} of 3000`); // four standard deviations
    }
  });

  it('come back from their action exactly, even when a float32 has carried it', () => {
    fc.assert(
      fc.property(described, ({ parameters, theta }) => {
        for (const carried of [(a: number) => a, Math.fround]) {
          const again = actionToTheta(parameters, thetaToAction(parameters, theta).map(carried));
          for (const { kind, name } of parameters) {
            if (kind !== 'continuous' && kind !== 'simplex') assert.equal(again[name], theta[name], name);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('have one canonical action for each value: that of θ, where the others keep theirs', () => {
    fc.assert(
      fc.property(
        described,
        fc.infiniteStream(fc.double({ min: -1, max: 1, noNaN: true })),
        ({ parameters }, numbers) => {
          const action = Array.from({ length: actionSize(parameters) }, () => numbers.next().value as number);
          const canonical = canonicalAction(parameters, action);
          const given = actionToTheta(parameters, action);
          const decoded = actionToTheta(parameters, canonical);
          const ofTheta = thetaToAction(parameters, given);
          for (const { kind, name, slice } of parameters) {
            const [own, before] = [canonical, action].map((all) => all.slice(...slice));
            if (kind === 'simplex') {
              const differences = own!.map((value, i) => value - before![i]!);
              const span = Math.max(...differences) - Math.min(...differences);
              assert.ok(span < 1e-12, `one shift of all, got a span of ${span}`);
              assert.ok(Math.abs(Math.max(...own!) + Math.min(...own!)) < 1e-12, 'around 0');
              (given[name] as number[]).forEach((p, i) => {
                assert.ok(Math.abs((decoded[name] as number[])[i]! - p) < 1e-12, 'the same probabilities');
              });
              continue;
            }
            assert.deepEqual(decoded[name], given[name]);
            assert.deepEqual(own, kind === 'continuous' ? before : ofTheta.slice(...slice));
          }
        },
      ),
    );
  });

  it('begin a search near their other values', () => {
    const action = thetaToAction(jumping, { night: true, sky: 'rain', lanes: 4 });
    assert.deepEqual(action.slice(2), [0.25, -0.25, 0.25, -0.25]);
    assert.ok(Math.abs(action[0]! - 1 / 6) < 1e-12, 'the middle of the fourth of six lanes');
  });

  it('[P2] name the place, the rule and the value of a θ that they refuse', () => {
    const refused = (partial: object, rule: string, message: string) =>
      broken(
        () => completeTheta(jumping, partial as Theta),
        `/params/${Object.keys(partial)[0]}`,
        rule,
        new RegExp(`^${message}$`),
      );
    refused({ lanes: 2.5 }, 'type', 'lanes: expected a whole number 1\\.\\.6, got 2\\.5');
    refused({ lanes: '2' }, 'type', 'lanes: expected a whole number 1\\.\\.6, got "2"');
    refused({ lanes: true }, 'type', 'lanes: expected a whole number 1\\.\\.6, got true');
    refused({ lanes: NaN }, 'not_finite', 'lanes: expected a whole number 1\\.\\.6, got NaN');
    refused({ trees: 0 }, 'range', 'trees: expected a whole number 1\\.\\.100 1/km, got 0');
    refused({ night: 1 }, 'type', 'night: expected true or false, got 1');
    refused({ night: 'true' }, 'type', 'night: expected true or false, got "true"');
    refused({ sky: 'fog' }, 'unknown', 'sky: expected one of clear, rain, snow, got "fog"');
    refused({ sky: 0 }, 'type', 'sky: expected one of clear, rain, snow, got 0');
    refused({ sky: [1, 0, 0] }, 'type', 'sky: expected one of clear, rain, snow, got \\[1,0,0\\]');
    broken(
      () => completeTheta(parameters, { fog: 'thick' }),
      '/params/fog',
      'type',
      /^fog: expected a number, got "thick"$/,
    );
    broken(() => completeTheta(parameters, { weather: true }), '/params/weather', 'shape', /snow\), got true$/);
    broken(() => theta(0, 0, 0, 0, 2, 0), '/action/4', 'range', /^action\[4\] \(sky\.rain\): expected -1\.\.1, got 2$/);
    assert.deepEqual(completeTheta(jumping, { lanes: 3, sky: 'snow' }), {
      lanes: 3,
      trees: 10,
      night: false,
      sky: 'snow',
    });
  });

  it('refuse a description that contradicts itself', () => {
    const [lanes, , night, sky] = jumping as [Parameter, Parameter, Parameter, Parameter];
    const refused = (parameter: Parameter, change: object, message: RegExp) =>
      assert.throws(() => defineParameters([{ ...parameter, ...change }]), message);
    refused(lanes, { kind: 'whole' }, /parameter lanes: expected a kind \(continuous, .*, categorical\), got whole/);
    refused(lanes, { low: 6 }, /parameter lanes: expected low < high, got 6 and 6/);
    refused(
      lanes,
      { low: 0.5 },
      /parameter lanes: expected whole numbers from -1000000000 to 1000000000 as bounds, got 0\.5/,
    );
    refused(lanes, { high: 2e9, low: 2e9 - 5 }, /as bounds, got 1999999995/);
    refused(lanes, { high: 1e6 + 2 }, /parameter lanes: expected bounds at most 1000000 apart, got 1 and 1000002/);
    refused(lanes, { scale: 'log', low: 0 }, /expected low > 0 on a log scale, got 0/);
    refused(lanes, { default: 7 }, /default of parameter lanes: expected a whole number 1\.\.6, got 7/);
    refused(night, { default: 0 }, /default of parameter night: expected true or false, got 0/);
    refused(sky, { choices: ['clear'] }, /parameter sky: expected at least 2 choices, got 1/);
    refused(sky, { choices: ['clear', 'rain', 'clear'] }, /parameter sky: expected each choice once, got clear twice/);
    refused(sky, { default: 'fog' }, /default of parameter sky: expected one of clear, rain, snow, got "fog"/);
  });
});
