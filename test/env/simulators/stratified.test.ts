import assert from 'node:assert/strict';
import { drawSample, drawSamples } from '../../../env/simulators/draw-samples.ts';
import { mixtureSimulator } from '../../../env/simulators/mixture/mixture.ts';
import type { Simulator } from '../../../env/simulators/simulator.ts';
import { stratified } from '../../../env/simulators/stratified.ts';
import { completeTheta, defineParameters } from '../../../protocol/parameters.ts';
import { deriveSeed, Random } from '../../../protocol/random.ts';

const parameters = defineParameters([
  {
    kind: 'simplex',
    name: 'label',
    labels: ['a', 'b', 'c', 'd'],
    default: [0.25, 0.25, 0.25, 0.25],
    meaning: 'which label',
  },
  { kind: 'continuous', name: 'scale', low: 0, high: 2, default: 1, unit: '1', scale: 'linear', meaning: 'a factor' },
]);
let opened = 0;
let closed = 0;

/** One label a sample, and a number that has nothing to do with it. */
const simulator: Simulator<{ label: number; number: number; scale: number }> = {
  name: 'labels',
  version: 1,
  parameters,
  open(theta, seed) {
    opened++;
    const { label: probabilities, scale } = completeTheta(parameters, theta) as { label: number[]; scale: number };
    return {
      draw(index) {
        const random = new Random(deriveSeed(seed, index));
        return { label: random.categorical(probabilities), number: random.uniform(0, 1), scale };
      },
      close: () => void closed++,
    };
  },
};
const even = stratified(simulator, ['label']);
const labels = async (probabilities: number[], seed: number, count: number) =>
  (await drawSamples(even, { label: probabilities }, seed, count)).map(({ label }) => label);
const shares = (drawn: readonly number[]) =>
  [0, 1, 2, 3].map((label) => drawn.filter((each) => each === label).length / drawn.length);

describe('a stratified simulator', () => {
  it('gives every data set its labels in the proportions of θ', async () => {
    const probabilities = [0.15, 0.5, 0.05, 0.3];
    for (let seed = 0; seed < 50; seed++) {
      shares(await labels(probabilities, seed, 100)).forEach((share, i) =>
        // A systematic sample is off by a scene or two where independent draws are off by five.
        assert.ok(Math.abs(share - probabilities[i]!) <= 0.025, `seed ${seed}, label ${i}: ${share}`),
      );
    }
  });

  it('draws each scene with the probabilities of θ', async () => {
    const probabilities = [0.15, 0.5, 0.05, 0.3];
    const drawn: number[] = [];
    for (let seed = 0; seed < 4000; seed++)
      drawn.push((await drawSample(even, { label: probabilities }, seed, 7)).label);
    shares(drawn).forEach((share, i) => assert.ok(Math.abs(share - probabilities[i]!) < 0.03, `label ${i}: ${share}`));
  });

  it('never draws a label of probability 0', async () => {
    assert.deepEqual(shares(await labels([0, 1, 0, 0], 1, 100)), [0, 1, 0, 0]);
    assert.deepEqual(shares(await labels([0.5, 0.5 - 1e-12, 0, 0], 1, 100)).slice(2), [0, 0]);
  });

  it('gives nearly the same labels for θ that are near each other', async () => {
    const [a, b] = [await labels([0.15, 0.5, 0.05, 0.3], 3, 200), await labels([0.17, 0.48, 0.05, 0.3], 3, 200)];
    assert.ok(a.filter((label, i) => label !== b[i]).length <= 8);
  });

  it('changes nothing else', async () => {
    const theta = { label: [1, 0, 0, 0], scale: 2 };
    assert.deepEqual(await drawSamples(even, theta, 5, 20), await drawSamples(simulator, theta, 5, 20));
    assert.equal((await drawSample(even, { label: [1, 0, 0, 0] }, 5, 0)).scale, 1, 'the default');
    assert.deepEqual(even.parameters, simulator.parameters);
  });

  it('opens one data set for each label that occurs, and closes them all', async () => {
    opened = closed = 0;
    await labels([0.5, 0.3, 0.2, 0], 1, 100);
    assert.deepEqual([opened, closed], [3, 3]);
  });

  it('checks θ when it is opened', () => {
    assert.throws(() => even.open({ label: [1, 1, 0, 0] }, 1), /label: expected probabilities of at least 0/);
    assert.throws(() => even.open({ lable: [1, 0, 0, 0] }, 1), /lable: expected one of label, scale/);
  });

  it('must be given simplexes that exist', () => {
    assert.throws(() => stratified(simulator, ['scale']), /simplexes \(label\), got scale/);
    assert.throws(() => stratified(mixtureSimulator(), ['weather']), /got weather/);
  });
});
