import * as tf from '@tensorflow/tfjs-core';
import { scoped } from '../tensorflow/scoped.ts';
import { wasmOperations } from '../tensorflow/wasm-operations.ts';
import type { Differentiable, Inputs, Shape } from './differentiable.ts';
import { parametersByLayer, type Statistics } from './layers.ts';
import type { Layer, Network } from './network.ts';
import { Tape } from './tape.ts';

/** Runs each operation when the network reaches it. */
export function runAtOnce(network: Network, layers: readonly Layer[], shapes: readonly Shape[]): Differentiable {
  function forward(inputNumbers: Inputs, weights: Float32Array) {
    const inputs = inputNumbers.map((numbers, i): tf.Tensor => tf.tensor4d(numbers, [...shapes[i]!]));
    let offset = 0;
    const parameters = parametersByLayer(layers, (size) => {
      const part = weights.subarray(offset, (offset += tf.util.sizeFromShape(size)));
      return tf.tensor(part, size);
    });
    const tape = new Tape<tf.Tensor>(wasmOperations, inputs, parameters);
    return { tape, output: network<tf.Tensor>(inputs, tape) };
  }
  return {
    gradient: (inputs, weights, cost, gradient) =>
      scoped(() => {
        const { tape, output } = forward(inputs, weights);
        const slope = new Float32Array(output.size);
        const loss = cost(output.dataSync<'float32'>(), slope);
        let offset = 0;
        for (const part of tape.gradients(output, tf.tensor(slope, output.shape))) {
          gradient.set(part.dataSync<'float32'>(), offset);
          offset += part.size;
        }
        return loss;
      }),
    statistics: (inputs, weights) =>
      scoped(() => {
        const read = (tensor: tf.Tensor) => tensor.dataSync<'float32'>().slice();
        const measured = forward(inputs, weights).tape.statistics;
        const entries = [...measured].map(
          ([layer, { mean, variance }]) => [layer, { mean: read(mean), variance: read(variance) }] as const,
        );
        return new Map(entries) satisfies Statistics;
      }),
  };
}
