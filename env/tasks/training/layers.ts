/** Layers whose weights are in one flat vector: their first weights, and how they run after training. */
import * as tf from '@tensorflow/tfjs-core';
import type { Random } from '../../../protocol/random.ts';
import { BATCH_NORM_EPSILON } from '../tensorflow/operations.ts';
import { scoped } from '../tensorflow/scoped.ts';
import { resample } from '../tensorflow/resample.ts';
import { depthToSpace, spaceToDepth } from '../tensorflow/space-to-depth.ts';
import type { Inputs, Shape } from './differentiable.ts';
import { filterShape, type Canvas, type Layer, type Network } from './network.ts';
import { resampling } from './resampling.ts';

/** The shapes of a layer's parameters in the order of the flat vector: filter, then gamma and beta, or the bias. */
export function parameterShapes(layer: Layer): number[][] {
  const { normalised, outChannels } = layer;
  return normalised ? [filterShape(layer), [outChannels], [outChannels]] : [filterShape(layer), [outChannels]];
}

/** The number of weights of all layers. */
export function weightCount(layers: readonly Layer[]): number {
  return layers.flatMap(parameterShapes).reduce((sum, shape) => sum + tf.util.sizeFromShape(shape), 0);
}

/** The factor of the learning rate of each weight, flat. */
export function learningRates(layers: readonly Layer[]): Float32Array {
  const rates = new Float32Array(weightCount(layers));
  let offset = 0;
  for (const layer of layers) rates.fill(layer.rate ?? 1, offset, (offset += weightCount([layer])));
  return rates;
}

/**
 * First weights: filters normal with variance 1 / (3 fan-in), gamma 1, the rest 0.
 *
 * Batch normalisation removes the scale of a filter, so the scale only decides how far a step of the optimiser turns
 * the filter: with a sixth of the usual variance (He et al. 2015, arXiv 1502.01852, eq. 10) a short training gets
 * further. PyTorch's convolutions begin with the same variance.
 *
 * @param known the weights of layers that begin with these
 */
export function initialWeights(
  layers: readonly Layer[],
  random: Random,
  known: ReadonlyMap<Layer, Float32Array> = new Map(),
): Float32Array {
  const weights = new Float32Array(weightCount(layers));
  let offset = 0;
  for (const layer of layers) {
    const start = known.get(layer);
    if (start) {
      weights.set(start, offset);
      offset += start.length;
      continue;
    }
    const fanIn = layer.size * layer.size * layer.inChannels;
    const sd = Math.sqrt(1 / (3 * fanIn));
    const filterEnd = offset + fanIn * layer.outChannels;
    for (; offset < filterEnd; offset++) weights[offset] = random.normal(0, sd);
    if (layer.normalised) weights.fill(1, offset, offset + layer.outChannels);
    offset += layer.outChannels * (layer.normalised ? 2 : 1);
  }
  return weights;
}

/** Parameters by layer, each made from its shape in the order of the flat vector. */
export function parametersByLayer<T>(layers: readonly Layer[], make: (shape: number[]) => T): Map<Layer, T[]> {
  return new Map(layers.map((layer) => [layer, parameterShapes(layer).map(make)]));
}

/** Mean and variance of each channel before normalisation, by layer. */
export type Statistics = Map<Layer, { readonly mean: Float32Array; readonly variance: Float32Array }>;

/** @see Canvas.resize */
export function resize<T extends tf.Tensor>(x: T, like: T): T | tf.Tensor4D {
  const map = resampling(x.shape, like.shape);
  return map ? resample(x, map) : x;
}

/** The network as it runs after training, with the tensors that it holds. */
export interface FrozenNetwork {
  /** @returns the output, flat */
  run(inputs: Inputs, shapes: readonly Shape[]): Float32Array;
  dispose(): void;
}

/**
 * Folds the normalisation with the given statistics into each filter and a bias, so that a layer is one operation.
 */
export function freeze(
  network: Network,
  layers: readonly Layer[],
  weights: Float32Array,
  statistics: Statistics,
): FrozenNetwork {
  const frozen = new Map<Layer, { filter: tf.Tensor4D; bias: tf.Tensor1D }>();
  let offset = 0;
  for (const layer of layers) {
    const { outChannels, normalised } = layer;
    const filter = weights.slice(offset, (offset += tf.util.sizeFromShape(filterShape(layer))));
    let bias = weights.slice(offset, (offset += outChannels));
    if (normalised) {
      const gamma = bias;
      const beta = weights.subarray(offset, (offset += outChannels));
      const { mean, variance } = statistics.get(layer)!;
      const scale = gamma.map((value, c) => value / Math.sqrt(variance[c]! + BATCH_NORM_EPSILON));
      bias = beta.map((value, c) => value - mean[c]! * scale[c]!);
      for (let i = 0; i < filter.length; i++) filter[i]! *= scale[i % outChannels]!;
    }
    frozen.set(layer, { filter: tf.tensor4d(filter, filterShape(layer)), bias: tf.tensor1d(bias) });
  }
  const canvas: Canvas<tf.Tensor4D> = {
    layer: (layer, x) => {
      const activation = layer.normalised ? 'relu' : layer.activated ? 'relu6' : 'linear';
      const { kind, stride: strides = 1, dilation: dilations = 1 } = layer;
      const run = kind === 'depthwise' ? tf.fused.depthwiseConv2d : tf.fused.conv2d;
      return run({ x, ...frozen.get(layer)!, strides, dilations, pad: 'same', activation });
    },
    add: (a, b) => tf.add(a, b),
    spaceToDepth,
    depthToSpace,
    resize,
  };
  return {
    run: (inputs, shapes) =>
      scoped(() => {
        const tensors = inputs.map((input, i) => tf.tensor4d(input, [...shapes[i]!]));
        return network(tensors, canvas).dataSync<'float32'>().slice();
      }),
    dispose: () => frozen.forEach(({ filter, bias }) => tf.dispose([filter, bias])),
  };
}
