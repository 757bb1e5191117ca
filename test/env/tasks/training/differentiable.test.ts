import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import type { BackendName } from '../../../../env/runtime.ts';
import { installedBackends, loadBackend } from '../../../../env/tasks/tensorflow/backend.ts';
import { differentiable, type Shape } from '../../../../env/tasks/training/differentiable.ts';
import { freeze, weightCount } from '../../../../env/tasks/training/layers.ts';
import type { Layer, Network } from '../../../../env/tasks/training/network.ts';
import { Random } from '../../../../protocol/random.ts';
import { plainCanvas, type Plain } from './plain-canvas.ts';

const SHAPE: Shape = [2, 6, 8, 3];
/** Of a second, smaller input. */
const SMALL: Shape = [2, 2, 3, 2];
const SHAPES = [SHAPE, SMALL];
const layer = (size: number, inChannels: number, outChannels: number, dilation = 1, normalised = true): Layer => ({
  size,
  inChannels,
  outChannels,
  dilation,
  normalised,
});
const stem = layer(1, 3, 4);
const fine = layer(3, 4, 4);
const halve = layer(1, 16, 8);
const wide = layer(3, 8, 8, 2);
const rise = layer(1, 8, 16);
const head = layer(3, 4, 5, 1, false);
const lift = layer(1, 2, 4);
const point: Layer = { ...layer(1, 4, 6, 1, false), activated: true };
const depth: Layer = { ...layer(3, 6, 6, 1, false), kind: 'depthwise', activated: true };
const strided: Layer = { ...layer(5, 6, 6, 1, false), kind: 'depthwise', stride: 2, activated: true };
const scale: Layer = { ...layer(1, 6, 6, 1, false), kind: 'depthwise' };
const back = layer(1, 6, 4, 1, false);
const layers = [stem, fine, halve, wide, rise, lift, point, depth, strided, scale, back, head];

/** Every operation that there is, and a value that is used twice. */
const network: Network = ([x, small], on) => {
  const near = on.layer(fine, on.layer(stem, x!));
  const far = on.layer(wide, on.layer(halve, on.spaceToDepth(near)));
  const risen = on.add(on.depthToSpace(on.layer(rise, far)), near);
  const lifted = on.resize(on.layer(lift, small!), risen);
  const lowered = on.resize(on.resize(near, lifted), small!);
  const deep = on.layer(depth, on.layer(point, near));
  const coarse = on.layer(back, on.layer(scale, on.layer(strided, deep)));
  const sum = on.add(on.add(risen, lifted), on.resize(lowered, risen));
  return on.layer(head, on.add(sum, on.resize(coarse, risen)));
};

const random = new Random(3);
const drawn = (length: number, mean = 0, sd = 1) => Float32Array.from({ length }, () => random.normal(mean, sd));
const inputs = SHAPES.map((shape) => drawn(tf.util.sizeFromShape([...shape])));
const weights = drawn(weightCount(layers), 0.1, 0.5);
const slope = drawn(2 * 6 * 8 * 5); // the loss is Σ slope · output

function outputByDefinition(numbers: readonly number[]): readonly number[] {
  const images = inputs.map((input, i): Plain => ({ shape: SHAPES[i]!, numbers: [...input] }));
  return network<Plain>(images, plainCanvas(layers, numbers)).numbers;
}

function lossByDefinition(numbers: readonly number[]): number {
  return outputByDefinition(numbers).reduce((sum, y, i) => sum + y * slope[i]!, 0);
}

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  assert.equal(actual.length, expected.length);
  const scale = Math.max(1, ...Array.from(expected, Math.abs));
  for (let i = 0; i < expected.length; i++) {
    const message = `[${i}]: expected ${expected[i]}, got ${actual[i]}`;
    assert.ok(Math.abs(actual[i]! - expected[i]!) <= tolerance * scale, message);
  }
}

for (const name of ['wasm', 'tfjs-node'] as const satisfies BackendName[]) {
  describe(`a differentiable network on ${name}`, function () {
    before(async function () {
      if (!installedBackends().includes(name)) return this.skip(); // native is optional
      await loadBackend(name);
    });
    after(() => loadBackend('wasm'));

    function run(): { output: Float32Array; loss: number; gradient: Float32Array } {
      const gradient = new Float32Array(weights.length);
      let output = new Float32Array();
      const cost = (found: Float32Array, slopes: Float32Array) => {
        output = found.slice();
        slopes.set(slope);
        return 42;
      };
      const loss = differentiable(network, layers, SHAPES).gradient(inputs, weights, cost, gradient);
      return { output, loss, gradient };
    }

    it('computes its definition, and returns the loss that it is given', () => {
      const { output, loss } = run();
      assertClose(output, outputByDefinition([...weights]), 1e-5);
      assert.equal(loss, 42);
    });

    it('has the gradient that finite differences of the definition give, for weights of every layer @slow', () => {
      const { gradient } = run();
      const numbers = [...weights];
      const step = 1e-6;
      const some = numbers.map((_, i) => i).filter((i) => i % 7 === 0);
      const expected = some.map((i) => {
        const value = numbers[i]!;
        numbers[i] = value + step;
        const above = lossByDefinition(numbers);
        numbers[i] = value - step;
        const below = lossByDefinition(numbers);
        numbers[i] = value;
        return (above - below) / (2 * step);
      });
      assertClose(
        some.map((i) => gradient[i]!),
        expected,
        1e-4,
      );
    });

    it('gives the same bits again, and leaves no tensor behind', () => {
      const first = run();
      const before = tf.memory();
      assert.deepEqual(run(), first);
      const { numTensors, numBytes } = tf.memory();
      assert.deepEqual([numTensors, numBytes], [before.numTensors, before.numBytes]);
    });

    it('computes the same when it is frozen with the statistics of the batch', () => {
      const { statistics } = differentiable(network, layers, SHAPES);
      const measured = statistics(inputs, weights);
      const frozen = freeze(network, layers, weights, measured);
      const output = frozen.run(inputs, SHAPES);
      frozen.dispose();
      // The native backend's variance is divided by one less than the number of positions: up to 24 here.
      assertClose(output, outputByDefinition([...weights]), name === 'wasm' ? 1e-5 : 0.1);
    });
  });
}

describe('graphs on tfjs-node', () => {
  before(async function () {
    if (!installedBackends().includes('tfjs-node')) return this.skip();
    await loadBackend('tfjs-node');
  });
  after(() => loadBackend('wasm'));

  it('are loaded a few at a time, and each still runs after others were loaded', () => {
    const { binding } = tf.backend() as tf.KernelBackend & { binding: { getNumOfSavedModels(): number } };
    const images = drawn(6 * 48 * 3);
    const smalls = drawn(6 * 12);
    const all = [1, 2, 3, 4, 5, 6].map((n) => ({
      parts: [images.subarray(0, n * 48 * 3), smalls.subarray(0, n * 12)],
      network: differentiable(network, layers, [
        [n, 6, 8, 3],
        [n, 2, 3, 2],
      ]),
    }));
    const means = () => all.map((one) => one.network.statistics(one.parts, weights).get(stem)!.mean);
    const first = means();
    assert.deepEqual(means(), first);
    assert.equal(new Set(first.map((mean) => mean[0])).size, 6);
    assert.ok(binding.getNumOfSavedModels() <= 4);
  });
});
