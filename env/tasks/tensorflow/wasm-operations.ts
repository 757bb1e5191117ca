/** Operations that the wasm backend runs at once. */
import * as tf from '@tensorflow/tfjs-core';
import type { Operations } from './operations.ts';
import { depthToSpace, spaceToDepth } from './space-to-depth.ts';
import { resample } from './resample.ts';
import { batchNormRelu, batchNormReluGradient } from './wasm-batch-norm.ts';

const convolution = { strides: 1, pad: 'same', dataFormat: 'NHWC' };

/** The tensors belong to the scope in which they are made: see scoped.ts. */
export const wasmOperations: Operations<tf.Tensor> = {
  convolution: (x, filter, dilation) =>
    tf.engine().runKernel('Conv2D', { x, filter }, { ...convolution, dilations: dilation }),
  convolutionInputGradient: (dy, filter, dilations) => {
    const inputShape = [...dy.shape.slice(0, 3), filter.shape[2]!];
    return tf.engine().runKernel('Conv2DBackpropInput', { dy, filter }, { ...convolution, dilations, inputShape });
  },
  convolutionFilterGradient: (x, dy, size, dilations) => {
    const filterShape = [size, size, x.shape[3]!, dy.shape[3]!];
    return tf.engine().runKernel('Conv2DBackpropFilter', { x, dy }, { ...convolution, dilations, filterShape });
  },
  depthwiseConvolution: (x, filter, stride) =>
    tf.engine().runKernel('DepthwiseConv2dNative', { x, filter }, { ...convolution, strides: stride, dilations: 1 }),
  depthwiseInputGradient: (dy, filter, inputShape, stride) => {
    const attributes = { ...convolution, strides: stride, inputShape: [...inputShape] };
    return tf.engine().runKernel('DepthwiseConv2dNativeBackpropInput', { dy, filter }, attributes);
  },
  depthwiseFilterGradient: (x, dy, size, stride) => {
    const attributes = { ...convolution, strides: stride, filterShape: [size, size, x.shape[3]!, 1] };
    return tf.engine().runKernel('DepthwiseConv2dNativeBackpropFilter', { x, dy }, attributes);
  },
  relu6: (x) => tf.relu6(x),
  relu6Gradient: (dy, y) => tf.mul(dy, tf.cast(tf.logicalAnd(tf.greater(y, 0), tf.less(y, 6)), 'float32')),
  batchNormRelu,
  batchNormReluGradient,
  addBias: (x, bias) => tf.add(x, bias),
  biasGradient: (dy) => tf.sum(dy, [0, 1, 2]),
  add: (a, b) => tf.add(a, b),
  spaceToDepth,
  depthToSpace,
  resample,
};
