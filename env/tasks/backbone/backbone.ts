/** Runs the pretrained backbone as it was published, on the present backend. */
import * as tf from '@tensorflow/tfjs-core';
import { Graph, type Value } from '../tensorflow/graph.ts';
import { GraphSession } from '../tensorflow/graph-session.ts';
import { scoped } from '../tensorflow/scoped.ts';
import type { Shape } from '../training/differentiable.ts';
import { filterShape } from '../training/network.ts';
import { efficientNetLite0, LAYERS, type FoldedCanvas, type FoldedLayer } from './efficientnet-lite0.ts';
import { backboneWeights, type FoldedWeights } from './weights.ts';

/** The backbone for images of one shape. */
export interface Backbone {
  /**
   * @param images [n, height, width, 3], flat, as the network wants its colours
   * @returns the output of each tap, [n, rows, columns, channels], flat
   */
  run(images: Float32Array): Float32Array[];
}

/**
 * Loads the backbone.
 *
 * @param shape of the images: [n, height, width, 3]
 * @param taps  numbers of blocks, ascending
 * @throws {RangeError} when its weights are missing
 */
export function loadBackbone(shape: Shape, taps: readonly number[]): Backbone {
  const weights = new Map(backboneWeights().map((each, i) => [LAYERS[i]!, each]));
  return (tf.getBackend() === 'wasm' ? atOnce : asGraph)(weights, shape, taps);
}

type WeightsOf = ReadonlyMap<FoldedLayer, FoldedWeights>;

/** They stay for all evaluations of the process, about 12 MB. */
const tensors = new Map<FoldedLayer, { filter: tf.Tensor4D; bias: tf.Tensor1D }>();

function atOnce(weights: WeightsOf, shape: Shape, taps: readonly number[]): Backbone {
  if (tensors.size === 0) {
    for (const [layer, { filter, bias }] of weights) {
      tensors.set(layer, { filter: tf.tensor4d(filter, filterShape(layer)), bias: tf.tensor1d(bias) });
    }
  }
  const canvas: FoldedCanvas<tf.Tensor4D> = {
    layer: (layer, x) => {
      const { kind, stride: strides, activated } = layer;
      const activation = activated ? 'relu6' : 'linear';
      const run = kind === 'depthwise' ? tf.fused.depthwiseConv2d : tf.fused.conv2d;
      return run({ x, ...tensors.get(layer)!, strides, pad: 'same', activation });
    },
    add: (a, b) => tf.add(a, b),
  };
  return {
    run: (images) =>
      scoped(() =>
        efficientNetLite0(tf.tensor4d(images, [...shape]), taps, canvas).map((tap) =>
          tap.dataSync<'float32'>().slice(),
        ),
      ),
  };
}

function asGraph(weights: WeightsOf, shape: Shape, taps: readonly number[]): Backbone {
  const graph = new Graph();
  const input = graph.input('images', shape);
  const canvas: FoldedCanvas<Value> = {
    layer: (layer, x) => {
      const { filter, bias } = weights.get(layer)!;
      const [filterValue, biasValue] = [graph.fixed(filter, filterShape(layer)), graph.fixed(bias, [bias.length])];
      const y =
        layer.kind === 'depthwise'
          ? graph.addBias(graph.depthwiseConvolution(x, filterValue, layer.stride), biasValue)
          : graph.stridedConvolution(x, filterValue, biasValue, layer.stride);
      return layer.activated ? graph.relu6(y) : y;
    },
    add: (a, b) => graph.add(a, b),
  };
  const outputs = efficientNetLite0<Value>(input, taps, canvas);
  const session = new GraphSession(graph);
  return {
    run: (images) =>
      session.scope((keep) => {
        const given = keep([session.write(input, images)]);
        return keep(session.run([input], given, outputs)).map((handle) => session.read(handle));
      }),
  };
}
