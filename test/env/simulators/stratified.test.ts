import assert from 'node:assert/strict';
import { mixtureSimulator } from '../../../env/simulators/mixture/mixture.ts';
import type { Simulator } from '../../../env/simulators/simulator.ts';
import { stratified } from '../../../env/simulators/stratified.ts';
import { defineParameters } from '../../../protocol/parameters.ts';
import { deriveSeed, Random } from '../../../protocol/random.ts';

/** One label a sample, and a number that has nothing to do with it. */
const simulator: Simulator<{ label: number; number: number; scale: number }> = {
  name: 'labels',
  version: 1,
  parameters: defineParameters([
    {
      kind: 'simplex',
      name: 'label',
      labels: ['a', 'b', 'c', 'd'],
      default: [0.25, 0.25, 0.25, 0.25],
      meaning: 'which label',
    },
    { kind: 'continuous', name: 'scale', low: 0, high: 2, default: 1, unit: '1', scale: 'linear', meaning: 'a factor' },
  ]),
  draw(theta, seed, index) {
    const random = new Random(deriveSeed(seed, index));
    const label = random.categorical(theta['label'] as number[]);
    return { label, number: random.uniform(0, 1), scale: theta['scale'] as number };
  },
};
const even = stratified(simulator, ['label']);
const labels = (probabilities: number[], seed: number, count: number) =>
  Array.from({ length: count }, (_, index) => even.draw({ label: probabilities }, seed, index).label);
const shares = (drawn: readonly number[]) =>
  [0, 1, 2, 3].map((label) => drawn.filter((each) => each === label).length / drawn.length);

describe('a stratified simulator', () => {
  it('gives every data set its labels in the proportions of θ', () => {
    const probabilities = [0.15, 0.5, 0.05, 0.3];
    for (let seed = 0; seed < 50; seed++) {
      shares(labels(probabilities, seed, 100)).forEach((share, i) =>
        // A systematic sample is off by a scene or two where independent draws are off by five.
        assert.ok(Math.abs(share - probabilities[i]!) <= 0.025, `seed ${seed}, label ${i}: ${share}`),
      );
    }
  });

  it('draws each scene with the probabilities of θ', () => {
    const probabilities = [0.15, 0.5, 0.05, 0.3];
    const drawn = Array.from({ length: 4000 }, (_, seed) => even.draw({ label: probabilities }, seed, 7).label);
    shares(drawn).forEach((share, i) => assert.ok(Math.abs(share - probabilities[i]!) < 0.03, `label ${i}: ${share}`));
  });

  it('never draws a label of probability 0', () => {
    assert.deepEqual(shares(labels([0, 1, 0, 0], 1, 100)), [0, 1, 0, 0]);
    assert.deepEqual(shares(labels([0.5, 0.5 - 1e-12, 0, 0], 1, 100)).slice(2), [0, 0]);
  });

  it('gives nearly the same labels to θ that are near each other', () => {
    const [a, b] = [labels([0.15, 0.5, 0.05, 0.3], 3, 200), labels([0.17, 0.48, 0.05, 0.3], 3, 200)];
    assert.ok(a.filter((label, i) => label !== b[i]).length <= 8);
  });

  it('leaves everything else as it is', () => {
    for (let index = 0; index < 20; index++) {
      const [plain, drawn] = [simulator, even].map((each) => each.draw({ label: [1, 0, 0, 0], scale: 2 }, 5, index));
      assert.deepEqual(drawn, plain);
    }
    assert.equal(even.draw({ label: [1, 0, 0, 0] }, 5, 0).scale, 1, 'the default');
    assert.deepEqual(even.parameters, simulator.parameters);
  });

  it('must be of simplexes that there are', () => {
    assert.throws(() => stratified(simulator, ['scale']), /simplexes \(label\), got scale/);
    assert.throws(() => stratified(mixtureSimulator(), ['weather']), /got weather/);
  });
});
