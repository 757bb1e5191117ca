/**
 * Convolution layers whose weights lie in one flat vector, as they run in training and as they run afterwards.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Random } from '../../../protocol/random.ts';
import { BATCH_NORM_EPSILON, batchNormRelu } from '../../tensorflow/batch-norm.ts';

/** A convolution with stride 1 and 'same' padding. */
export interface Layer {
  /** Height and width of the filter. */
  readonly size: number;
  /** Distance between neighbouring taps of the filter; 1 when left out. */
  readonly dilation?: number;
  readonly inChannels: number;
  readonly outChannels: number;
  /** Followed by batch normalisation and ReLU; otherwise the convolution has a bias and nothing follows. */
  readonly normalised: boolean;
}

/** Runs one layer on [n, height, width, inChannels]. */
export type ApplyLayer = (layer: Layer, x: tf.Tensor4D) => tf.Tensor4D;

function filterShape({ size, inChannels, outChannels }: Layer): [number, number, number, number] {
  return [size, size, inChannels, outChannels];
}

/** The shapes of a layer's parameters in the order of the flat vector: filter, then gamma and beta, or the bias. */
export function parameterShapes(layer: Layer): number[][] {
  const { normalised, outChannels } = layer;
  return normalised ? [filterShape(layer), [outChannels], [outChannels]] : [filterShape(layer), [outChannels]];
}

/** The number of weights of all layers. */
export function weightCount(layers: readonly Layer[]): number {
  return layers.flatMap(parameterShapes).reduce((sum, shape) => sum + tf.util.sizeFromShape(shape), 0);
}

/**
 * First weights: filters normal with variance 1 / (3 fan-in), gamma 1, the rest 0.
 *
 * Batch normalisation takes out the scale of a filter, so its size only says how far a step of the optimiser turns it:
 * with a sixth of the usual variance (He et al. 2015, arXiv 1502.01852, eq. 10) a short training gets farther. It is the
 * variance that PyTorch's convolutions begin with.
 */
export function initialWeights(layers: readonly Layer[], random: Random): Float32Array {
  const weights = new Float32Array(weightCount(layers));
  let offset = 0;
  for (const layer of layers) {
    const fanIn = layer.size * layer.size * layer.inChannels;
    const sd = Math.sqrt(1 / (3 * fanIn));
    const filterEnd = offset + fanIn * layer.outChannels;
    for (; offset < filterEnd; offset++) weights[offset] = random.normal(0, sd);
    if (layer.normalised) weights.fill(1, offset, offset + layer.outChannels);
    offset += layer.outChannels * (layer.normalised ? 2 : 1);
  }
  return weights;
}

/** Tensors of all parameters, layer by layer; the caller disposes them. */
export function parameterTensors(layers: readonly Layer[], weights: Float32Array): tf.Tensor[] {
  let offset = 0;
  return layers.flatMap(parameterShapes).map((shape) => {
    const part = weights.subarray(offset, (offset += tf.util.sizeFromShape(shape)));
    return tf.tensor(part, shape, 'float32');
  });
}

/** Mean and variance of each channel before normalisation, by layer. */
export type Statistics = Map<Layer, { readonly mean: Float32Array; readonly variance: Float32Array }>;

/**
 * Layers as they run in training: normalised by the batch's own statistics.
 *
 * @param parameters of {@link parameterTensors}
 * @param statistics is filled with the batch's, when given (which reads them back: not for every step)
 */
export function trainingLayers(
  layers: readonly Layer[],
  parameters: readonly tf.Tensor[],
  statistics?: Statistics,
): ApplyLayer {
  const first = new Map<Layer, number>();
  let position = 0;
  for (const layer of layers) {
    first.set(layer, position);
    position += parameterShapes(layer).length;
  }
  return (layer, x) => {
    const start = first.get(layer)!;
    const z = tf.conv2d(x, parameters[start] as tf.Tensor4D, 1, 'same', 'NHWC', layer.dilation);
    if (!layer.normalised) return tf.add(z, parameters[start + 1]!);
    const { y, mean, variance } = batchNormRelu(
      z,
      parameters[start + 1] as tf.Tensor1D,
      parameters[start + 2] as tf.Tensor1D,
    );
    statistics?.set(layer, {
      mean: mean.dataSync<'float32'>().slice(),
      variance: variance.dataSync<'float32'>().slice(),
    });
    return y;
  };
}

/** Layers as they run when training is over, with the tensors that they hold. */
export interface FrozenLayers {
  readonly apply: ApplyLayer;
  dispose(): void;
}

/**
 * Folds the normalisation with the given statistics into each filter and a bias, so that a layer is one operation.
 */
export function freezeLayers(layers: readonly Layer[], weights: Float32Array, statistics: Statistics): FrozenLayers {
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
  return {
    apply: (layer, x) => {
      const { filter, bias } = frozen.get(layer)!;
      const activation = layer.normalised ? 'relu' : 'linear';
      const { dilation: dilations = 1 } = layer;
      return tf.fused.conv2d({ x, filter, strides: 1, dilations, pad: 'same', bias, activation });
    },
    dispose: () => frozen.forEach(({ filter, bias }) => tf.dispose([filter, bias])),
  };
}
