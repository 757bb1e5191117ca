/**
 * The gradients of a convolution for the native backend, which take a `dilations` attribute: tfjs's own pass over it, and
 * give wrong numbers in silence.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { NodeBackend } from './batch-norm.ts';

interface Attributes {
  readonly strides: [number, number] | number;
  readonly pad: 'valid' | 'same';
  readonly dilations?: [number, number] | number;
}

const sides = (value: [number, number] | number) => (typeof value === 'number' ? [value, value] : value);

/** Runs TensorFlow's operation of the same name. */
function backprop(name: string, args: Parameters<tf.KernelFunc>[0], inputs: tf.TensorInfo[]): tf.TensorInfo {
  const backend = args.backend as NodeBackend;
  const { binding } = backend;
  const { strides, pad, dilations = 1 } = args.attrs as unknown as Attributes;
  return backend.executeSingleOutput(
    name,
    [
      { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
      { name: 'strides', type: binding.TF_ATTR_INT, value: [1, ...sides(strides), 1] },
      { name: 'dilations', type: binding.TF_ATTR_INT, value: [1, ...sides(dilations), 1] },
      { name: 'padding', type: binding.TF_ATTR_STRING, value: pad.toUpperCase() },
      { name: 'data_format', type: binding.TF_ATTR_STRING, value: 'NHWC' },
      { name: 'use_cudnn_on_gpu', type: binding.TF_ATTR_BOOL, value: true },
    ],
    inputs,
  );
}

const backpropInput: tf.KernelFunc = (args) => {
  const { dy, filter } = args.inputs as Record<'dy' | 'filter', tf.TensorInfo>;
  const shape = tf.tensor1d(args.attrs!.inputShape as number[], 'int32');
  const gradient = backprop(tf.Conv2DBackpropInput, args, [shape, filter, dy]);
  shape.dispose();
  return gradient;
};

const backpropFilter: tf.KernelFunc = (args) => {
  const { x, dy } = args.inputs as Record<'x' | 'dy', tf.TensorInfo>;
  const shape = tf.tensor1d(args.attrs!.filterShape as number[], 'int32');
  const gradient = backprop(tf.Conv2DBackpropFilter, args, [x, shape, dy]);
  shape.dispose();
  return gradient;
};

/** Registers them in place of tfjs's. */
export function registerNativeGradients(): void {
  const kernels = { [tf.Conv2DBackpropInput]: backpropInput, [tf.Conv2DBackpropFilter]: backpropFilter };
  for (const [kernelName, kernelFunc] of Object.entries(kernels)) {
    tf.unregisterKernel(kernelName, 'tensorflow');
    tf.registerKernel({ kernelName, backendName: 'tensorflow', kernelFunc });
  }
}
